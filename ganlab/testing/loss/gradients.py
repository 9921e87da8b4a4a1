"""A loss and an example -> how its values change along a line, by its gradient and by measuring, in float64."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from ganlab.testing.kit import Subject
from ganlab.testing.loss.examples import Example, family_of, fresh, losses_of
from ganlab.testing.loss.state import keeps_state

_STEP = 1e-6  # small enough that random inputs do not meet the corner of a hinge between two measurements
_LINES = 3


def analytic_and_numeric(subject: Subject, example: Example) -> Iterator[tuple[str, torch.dtype, float, float]]:
    """Yield (part, its dtype, change by its gradient, change as measured) for each part of the loss along some lines.

    What a loss that keeps state detaches is held as it was at the example: its averages are not differentiated on purpose.
    """
    example = example.double()
    at = example.at(*(variable.clone().requires_grad_() for variable in example.variables))
    holds = keeps_state(subject)
    held = Held()
    parts = _evaluate(subject, at, held if holds else None)
    for line in range(_LINES):
        draw = torch.Generator().manual_seed(line)
        directions = [torch.randn(v.shape, generator=draw, dtype=v.dtype) for v in example.variables]
        ahead, behind = (
            _evaluate(
                subject,
                example.at(*(v + step * d for v, d in zip(example.variables, directions, strict=True))),
                held.again() if holds else None,
            )
            for step in (_STEP, -_STEP)
        )
        for part, losses in parts.items():
            # Each loss has a weight of its own, so that two wrong ones do not cancel.
            weights = torch.rand(losses.shape, generator=draw, dtype=torch.float64) + 0.5
            numeric = float(((ahead[part] - behind[part]).detach() * weights).sum()) / (2 * _STEP)
            analytic = _along((losses * weights).sum(), at.variables, directions)
            yield part, losses.dtype, analytic, numeric


class Held(TorchFunctionMode):
    """Remembers, at the first run, each value without a gradient that is computed from one with; gives it `again`."""

    def __init__(self, values: Sequence[Tensor] | None = None) -> None:
        super().__init__()
        self._values: list[Tensor] = []
        self._replayed = None if values is None else iter(values)

    def again(self) -> Held:
        """Return a mode that gives the remembered values."""
        return Held(self._values)

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Call a function of torch; of a detach, or without gradients, give the value that is held."""
        result = function(*args, **(kwargs or {}))
        is_held = function in (torch.Tensor.detach, torch.Tensor.data.__get__) or not torch.is_grad_enabled()  # type: ignore[attr-defined]
        if not is_held or not isinstance(result, Tensor):
            return result
        if self._replayed is None:
            self._values.append(result.detach().clone())
            return result
        value = next(self._replayed)
        if args and result is args[0]:  # a change in place must reach the tensor itself
            result.detach().copy_(value)
            return result
        return value.clone()


def _evaluate(subject: Subject, example: Example, held: Held | None) -> dict[str, Tensor]:
    loss, family = fresh(subject, double=True), family_of(subject)
    torch.default_generator.manual_seed(1)
    if held is None:
        return losses_of(family, loss, example)
    with held:
        return losses_of(family, loss, example)


def _along(value: Tensor, variables: Sequence[Tensor], directions: Sequence[Tensor]) -> float:
    """Return by how much the gradient says that `value` changes in these directions."""
    if not value.requires_grad:
        return 0.0
    gradients = torch.autograd.grad(value, variables, retain_graph=True, allow_unused=True)
    return float(sum((g * d).sum() for g, d in zip(gradients, directions, strict=True) if g is not None))
