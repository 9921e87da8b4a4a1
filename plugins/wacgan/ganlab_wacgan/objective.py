"""The training step of SMiLEConverter's WACGAN (2017): a Wasserstein critic (Arjovsky et al., 2017) that reads labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from ganlab import Adversarial, Batch, Criterion, Penalty, Step, Update, Verdict
from ganlab.layers import clip, diff_augment
from ganlab.options import Augmentation


class WacGan:
    """The critic moves many times, each on a batch and noise of its own, and is clipped; then the generator moves once.

    The published critic has the other sign: it rates fakes high and reals low, and the generator lowers its rating. With
    weights and bias of the linear layer of that rating negated, both take the same steps; classes have no part in the sign.
    """

    def __init__(
        self,
        *,
        adversarial: Adversarial,
        classification: Criterion,
        penalty: Penalty,
        feature_distance: Criterion,
        clip_limit: float = 0.01,
        critic_steps: int = 5,
        long_critic_steps: int = 25,
        long_first_steps: int = 24,
        long_every_steps: int = 500,
        augment: Sequence[Augmentation] = (),
        feature_matching: bool = False,
        feature_scale: Literal["half_sum", "mean"] = "half_sum",
    ) -> None:
        self.adversarial, self.classification, self.penalty = adversarial, classification, penalty
        self.clip_limit, self.augment = clip_limit, augment
        self.critic_steps, self.long_critic_steps = critic_steps, long_critic_steps
        self.long_first_steps, self.long_every_steps = long_first_steps, long_every_steps
        self.feature_distance, self.feature_matching, self.feature_scale = feature_distance, feature_matching, feature_scale

    def phase(self, index: int) -> int:
        """Return how often the critic moves in step `index`: 25 times in steps 1 to 24, 500, 1000 ..., else 5 times."""
        is_long = index <= self.long_first_steps or index % self.long_every_steps == 0
        return self.long_critic_steps if is_long else self.critic_steps

    def step(self, s: Step) -> Iterator[Update]:
        """Yield the updates of the critic, then that of the generator."""
        generator, critic = s.nets["generator"], s.nets["discriminator"]
        for _ in range(s.phase):
            batch = s.batch()
            with torch.no_grad():
                fakes = generator(s.noise(len(batch)), batch.labels)
            # Apart, so that batch normalisation never mixes real and fake.
            real, fake = self._judge(critic, batch.images), self._judge(critic, fakes)
            yield Update("discriminator", **self._critic_terms(critic, batch, fakes, real, fake))
            if self.clip_limit:
                clip(critic, self.clip_limit)
        s.log(
            d_class_accuracy_real=_accuracy(real.classes, batch.labels),
            d_class_accuracy_fake=_accuracy(fake.classes, batch.labels),
        )

        batch = s.batch()
        fake = self._judge(critic, generator(s.noise(len(batch)), batch.labels))
        yield Update("generator", **self._generator_terms(critic, batch, fake))

    def features(self, fake: Tensor, real: Tensor, images: Tensor) -> Tensor:
        """Return the distance of features [N, ...] in the published scale; `images` [N, C, H, W] tell the pixels of one.

        Published are half the sum of squared differences over batch and features (tf.nn.l2_loss), and the mean of absolute
        ones (tf.abs, put in by hand as the README tells); either is divided by H W = 128^2.
        """
        height, width = images.shape[2:]
        summed = fake.numel() / 2 if self.feature_scale == "half_sum" else 1.0
        distance: Tensor = self.feature_distance(fake, real)
        return distance * (summed / (height * width))

    def _judge(self, critic: nn.Module, images: Tensor) -> Verdict:
        verdict: Verdict = critic(diff_augment(images, self.augment))
        return verdict

    def _critic_terms(self, critic: nn.Module, batch: Batch, fakes: Tensor, real: Verdict, fake: Verdict) -> dict[str, Tensor]:
        assert real.classes is not None
        assert fake.classes is not None
        terms = {
            "d_adversarial": self.adversarial.discriminator(real.logits, fake.logits),
            "d_class_real": self.classification(real.classes, batch.labels),
            "d_class_fake": self.classification(fake.classes, batch.labels),
        }
        if self.penalty:
            terms["d_penalty"] = self.penalty(lambda images: self._judge(critic, images).logits, batch.images, fakes)
        return terms

    def _generator_terms(self, critic: nn.Module, batch: Batch, fake: Verdict) -> dict[str, Tensor]:
        # The published loss also holds the class term of the real images, in which the generator has no part.
        terms = {
            "g_adversarial": self.adversarial.generator(fake.logits, lambda: self._judge(critic, batch.images).logits),
            "g_class": self.classification(fake.classes, batch.labels),
        }
        if self.feature_matching:
            with torch.no_grad():
                wanted = self._judge(critic, batch.images).features
            assert fake.features is not None
            assert wanted is not None
            terms["g_features"] = self.features(fake.features, wanted, batch.images)
        return terms


def _accuracy(logits: Tensor | None, labels: Tensor) -> Tensor:
    """Return the share of labels [N, K] that the signs of logits [N, K] tell rightly."""
    assert logits is not None
    return ((logits > 0) == (labels > 0.5)).float().mean()
