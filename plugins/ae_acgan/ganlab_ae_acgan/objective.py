"""The training step of AE-AC-GAN: discriminator, generator, auto-encoder, in this order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import torch
from torch import Tensor

from ganlab import Adversarial, Criterion, Step, Update
from ganlab.layers import inference

_NEAREST = 1e-7  # that the encoder's labels count as away from 0 and 1, as in Keras


class AeAcGan:
    """An AC-GAN whose generator a second player moves too: it must also draw what an encoder found in real images."""

    def __init__(
        self,
        *,
        adversarial: Adversarial,
        classification: Criterion,
        distance: Criterion,
        autoencoder: bool = True,
        supervised: bool = False,
        fake_labels: Literal["random", "real"] = "random",
        label_draws: int = 10,
        kept: float = 0.5,
        inference_fakes: bool = False,
        measure_every: int = 8,
    ) -> None:
        self.adversarial, self.classification, self.distance = adversarial, classification, distance
        self.autoencoder, self.supervised = autoencoder, supervised
        self.fake_labels, self.label_draws = fake_labels, label_draws
        self.kept, self.inference_fakes, self.measure_every = kept, inference_fakes, measure_every

    def phase(self, index: int) -> bool:
        """Return whether step `index` is measured: the first, and one in every `measure_every`."""
        return self.measure_every > 0 and (index - 1) % self.measure_every == 0

    def step(self, s: Step) -> Iterator[Update]:
        """Yield the updates of the discriminator, of the generator and, if there is one, of the auto-encoder."""
        generator, discriminator = s.nets["generator"], s.nets["discriminator"]
        batch = s.batch()
        count = len(batch)
        noise, labels = s.noise(count), self._fake_labels(s, batch.labels)
        fake = generator(noise, labels)
        shown = fake.detach()
        if self.inference_fakes:
            with inference(generator):
                shown = generator(noise, labels)

        # Of the real and the fake images, shuffled, the discriminator sees the first half.
        kept = random_rows(2 * count, round(2 * count * self.kept) or 1, s.device)
        images = torch.cat([batch.images, shown.to(batch.images.dtype)])[kept]
        is_real, classes = kept < count, torch.cat([batch.labels, labels])[kept]
        verdict = discriminator(images)
        yield Update(
            "discriminator",
            d_adversarial=self.adversarial.mixed(verdict.logits, is_real=is_real),
            d_class=self.classification(verdict.classes, classes),
        )

        verdict = discriminator(fake)  # has moved since
        yield Update(
            "generator",
            g_adversarial=self.adversarial.generator(verdict.logits, lambda: discriminator(batch.images).logits),
            g_class=self.classification(verdict.classes, labels),
        )

        if self.autoencoder:
            encoded_labels, encoded_noise = s.nets["encoder"](batch.images)
            terms = {"ae_reconstruction": self.distance(generator(encoded_noise, encoded_labels), batch.images)}
            if self.supervised:
                terms["ae_class"] = self.classification(encoded_labels.logit(_NEAREST), batch.labels)
            yield Update("autoencoder", **terms)

        if s.phase:
            with inference(generator), inference(discriminator):
                seen, made = discriminator(images), discriminator(generator(noise, labels))
            s.log(
                d_accuracy=((seen.logits > 0) == is_real).float().mean(),
                d_f1=f1(seen.classes, classes),
                g_accuracy=(made.logits > 0).float().mean(),
                g_f1=f1(made.classes, labels),
            )

    def _fake_labels(self, s: Step, real: Tensor) -> Tensor:
        """Return labels for as many fakes as there are `real` labels [N, K]."""
        if self.fake_labels == "real":
            return s.labels(len(real))
        draws = torch.randint(real.shape[1], (len(real), self.label_draws), device=s.device)
        return torch.zeros_like(real).scatter_(1, draws, 1.0)


def random_rows(of: int, count: int, device: torch.device) -> Tensor:
    """Return `count` different ones of the numbers below `of`, in random order, [count]."""
    # Unlike torch.randperm, sorting random numbers can be captured.
    return torch.rand(of, device=device).argsort()[:count]


def f1(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the F1 of what logits [N, K] find against 0/1 labels [N, K], averaged over images; 0 where neither has any."""
    found = (logits > 0).to(labels.dtype)
    hits = (found * labels).sum(1)
    return (2 * hits / (found.sum(1) + labels.sum(1)).clamp(min=1)).mean()
