"""Values of one score, some with an interval -> which is the best, and which others chance may have put behind it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Bounds = tuple[float, float]  # of a 95 % interval


@dataclass(frozen=True, kw_only=True)
class Best:
    """The best of some values."""

    index: int  # its place among the values
    which: str  # lowest or highest
    rivals: tuple[int, ...] | None  # those whose intervals touch its own; None: not every value has an interval


def best_of(values: Sequence[float | None], bounds: Sequence[Bounds | None], which: str) -> Best | None:
    """Return the `which`, lowest or highest, of values; None if fewer than two of them are numbers."""
    numbers = {i: value for i, value in enumerate(values) if value is not None and not math.isnan(value)}
    if len(numbers) < 2:
        return None
    best = (min if which == "lowest" else max)(numbers, key=lambda index: numbers[index])
    own, others = bounds[best], {index: bounds[index] for index in numbers if index != best}
    if own is None or None in others.values():
        return Best(index=best, which=which, rivals=None)
    rivals = tuple(index for index, other in others.items() if other and own[0] <= other[1] and other[0] <= own[1])
    return Best(index=best, which=which, rivals=rivals)


def bounds_of(scores: Mapping[str, float], score: str) -> Bounds | None:
    """Return the interval of a score, which an evaluator tells as SCORE_low and SCORE_high; None if it tells none."""
    low, high = scores.get(f"{score}_low"), scores.get(f"{score}_high")
    return None if low is None or high is None else (low, high)
