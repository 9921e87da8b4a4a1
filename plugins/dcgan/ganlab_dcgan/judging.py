"""Images -> what a discriminator says of them, after the changes that both players' updates share."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ganlab import Verdict
from ganlab.layers import diff_augment
from ganlab.options import Augmentation


def judge(discriminator: nn.Module, images: Tensor, augment: Sequence[Augmentation], input_noise: float) -> Verdict:
    """Return the verdict on `images` [N, C, H, W], augmented, with normal noise of that deviation on top."""
    seen = diff_augment(images, augment)
    if input_noise:
        seen = seen + input_noise * torch.randn_like(seen)
    verdict: Verdict = discriminator(seen)
    return verdict
