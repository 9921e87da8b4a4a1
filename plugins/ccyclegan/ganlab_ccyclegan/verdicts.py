"""Logits -> how many of them are right, for the log: the experiments were judged by whether D is at 100 %."""

import torch
from torch import Tensor

from ganlab import Adversarial


def share_right(adversarial: Adversarial, logits: Tensor, is_real: Tensor) -> Tensor:
    """Return the share of `logits`, [N] or patches, that fall on the side of the mask `is_real` [N].

    A logit says "real" if that costs less than "fake": above 0 with cross-entropy, above 1/2 with the squares of T1, as Keras'
    accuracy has it; above their mean with a relativistic loss. What a loss keeps between steps stays as it is.
    """
    is_training = adversarial.training
    adversarial.eval()
    with torch.no_grad():
        as_real, as_fake = adversarial.loss.discriminator(logits.float(), logits.float())
    adversarial.train(is_training)
    is_right: Tensor = (as_real < as_fake) == like(is_real, logits)
    return is_right.float().mean()


def like(mask: Tensor, logits: Tensor) -> Tensor:
    """Return a mask [N] so that it goes with `logits`, [N] or patches [N, 1, h, w]."""
    return mask.view(-1, *[1] * (logits.dim() - 1))
