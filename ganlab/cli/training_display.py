"""A training session -> what a person sees of it while it goes on, and at its end."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from ganlab.cli.console import TrainingDisplay, progress, result

if TYPE_CHECKING:
    from ganlab.resolve import Parts
    from ganlab.runs.directory import Run
    from ganlab.spec import Spec
    from ganlab.training.schedule import End
    from ganlab.training.session import Outcome


class ConsoleListener:
    """Shows a session on standard error."""

    def __init__(self) -> None:
        self._display: TrainingDisplay | None = None
        self._reading = ReadingDisplay()
        self._values: Mapping[str, float] = {}
        self._speed = 0.0
        self._last = (0, 0.0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._reading.close()
        if self._display is not None:
            self._display.close()

    def reading(self, images: int, total_images: int) -> None:
        """Show how many images of the data set are read."""
        self._reading(images, total_images)

    def opened(self, run: Run, parts: Parts, end: End) -> None:
        """Start the display."""
        images = parts.data.draws.images
        total = end.total_steps(parts.step, images, parts.data.draws.batch_images)
        precision = "fp32" if parts.autocast is None else str(parts.autocast).removeprefix("torch.")
        facts = {"device": str(parts.device), "precision": precision, "images": f"{len(parts.data.bank):,}"}
        self._last = (images, time.monotonic())
        self._display = TrainingDisplay(str(run.path), total, parts.step, facts)

    def note(self, text: str) -> None:
        """Show one line that stays."""
        if self._display is None:
            progress(text)
        else:
            self._display.message(text)

    def stepped(self, step: int, total_steps: int, images: int) -> None:
        """Show that a step is done."""
        now = time.monotonic()
        before, then = self._last
        if now - then >= 1:
            self._speed = (images - before) / (now - then)
            self._last = (images, now)
        assert self._display is not None
        self._display.total_steps = total_steps
        self._display.update(step, self._values, self._speed)

    def logged(self, step: int, row: Mapping[str, float]) -> None:
        """Show the newest means."""
        self._values = {name: value for name, value in row.items() if name not in ("step", "epoch", "images")}


class ReadingDisplay:
    """Shows how many images are read, where that takes long; call it with the number and the total."""

    def __init__(self) -> None:
        self._display: TrainingDisplay | None = None
        self._begun = (0, 0.0)

    def __call__(self, images: int, total_images: int) -> None:
        now = time.monotonic()
        if self._display is None:
            facts = {"images": f"{total_images:,}"} | ({"there already": f"{images:,}"} if images else {})
            self._display = TrainingDisplay("reading, this once", total_images, images, facts, unit="image")
            self._begun = (images, now)
        before, then = self._begun
        self._display.update(images, {}, (images - before) / max(now - then, 1e-3))
        if images == total_images:
            self.close()

    def close(self) -> None:
        """Show the last state; may be called twice."""
        if self._display is not None:
            self._display.close()
            self._display = None


def report(outcome: Outcome, spec: Spec) -> None:
    """Print where things are and what to try next."""
    from ganlab.runs.checkpoints import list_checkpoints
    from ganlab.runs.scores import alarms, read_scores

    run = outcome.run
    if outcome.is_finished and not outcome.trained_steps:
        longer = f"; `ganlab resume {run.path} --max-steps N` extends it"
        early = ", early, as training.stop_after says"
        result(f"{run.path}: already finished at step {outcome.step}{early if outcome.is_early else longer}")
        return
    state = ("finished early" if outcome.is_early else "finished") if outcome.is_finished else "stopped"
    result(f"{state} after {outcome.step} step{'' if outcome.step == 1 else 's'}")
    width = max(map(len, outcome.scores), default=0)
    for name, value in outcome.scores.items():
        result(f"  {name:{width}}  {value:.4g}")
    for line in alarms(entry for entry in (read_scores(run) if outcome.scores else ()) if entry["step"] == outcome.step):
        result(f"  {line}")
    if spec.data.test_seen and outcome.scores:
        result("  (the test split was part of the training images)")
    pictures = sorted(run.samples.glob("step-*.png"))
    checkpoints = list_checkpoints(run.checkpoints)
    _place("pictures", pictures[-1] if pictures else None)
    _place("log", run.log if run.log.exists() else None)
    _place("scores", run.scores if run.scores.exists() else None)
    _place("checkpoint", checkpoints[-1][1] if checkpoints else None)
    if not outcome.is_finished:
        result(f"go on:       ganlab resume {run.path}")
        return
    hints = {}
    if spec.makes & {"generate", "translate"}:
        hints[f"ganlab sample {run.path} --seed 1"] = "other faces"
    if not outcome.is_early:
        hints[f"ganlab resume {run.path} --max-steps {2 * outcome.step}"] = "train twice as long"
    hints["ganlab recipes list"] = "published experiments"
    width = max(map(len, hints))
    for index, (hint, meaning) in enumerate(hints.items()):
        result(f"{'' if index else 'next:':12} {hint:{width}}  {meaning}")


def _place(what: str, path: Path | None) -> None:
    if path is not None:
        result(f"{what + ':':12} {path}")
