"""Formulas, one value an image (or patch, pixel, label), become terms: averaged, in fp32 whatever the precision."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["Adversarial", "Criterion", "Penalty"]

_PAIRS = ("adversarial", "joint", "paired")  # families of a discriminator's and a generator's term


class Adversarial(nn.Module):
    """Averages an adversarial, joint or paired loss; hands real logits to a loss whose `generator` names `real`."""

    def __init__(self, loss: Any) -> None:
        super().__init__()
        self.loss = loss
        self._wants_real = "real" in inspect.signature(loss.generator).parameters

    def discriminator(self, real: Tensor, fake: Tensor, *, pooled: bool = False) -> Tensor:
        """Return mean over real + mean over fake logits ([N] and [M], or patches); `pooled`: one mean over all."""
        with _full_precision(real):
            losses = self.loss.discriminator(_full(real), _full(fake))
        if pooled and isinstance(losses, tuple):
            return torch.cat([part.flatten() for part in losses]).mean()
        return _mean(losses)

    def generator(self, fake: Tensor, real: Callable[[], Tensor]) -> Tensor:
        """Return the generator's term; `real()` gives logits of real images and is called only if the loss needs them."""
        logits = (fake, real()) if self._wants_real else (fake,)
        with _full_precision(fake):
            return _mean(self.loss.generator(*map(_full, logits)))

    def real(self, logits: Tensor) -> Tensor:
        """Return the half of the discriminator's term that real images make, for procedures that update twice."""
        return _mean(self._halves(logits)[0])

    def fake(self, logits: Tensor) -> Tensor:
        """Return the half of the discriminator's term that fake images make."""
        return _mean(self._halves(logits)[1])

    def mixed(self, logits: Tensor, is_real: Tensor) -> Tensor:
        """Return the mean over a shuffled batch, [N], of which the mask `is_real` [N] says what is real."""
        real, fake = self._halves(logits)
        return torch.where(is_real, real, fake).mean()

    def _halves(self, logits: Tensor) -> tuple[Tensor, Tensor]:
        with _full_precision(logits):
            real, fake = self.loss.discriminator(_full(logits), _full(logits))
        return real, fake


class Criterion(nn.Module):
    """Averages a distance(a, b) or a classification(logits, target)."""

    def __init__(self, loss: Any) -> None:
        super().__init__()
        self.loss = loss

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """Return the mean loss; both arguments have one shape."""
        with _full_precision(a):
            return _mean(self.loss(_full(a), _full(b)))


class Penalty(nn.Module):
    """Averages a regulariser of a critic, without autocast and uncompiled, since it is differentiated twice."""

    def __init__(self, loss: Any) -> None:
        super().__init__()
        self.loss = loss

    def __bool__(self) -> bool:
        """Return whether there is anything to compute."""
        return getattr(self.loss, "is_penalty", True)

    def forward(self, critic: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor) -> Tensor:
        """Return the mean penalty of `critic` (images -> logits) at `real` and `fake` images, [N, C, H, W]."""
        with _full_precision(real), torch.compiler.set_stance("force_eager"):
            return _mean(self.loss(critic, _full(real), _full(fake.detach())))


def missing_methods(family: str, loss: Any) -> list[str]:
    """Return the methods that a loss of `family` must have and has not."""
    if family in _PAIRS:
        return [name for name in ("discriminator", "generator") if not callable(getattr(loss, name, None))]
    if isinstance(loss, nn.Module):  # callable without a method of its own
        return ["forward"] if type(loss).forward is nn.Module.forward else []
    return [] if callable(loss) else ["__call__"]


def wrap(family: str, loss: Any) -> nn.Module:
    """Return what the objective gets for a loss of `family`."""
    if family in _PAIRS:
        return Adversarial(loss)
    return Penalty(loss) if family == "penalty" else Criterion(loss)


def _full_precision(like: Tensor) -> AbstractContextManager[object]:
    """Return a context in which the formula computes as it is written, whatever the precision of the networks."""
    kind = like.device.type
    return torch.autocast(kind, enabled=False) if torch.is_autocast_enabled(kind) else nullcontext()


def _full(values: Tensor) -> Tensor:
    return values.float() if values.dtype in (torch.bfloat16, torch.float16) else values


def _mean(losses: Tensor | tuple[Tensor, ...]) -> Tensor:
    if isinstance(losses, tuple):
        first, *others = (part.mean() for part in losses)
        return sum(others, start=first)
    return losses.mean()
