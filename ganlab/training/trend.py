"""Scores of `training.best`, one after the other -> the best step, the learning rate on a plateau, an early end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ganlab.options import TrainingOptions


@dataclass(kw_only=True)
class Trend:
    """How the score has gone; a part of the run's state."""

    best: dict[str, Any] | None = None  # {"step", "value"}
    unimproved: int = 0  # evaluations since the best
    falls: int = 0  # how often the learning rate has fallen

    def add(self, step: int, value: float, training: TrainingOptions, rates: Iterable[float]) -> list[str]:
        """Take the score of a step; return what the user should know, a line each. `rates` are those of the recipe.

        Patience is counted as Keras counts it: of 3, it ends with the third evaluation in a row that is not better.
        """
        if self._is_better(value, training.best_is):
            self.best, self.unimproved = {"step": step, "value": value}, 0
            return []
        self.unimproved += 1
        told, since = [], f"step {step}: {training.best} was not better in the last {_evaluations(self.unimproved)}"
        if self.is_over(training):
            told.append(f"{since}; the run ends here, by training.stop_after = {training.stop_after}")
        elif training.learning_rate_schedule == "plateau" and self.unimproved % training.plateau_patience == 0:
            rates = tuple(rates)
            before = [self.rate(rate, training) for rate in rates]
            self.falls += 1
            after = [self.rate(rate, training) for rate in rates]
            if after != before:
                told.append(f"{since}; the learning rate falls to {', '.join(f'{rate:g}' for rate in sorted(set(after)))}")
        return told

    def is_over(self, training: TrainingOptions) -> bool:
        """Return whether the run ends before the end that its recipe states."""
        return training.stop_after is not None and self.unimproved >= training.stop_after

    def rate(self, learning_rate: float, training: TrainingOptions) -> float:
        """Return what a learning rate has fallen to; one below the least that it may fall to stays as it is."""
        fallen = learning_rate * training.plateau_factor**self.falls
        return max(fallen, min(learning_rate, training.plateau_least_rate))

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint records."""
        return {"best": self.best, "unimproved": self.unimproved, "falls": self.falls}

    @classmethod
    def load(cls, state: Mapping[str, Any]) -> Trend:
        """Return the trend that a checkpoint records; raises KeyError, TypeError or ValueError if it records none."""
        return cls(best=state["best"], unimproved=int(state.get("unimproved", 0)), falls=int(state.get("falls", 0)))

    def _is_better(self, value: float, best_is: str) -> bool:
        if value != value:  # nan
            return False
        if self.best is None:
            return True
        return bool(value > self.best["value"] if best_is == "highest" else value < self.best["value"])


def _evaluations(count: int) -> str:
    return f"{count} evaluation{'' if count == 1 else 's'}"
