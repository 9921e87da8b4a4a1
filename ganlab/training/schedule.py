"""How far a run is: from 0 at the start to 1 at its end, and what learning rate that means."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from ganlab.errors import UsageError
from ganlab.options import TrainingOptions
from ganlab.resolve import Parts
from ganlab.runs.checkpoints import Checkpoint
from ganlab.runs.directory import Run
from ganlab.training.trend import Trend


@dataclass(frozen=True)
class End:
    """Where a run ends: after so many steps, or so many images, whichever comes first."""

    steps: int | None
    images: int | None

    def share(self, step: int, images: int) -> float:
        """Return how much of the run is done, 1 at the end or past it."""
        shares = [done / end for done, end in ((step, self.steps), (images, self.images)) if end]
        return min(max(shares), 1.0)

    def total_steps(self, step: int, images: int, images_a_step: int) -> int:
        """Return how many steps the run will take, as far as can be told after `step` steps."""
        totals = []
        if self.steps is not None:
            totals.append(self.steps)
        if self.images is not None:
            each = images / step if step else images_a_step
            totals.append(step + math.ceil(max(self.images - images, 0) / each))
        return min(totals)


def end_of(training: TrainingOptions, epoch_images: int) -> End:
    """Return the end that a recipe states."""
    images = None if training.epochs is None else round(training.epochs * epoch_images)
    return End(training.steps, images)


def check_new_end(run: Run, checkpoint: Checkpoint, training: TrainingOptions) -> None:
    """Raise `UsageError` for an end that the run has passed already, or that it would not come to."""
    epochs_done = checkpoint.state.get("epoch", 0)
    if (trend := Trend.load(checkpoint.state)).is_over(training):
        raise UsageError(
            f"{run.path}: ended early at step {checkpoint.step}, as training.stop_after = {training.stop_after} says; the best "
            f"step is {trend.best['step'] if trend.best else 'unknown'}. To train longer, start a run without it, with "
            "training.start_from"
        )
    if (watch := checkpoint.state.get("watch")) and watch["end"]:
        raise UsageError(
            f"{run.path}: its watch ended the run at step {checkpoint.step}: {watch['end']}. "
            f"`ganlab resume {run.path}` says from where to start again"
        )
    if training.steps is not None and training.steps < checkpoint.step:
        raise UsageError(f"--max-steps {training.steps}: {run.path} is at step {checkpoint.step} already; name a later end")
    if training.epochs is not None and training.epochs < epochs_done:
        raise UsageError(f"--epochs {training.epochs:g}: {run.path} is at epoch {epochs_done:g} already; name a later end")


def set_learning_rates(parts: Parts, training: TrainingOptions, share: float, trend: Trend, base: Mapping[str, float]) -> None:
    """Set every player's learning rate, from its `base`, for a run of which `share` is done."""
    factor = rate_factor(training, share)
    for player, optimizer in parts.optimizers.items():
        for group in optimizer.param_groups:
            group["lr"] = trend.rate(base[player], training) * factor


def rate_factor(training: TrainingOptions, share: float) -> float:
    """Return the factor that `share` makes on the learning rate, from 1 down to 0 after `decay_start`."""
    if training.learning_rate_schedule in ("constant", "plateau") or share <= training.decay_start:
        return 1.0
    done = (share - training.decay_start) / (1 - training.decay_start)
    return 1 - done if training.learning_rate_schedule == "linear" else (1 + math.cos(math.pi * done)) / 2
