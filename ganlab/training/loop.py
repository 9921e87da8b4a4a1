"""Parts -> trained parts: steps, rows of the log, pictures, scores and checkpoints, from where the run stands to its end."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import torch

from ganlab.errors import DivergedError, Interrupted
from ganlab.options import TrainingOptions
from ganlab.resolve import Parts
from ganlab.runs.checkpoints import prune, save_checkpoint
from ganlab.runs.directory import Run
from ganlab.runs.table import Table
from ganlab.training.schedule import End, set_learning_rates
from ganlab.training.signals import StopRequest
from ganlab.training.state import files_of
from ganlab.training.step import TrainingStep, run_step
from ganlab.training.tally import Recorded, Tally
from ganlab.training.trend import Trend
from ganlab.training.watch import Watch


class Watcher(Protocol):
    """Who is told how the run goes: the display, the plugins' observers."""

    def stepped(self, step: int, total_steps: int, images: int) -> None: ...
    def logged(self, step: int, row: Mapping[str, float]) -> None: ...
    def saved(self, step: int, path: Path) -> None: ...
    def scored(self, step: int, scores: Mapping[str, float]) -> None: ...
    def note(self, text: str) -> None: ...


@dataclass(kw_only=True)
class Progress:
    """Where a run stands on disk: its tables, its open sums, how its score has gone."""

    log: Table
    timing: Table
    tally: Tally
    trend: Trend = field(default_factory=Trend)
    watch: Watch | None = None
    seconds: float = 0.0  # of training, in all processes of the run


@dataclass(frozen=True, kw_only=True)
class Milestones:
    """What the surface does at steps of its own; each leaves the random state as it was."""

    sample: Callable[[int], None]
    evaluate: Callable[[int], float | None]  # returns the value of training.best
    look: Callable[[], dict[str, float]]  # returns what the watch judges


def train(
    parts: Parts,
    training: TrainingOptions,
    run: Run,
    progress: Progress,
    end: End,
    milestones: Milestones,
    watcher: Watcher,
    max_minutes: float | None = None,
) -> bool:
    """Train to `end`, or to an early one; return whether it came (else `max_minutes` ran out, and a checkpoint was saved)."""
    rates = {player: optimizer.param_groups[0]["lr"] for player, optimizer in parts.optimizers.items()}
    clock = _Clock(parts, progress, max_minutes)
    draws, objective = parts.data.draws, parts.objective
    phase_of = getattr(objective, "phase", None)
    with StopRequest() as stop:
        while not is_over(parts, training, progress, end):
            set_learning_rates(parts, training, end.share(parts.step, draws.images), progress.trend, rates)

            # One step of the objective.
            step = parts.step + 1
            s = TrainingStep(
                parts, phase_of(step) if phase_of else None, batch_images=training.batch_images, flip=training.flip
            )
            recorded = run_step(parts, s)
            progress.tally.add(step, recorded)
            parts.step = step
            watcher.stepped(step, end.total_steps(step, draws.images, training.batch_images), draws.images)
            done = end.share(step, draws.images) >= 1

            # What is due now: a look, a row, a picture, scores, a checkpoint.
            told = look(step, recorded, progress, milestones)
            if step % training.log_every_steps == 0:
                watcher.logged(step, write_row(parts, progress))
                progress.timing.append(clock.row())
                progress.tally.clear()
            if step % training.sample_every_steps == 0 or done:
                milestones.sample(step)
            is_scored = done or (training.evaluate_every_steps and step % training.evaluate_every_steps == 0)
            stopping = stop.signal_number is not None or clock.is_over()
            if is_scored or stopping or is_over(parts, training, progress, end) or clock.is_checkpoint_due(training):
                try:
                    value = milestones.evaluate(step) if is_scored else None
                except BaseException:  # a score that fails never loses a step
                    watcher.saved(step, save(parts, training, run, progress, clock))
                    raise
                told += [] if value is None else judge(step, value, progress, training, rates)
                watcher.saved(step, save(parts, training, run, progress, clock))
            for line in told:
                watcher.note(line)
            if is_over(parts, training, progress, end):
                if not (done or step % training.sample_every_steps == 0):
                    milestones.sample(step)
            elif stopping:
                return _stopped(run, step, stop)
    if progress.tally:
        watcher.logged(parts.step, write_row(parts, progress))
    return True


def is_over(parts: Parts, training: TrainingOptions, progress: Progress, end: End) -> bool:
    """Return whether the run's end is reached, or has come early."""
    is_collapsed = progress.watch is not None and progress.watch.end is not None
    return end.share(parts.step, parts.data.draws.images) >= 1 or progress.trend.is_over(training) or is_collapsed


