"""The training step of CCycleGAN T26: every photo with every other expression."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

import torch
from torch import Tensor

from ganlab import Adversarial, Criterion, Penalty, Step, Update
from ganlab.layers import diff_augment
from ganlab.options import Augmentation

Phase = Literal["warm_up", "discriminator", "both"]


class T26:
    """Fakes of all other labels, judged by a discriminator to which a fake has no class; latents and fakes are shared.

    The published code makes the fakes one label at a time, again for the generator, and the reconstruction once for
    each label. Means and gradients are the same, at less than half the work.
    """

    def __init__(
        self,
        *,
        adversarial: Adversarial,
        d_classification: Criterion,
        g_classification: Criterion,
        distance: Criterion,
        penalty: Penalty | None = None,
        augment: Sequence[Augmentation] = (),
        generator_every: int = 5,
        targets: int | None = None,
        warm_up_steps: int = 0,
    ) -> None:
        self.adversarial, self.distance = adversarial, distance
        self.d_classification, self.g_classification = d_classification, g_classification
        self.penalty, self.augment = penalty, augment
        self.generator_every, self.targets, self.warm_up_steps = generator_every, targets, warm_up_steps

    def phase(self, index: int) -> Phase:
        """Return who moves in step `index`: the generator in steps 1, 6, 11 ... after the warm-up."""
        if index <= self.warm_up_steps:
            return "warm_up"
        # The published counter starts anew each epoch; 560 batches are a multiple of 5, so nothing differs.
        return "both" if (index - self.warm_up_steps - 1) % self.generator_every == 0 else "discriminator"

    def step(self, s: Step) -> Iterator[Update]:
        """Yield the update of the discriminator and, in its phase, that of encoder and decoder."""
        encoder, decoder, discriminator = s.nets["encoder"], s.nets["decoder"], s.nets["discriminator"]
        batch = s.batch()
        photos, own = batch.images, batch.labels

        def judge(images: Tensor) -> Any:
            return discriminator(diff_augment(images, self.augment))

        if s.phase == "warm_up":
            yield Update("discriminator", d_class=self.d_classification(judge(photos).classes, own))
            return

        # One pass of the decoder makes the fakes, label after label, and the reconstructions when they are needed.
        is_both = s.phase == "both"
        targets = other_labels(own) if self.targets is None else random_other_labels(own, self.targets)
        asked = targets.transpose(0, 1).flatten(0, 1)
        repeats = targets.shape[1] + is_both
        with torch.set_grad_enabled(is_both):
            latents = [torch.cat([latent] * repeats) for latent in encoder(photos)]
            images = decoder(latents, torch.cat([asked, own]) if is_both else asked)
        fakes, reconstructions = images[: len(asked)], images[len(asked) :]

        verdict = judge(torch.cat([photos, fakes.detach().to(photos.dtype)]))
        real, fake = verdict.logits.split([len(photos), len(fakes)])
        classes = torch.cat([own, torch.zeros_like(asked)])  # a fake belongs to no class
        terms = {
            "d_adversarial": self.adversarial.discriminator(real, fake, pooled=True),
            "d_class": self.d_classification(verdict.classes, classes),
        }
        if self.penalty:
            as_many = random_images(fakes.detach(), len(photos))
            terms["d_penalty"] = self.penalty(lambda images: judge(images).logits, photos, as_many)
        yield Update("discriminator", **terms)
        s.log(
            d_adversarial_accuracy=torch.cat([real > 0, fake <= 0]).float().mean(),
            d_class_accuracy=((verdict.classes > 0) == (classes > 0.5)).float().mean(),
        )

        if is_both:
            verdict = judge(fakes)  # has moved since
            yield Update(
                "generator",
                g_adversarial=self.adversarial.generator(verdict.logits, lambda: judge(photos).logits),
                g_class=self.g_classification(verdict.classes, asked),
                g_reconstruction=self.distance(reconstructions, photos),
            )


def other_labels(labels: Tensor) -> Tensor:
    """Return, of one-hot labels [N, K], the K - 1 that each image does not have, ascending: [N, K - 1, K]."""
    count = labels.shape[1]
    offsets = torch.arange(count - 1, device=labels.device)
    return _one_hot(offsets + (offsets >= labels.argmax(1, keepdim=True)), labels)


def random_other_labels(labels: Tensor, count: int) -> Tensor:
    """Return `count` different labels, at random, that each image does not have: [N, count, K]; at most K - 1."""
    of = labels.shape[1]
    shifts = 1 + torch.rand(len(labels), of - 1, device=labels.device).argsort(1)[:, :count]
    return _one_hot((labels.argmax(1, keepdim=True) + shifts) % of, labels)


def random_images(images: Tensor, count: int) -> Tensor:
    """Return `count` different ones of `images` [N, C, H, W], at random; N is no less."""
    # Unlike torch.randperm, sorting random numbers can be captured.
    return images[torch.rand(len(images), device=images.device).argsort()[:count]]


def _one_hot(indices: Tensor, like: Tensor) -> Tensor:
    # F.one_hot reads the indices on the host, which stops a GPU and cannot be captured.
    return (indices[..., None] == torch.arange(like.shape[1], device=like.device)).to(like.dtype)
