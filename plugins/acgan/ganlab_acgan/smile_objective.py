"""The training step of SMiLE's AC-GAN: one update each, with the same noise and real images of their own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import torch
from torch import Tensor

from ganlab import Adversarial, Criterion, Penalty, Step, Update


class SmileAcGanSteps:
    """AC-GAN whose fakes have the labels of the real batch at hand, and may be drawn to its features."""

    def __init__(
        self,
        *,
        adversarial: Adversarial,
        classification: Criterion,
        penalty: Penalty,
        feature_distance: Criterion,
        feature_matching: bool = True,
        feature_scale: Literal["half_sum", "mean"] = "half_sum",
    ) -> None:
        self.adversarial, self.classification, self.penalty = adversarial, classification, penalty
        self.feature_distance, self.feature_matching, self.feature_scale = feature_distance, feature_matching, feature_scale

    def step(self, s: Step) -> Iterator[Update]:
        """Yield the update of the discriminator, then that of the generator."""
        generator, discriminator = s.nets["generator"], s.nets["discriminator"]
        batch = s.batch()
        noise = s.noise(len(batch))
        with torch.no_grad():
            fakes = generator(noise, batch.labels)
        real, fake = discriminator(batch.images), discriminator(fakes)  # apart: each has batch statistics of its own
        terms = {
            "d_adversarial": self.adversarial.discriminator(real.logits, fake.logits),
            "d_class_real": self.classification(real.classes, batch.labels),
            "d_class_fake": self.classification(fake.classes, batch.labels),
        }
        if self.penalty:
            terms["d_penalty"] = self.penalty(lambda images: discriminator(images).logits, batch.images, fakes)
        yield Update("discriminator", **terms)
        s.log(
            d_accuracy_real=(real.logits > 0).float().mean(),
            d_accuracy_fake=(fake.logits <= 0).float().mean(),
            d_class_accuracy=((real.classes > 0) == (batch.labels > 0.5)).float().mean(),
        )

        # Each run of the published graph takes the next real batch; the noise is fed, and stays.
        batch = s.batch()
        fake = discriminator(generator(noise, batch.labels))
        # The published loss also holds the class term of the real images, in which the generator has no part.
        terms = {
            "g_adversarial": self.adversarial.generator(fake.logits, lambda: discriminator(batch.images).logits),
            "g_class": self.classification(fake.classes, batch.labels),
        }
        if self.feature_matching:
            with torch.no_grad():
                wanted = discriminator(batch.images).features
            terms["g_features"] = self.features(fake.features, wanted, batch.images)
        yield Update("generator", **terms)

    def features(self, fake: Tensor, real: Tensor, images: Tensor) -> Tensor:
        """Return the distance of features [N, ...] in the published scale; `images` [N, C, H, W] tell the pixels of one.

        Published are tf.nn.l2_loss, half the sum over the batch, and the mean of absolute differences, both over 128^2.
        """
        scale = fake.numel() / 2 if self.feature_scale == "half_sum" else 1.0
        height, width = images.shape[2:]
        distance: Tensor = self.feature_distance(fake, real)
        return distance * (scale / (height * width))
