"""The training step of the cGAN: the discriminator by half a batch each, the generator by a whole."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from ganlab import Adversarial, Penalty, Step, Update
from ganlab.layers import inference


class CGanSteps:
    """Real images and fakes with the same labels, apart; then fakes with labels of other real images."""

    def __init__(
        self,
        *,
        adversarial: Adversarial,
        penalty: Penalty,
        wrong_labels: bool = False,
        d_updates: Literal["two", "one"] = "two",
    ) -> None:
        self.adversarial, self.penalty = adversarial, penalty
        self.wrong_labels, self.d_updates = wrong_labels, d_updates

    def step(self, s: Step) -> Iterator[Update]:
        """Yield the updates of the discriminator, two or one, and that of the generator."""
        generator, discriminator = s.nets["generator"], s.nets["discriminator"]
        # A step counts as one batch of the epoch, as published; half of its images serve as real ones.
        batch = s.batch()
        count = len(batch)
        batch = batch[: (count + 1) // 2]
        photos, labels = batch.images, batch.labels

        real = discriminator(photos, labels).logits
        of_real = {"d_adversarial_real": self.adversarial.real(real)}
        if self.d_updates == "two":
            yield Update("discriminator", **of_real)
            of_real = {}

        with inference(generator):  # as Keras predicts
            fakes = generator(s.noise(len(batch)), labels)
        fake = discriminator(fakes, labels).logits
        of_fake = {"d_adversarial_fake": self.adversarial.fake(fake)}
        if self.wrong_labels:  # another image's; a few happen to be right
            of_fake["d_adversarial_wrong"] = self.adversarial.fake(discriminator(photos, s.labels(len(batch))).logits)
        if self.penalty:
            of_fake["d_penalty"] = self.penalty(lambda images: discriminator(images, labels).logits, photos, fakes)
        yield Update("discriminator", **of_real, **of_fake)
        s.log(d_accuracy_real=(real > 0).float().mean(), d_accuracy_fake=(fake <= 0).float().mean())

        # Labels drawn at random would contradict each other (blond and black hair): these are of real images.
        labels = s.labels(count)
        fake = discriminator(generator(s.noise(count), labels), labels).logits
        yield Update("generator", g_adversarial=self.adversarial.generator(fake, lambda: real.detach()))
