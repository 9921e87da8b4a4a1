"""The section [training] of a recipe -> how long and how a run trains."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from ganlab.options import TrainingOptions
from ganlab.spec_faults import Faults


def training_of(faults: Faults, table: Mapping[str, Any], evaluators: Collection[str]) -> TrainingOptions | None:
    """Return the options, checked; None, and the faults, if they are wrong. `evaluators` are the sections [evaluation.NAME]."""
    training: TrainingOptions | None = faults.validated(("training",), TrainingOptions, table)
    if training is None:
        return None
    if training.epochs is None and training.steps is None:
        faults.add(("training",), "says no end: set training.epochs or training.steps")
    if training.best and training.best.split(".")[0] not in evaluators:
        faults.add(("training", "best"), f"{training.best!r} names no section [evaluation.NAME] of this recipe")
    needed = {"best": "the score that it watches", "evaluate_every_steps": "how often it is scored"}
    missing = [f"training.{key}, {why}" for key, why in needed.items() if getattr(training, key) is None]
    is_watching = {
        "learning_rate_schedule": training.learning_rate_schedule == "plateau",
        "stop_after": training.stop_after is not None,
    }
    for key in [key for key, watches in is_watching.items() if watches and missing]:
        faults.add(("training", key), f"{getattr(training, key)!r} needs {' and '.join(missing)}")
    return training


def check_watch(faults: Faults, training: TrainingOptions, architecture: str, makes: Collection[str]) -> None:
    """Add a fault if the watch would look at images that nobody makes."""
    if training.watch is not None and not set(makes) & {"generate", "translate"}:
        faults.add(("training", "watch"), f"{architecture} makes no images that could be watched; leave the table out")
