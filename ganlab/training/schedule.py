"""How far a run is: from 0 at the start to 1 at its end, and what learning rate that means."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ganlab.options import TrainingOptions
from ganlab.resolve import Parts


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


def set_learning_rates(parts: Parts, training: TrainingOptions, share: float, base: dict[str, float]) -> None:
    """Set every player's learning rate for a run of which `share` is done."""
    factor = rate_factor(training, share)
    for player, optimizer in parts.optimizers.items():
        for group in optimizer.param_groups:
            group["lr"] = base[player] * factor


def rate_factor(training: TrainingOptions, share: float) -> float:
    """Return the factor on the learning rate, from 1 down to 0 after `decay_start`."""
    if training.learning_rate_schedule == "constant" or share <= training.decay_start:
        return 1.0
    done = (share - training.decay_start) / (1 - training.decay_start)
    return 1 - done if training.learning_rate_schedule == "linear" else (1 + math.cos(math.pi * done)) / 2
