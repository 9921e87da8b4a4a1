"""The training step of the cGAN: two updates of the discriminator by half a batch each, one of the generator by a whole."""

from __future__ import annotations

from collections.abc import Iterator

from ganlab import Adversarial, Penalty, Step, Update
from ganlab.layers import inference


class CGanSteps:
    """Real images and fakes with the same labels, apart; then fakes with labels of other real images."""

    def __init__(self, *, adversarial: Adversarial, penalty: Penalty) -> None:
        self.adversarial, self.penalty = adversarial, penalty

    def step(self, s: Step) -> Iterator[Update]:
        """Yield the three updates."""
        generator, discriminator = s.nets["generator"], s.nets["discriminator"]
        # A step counts as one batch of the epoch, as published; half of its images serve as real ones.
        batch = s.batch()
        count = len(batch)
        batch = batch[: (count + 1) // 2]
        photos, labels = batch.images, batch.labels

        real = discriminator(photos, labels).logits
        yield Update("discriminator", d_adversarial_real=self.adversarial.real(real))

        with inference(generator):  # as Keras predicts
            fakes = generator(s.noise(len(batch)), labels)
        fake = discriminator(fakes, labels).logits
        terms = {"d_adversarial_fake": self.adversarial.fake(fake)}
        if self.penalty:
            terms["d_penalty"] = self.penalty(lambda images: discriminator(images, labels).logits, photos, fakes)
        yield Update("discriminator", **terms)
        s.log(d_accuracy_real=(real > 0).float().mean(), d_accuracy_fake=(fake <= 0).float().mean())

        # Labels drawn at random would contradict each other (blond and black hair): these are of real images.
        labels = s.labels(count)
        fake = discriminator(generator(s.noise(count), labels), labels).logits
        yield Update("generator", g_adversarial=self.adversarial.generator(fake, lambda: real.detach()))
