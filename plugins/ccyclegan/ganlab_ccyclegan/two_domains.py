"""The training step of CCycleGAN T4: a CycleGAN (Zhu et al., 2017) between two classes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor, nn

from ganlab import Adversarial, Criterion, Step, Update
from ganlab_ccyclegan.verdicts import share_right


class TwoDomains:
    """Two generators and two discriminators without labels; a term is the sum over both directions.

    The published code makes the fakes twice, and moves one discriminator after the other; they share no weight, so that both
    can move at once, and one pass of each generator makes fakes and identities for all.
    """

    def __init__(self, *, adversarial: Adversarial, distance: Criterion, identity: bool = True) -> None:
        self.adversarial, self.distance, self.identity = adversarial, distance, identity

    def step(self, s: Step) -> Iterator[Update]:
        """Yield the discriminators' updates, on photos and then on fakes, and that of the generators."""
        to_a, to_b = s.nets["generator_ba"], s.nets["generator_ab"]
        judge_a, judge_b = s.nets["discriminator_a"], s.nets["discriminator_b"]
        a, b = s.batch(of=0).images, s.batch(of=1).images
        fake_b, same_b = self._made(to_b, a, b)
        fake_a, same_a = self._made(to_a, b, a)

        logits = [judge_a(a).logits, judge_b(b).logits]
        yield Update("discriminator", d_adversarial=_sum(self.adversarial.real(each) for each in logits))
        s.log(d_adversarial_accuracy=self._accuracy(logits, is_real=True))
        logits = [judge_a(fake_a.detach()).logits, judge_b(fake_b.detach()).logits]
        yield Update("discriminator", d_adversarial=_sum(self.adversarial.fake(each) for each in logits))
        s.log(d_adversarial_accuracy=self._accuracy(logits, is_real=False))

        terms = {
            "g_adversarial": self.adversarial.generator(judge_a(fake_a).logits, lambda: judge_a(a).logits)
            + self.adversarial.generator(judge_b(fake_b).logits, lambda: judge_b(b).logits),
            "g_cycle": self.distance(to_a(fake_b), a) + self.distance(to_b(fake_a), b),
        }
        if self.identity:
            terms["g_identity"] = self.distance(same_a, a) + self.distance(same_b, b)
        yield Update("generator", **terms)

    def _made(self, generator: nn.Module, photos: Tensor, there: Tensor) -> tuple[Tensor, Tensor]:
        """Return `photos` translated, and what the generator makes of images that are `there` already; nothing if unwanted."""
        images = generator(torch.cat([photos, there]) if self.identity else photos)
        return images[: len(photos)], images[len(photos) :]

    def _accuracy(self, logits: list[Tensor], *, is_real: bool) -> Tensor:
        masks = [torch.full((len(each),), is_real, device=each.device) for each in logits]
        shares = [share_right(self.adversarial, each, mask) for each, mask in zip(logits, masks, strict=True)]
        return torch.stack(shares).mean()


def _sum(terms: Iterable[Tensor]) -> Tensor:
    return torch.stack(list(terms)).sum()
