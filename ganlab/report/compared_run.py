"""A run's folder, a checkpoint of it, or a model of the registry -> what a comparison tells of it, read from files alone."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ganlab.errors import RunError
from ganlab.recipe import load_recipe
from ganlab.recipe_text import without_as_run
from ganlab.report.tables import Column, read_columns
from ganlab.runs.checkpoints import list_checkpoints, open_checkpoint
from ganlab.runs.directory import Run, open_run
from ganlab.runs.references import locate

NO_TERMS = ("step", "epoch", "images")  # columns of the log that are neither terms nor measures


@dataclass(frozen=True, kw_only=True)
class Scored:
    """One entry of scores.json: what an evaluator found after one step."""

    evaluator: str  # the name of its section in the recipe
    step: int
    values: Mapping[str, float]
    protocol: Mapping[str, Any]  # its card
    best_is: Mapping[str, str] = field(default_factory=dict)  # score -> lowest or highest, where the evaluator says it


@dataclass(frozen=True, kw_only=True)
class ComparedRun:
    """What the files of one run tell."""

    name: str
    path: Path
    title: str
    recipe: Mapping[str, Any]  # resolved
    log: Mapping[str, Column]  # {}: it keeps none
    scores: tuple[Scored, ...]  # by step
    step: int
    images: int
    epoch: float
    seconds: float | None  # of training, by the clock on the wall; None: unknown
    device: str | None
    data_fingerprint: str | None
    sample: tuple[int, Path] | None  # the step and the file of its newest picture

    @property
    def final(self) -> dict[str, float]:
        """Return the newest value of each term and measure: a mean over the steps of its row of the log."""
        known = {name: column[column == column] for name, column in self.log.items() if name not in NO_TERMS}
        return {name: float(column[-1]) for name, column in known.items() if len(column)}


def read_run(reference: str) -> ComparedRun:
    """Return what is known of the run, or of the run up to one checkpoint, that `reference` means; raises `RunError`."""
    located = locate(reference)
    if (located.path / "state.json").is_file():
        last = open_checkpoint(located.path).step
        run = open_run(located.path.absolute().parent.parent)
        return _read(run, f"{run.path.name} step {last}", run, last)
    run = open_run(located.path)
    if located.model is None:
        return _read(run, run.path.absolute().name, run, None)
    return _read(run, located.model.reference, _origin(run, Path(located.model.source)), located.model.step)


def _origin(model: Run, source: Path) -> Run:
    """Return the run from which a model was taken, which keeps its log and pictures, if it is still there as it was."""
    origin = Run(source.parent.parent)
    try:
        return origin if origin.recipe.read_bytes() == model.recipe.read_bytes() else model
    except OSError:
        return model


def _read(run: Run, name: str, history: Run, last: int | None) -> ComparedRun:
    """Return what `run` tells up to the step `last`, its log and pictures read from `history`."""
    recipe = load_recipe(run.recipe)
    log, timing = read_columns(history.log, last), read_columns(history.timing, last)
    reached: dict[str, Any] = {column: log[column][-1] for column in NO_TERMS if len(log.get(column, ()))}
    if timing and len(timing["step"]):
        reached["seconds"] = timing["seconds"][-1]
    saved = [path for step, path in list_checkpoints(run.checkpoints) if last is None or step <= last]
    newest = open_checkpoint(saved[-1]).state if saved else {}
    reached = reached if reached.get("step", -1) > newest.get("step", -1) else {**reached, **newest}
    environment = _json(run.path / "environment.json")
    return ComparedRun(
        name=name,
        path=run.path,
        title=without_as_run(recipe.header).partition("\n")[0],
        recipe=recipe.values,
        log=log,
        scores=tuple(entry for entry in _scores(run) if last is None or entry.step <= last),
        step=int(reached.get("step", 0)),
        images=int(reached.get("images", 0)),
        epoch=float(reached.get("epoch", 0.0)),
        seconds=float(reached["seconds"]) if "seconds" in reached else None,
        device=environment.get("device"),
        data_fingerprint=newest.get("data") or environment.get("data", {}).get("fingerprint"),
        sample=_newest_sample(history.samples, last),
    )


def _scores(run: Run) -> list[Scored]:
    try:
        entries = [
            Scored(
                evaluator=entry["evaluator"],
                step=entry["step"],
                values=entry["scores"],
                protocol=dict(entry["protocol"]),
                best_is=dict(entry.get("best_is", {})),
            )
            for entry in _json(run.scores).get("scores", [])
        ]
        return sorted(entries, key=lambda entry: entry.step)
    except (KeyError, TypeError, ValueError) as error:
        raise RunError(f"{run.scores}: damaged ({type(error).__name__}: {error})") from None


def _newest_sample(folder: Path, last: int | None) -> tuple[int, Path] | None:
    found = [(int(m[1]), path) for path in folder.glob("*.png") if (m := re.fullmatch(r"step-(\d+)\.png", path.name))]
    return max(((step, path) for step, path in found if last is None or step <= last), default=None)


def _json(path: Path) -> dict[str, Any]:
    """Return a JSON file of a run, {} if there is none."""
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise RunError(f"{path}: damaged, or cannot be read ({type(error).__name__})") from None
    if not isinstance(content, dict):
        raise RunError(f"{path}: damaged: it holds no table")
    return content
