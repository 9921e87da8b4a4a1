"""The training step of CCycleGAN's classifier C1: does a label fit an image."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from ganlab import Adversarial, Step, Update
from ganlab_ccyclegan.other_labels import random_other_label
from ganlab_ccyclegan.verdicts import share_right


class Matching:
    """The discriminator of pairs alone: each photo with its label is real, with one other label fake, in one batch."""

    def __init__(self, *, adversarial: Adversarial) -> None:
        self.adversarial = adversarial

    def step(self, s: Step) -> Iterator[Update]:
        """Yield the update of the discriminator, on twice as many pairs as the batch has images."""
        discriminator, batch = s.nets["discriminator"], s.batch()
        labels = torch.cat([batch.labels, random_other_label(batch.labels)])
        logits = discriminator(torch.cat([batch.images, batch.images]), labels).logits
        fits, fits_not = logits.chunk(2)
        yield Update("discriminator", d_matching=self.adversarial.discriminator(fits, fits_not, pooled=True))
        is_real = torch.arange(len(labels), device=s.device) < len(batch)
        s.log(d_matching_accuracy=share_right(self.adversarial, logits, is_real))