def look(step: int, recorded: Recorded, progress: Progress, milestones: Milestones) -> list[str]:
    """Let the watch hear of a step, and look if it is time; return what the user should know. What is seen is logged."""
    watch, tally = progress.watch, progress.tally
    if watch is None:
        return []
    watch.stepped(step, recorded)
    if not watch.is_due(step):
        return []
    seen = milestones.look()
    tally.add(step, [(name, torch.tensor(value, device=tally.device)) for name, value in seen.items()])
    return watch.look(step, seen)


def judge(step: int, value: float, progress: Progress, training: TrainingOptions, rates: Mapping[str, float]) -> list[str]:
    """Take in the score of a step; return what the user should know. `rates` are those of the recipe."""
    told = progress.trend.add(step, value, training, rates.values())
    return told if progress.watch is None else told + progress.watch.scored(step, value, progress.trend, training)


def save(parts: Parts, training: TrainingOptions, run: Run, progress: Progress, clock: _Clock) -> Path:
    """Save a checkpoint of now, remove the oldest but the best; returns its path."""
    # Weights moved by a term or a gradient that is not finite are not worth keeping.
    progress.tally.check()
    check_weights(parts)
    progress.seconds = clock.seconds()
    files, state = files_of(parts, progress.tally)
    progress.log.sync()
    progress.timing.sync()
    tables = {"log": progress.log.state(), "timing": progress.timing.state()}
    record = {**state, **tables, **progress.trend.state(), "seconds": progress.seconds}
    kept = {progress.trend.best["step"]} if progress.trend.best else set()
    if progress.watch is not None:
        progress.watch.saving(parts.step)
        record["watch"] = progress.watch.state()
        kept.add(progress.watch.kept_step())
    path = save_checkpoint(run.checkpoints, parts.step, files, record)
    prune(run.checkpoints, training.keep_checkpoints, kept)
    clock.saved()
    return path


def check_weights(parts: Parts) -> None:
    """Raise `DivergedError` naming a network whose weights are no longer finite."""
    for network in {name: None for networks in parts.players.values() for name in networks}:
        weights = [weight.detach() for weight in parts.nets[network].parameters()]
        if weights and not bool(torch.stack([weight.isfinite().all() for weight in weights]).all()):
            raise DivergedError(
                f"weights of {network} are not finite at step {parts.step}, though every term was: a gradient was not. "
                'Try a lower optimizer.learning_rate, training.precision = "fp32", or another training.seed.'
            )


def write_row(parts: Parts, progress: Progress) -> dict[str, float]:
    """Append the means since the last row to the log, and return the row."""
    draws = parts.data.draws
    row: dict[str, float] = {"step": parts.step, "epoch": draws.epoch, "images": draws.images, **progress.tally.means()}
    progress.log.append(row)
    return row


def _stopped(run: Run, step: int, stop: StopRequest) -> bool:
    if stop.signal_number is not None:
        raise Interrupted(f"stopped after step {step}, saved; go on with: ganlab resume {run.path}", stop.signal_number)
    return False


class _Clock:
    """What time decides: the speed column, checkpoints by minutes, the limit of one process."""

    def __init__(self, parts: Parts, progress: Progress, max_minutes: float | None) -> None:
        self._parts = parts
        self._before = progress.seconds
        self._start = self._row_start = self._save_start = time.monotonic()
        self._row_images = parts.data.draws.images
        self._max_minutes = max_minutes

    def seconds(self) -> float:
        return self._before + time.monotonic() - self._start

    def is_over(self) -> bool:
        return self._max_minutes is not None and time.monotonic() - self._start >= 60 * self._max_minutes

    def is_checkpoint_due(self, training: TrainingOptions) -> bool:
        minutes = (time.monotonic() - self._save_start) / 60
        return self._parts.step % training.checkpoint_every_steps == 0 or minutes >= training.checkpoint_every_minutes

    def saved(self) -> None:
        self._save_start = time.monotonic()

    def row(self) -> dict[str, float]:
        """Return a row of timing.csv."""
        now, images = time.monotonic(), self._parts.data.draws.images
        speed = (images - self._row_images) / max(now - self._row_start, 1e-9)
        self._row_start, self._row_images = now, images
        seconds = round(self.seconds(), 3)
        return {
            "step": self._parts.step,
            "seconds": seconds,
            "images_per_second": round(speed, 2),
            "memory_mib": self._memory(),
        }

    def _memory(self) -> float:
        if self._parts.device.type == "cuda":
            return round(torch.cuda.max_memory_allocated(self._parts.device) / 2**20, 1)
        try:
            import resource
        except ImportError:  # not on Windows
            return 0.0
        unit = 2**20 if sys.platform == "darwin" else 2**10  # bytes there, KiB elsewhere
        return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit, 1)
