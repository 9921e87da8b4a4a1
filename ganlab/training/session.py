"""A spec -> a run on disk, or a run on disk -> its continuation: what `ganlab run` and `ganlab resume` call."""

from __future__ import annotations

import copy
import json
import re
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch

from ganlab.contracts import RunInfo
from ganlab.errors import DeviceError, DivergedError, Interrupted, RecipeError, RunError, UsageError
from ganlab.evaluation.model import TrainedModel
from ganlab.evaluation.scores import evaluate, scored_steps
from ganlab.files import write_text_atomic
from ganlab.options import TrainingOptions
from ganlab.plugins import Plugins
from ganlab.recipe import Recipe, dump_recipe
from ganlab.registry import in_one_line
from ganlab.report.pictures import kinds_of_pictures, make_grid, write_grid
from ganlab.resolve import Parts, resolve
from ganlab.runs.checkpoints import Checkpoint, list_checkpoints, open_checkpoint, sweep
from ganlab.runs.directory import RUNS, Run, check_out, create_run
from ganlab.runs.labels import keep_labels
from ganlab.runs.table import Table
from ganlab.spec import Spec
from ganlab.spec_resolved import pinned, resolved
from ganlab.training.blame import blaming
from ganlab.training.borrowed import take_networks
from ganlab.training.environment import environment
from ganlab.training.loop import Milestones, Progress, train
from ganlab.training.observers import Observers
from ganlab.training.schedule import End, end_of
from ganlab.training.state import load_state
from ganlab.training.tally import Tally

ENVIRONMENT = "environment.json"
_AS_RUN = "As run. "  # begins the first line of a resolved recipe


class Listener(Protocol):
    """Who shows a session to the user."""

    def opened(self, run: Run, parts: Parts, end: End) -> None: ...
    def note(self, text: str) -> None: ...
    def reading(self, images: int, total_images: int) -> None: ...
    def stepped(self, step: int, total_steps: int, images: int) -> None: ...
    def logged(self, step: int, row: Mapping[str, float]) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a session ended."""

    run: Run
    step: int
    is_finished: bool
    trained_steps: int  # in this session
    scores: Mapping[str, float]  # of the last step, by "evaluator.score"
    last_row: Mapping[str, float]  # of the log, in this session


def start_run(
    spec: Spec,
    plugins: Plugins,
    device: torch.device,
    listener: Listener,
    *,
    out: Path | None,
    command: Sequence[str],
    max_minutes: float | None = None,
) -> Outcome:
    """Train `spec` in a new run directory."""
    if out is not None:
        check_out(out)  # before minutes are spent on data
    spec = pinned(spec)  # an alias may move while the run trains
    with blaming(plugins, None, lambda: "before step 1"):
        parts = resolve(spec, device, progress=listener.reading)
    taken = take_networks(spec, parts)
    check_disk(out or RUNS, parts)
    run = create_run(out, run_name(spec.recipe))
    with run.held():
        own = f"{_AS_RUN}`ganlab resume {run.path}` goes on; `ganlab run` on this file repeats the run."
        header = [own, *(line for line in spec.recipe.header.splitlines() if not line.startswith(_AS_RUN))]
        write_text_atomic(run.recipe, dump_recipe(resolved(spec), "\n".join(header)))
        run.write_json(ENVIRONMENT, {**environment(spec, parts, command), **({"models": taken} if taken else {})})
        return _train(spec, plugins, parts, run, listener, None, max_minutes)


def resume_run(
    spec: Spec,
    plugins: Plugins,
    run: Run,
    device: torch.device,
    listener: Listener,
    *,
    command: Sequence[str],
    has_new_end: bool = False,
    max_minutes: float | None = None,
) -> Outcome:
    """Go on with `run` from its newest checkpoint, or from step 0 if there is none.

    `spec` is the run's recipe, `has_new_end`: with another end, which is then written to the run's recipe.
    """
    with run.held():
        sweep_partial(run)
        found = list_checkpoints(run.checkpoints)
        if has_new_end and found:
            check_new_end(run, open_checkpoint(found[-1][1]), spec.training)
        with blaming(plugins, run.path, lambda: "before the run went on"):
            parts = resolve(spec, device, progress=listener.reading)
        if not found:
            take_networks(spec, parts)
        if has_new_end:
            if found and spec.training.learning_rate_schedule != "constant":
                listener.note("the learning rate is scheduled to the run's end: with the new end it rises again")
            recipe, record = resolved(spec), spec.recipe.values.get("components", {})
            # What began the run stays on record; environment.json tells with what it went on.
            recipe["components"] = {key: record.get(key, now) for key, now in recipe["components"].items()}
            write_text_atomic(run.recipe, dump_recipe(recipe, spec.recipe.header))
        newest = found[-1][1] if found else None
        return _train(spec, plugins, parts, run, listener, newest, max_minutes, environment(spec, parts, command))


def run_name(recipe: Recipe) -> str:
    """Return the recipe's name; for the resolved recipe in a run's folder, that run's name without its number."""
    if recipe.path is None or recipe.path != Run(recipe.path.parent).recipe or not recipe.header.startswith(_AS_RUN):
        return recipe.name
    return re.sub(r"^\d{4,}-", "", recipe.path.absolute().parent.name) or recipe.name


