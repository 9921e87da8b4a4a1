"""Checkpoints and evaluators -> scores.json of their runs: what `ganlab eval` does.

The evaluators take the place of those of each run's own recipe, so that options, protocol cards and files are those of
scores while training. Everything that can be wrong is found before any image is made. What scores.json holds already,
of the same weights under the same protocol, is not measured again.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import torch

from ganlab.contracts import ImageSet
from ganlab.data.bank import select
from ganlab.errors import DataError, GanlabError, UsageError
from ganlab.evaluation.asked_scores import Asked, asked_spec
from ganlab.evaluation.feature_files import kept_features
from ganlab.evaluation.remembering import RememberingModel
from ganlab.evaluation.sampling import load_model
from ganlab.evaluation.scores import Training, found_by, protocols
from ganlab.options import DatasetOptions
from ganlab.plugins import load_plugins
from ganlab.recipe import load_recipe, swap_dataset
from ganlab.registry import Registry
from ganlab.resolve import choose_device, open_splits
from ganlab.runs.checkpoints import Checkpoint, open_checkpoint
from ganlab.runs.choosing import ChosenRun
from ganlab.runs.directory import Run
from ganlab.runs.model_folder import KEPT
from ganlab.runs.scores import Entry, add_scores, decides, read_scores
from ganlab.scores import told_of_progress
from ganlab.spec import Spec

LeftOut = dict[tuple[str, str], list[str]]  # (evaluator, why) -> runs


class Listener(Protocol):
    """Who shows it to the user."""

    def note(self, text: str) -> None: ...
    def reading(self, images: int, total_images: int) -> None: ...
    def begun(self, total: int) -> None: ...
    def progressed(self, what: str, images: int, total_images: int) -> None: ...
    def scored(self, run: str, entry: Entry, seconds: float | None) -> None: ...


@dataclass(frozen=True, kw_only=True)
class ScoredCheckpoint:
    """What one evaluator found of one checkpoint."""

    run: str
    folder: Run  # that holds the entry
    path: Path
    entry: Entry  # as in scores.json
    is_new: bool  # it was measured now


@dataclass(frozen=True, kw_only=True)
class Scoring:
    """What came of it."""

    scored: tuple[ScoredCheckpoint, ...]
    left_out: Mapping[str, str]  # of everything that was asked for: evaluator -> why


@dataclass(frozen=True, kw_only=True)
class _Ready:
    """A run whose evaluators lack nothing."""

    chosen: ChosenRun
    spec: Spec  # its `evaluation`: those to score by
    test: ImageSet
    training: Training | None
    fingerprint: str
    cards: Mapping[str, Mapping[str, Any]]


def score_checkpoints(runs: Sequence[ChosenRun], asked: Asked, listener: Listener, *, features: Path | None = None) -> Scoring:
    """Score the checkpoints of `runs`, each entry kept in the run's scores.json as soon as it is known.

    Raises before any image is made what an evaluator lacks; of `everything`, such an evaluator is left out instead. Into
    the folder `features` go those of all images: then nothing counts as known.
    """
    device = choose_device(asked.device)
    registry = Registry(load_plugins())
    left_out: LeftOut = {}
    ready = [_prepared(chosen, asked, registry, device, listener, left_out) for chosen in runs]
    if not any(each.cards for each in ready):
        raise _nothing(left_out)
    for note in dict.fromkeys(note for each in ready for note in _notes(each.cards)):
        listener.note(note)
    listener.begun(sum(len(each.chosen.checkpoints) * len(each.cards) for each in ready))
    scored: list[ScoredCheckpoint] = []
    with told_of_progress(listener.progressed):
        for each in ready:
            for path in each.chosen.checkpoints:
                name = f"{each.chosen.run.path.absolute().name}-{path.name}"
                with nullcontext() if features is None else kept_features(features, name):
                    scored += _scored(each, path, asked, device, listener, left_out, anew=features is not None)
    if not scored:
        raise _nothing(left_out)
    return Scoring(scored=tuple(scored), left_out=_reasons(left_out, len(runs)))


def _prepared(
    chosen: ChosenRun, asked: Asked, registry: Registry, device: torch.device, listener: Listener, left_out: LeftOut
) -> _Ready:
    """Return a run with its images and the protocol cards of its evaluators; what `everything` cannot be is left out."""
    recipe = load_recipe(chosen.run.recipe)
    own = recipe.values["dataset"]
    notices: tuple[str, ...] = ()
    if asked.dataset is not None:
        recipe, notices = swap_dataset(recipe, asked.dataset)
    spec, without = asked_spec(recipe, registry, asked)
    for name, reason in without.items():
        left_out.setdefault((name, reason), []).append(chosen.name)
    cached = open_splits(spec, listener.reading)
    for notice in (*notices, *cached.notices):
        listener.note(notice)
    if asked.split not in cached.splits:
        held = ", ".join(cached.splits)
        raise DataError(f"--split {asked.split}: the data set {spec.dataset.name} has no such split; it has {held}")
    test = cached.splits[asked.split]
    model = load_model(spec, open_checkpoint(chosen.checkpoints[-1]), device, raw=asked.raw)
    options = spec.dataset.options
    assert isinstance(options, DatasetOptions)
    training = None  # known of the data that the run learned from only
    if asked.dataset is None or {**recipe.values["dataset"], "use": spec.dataset.registered.full_name} == own:
        training = partial(select, cached.splits, options.split, options.images)
    cards: dict[str, Mapping[str, Any]] = {}
    for name in spec.evaluation:
        with _told(chosen, name, asked, left_out):
            alone = replace(spec, evaluation={name: spec.evaluation[name]})
            cards |= protocols(alone, model, test, split=asked.split, raw=asked.raw, training=training)
    return _Ready(chosen=chosen, spec=spec, test=test, training=training, fingerprint=cached.fingerprint, cards=cards)


def _scored(
    ready: _Ready,
    path: Path,
    asked: Asked,
    device: torch.device,
    listener: Listener,
    left_out: LeftOut,
    *,
    anew: bool,
) -> Iterator[ScoredCheckpoint]:
    """Yield what each evaluator finds of one checkpoint; its weights are loaded only if something is not known yet."""
    run, checkpoint = ready.chosen.run, open_checkpoint(path)
    model: RememberingModel | None = None
    for name, card in ready.cards.items():
        facts = _facts(ready, checkpoint)
        known = None if anew else next((entry for entry in read_scores(run) if _is_of(entry, facts, name, card)), None)
        if known is not None:
            listener.scored(ready.chosen.name, known, None)
            yield ScoredCheckpoint(run=ready.chosen.name, folder=run, path=path, entry=known, is_new=False)
            continue
        begun = time.monotonic()
        model = model or RememberingModel(load_model(ready.spec, checkpoint, device, raw=asked.raw))
        with _told(ready.chosen, name, asked, left_out):
            entry = {
                **facts,
                **found_by(ready.spec, name, model, ready.test, device, split=asked.split, training=ready.training),
                "protocol": dict(card),
            }
            add_scores(run, [entry], replaces=partial(_is_same, step=facts["step"], name=name, card=card))
            listener.scored(ready.chosen.name, entry, time.monotonic() - begun)
            yield ScoredCheckpoint(run=ready.chosen.name, folder=run, path=path, entry=entry, is_new=True)


@contextmanager
def _told(chosen: ChosenRun, name: str, asked: Asked, left_out: LeftOut) -> Iterator[None]:
    """Name the run and the evaluator in what it raises; of `everything`, remember that instead."""
    try:
        yield
    except GanlabError as error:
        reason = str(error).removeprefix(f"evaluation.{name}: ")
        if asked.everything:
            left_out.setdefault((name, reason), []).append(chosen.name)
            return
        error.args = (f"{chosen.name}: {name}: {reason}",)
        raise


def _reasons(left_out: LeftOut, runs: int) -> dict[str, str]:
    """Return evaluator -> why it is left out; of several runs, those of which that is so."""
    found: dict[str, list[str]] = {}
    for (name, reason), whose in left_out.items():
        found.setdefault(name, []).append(reason if runs == 1 else f"{reason} ({', '.join(dict.fromkeys(whose))})")
    return {name: "; ".join(reasons) for name, reasons in found.items()}


def _nothing(left_out: LeftOut) -> UsageError:
    return UsageError("\n".join(["nothing can be scored", *(f"{name}: {why}" for name, why in _reasons(left_out, 1).items())]))


def _facts(ready: _Ready, checkpoint: Checkpoint) -> dict[str, Any]:
    """Return what an entry tells of the checkpoint; `checkpoint` in it are the digests of its weights."""
    digests = checkpoint.state["digests"]
    return {
        "step": checkpoint.step,
        "epoch": checkpoint.state.get("epoch"),
        "data_fingerprint": ready.fingerprint,
        "checkpoint": {file: digests[file] for file in KEPT if file in digests},
    }


def _is_of(entry: Entry, facts: Mapping[str, Any], name: str, card: Mapping[str, Any]) -> bool:
    """Return whether an entry tells of these weights and data by this protocol. Training names no digest: its are at hand."""
    same_weights = entry.get("checkpoint") in (None, facts["checkpoint"])
    same_data = entry.get("data_fingerprint") == facts["data_fingerprint"]
    return same_weights and same_data and _is_same(entry, facts["step"], name, card)


def _is_same(entry: Entry, step: int, name: str, card: Mapping[str, Any]) -> bool:
    own = decides(entry["evaluator"], entry["protocol"])
    return bool(entry["step"] == step) and own == decides(name, card)


def _notes(cards: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return what evaluators want to be known of their scores: the `notes` among the facts of a card."""
    return [f"{name}: {note}" for name, card in cards.items() for note in card.get("facts", {}).get("notes", [])]
