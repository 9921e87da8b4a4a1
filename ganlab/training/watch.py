"""Looks at a run while it trains, one after the other -> alarms: that it has collapsed, and since when.

Three things are watched: how far apart made images are, how often the discriminator is right, where the score of
`training.best` goes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import torch

from ganlab.errors import CollapsedError
from ganlab.options import TrainingOptions, WatchOptions
from ganlab.runs.checkpoints import list_checkpoints
from ganlab.runs.directory import Run
from ganlab.training.tally import Recorded, Tally
from ganlab.training.trend import Trend

# Measures of an objective that tell how often its discriminator is right of real and of made images.
_ACCURACIES = re.compile(r"d_(adversarial_|real_|fake_)?accuracy(_real|_fake)?")
_ACCURACY = "accuracy"
_SAYINGS = {
    "watch_diversity": "images from different noise differ by {} of what real images of one label do, below {}",
    "watch_translation_diversity": "translations of different photos differ by {} of what real images do, below {}",
    "watch_change": "translations of one photo to different labels differ by {} of what real images do, below {}",
    _ACCURACY: "the discriminator is right of {} of real and made images, above {}",
}


@dataclass(kw_only=True)
class Sign:
    """One thing that is watched: how often in a row it was bad, and since which step."""

    bad: int = 0
    since: int = 0
    is_alarm: bool = False


@dataclass(kw_only=True)
class Watch:
    """What a run's watch has seen; a part of the run's state."""

    options: WatchOptions
    tally: Tally  # of the discriminator's accuracy since the last look
    signs: dict[str, Sign] = field(default_factory=dict)
    scores: list[tuple[int, float]] = field(default_factory=list)  # the last ones: step, value of `training.best`
    calm_step: int | None = None  # of the newest checkpoint that was saved while nothing was bad
    end: str | None = None  # the alarm that ended the run

    def notices(self, total_steps: int) -> list[str]:
        """Return what the user should know before a run of so many steps."""
        first = max(self.options.begin_step, self.options.every_steps) + (self.options.patience - 1) * self.options.every_steps
        if first <= total_steps:
            return []
        return [f"training.watch: no alarm is possible before step {first}, and the run has {total_steps}; lower begin_step"]

    def is_due(self, step: int) -> bool:
        """Return whether a look is due after `step`."""
        return step % self.options.every_steps == 0

    def stepped(self, step: int, recorded: Recorded) -> None:
        """Take in what a step recorded."""
        accuracies = [(name, value) for name, value in recorded if _ACCURACIES.fullmatch(name)]
        if accuracies:
            self.tally.add(step, accuracies)

    def look(self, step: int, readings: Mapping[str, float]) -> list[str]:
        """Judge what is seen after `step`; return what the user should know, a line each."""
        told, options = [], self.options
        accuracies = list(self.tally.means().values())
        self.tally.clear()
        if step >= options.begin_step and not (accuracies or self.signs or options.most_accuracy == 1):
            told.append("watch: the objective has logged no d_accuracy: how often its discriminator is right is not watched")
        for name, value in readings.items():
            least = options.least_change if name == "watch_change" else options.least_diversity
            told += self._judge(name, step, value < least, _SAYINGS[name].format(_percent(value), _percent(least)))
        if accuracies:
            value, most = sum(accuracies) / len(accuracies), options.most_accuracy
            saying = _SAYINGS[_ACCURACY].format(_percent(value), _percent(most))
            told += self._judge(_ACCURACY, step, value > most, saying)
        return told

    def scored(self, step: int, value: float, trend: Trend, training: TrainingOptions) -> list[str]:
        """Judge where the score goes; `trend` knows the best one so far."""
        options = self.options
        self.scores = [*self.scores, (step, value)][-options.patience :]
        if trend.best is None or trend.best["value"] == 0:
            return []
        sign = 1.0 if training.best_is == "lowest" else -1.0
        loss = sign * (value - trend.best["value"]) / abs(trend.best["value"])
        is_bad = loss > options.most_score_loss and sign * slope(self.scores) >= 0
        best, most = f"{trend.best['value']:.4g} at step {trend.best['step']}", _percent(options.most_score_loss)
        saying = f"{training.best} gets no better and is {value:.4g}, {_percent(loss)} behind its best, {best}; above {most}"
        return self._judge("score", step, is_bad, saying)

    def saving(self, step: int) -> None:
        """Remember `step`, of which a checkpoint is saved, if nothing is bad."""
        if not any(sign.bad for sign in self.signs.values()):
            self.calm_step = step

    def kept_step(self) -> int | None:
        """Return the step whose checkpoint stays on disk for the day after."""
        return None if self.options.then == "warn" else self.calm_step

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint records."""
        sums, about = self.tally.state()
        return {
            "signs": {name: asdict(sign) for name, sign in self.signs.items()},
            "scores": self.scores,
            "calm_step": self.calm_step,
            "end": self.end,
            "sums": {name: values.tolist() for name, values in sums.items()},
            "about": about,
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """Go on from `state`; raises KeyError, TypeError or ValueError if it is none."""
        self.signs = {name: Sign(**sign) for name, sign in state["signs"].items()}
        self.scores = [(int(step), float(value)) for step, value in state["scores"]]
        self.calm_step, self.end = state["calm_step"], state["end"]
        sums = {name: torch.tensor(values, dtype=torch.float64) for name, values in state["sums"].items()}
        self.tally.load(sums, state["about"])

    def _judge(self, name: str, step: int, is_bad: bool, saying: str) -> list[str]:
        """Count a look at one thing; return the line of an alarm that begins or is over."""
        if step < self.options.begin_step:
            return []
        sign = self.signs.setdefault(name, Sign())
        if not is_bad:
            was_alarm, self.signs[name] = sign.is_alarm, Sign()
            return [f"step {step}: watch: the alarm is over: {name.removeprefix('watch_')}"] if was_alarm else []
        sign.bad += 1
        sign.since = sign.since or step
        if sign.is_alarm or sign.bad < self.options.patience:
            return []
        sign.is_alarm = True
        since = f" (since step {sign.since})" if sign.since < step else ""
        if self.options.then == "stop":
            self.end = self.end or f"{saying}{since}"
            return []  # told once, at the end
        kept = f"; the checkpoint of step {self.calm_step} stays" if self.kept_step() is not None else ""
        return [f"step {step}: watch: {saying}{since}{kept}"]


def watch_of(training: TrainingOptions, device: torch.device) -> Watch | None:
    """Return the watch that a recipe asks for, which has seen nothing yet."""
    return None if training.watch is None else Watch(options=training.watch, tally=Tally(device))


def slope(points: list[tuple[int, float]]) -> float:
    """Return the slope of the least-squares line through points (step, value) of unlike steps; of one point 0."""
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / max(sum((x - mean_x) ** 2 for x, _ in points), 1e-9)


def collapsed(run: Run, step: int, watch: Watch, trend: Trend) -> CollapsedError:
    """Return what tells a user that the watch has ended the run, what is left of it and what to do next."""
    paths = dict(list_checkpoints(run.checkpoints))
    best = paths.get(trend.best["step"]) if trend.best else None
    left = best or (paths.get(watch.calm_step) if watch.calm_step is not None else None)
    again = f"ganlab run {run.recipe}" + (f" --set training.start_from={left}" if left else "")
    what = "The best checkpoint" if best else "The last checkpoint from before"
    return CollapsedError(
        f"{run.path}: its watch ended the run at step {step}: {watch.end}\n"
        f"{what}: {left or 'none'}\n"
        "Look at the last picture, change what made the run collapse, often a learning rate, and start again:\n"
        f"  {again} --set optimizer.learning_rate=LOWER"
    )


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"