def check_new_end(run: Run, checkpoint: Checkpoint, training: TrainingOptions) -> None:
    """Raise `UsageError` for an end that the run has passed already."""
    epochs_done = checkpoint.state.get("epoch", 0)
    if training.steps is not None and training.steps < checkpoint.step:
        raise UsageError(f"--max-steps {training.steps}: {run.path} is at step {checkpoint.step} already; name a later end")
    if training.epochs is not None and training.epochs < epochs_done:
        raise UsageError(f"--epochs {training.epochs:g}: {run.path} is at epoch {epochs_done:g} already; name a later end")


def checkpoint_bytes(parts: Parts) -> int:
    """Return how large a checkpoint will be: weights, buffers, up to two moments a weight, averaged weights."""
    networks: int = sum(t.nbytes for net in parts.nets.values() for t in net.state_dict().values())
    moments: int = sum(2 * weight.nbytes for weights in parts.weights.values() for weight in weights)
    return networks * (2 if parts.averaged is not None else 1) + moments


def check_disk(folder: Path, parts: Parts) -> None:
    """Raise `DeviceError` before step 0 if the disk that `folder` will lie on cannot hold two checkpoints."""
    there = next(place for place in (folder.absolute(), *folder.absolute().parents) if place.exists())
    needed, free = 2 * checkpoint_bytes(parts), shutil.disk_usage(there).free
    if free < needed:
        raise DeviceError(
            f"{folder}: {free / 2**20:.0f} MiB are free and two checkpoints need {needed / 2**20:.0f} MiB; "
            "free some, or choose another disk with --out"
        )


def sweep_partial(run: Run) -> None:
    """Remove what a killed process left half written."""
    sweep(run.checkpoints)
    for folder in (run.path, run.samples):
        for path in folder.glob(".*.partial"):
            with suppress(OSError):
                path.unlink()


def _record_resume(run: Run, now: dict[str, Any]) -> None:
    """Add to environment.json in what surroundings the run goes on; write it if a kill came before it."""
    file = run.path / ENVIRONMENT
    try:
        first = json.loads(file.read_text(encoding="utf-8"))
        first["resumed"] = [*first.get("resumed", []), now]
    except (OSError, ValueError, AttributeError):
        first = now
    run.write_json(ENVIRONMENT, first)


def trained_model(spec: Spec, parts: Parts) -> TrainedModel:
    """Return the run's model as it is now, with averaged weights where they are kept."""
    nets = {**parts.nets, **(parts.averaged or {})}
    return TrainedModel(parts.architecture, nets, spec.model_data, spec.makes, parts.device)


