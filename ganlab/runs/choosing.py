"""Runs, checkpoints, models of the registry, and folders of runs -> the checkpoints that are meant, run by run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ganlab.errors import RunError
from ganlab.runs.checkpoints import find_checkpoint, list_checkpoints, open_checkpoint
from ganlab.runs.directory import Run
from ganlab.runs.model_adding import run_of
from ganlab.runs.references import RECIPE, locate

Which = Literal["all", "last", "best"]


@dataclass(frozen=True, kw_only=True)
class ChosenRun:
    """Some checkpoints of one run, or the one of a model of the registry."""

    name: str  # NAME@N, or the run's folder as it was typed
    run: Run
    checkpoints: tuple[Path, ...]  # oldest first


def choose_checkpoints(references: Sequence[str], *, which: Which = "all", every_steps: int | None = None) -> list[ChosenRun]:
    """Return what `references` mean, each run once: of a run all checkpoints, the last, the best, or those at every so many.

    A checkpoint that is named itself is meant, whatever the choice. Raises `RunError` for a reference to nothing.
    """
    found: dict[Path, ChosenRun] = {}
    for reference in references:
        for chosen in _meant(reference, which, every_steps):
            place = chosen.run.path.resolve()
            before = found.get(place)
            both = {*chosen.checkpoints, *before.checkpoints} if before else chosen.checkpoints
            paths = {path.resolve(): path for path in both}  # of two spellings one
            name = before.name if before else chosen.name
            checkpoints = tuple(paths[path] for path in sorted(paths, key=lambda path: open_checkpoint(path).step))
            found[place] = ChosenRun(name=name, run=chosen.run, checkpoints=checkpoints)
    return list(found.values())


def _meant(reference: str, which: Which, every_steps: int | None) -> list[ChosenRun]:
    located = locate(reference)
    path = located.path
    if located.model is not None:
        return [ChosenRun(name=located.name, run=Run(path), checkpoints=(find_checkpoint(path),))]
    if (path / "state.json").is_file():
        run = run_of(open_checkpoint(path))
        return [ChosenRun(name=str(run.path), run=run, checkpoints=(path,))]
    if path.is_dir() and not (path / RECIPE).is_file() and not list_checkpoints(path):
        runs = [inner for inner in sorted(path.iterdir()) if (inner / RECIPE).is_file()]
        with_checkpoints = [inner for inner in runs if list_checkpoints(inner / "checkpoints")]
        if not with_checkpoints:
            held = f"{len(runs)} runs without a checkpoint" if runs else "no run and no checkpoint"
            raise RunError(f"{path}: the folder holds {held}; name a run, a checkpoint, or a folder of runs such as `runs`")
        return [_of_run(inner, which, every_steps) for inner in with_checkpoints]
    return [_of_run(path, which, every_steps)]


def _of_run(path: Path, which: Which, every_steps: int | None) -> ChosenRun:
    """Return the choice from a run's folder, or from the folder of its checkpoints."""
    newest = find_checkpoint(path)  # raises what is wrong with a folder that has none
    run = run_of(open_checkpoint(newest))
    held = list_checkpoints(newest.parent)
    if every_steps is not None:
        chosen = [entry for step, entry in held if step % every_steps == 0]
        if not chosen:
            steps = ", ".join(str(step) for step, _ in held)
            raise RunError(f"{path}: --every {every_steps}: no checkpoint's step is a multiple; there are {steps}")
    elif which == "best":
        chosen = [_best(run, newest)]
    else:
        chosen = [newest] if which == "last" else [entry for _, entry in held]
    return ChosenRun(name=str(run.path), run=run, checkpoints=tuple(chosen))


def best_step(source: str) -> int:
    """Return the step that the run of `source`, a run's folder or that of its checkpoints, itself found best."""
    newest = open_checkpoint(find_checkpoint(locate(source).path))
    return open_checkpoint(_best(run_of(newest), newest.path)).step


def _best(run: Run, newest: Path) -> Path:
    """Return the checkpoint that the run itself found best while it trained."""
    best = open_checkpoint(newest).state.get("best")
    if not isinstance(best, dict) or "step" not in best:
        raise RunError(
            f"{run.path}: --best: its recipe names no training.best, so nothing was kept as the best; "
            "score all checkpoints, and the table marks the best"
        )
    return find_checkpoint(run.path, int(best["step"]))
