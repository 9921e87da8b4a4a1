"""The training step of the plain GAN (Goodfellow et al., 2014), as DCGAN and both seeds take it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import torch

from ganlab import Adversarial, Penalty, Step, Update
from ganlab.options import Augmentation
from ganlab_dcgan.judging import judge


class Gan:
    """The discriminator moves on a batch and as many fakes; the generator then meets the discriminator that has moved."""

    def __init__(
        self,
        *,
        adversarial: Adversarial,
        penalty: Penalty,
        augment: Sequence[Augmentation] = (),
        input_noise: float = 0.0,
        fresh_noise: bool = False,
    ) -> None:
        self.adversarial, self.penalty = adversarial, penalty
        self.augment, self.input_noise = augment, input_noise
        self.fresh_noise = fresh_noise

    def step(self, s: Step) -> Iterator[Update]:
        """Yield the update of the discriminator, then that of the generator."""
        generator = s.nets["generator"]
        judged = partial(judge, s.nets["discriminator"], augment=self.augment, input_noise=self.input_noise)
        real = s.batch().images
        with torch.set_grad_enabled(not self.fresh_noise):
            fake = generator(s.noise(len(real)))

        # Apart, so that batch normalisation never mixes real and fake.
        on_real, on_fake = judged(real).logits, judged(fake.detach()).logits
        terms = {"d_adversarial": self.adversarial.discriminator(on_real, on_fake)}
        if self.penalty:
            terms["d_penalty"] = self.penalty(lambda images: judged(images).logits, real, fake)
        yield Update("discriminator", **terms)
        s.log(d_real_accuracy=(on_real > 0).float().mean(), d_fake_accuracy=(on_fake <= 0).float().mean())

        if self.fresh_noise:
            fake = generator(s.noise(len(real)))
        yield Update(
            "generator",
            g_adversarial=self.adversarial.generator(judged(fake).logits, lambda: judged(real).logits),
        )