def _train(
    spec: Spec,
    plugins: Plugins,
    parts: Parts,
    run: Run,
    listener: Listener,
    checkpoint: Path | None,
    max_minutes: float | None,
    resumed_in: dict[str, Any] | None = None,
) -> Outcome:
    progress = Progress(log=Table(run.log), timing=Table(run.timing), tally=Tally(parts.device))
    keep_labels(run, spec.model_data, parts.data.test)
    state = restore(parts, progress, checkpoint)
    progress.log.cut(state["log"])
    progress.timing.cut(state["timing"])
    end = end_of(spec.training, parts.data.draws.epoch_images)
    observers = Observers(
        plugins, lambda: RunInfo(path=run.path, recipe=copy.deepcopy(resolved(spec))), parts.device, listener.note
    )
    first_step = parts.step
    if end.share(parts.step, parts.data.draws.images) < 1:
        for notice in (*spec.recipe.notices, *spec.notices, *parts.data.notices):
            listener.note(notice)
        if resumed_in is not None:
            _record_resume(run, {"step": parts.step, **resumed_in})
        listener.opened(run, parts, end)
    watcher = _Watcher(listener, observers)
    milestones = _milestones(spec, parts, run, observers, watcher)
    observers.started(first_step)
    status = "failed"
    try:
        with blaming(plugins, run.path, lambda: f"after step {parts.step}"):
            finished = train(parts, spec.training, run, progress, end, milestones, watcher, max_minutes)
            if finished and spec.evaluation and parts.step not in scored_steps(run):
                milestones.evaluate(parts.step)  # the last step was saved, and scoring it had failed
        status = "finished" if finished else "stopped"
    except Interrupted:
        status = "stopped"
        raise
    except (MemoryError, torch.OutOfMemoryError) as error:
        raise DeviceError(
            f"{parts.device} has not enough memory ({in_one_line(error)}). "
            f'Try a training.batch_images below {spec.training.batch_images}, or training.precision = "bf16"'
        ) from None
    except DivergedError as error:
        kept = list_checkpoints(run.checkpoints)
        last = f"The last good checkpoint is kept: {kept[-1][1]}" if kept else "No checkpoint had been saved."
        raise DivergedError(f"{error}\n{last}") from None
    finally:
        observers.ended(status)
    return Outcome(
        run=run,
        step=parts.step,
        is_finished=finished,
        trained_steps=parts.step - first_step,
        scores=watcher.scores,
        last_row=watcher.last_row,
    )


def restore(parts: Parts, progress: Progress, checkpoint: Path | None) -> dict[str, Any]:
    """Load a checkpoint, if there is one; return what the tables are to be cut to."""
    if checkpoint is None:
        empty = {"columns": [], "rows": 0}
        return {"log": empty, "timing": empty}
    opened = open_checkpoint(checkpoint)
    load_state(parts, progress.tally, opened)
    try:
        progress.best, progress.seconds = opened.state["best"], float(opened.state["seconds"])
        return {
            name: {"columns": list(opened.state[name]["columns"]), "rows": int(opened.state[name]["rows"])}
            for name in ("log", "timing")
        }
    except (KeyError, TypeError, ValueError) as error:
        raise RunError(f"{checkpoint}: state.json is damaged ({in_one_line(error)})") from None


def _milestones(spec: Spec, parts: Parts, run: Run, observers: Observers, watcher: _Watcher) -> Milestones:
    def sample(step: int) -> None:
        for index, kind in enumerate(kinds_of_pictures(spec.makes)):
            grid, captions = make_grid(trained_model(spec, parts), parts.data.test, kind)
            write_grid(run.samples / f"step-{step:08}{'-translated' if index else ''}.png", grid, captions)

    def score(step: int) -> float | None:
        if not spec.evaluation:
            return None
        watcher.note(f"step {step}: scoring by {', '.join(spec.evaluation)}")
        facts = {"step": step, "epoch": parts.data.draws.epoch, "data_fingerprint": parts.data.fingerprint}
        watcher.scores = evaluate(spec, trained_model(spec, parts), parts.data.test, run, parts.device, facts)
        observers.scored(step, watcher.scores)
        best = spec.training.best
        if best is not None and best not in watcher.scores:
            raise RecipeError(f"training.best: {best!r} is not among the scores: {', '.join(watcher.scores)}")
        return watcher.scores.get(best) if best else None

    return Milestones(sample=sample, evaluate=score)


class _Watcher:
    """Tells the listener and the observers, and remembers what the outcome reports."""

    def __init__(self, listener: Listener, observers: Observers) -> None:
        self._listener, self._observers = listener, observers
        self.scores: Mapping[str, float] = {}
        self.last_row: Mapping[str, float] = {}

    def note(self, text: str) -> None:
        self._listener.note(text)

    def stepped(self, step: int, total_steps: int, images: int) -> None:
        self._listener.stepped(step, total_steps, images)

    def logged(self, step: int, row: Mapping[str, float]) -> None:
        self.last_row = row
        self._listener.logged(step, row)
        self._observers.logged(step, row)

    def saved(self, step: int, path: Path) -> None:
        self._observers.saved(step, path)
