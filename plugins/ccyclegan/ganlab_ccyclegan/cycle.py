"""The training step of CCycleGAN T1 to T16 (without T4): a fake is translated back, and should be the photo again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganlab import Adversarial, Criterion, Step, Update
from ganlab_ccyclegan.other_labels import random_other_label
from ganlab_ccyclegan.verdicts import like, share_right

ClassFrom = Literal["none", "discriminator", "classifier"]


@dataclass(frozen=True, kw_only=True)
class Claims:
    """What the discriminator is shown at once: images [N, C, H, W] with labels [N, K], and whether both are real, bool [N]."""

    images: Tensor
    labels: Tensor
    is_real: Tensor


class TrueCycle:
    """Each photo is translated to one other label and back: G(G(x, y1), y0).

    The published code translates to the other label twice, for each player, and to the photo's own label in a pass of its own;
    here one pass makes both, and the fakes serve both players. The discriminator moves before them, the generator does not, so
    means and gradients are the same.
    """

    def __init__(
        self,
        *,
        adversarial: Adversarial,
        d_classification: Criterion,
        g_classification: Criterion,
        distance: Criterion,
        class_from: ClassFrom = "none",
        wrong_labels: bool = True,
        together: bool = False,
        identity: bool = True,
    ) -> None:
        self.adversarial, self.distance = adversarial, distance
        self.d_classification, self.g_classification = d_classification, g_classification
        self.class_from, self.wrong_labels = class_from, wrong_labels
        self.together, self.identity = together, identity

    def step(self, s: Step) -> Iterator[Update]:
        """Yield the updates of the discriminator, then that of the generator."""
        generator, discriminator = s.nets["generator"], s.nets["discriminator"]
        batch = s.batch()
        photos, own = batch.images, batch.labels
        asked = random_other_label(own)
        fakes, identities = self._made(generator, photos, asked, own)

        for claims in self._claims(photos, own, fakes.detach().to(photos.dtype), asked):
            verdict = self._judge(discriminator, claims.images, claims.labels)
            terms = {"d_adversarial": self.adversarial.mixed(verdict.logits, like(claims.is_real, verdict.logits))}
            measures = {"d_adversarial_accuracy": share_right(self.adversarial, verdict.logits, claims.is_real)}
            if self.class_from == "discriminator":
                classes = _with_a_class_of_fakes(claims)
                terms["d_class"] = self.d_classification(verdict.classes, classes)
                measures["d_class_accuracy"] = (verdict.classes.argmax(1) == classes.argmax(1)).float().mean()
            yield Update("discriminator", **terms)
            s.log(**measures)

        verdict = self._judge(discriminator, fakes, asked)
        terms = {
            "g_adversarial": self.adversarial.generator(verdict.logits, lambda: self._judge(discriminator, photos, own).logits),
            "g_cycle": self.distance(generator(fakes, own), photos),
        }
        if self.identity:
            terms["g_identity"] = self.distance(identities, photos)
        if self.class_from == "discriminator":
            terms["g_class"] = self.g_classification(verdict.classes, F.pad(asked, (0, 1)))
        elif self.class_from == "classifier":
            terms["g_class"] = self.g_classification(s.nets["classifier"](fakes), asked)
        yield Update("generator", **terms)

    def _made(self, generator: nn.Module, photos: Tensor, asked: Tensor, own: Tensor) -> tuple[Tensor, Tensor]:
        """Return `photos` with the labels `asked` [N, K], and with their own; no image of the latter if none is wanted."""
        if not self.identity:
            return generator(photos, asked), photos[:0]
        fakes, identities = generator(torch.cat([photos, photos]), torch.cat([asked, own])).chunk(2)
        return fakes, identities

    def _claims(self, photos: Tensor, own: Tensor, fakes: Tensor, asked: Tensor) -> list[Claims]:
        """Return what the discriminator learns from, update by update: photos, photos with a wrong label, fakes."""
        yes = torch.ones(len(photos), dtype=torch.bool, device=photos.device)
        claims = [Claims(images=photos, labels=own, is_real=yes), Claims(images=fakes, labels=asked, is_real=~yes)]
        if self.wrong_labels:
            claims.insert(1, Claims(images=photos, labels=random_other_label(own), is_real=~yes))
        if not self.together:
            return claims
        images, labels, is_real = zip(*((claim.images, claim.labels, claim.is_real) for claim in claims), strict=True)
        return [Claims(images=torch.cat(images), labels=torch.cat(labels), is_real=torch.cat(is_real))]

    def _judge(self, discriminator: nn.Module, images: Tensor, labels: Tensor) -> Any:
        return discriminator(images) if self.class_from == "discriminator" else discriminator(images, labels)


def _with_a_class_of_fakes(claims: Claims) -> Tensor:
    """Return one-hot classes [N, K + 1]: those of photos, and the last for fakes."""
    is_real = claims.is_real[:, None].to(claims.labels.dtype)
    return torch.cat([claims.labels * is_real, 1 - is_real], 1)
