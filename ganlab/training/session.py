"""A spec -> a run on disk, or a run on disk -> its continuation: what `ganlab run` and `ganlab resume` call."""

from __future__ import annotations

import copy
import re
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch

from ganlab.contracts import RunInfo
from ganlab.errors import CollapsedError, DeviceError, DivergedError, Interrupted, RunError
from ganlab.evaluation.scores import is_scored, protocols
from ganlab.files import write_text_atomic
from ganlab.plugins import Plugins
from ganlab.recipe import Recipe, dump_recipe
from ganlab.recipe_text import AS_RUN, without_as_run
from ganlab.registry import in_one_line
from ganlab.resolve import Parts, resolve
from ganlab.runs.checkpoints import list_checkpoints, open_checkpoint, sweep
from ganlab.runs.directory import RUNS, Run, check_out, create_run
from ganlab.runs.labels import keep_labels
from ganlab.runs.table import Table
from ganlab.spec import Spec
from ganlab.spec_resolved import pinned, resolved
from ganlab.training.blame import blaming
from ganlab.training.borrowed import take_networks
from ganlab.training.environment import ENVIRONMENT, environment, record_resume
from ganlab.training.loop import Progress, is_over, train
from ganlab.training.milestones import milestones_of, trained_model
from ganlab.training.observers import Observers
from ganlab.training.schedule import End, check_new_end, end_of
from ganlab.training.state import load_state
from ganlab.training.tally import Tally
from ganlab.training.trend import Trend
from ganlab.training.watch import Watch, collapsed, watch_of


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
    is_early: bool  # it ended by training.stop_after, before the end that the recipe states
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
    _check_evaluators(spec, parts)
    check_disk(out or RUNS, parts)
    run = create_run(out, run_name(spec.recipe))
    with run.held():
        own = f"{AS_RUN}`ganlab resume {run.path}` goes on; `ganlab run` on this file repeats the run."
        header = f"{own}\n{without_as_run(spec.recipe.header)}"
        write_text_atomic(run.recipe, dump_recipe(resolved(spec), header))
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
        _check_evaluators(spec, parts)
        if has_new_end:
            if found and spec.training.learning_rate_schedule in ("linear", "cosine"):
                listener.note("the learning rate is scheduled to the run's end: with the new end it rises again")
            recipe, record = resolved(spec), spec.recipe.values.get("components", {})
            # What began the run stays on record; environment.json tells with what it went on.
            recipe["components"] = {key: record.get(key, now) for key, now in recipe["components"].items()}
            write_text_atomic(run.recipe, dump_recipe(recipe, spec.recipe.header))
        newest = found[-1][1] if found else None
        return _train(spec, plugins, parts, run, listener, newest, max_minutes, environment(spec, parts, command))


def run_name(recipe: Recipe) -> str:
    """Return the recipe's name; for the resolved recipe in a run's folder, that run's name without its number."""
    if recipe.path is None or recipe.path != Run(recipe.path.parent).recipe or not recipe.header.startswith(AS_RUN):
        return recipe.name
    return re.sub(r"^\d{4,}-", "", recipe.path.absolute().parent.name) or recipe.name


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
    watch = watch_of(spec.training, parts.device)
    progress = Progress(log=Table(run.log), timing=Table(run.timing), tally=Tally(parts.device), watch=watch)
    keep_labels(run, spec.model_data, parts.data.test)
    restore(parts, progress, checkpoint)
    end = end_of(spec.training, parts.data.draws.epoch_images)
    observers = Observers(
        plugins, lambda: RunInfo(path=run.path, recipe=copy.deepcopy(resolved(spec))), parts.device, listener.note
    )
    first_step = parts.step
    if not is_over(parts, spec.training, progress, end):
        for notice in notices(spec, parts, end, watch):
            listener.note(notice)
        if resumed_in is not None:
            record_resume(run, {"step": parts.step, **resumed_in})
        listener.opened(run, parts, end)
    watcher = _Watcher(listener, observers)
    milestones = milestones_of(spec, parts, run, watcher)
    observers.started(first_step)
    status = "failed"
    try:
        with blaming(plugins, run.path, lambda: f"after step {parts.step}"):
            finished = train(parts, spec.training, run, progress, end, milestones, watcher, max_minutes)
            if watch is not None and watch.end is not None:
                raise collapsed(run, parts.step, watch, progress.trend)
            if finished and not is_scored(spec, run, parts.step):
                milestones.evaluate(parts.step)  # the last step was saved, and scoring it had failed
        status = "finished" if finished else "stopped"
    except (Interrupted, CollapsedError):
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
        is_early=finished and end.share(parts.step, parts.data.draws.images) < 1,
        trained_steps=parts.step - first_step,
        scores=watcher.scores,
        last_row=watcher.last_row,
    )


def notices(spec: Spec, parts: Parts, end: End, watch: Watch | None) -> list[str]:
    """Return what the user should know before a run, a line each."""
    watched = [] if watch is None else watch.notices(end.total_steps(0, 0, parts.data.draws.batch_images))
    return [*spec.recipe.notices, *spec.notices, *parts.data.notices, *watched]


def restore(parts: Parts, progress: Progress, checkpoint: Path | None) -> None:
    """Load a checkpoint, if there is one, and cut the tables to what it had seen."""
    seen: dict[str, Any] = {"log": {"columns": [], "rows": 0}, "timing": {"columns": [], "rows": 0}}
    if checkpoint is not None:
        opened = open_checkpoint(checkpoint)
        load_state(parts, progress.tally, opened)
        try:
            progress.trend = Trend.load(opened.state)
            if progress.watch is not None and opened.state.get("watch") is not None:
                progress.watch.load(opened.state["watch"])
            progress.seconds = float(opened.state["seconds"])
            seen = {
                name: {"columns": list(opened.state[name]["columns"]), "rows": int(opened.state[name]["rows"])} for name in seen
            }
        except (KeyError, TypeError, ValueError) as error:
            raise RunError(f"{checkpoint}: state.json is damaged ({in_one_line(error)})") from None
    progress.log.cut(seen["log"])
    progress.timing.cut(seen["timing"])


def _check_evaluators(spec: Spec, parts: Parts) -> None:
    """Raise what an evaluator lacks: now, not after hours."""
    protocols(spec, trained_model(spec, parts), parts.data.test, training=parts.data.training)


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

    def scored(self, step: int, scores: Mapping[str, float]) -> None:
        self.scores = scores
        self._observers.scored(step, scores)
