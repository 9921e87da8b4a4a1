"""A checkpoint of a run -> a version in the registry, with files of its own: a run that is deleted later takes nothing away."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganlab.errors import GanlabError, RunError
from ganlab.files import replacing, sync_folder, write_bytes_atomic, write_text_atomic
from ganlab.recipe import load_recipe
from ganlab.runs.checkpoints import Checkpoint, find_checkpoint, open_checkpoint
from ganlab.runs.directory import Run, open_run
from ganlab.runs.model_folder import KEPT, is_called_rightly, model_digest
from ganlab.runs.models import GONE, INCOMING, Models, ModelVersion
from ganlab.runs.references import locate
from ganlab.tensors import digest

_BESIDE = ("environment.json", "labels.json")  # files of a run that tell of all its checkpoints


@dataclass(frozen=True, kw_only=True)
class Added:
    """What adding a model came to."""

    model: ModelVersion
    folder: Path
    twins: tuple[str, ...]  # versions that are the same checkpoint; its files are kept once


def add_model(
    source: str,
    name: str,
    *,
    step: int | None = None,
    aliases: Sequence[str] = (),
    note: str = "",
    models: Models | None = None,
) -> Added:
    """Add the newest checkpoint of a run (or that of `step`), a checkpoint, or a version of another name."""
    models = models or Models()
    located = locate(source)
    checkpoint = open_checkpoint(find_checkpoint(located.path, step))
    run = run_of(checkpoint)
    recipe = run.recipe.read_bytes()
    called = model_digest(checkpoint.step, checkpoint.state["digests"], recipe)
    folder = models.folder / called
    facts = facts_of(run, checkpoint)  # a recipe or scores that are damaged are told of before anything is copied
    for file in _files(checkpoint):
        _verify(checkpoint, file)
    model = models.insert(
        name,
        digest=called,
        step=checkpoint.step,
        source=located.model.source if located.model else str(checkpoint.path.absolute()),
        note=note,
        facts=facts,
        aliases=aliases,
        place=lambda: _place(folder, run, checkpoint, recipe),
    )
    twins = tuple(each.reference for each in models.all() if each.digest == called and each.reference != model.reference)
    return Added(model=model, folder=folder, twins=twins)


def run_of(checkpoint: Checkpoint) -> Run:
    """Return the run of a checkpoint; raises `RunError` if the folder lies in none."""
    folder = checkpoint.path.parent.parent
    if len(checkpoint.path.parts) < 2 or ".." in checkpoint.path.parts:  # named from within the run's folder
        folder = checkpoint.path.resolve().parent.parent
    return open_run(folder)


def facts_of(run: Run, checkpoint: Checkpoint) -> dict[str, Any]:
    """Return what is worth knowing of a checkpoint without its files at hand."""
    recipe = load_recipe(run.recipe)
    environment = _json(run.path / "environment.json") or {}
    return {
        **{section: _used(recipe.values, section) for section in ("objective", "architecture", "dataset")},
        "images": checkpoint.state.get("images"),
        "epoch": checkpoint.state.get("epoch"),
        "seed": recipe.values.get("training", {}).get("seed"),
        "data_fingerprint": checkpoint.state.get("data"),
        "weights": "averaged" if checkpoint.averaged else "raw",
        "bytes": sum((checkpoint.path / f"{file}.safetensors").stat().st_size for file in _files(checkpoint)),
        "packages": environment.get("packages"),
        "device": environment.get("device"),
        "scores": {
            f"{entry['evaluator']}.{score}": value
            for entry in _scores(run, checkpoint.step)
            for score, value in entry["scores"].items()
        },
    }


def _place(folder: Path, run: Run, checkpoint: Checkpoint, recipe: bytes) -> None:
    """Bring the model's files into `folder`; call while holding the registry."""
    if is_called_rightly(folder) and _is_whole(folder / "checkpoints" / f"step-{checkpoint.step:08}"):
        return
    for leftover in folder.parent.glob(f"{INCOMING}*"):  # of a process that was killed, since we hold the registry
        shutil.rmtree(leftover, ignore_errors=True)
    incoming, hidden = (folder.with_name(f"{prefix}{folder.name}") for prefix in (INCOMING, GONE))
    try:
        kept = incoming / "checkpoints" / f"step-{checkpoint.step:08}"
        kept.mkdir(parents=True)
        digests = checkpoint.state["digests"]
        for file in _files(checkpoint):
            _bring(checkpoint.path / f"{file}.safetensors", kept / f"{file}.safetensors", digests[file])
        state = {**checkpoint.state, "digests": {file: digests[file] for file in _files(checkpoint)}}
        write_text_atomic(kept / "state.json", json.dumps(state, indent=2) + "\n")
        write_bytes_atomic(incoming / "recipe.toml", recipe)
        for name in _BESIDE:
            if (run.path / name).exists():
                write_bytes_atomic(incoming / name, (run.path / name).read_bytes())
        scores = {"scores": _scores(run, checkpoint.step)}
        write_text_atomic(incoming / run.scores.name, json.dumps(scores, indent=2) + "\n")
        if folder.exists():  # damaged: what it should hold is at hand again
            shutil.rmtree(hidden, ignore_errors=True)
            folder.rename(hidden)
        incoming.rename(folder)
        sync_folder(folder.parent)
    except OSError as error:
        raise RunError(f"{folder}: cannot be filled from {checkpoint.path} ({error.strerror})") from None
    finally:
        for leftover in (incoming, hidden):
            shutil.rmtree(leftover, ignore_errors=True)


def _bring(source: Path, target: Path, expected: str) -> None:
    """Link a file that nobody ever changes, or where that cannot be, copy it and compare the copy with its digest."""
    with suppress(OSError, NotImplementedError):
        os.link(source.resolve(), target)
        return
    total = hashlib.sha256()
    with source.open("rb") as read, replacing(target) as written:
        while portion := read.read(2**22):
            total.update(portion)
            written.write(portion)
    if total.hexdigest() != expected:
        raise RunError(f"{source}: changed while it was copied; add the model again")


def _files(checkpoint: Checkpoint) -> list[str]:
    return [file for file in KEPT if file in checkpoint.state["digests"]]


def _verify(checkpoint: Checkpoint, file: str) -> None:
    path = checkpoint.path / f"{file}.safetensors"
    try:
        if digest(path) != checkpoint.state["digests"][file]:
            raise RunError(f"{path}: damaged: its content is not what was saved")
    except OSError as error:
        raise RunError(f"{path}: cannot be read ({error.strerror})") from None


def _is_whole(path: Path) -> bool:
    try:
        kept = open_checkpoint(path)
        for file in _files(kept):
            _verify(kept, file)
    except GanlabError:
        return False
    return True


def _used(values: Mapping[str, Any], section: str) -> str | None:
    table = values.get(section, {})
    return table.get("use") if isinstance(table, Mapping) else None


def _scores(run: Run, step: int) -> list[dict[str, Any]]:
    """Return what scores.json tells of one step."""
    try:
        return [entry for entry in (_json(run.scores) or {}).get("scores", []) if entry["step"] == step]
    except (KeyError, TypeError) as error:
        raise RunError(f"{run.scores}: damaged ({type(error).__name__})") from None


def _json(path: Path) -> dict[str, Any] | None:
    """Return a JSON file of a run, None if there is none; raises `RunError` if it is damaged."""
    try:
        content = json.loads(path.read_bytes())
        return content if isinstance(content, dict) else {}
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise RunError(f"{path}: damaged, or cannot be read ({type(error).__name__})") from None
