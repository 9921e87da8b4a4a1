"""The training step of CCycleGAN T17 to T26: an encoder's latents, decoded with other labels and with the photo's own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

import torch
from torch import Tensor, nn

from ganlab import Adversarial, Criterion, Penalty, Step, Update
from ganlab.layers import diff_augment
from ganlab.options import Augmentation
from ganlab_ccyclegan.other_labels import other_labels, random_other_label, random_other_labels
from ganlab_ccyclegan.verdicts import share_right

Phase = Literal["warm_up", "discriminator", "both"]
FakeClass = Literal["none", "asked", "drawn"]


class SharedLatents:
    """Fakes of other labels and the reconstruction come from the same latents; no fake is ever encoded again.

    The published code of T24 to T26 makes the fakes one label at a time, again for the generator, and that of T25 and T26 the
    reconstruction once for each label. Means and gradients are the same, at less than half the work.
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
        fake_class: FakeClass = "none",
        each_label: bool = False,
        generator_every: int = 5,
        targets: int = 0,
        warm_up_steps: int = 0,
    ) -> None:
        self.adversarial, self.distance = adversarial, distance
        self.d_classification, self.g_classification = d_classification, g_classification
        self.penalty, self.augment = penalty, augment
        self.fake_class, self.each_label = fake_class, each_label
        self.generator_every, self.targets, self.warm_up_steps = generator_every, targets, warm_up_steps

    def phase(self, index: int) -> Phase:
        """Return who moves in step `index`: the generator in steps 1, 6, 11 ... after the warm-up."""
        if index <= self.warm_up_steps:
            return "warm_up"
        # The published counter starts anew each epoch; 560 batches are a multiple of 5, so nothing differs in T26.
        return "both" if (index - self.warm_up_steps - 1) % self.generator_every == 0 else "discriminator"

    def step(self, s: Step) -> Iterator[Update]:
        """Yield the update of the discriminator and, in its phase, those of encoder and decoder."""
        encoder, decoder, discriminator = s.nets["encoder"], s.nets["decoder"], s.nets["discriminator"]
        batch = s.batch()
        photos, own = batch.images, batch.labels

        if s.phase == "warm_up":
            yield Update("discriminator", d_class=self.d_classification(self._judge(discriminator, photos).classes, own))
            return

        # One pass of the decoder makes the fakes, label after label, and what an update of the generator shares with them.
        is_both = s.phase == "both"
        is_shared = is_both and not self.each_label
        targets = random_other_labels(own, self.targets) if self.targets else other_labels(own)
        asked = targets.transpose(0, 1).flatten(0, 1)
        shown = self._shown(asked, own)
        with torch.set_grad_enabled(is_shared):
            latents = _repeated(encoder(photos), targets.shape[1] + is_shared)
            images = decoder(latents, torch.cat([asked, own]) if is_shared else asked)
        fakes = images[: len(asked)]

        verdict = self._judge(discriminator, torch.cat([photos, fakes.detach().to(photos.dtype)]))
        real, fake = verdict.logits.split([len(photos), len(fakes)])
        classes = torch.cat([own, torch.zeros_like(asked) if self.fake_class == "none" else shown])
        terms = {
            "d_adversarial": self.adversarial.discriminator(real, fake, pooled=True),
            "d_class": self.d_classification(verdict.classes, classes),
        }
        if self.penalty:
            as_many = random_images(fakes.detach(), len(photos))
            terms["d_penalty"] = self.penalty(lambda x: self._judge(discriminator, x).logits, photos, as_many)
        yield Update("discriminator", **terms)
        is_real = torch.arange(len(verdict.logits), device=s.device) < len(photos)
        s.log(
            d_adversarial_accuracy=share_right(self.adversarial, verdict.logits, is_real),
            d_class_accuracy=self._class_accuracy(verdict.classes, classes),
        )

        if is_shared:
            yield self._generator_update(discriminator, photos, images, shown)
        elif is_both:  # T24: label after label, each with the weights that the one before left
            for one_asked, one_shown in zip(asked.split(len(own)), shown.split(len(own)), strict=True):
                images = decoder(_repeated(encoder(photos), 2), torch.cat([one_asked, own]))
                yield self._generator_update(discriminator, photos, images, one_shown)

    def _generator_update(self, discriminator: nn.Module, photos: Tensor, images: Tensor, shown: Tensor) -> Update:
        """Return the update for `images`: fakes that should show the classes `shown` [M, K], then reconstructions."""
        fakes, reconstructions = images[: len(shown)], images[len(shown) :]
        verdict = self._judge(discriminator, fakes)  # has moved since
        return Update(
            "generator",
            g_adversarial=self.adversarial.generator(verdict.logits, lambda: self._judge(discriminator, photos).logits),
            g_class=self.g_classification(verdict.classes, shown),
            g_reconstruction=self.distance(reconstructions, photos),
        )

    def _shown(self, asked: Tensor, own: Tensor) -> Tensor:
        """Return the classes [M, K] that the generator is paid for: those asked for; T17's error, wrong ones drawn anew."""
        if self.fake_class != "drawn":
            return asked
        return random_other_label(own.repeat(len(asked) // len(own), 1))

    def _class_accuracy(self, logits: Tensor, classes: Tensor) -> Tensor:
        """Return the share of right labels where fakes have none, as published; else that of images whose class is found."""
        right = (logits > 0) == (classes > 0.5) if self.fake_class == "none" else logits.argmax(1) == classes.argmax(1)
        return right.float().mean()

    def _judge(self, discriminator: nn.Module, images: Tensor) -> Any:
        return discriminator(diff_augment(images, self.augment))


def random_images(images: Tensor, count: int) -> Tensor:
    """Return `count` different ones of `images` [N, C, H, W], at random; N is no less."""
    # Unlike torch.randperm, sorting random numbers can be captured.
    return images[torch.rand(len(images), device=images.device).argsort()[:count]]


def _repeated(latents: Sequence[Tensor], times: int) -> list[Tensor]:
    return [torch.cat([latent] * times) for latent in latents]
