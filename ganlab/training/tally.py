"""Terms and measures of many steps -> rows of means; nothing waits for the device until a row is due."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from ganlab.errors import DivergedError

Recorded = list[tuple[str, Tensor]]


class Tally:
    """Sums what steps record since the last row; a name recorded twice in a step counts as its mean."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self._dtype = torch.float32 if device.type == "mps" else torch.float64
        self._sums: dict[tuple[str, ...], Tensor] = {}  # by what one step recorded: one addition a step
        self._counts: dict[tuple[str, ...], int] = {}
        self._first_bad: dict[tuple[str, ...], Tensor] = {}  # step at which each was first not finite; 0: never

    def add(self, step: int, recorded: Recorded) -> None:
        """Record what step `step` yielded; on a CPU a value that is not finite raises at once."""
        names = tuple(name for name, _ in recorded)
        values = torch.stack([value.reshape(()).to(self._dtype) for _, value in recorded])
        if names not in self._sums:
            self._sums[names] = torch.zeros(len(names), dtype=self._dtype, device=self.device)
            self._counts[names] = 0
            self._first_bad[names] = torch.zeros(len(names), dtype=torch.int64, device=self.device)
        self._sums[names] += values
        self._counts[names] += 1
        bad = self._first_bad[names]
        bad.copy_(torch.where((bad == 0) & ~values.isfinite(), step, bad))
        if self.device.type == "cpu":
            self.check()

    def check(self) -> None:
        """Raise `DivergedError` naming the first term, and its step, that was not finite."""
        found = []
        for names, steps in self._first_bad.items():
            found += [(int(step), name) for name, step in zip(names, steps.tolist(), strict=True) if step]
        if found:
            step, name = min(found)
            raise DivergedError(
                f"{name} is not finite at step {step}. "
                'Try a lower optimizer.learning_rate, training.precision = "fp32", or another training.seed.'
            )

    def means(self) -> dict[str, float]:
        """Return the means since the last row, in order of first appearance."""
        self.check()
        sums: dict[str, float] = {}
        counts: dict[str, int] = {}
        for names, values in self._sums.items():
            for name, value in zip(names, values.tolist(), strict=True):
                sums[name] = sums.get(name, 0.0) + value
                counts[name] = counts.get(name, 0) + self._counts[names]
        return {name: sums[name] / counts[name] for name in sums}

    def clear(self) -> None:
        """Start a new row."""
        self._sums, self._counts, self._first_bad = {}, {}, {}

    def __bool__(self) -> bool:
        return bool(self._sums)

    def state(self) -> tuple[dict[str, Tensor], list[dict[str, object]]]:
        """Return sums as tensors and, in the same order, what they are sums of."""
        about = [{"names": list(names), "count": self._counts[names]} for names in self._sums]
        return {str(i): values for i, values in enumerate(self._sums.values())}, about

    def load(self, tensors: Mapping[str, Tensor], about: list[dict[str, object]]) -> None:
        """Go on from `state`."""
        self.clear()
        for i, row in enumerate(about):
            names, count = row["names"], row["count"]
            assert isinstance(names, list)
            assert isinstance(count, int)
            key = tuple(str(name) for name in names)
            self._sums[key] = tensors[str(i)].to(device=self.device, dtype=self._dtype, copy=True)
            self._counts[key] = count
            self._first_bad[key] = torch.zeros(len(key), dtype=torch.int64, device=self.device)
