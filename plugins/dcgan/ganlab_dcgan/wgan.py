"""The training step of the WGAN (Arjovsky et al., 2017), as SMiLEConverter takes it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import torch
from torch import Tensor

from ganlab import Adversarial, Penalty, Step, Update, Verdict, clip
from ganlab.options import Augmentation
from ganlab_dcgan.judging import judge


class Wgan:
    """The critic moves many times, each on a batch and noise of its own, and is clipped; then the generator moves once.

    The published critic has the other sign: it rates fakes high and reals low, and the generator lowers its rating. With
    the weights of the linear last layer negated, both take the same steps.
    """

    def __init__(
        self,
        *,
        adversarial: Adversarial,
        penalty: Penalty,
        clip_limit: float = 0.01,
        critic_steps: int = 5,
        long_critic_steps: int = 25,
        long_first_steps: int = 24,
        long_every_steps: int = 500,
        augment: Sequence[Augmentation] = (),
        input_noise: float = 0.0,
    ) -> None:
        self.adversarial, self.penalty, self.clip_limit = adversarial, penalty, clip_limit
        self.critic_steps, self.long_critic_steps = critic_steps, long_critic_steps
        self.long_first_steps, self.long_every_steps = long_first_steps, long_every_steps
        self.augment, self.input_noise = augment, input_noise

    def phase(self, index: int) -> int:
        """Return how often the critic moves in step `index`: 25 times in steps 1 to 24, 500, 1000 ..., else 5 times."""
        is_long = index <= self.long_first_steps or index % self.long_every_steps == 0
        return self.long_critic_steps if is_long else self.critic_steps

    def step(self, s: Step) -> Iterator[Update]:
        """Yield the updates of the critic, then that of the generator."""
        generator, critic = s.nets["generator"], s.nets["discriminator"]
        judged = partial(judge, critic, augment=self.augment, input_noise=self.input_noise)
        for _ in range(s.phase):
            real = s.batch().images
            with torch.no_grad():
                fake = generator(s.noise(len(real)))
            yield Update("discriminator", **self._critic_terms(judged, real, fake))
            if self.clip_limit:
                clip(critic, self.clip_limit)

        fake = generator(s.noise(len(real)))
        yield Update(
            "generator",
            g_adversarial=self.adversarial.generator(judged(fake).logits, lambda: judged(real).logits),
        )

    def _critic_terms(self, judged: partial[Verdict], real: Tensor, fake: Tensor) -> dict[str, Tensor]:
        # Apart, so that batch normalisation never mixes real and fake.
        terms = {"d_adversarial": self.adversarial.discriminator(judged(real).logits, judged(fake).logits)}
        if self.penalty:
            terms["d_penalty"] = self.penalty(lambda images: judged(images).logits, real, fake)
        return terms
