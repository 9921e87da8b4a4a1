"""Scores of the same model by several seeds -> an interval, and whether one model is better than another."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

# Student's t at 97.5 %, for 1 to 30 degrees of freedom; beyond, the first terms of its series about the normal law.
_STUDENT = (
    *(12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622, 2.2281),
    *(2.2010, 2.1788, 2.1604, 2.1448, 2.1314, 2.1199, 2.1098, 2.1009, 2.0930, 2.0860),
    *(2.0796, 2.0739, 2.0687, 2.0639, 2.0595, 2.0555, 2.0518, 2.0484, 2.0452, 2.0423),
)
_NORMAL = 1.959964


@dataclass(frozen=True, kw_only=True)
class Interval:
    """Where the mean over all seeds lies, with 95 % confidence, if the scores are drawn from a normal law."""

    mean: float
    low: float
    high: float

    def is_apart_from(self, other: Interval) -> bool:
        """Return whether the two do not touch: only then may one be called better."""
        return self.high < other.low or other.high < self.low


def interval(values: Sequence[float]) -> Interval:
    """Return the 95 % interval of the mean of scores by different seeds; raises `ValueError` for fewer than two."""
    count = len(values)
    if count < 2:
        raise ValueError(f"{count} score: an interval over seeds needs at least 2")
    mean = math.fsum(values) / count
    std = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (count - 1))
    width = student(count - 1) * std / math.sqrt(count)
    return Interval(mean=mean, low=mean - width, high=mean + width)


def student(freedom: int) -> float:
    """Return the 97.5 % point of Student's t with `freedom` degrees of freedom, at least 1, to 4 digits."""
    if freedom <= len(_STUDENT):
        return _STUDENT[freedom - 1]
    z = _NORMAL
    return (
        z
        + (z**3 + z) / (4 * freedom)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * freedom**3)
    )
