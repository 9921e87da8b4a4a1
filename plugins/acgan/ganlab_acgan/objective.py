"""The training step of the AC-GAN with attributes: the discriminator by half a batch each, the generator by a whole."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import torch
from torch import Tensor, nn

from ganlab import Adversarial, Criterion, Penalty, Step, Update
from ganlab.layers import inference


class AcGanSteps:
    """Real images and fakes with the same labels; then fakes with labels of other real images."""

    def __init__(
        self,
        *,
        adversarial: Adversarial,
        classification: Criterion,
        penalty: Penalty,
        d_updates: Literal["two", "one"] = "two",
        fakes_in_inference: bool = True,
    ) -> None:
        self.adversarial, self.classification, self.penalty = adversarial, classification, penalty
        self.d_updates, self.fakes_in_inference = d_updates, fakes_in_inference

    def step(self, s: Step) -> Iterator[Update]:
        """Yield the updates of the discriminator, two or one, and that of the generator."""
        generator, discriminator = s.nets["generator"], s.nets["discriminator"]
        # A step counts as one batch of the epoch, as published; half of its images serve as real ones.
        batch = s.batch()
        count = len(batch)
        batch = batch[: (count + 1) // 2]
        photos, labels = batch.images, batch.labels

        real = discriminator(photos)
        of_real = {
            "d_adversarial_real": self.adversarial.real(real.logits),
            "d_class_real": self.classification(real.classes, labels),
        }
        if self.d_updates == "two":
            yield Update("discriminator", **of_real)
            of_real = {}

        fakes = self._fakes(generator, s.noise(len(batch)), labels)
        fake = discriminator(fakes)
        of_fake = {
            "d_adversarial_fake": self.adversarial.fake(fake.logits),
            "d_class_fake": self.classification(fake.classes, labels),
        }
        if self.penalty:
            of_fake["d_penalty"] = self.penalty(lambda images: discriminator(images).logits, photos, fakes)
        yield Update("discriminator", **of_real, **of_fake)
        s.log(
            d_accuracy_real=(real.logits > 0).float().mean(),
            d_accuracy_fake=(fake.logits <= 0).float().mean(),
            d_class_accuracy=((real.classes > 0) == (labels > 0.5)).float().mean(),
        )

        # Labels drawn at random would contradict each other (blond and black hair): these are of real images.
        labels = s.labels(count)
        fake = discriminator(generator(s.noise(count), labels))
        yield Update(
            "generator",
            g_adversarial=self.adversarial.generator(fake.logits, lambda: real.logits.detach()),
            g_class=self.classification(fake.classes, labels),
        )

    def _fakes(self, generator: nn.Module, noise: Tensor, labels: Tensor) -> Tensor:
        """Return fakes for the discriminator, [N, C, H, W] in [-1, 1], without a graph."""
        if self.fakes_in_inference:
            with inference(generator):
                fakes: Tensor = generator(noise, labels)
        else:
            with torch.no_grad():
                fakes = generator(noise, labels)
        return fakes
