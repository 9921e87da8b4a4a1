"""An evaluation -> what a person sees of it while it goes on: each score as it is known, and the time left."""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from ganlab.cli.console import TrainingDisplay, duration, progress
from ganlab.cli.training_display import ReadingDisplay
from ganlab.runs.scores import alarms

_PATIENCE_SECONDS = 1.0  # what takes less is not shown while it goes on
_MOST_SCORES = 4  # of one line


class EvaluationDisplay:
    """Shows an evaluation on standard error."""

    def __init__(self) -> None:
        self._reading = ReadingDisplay()
        self._display: TrainingDisplay | None = None
        self._activity: tuple[str, int] = ("", 0)
        self._begun = (0, 0.0)
        self._done, self._total = 0, 0
        self._measured_seconds: list[float] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._reading.close()
        self._close()

    def note(self, text: str) -> None:
        """Show one line that stays."""
        if self._display is None:
            progress(text)
        else:
            self._display.message(text)

    def reading(self, images: int, total_images: int) -> None:
        """Show how many images of the data set are read."""
        self._reading(images, total_images)

    def begun(self, total: int) -> None:
        """Take how many scores there will be."""
        self._total = total

    def progressed(self, what: str, images: int, total_images: int) -> None:
        """Show how many images are made, or seen by a feature network, where that takes long."""
        now = time.monotonic()
        if self._activity != (what, total_images) or images < self._begun[0]:
            self._close()
            self._activity, self._begun = (what, total_images), (images, now)
        before, then = self._begun
        if self._display is None and now - then > _PATIENCE_SECONDS and images < total_images:
            facts = {"images": f"{total_images:,}"}
            title = f"score {self._done + 1}/{self._total}: {what}"
            self._display = TrainingDisplay(title, total_images, images, facts, unit="image")
        if self._display is not None:
            self._display.update(images, {}, (images - before) / max(now - then, 1e-3))
        if images == total_images:
            self._close()

    def scored(self, run: str, entry: Mapping[str, Any], seconds: float | None) -> None:
        """Show what was found; `seconds` are what it took, None of what was known before."""
        self._close()
        self._done += 1
        shown = list(entry["scores"].items())[:_MOST_SCORES]
        values = ", ".join(f"{name} {value:.4g}" for name, value in shown)
        more = f", {len(entry['scores']) - len(shown)} more" if len(entry["scores"]) > len(shown) else ""
        if seconds is None:
            how = "known before"
        else:
            self._measured_seconds.append(seconds)
            how = f"{seconds:.1f} s"
        left = self._total - self._done
        if left and self._measured_seconds:
            mean = sum(self._measured_seconds) / len(self._measured_seconds)
            how += f", at most {duration(mean * left)} left"
        place = f"{run} step {entry['step']:,}"
        progress(f"{self._done}/{self._total}  {place}: {entry['evaluator']}: {values}{more}  ({how})")
        for line in alarms([entry]):
            progress(f"{place}: {line}")

    def _close(self) -> None:
        if self._display is not None:
            self._display.close()
            self._display = None
        self._activity = ("", 0)
