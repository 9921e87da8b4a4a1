"""Tensors and counters -> a checkpoint folder that is complete or absent, and back; nothing is ever pickled."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from ganlab.errors import DeviceError, GanlabError, RunError
from ganlab.files import sync_folder, write_text_atomic
from ganlab.tensors import digest, read_tensors, write_tensors

FORMAT = 1
_FILES = ("networks", "averaged", "training")


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """What one checkpoint folder holds."""

    path: Path
    step: int
    state: dict[str, Any]  # counters, lengths of tables, versions

    def tensors(self, file: str) -> dict[str, Tensor]:
        """Return the tensors of `file` ("networks", "averaged", "training"), empty if it holds none; verifies the digest."""
        expected = self.state["digests"].get(file)
        if expected is None:
            return {}
        path = self.path / f"{file}.safetensors"
        try:
            if digest(path) != expected:
                raise RunError(f"{path}: damaged: its content is not what was saved.{_other(self.path)}")
            return read_tensors(path)[0]
        except OSError as error:
            raise RunError(f"{path}: cannot be read ({error.strerror}).{_other(self.path)}") from None

    @property
    def averaged(self) -> bool:
        """Return whether averaged weights were kept."""
        return "averaged" in self.state["digests"]


def save_checkpoint(folder: Path, step: int, files: Mapping[str, Mapping[str, Tensor]], state: Mapping[str, Any]) -> Path:
    """Write `folder/step-NNNNNNNN` whole, then make it visible; returns its path."""
    path = folder / f"step-{step:08}"
    temporary = folder / f".step-{step:08}.{os.getpid()}.tmp"
    try:
        if temporary.exists():
            shutil.rmtree(temporary)
        temporary.mkdir(parents=True)
        digests = {}
        for file, tensors in files.items():
            write_tensors(temporary / f"{file}.safetensors", tensors, {"format": "ganlab", "step": str(step)})
            digests[file] = digest(temporary / f"{file}.safetensors")
        record = {"ganlab": FORMAT, "step": step, "digests": digests, **state}
        write_text_atomic(temporary / "state.json", json.dumps(record, indent=2) + "\n")
        if path.exists():  # from before a resume that went back further
            _remove(path)
        temporary.rename(path)
        sync_folder(folder)
    except OSError as error:
        shutil.rmtree(temporary, ignore_errors=True)
        raise DeviceError(f"{path}: cannot be written ({error.strerror}); the checkpoints before it are whole") from None
    except GanlabError:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    return path


def list_checkpoints(folder: Path) -> list[tuple[int, Path]]:
    """Return (step, path) of the complete checkpoints in `folder`, oldest first."""
    if not folder.is_dir():
        return []
    found = [(int(m[1]), entry) for entry in folder.iterdir() if (m := re.fullmatch(r"step-(\d{8,})", entry.name))]
    return sorted((step, path) for step, path in found if (path / "state.json").is_file())


def open_checkpoint(path: Path) -> Checkpoint:
    """Return the checkpoint at `path`; raises `RunError` for a folder that is none, or is damaged."""
    file = path / "state.json"
    try:
        if file.stat().st_size > 16 * 2**20:
            raise ValueError("too large")
        state = json.loads(file.read_text(encoding="utf-8"))
        digests = state["digests"]
        if state["ganlab"] != FORMAT or not set(digests) <= set(_FILES) or not isinstance(state["step"], int):
            raise ValueError(f"format {state['ganlab']}")
    except FileNotFoundError:
        raise RunError(f"{path}: not a checkpoint: it holds no state.json") from None
    except (ValueError, KeyError, TypeError, OSError, RecursionError) as error:
        raise RunError(f"{file}: not a checkpoint of this ganlab, or damaged ({error}).{_other(path)}") from None
    return Checkpoint(path=path, step=state["step"], state=state)


def prune(folder: Path, newest: int, kept_steps: Collection[int | None]) -> None:
    """Remove all checkpoints but the `newest` so many and those of `kept_steps`."""
    for step, path in list_checkpoints(folder)[:-newest]:
        if step not in kept_steps:
            _remove(path)


def sweep(folder: Path) -> None:
    """Remove what a kill inside a save left behind; call while holding the run."""
    for entry in folder.glob(".step-*.tmp") if folder.is_dir() else ():
        shutil.rmtree(entry, ignore_errors=True)


def find_checkpoint(path: Path, step: int | None = None) -> Path:
    """Return the checkpoint that `path` names: a checkpoint folder, or a run's newest (or that of `step`)."""
    if (path / "state.json").is_file():
        return path
    found = list_checkpoints(path / "checkpoints") or list_checkpoints(path)
    if not found:
        if not path.exists():
            raise RunError(f"{path}: no such run or checkpoint")
        if not path.is_dir():
            raise RunError(f"{path}: is a file; a checkpoint of ganlab is a folder, such as RUN/checkpoints/step-00001000")
        is_run = (path / "recipe.toml").is_file() or (path.parent / "recipe.toml").is_file()
        raise RunError(f"{path}: {'holds no checkpoint yet' if is_run else 'is no folder of a run or a checkpoint'}")
    if step is None:
        return found[-1][1]
    matching = [entry for number, entry in found if number == step]
    if not matching:
        raise RunError(f"{path}: no checkpoint of step {step}; there are {', '.join(str(n) for n, _ in found)}")
    return matching[0]


def _remove(path: Path) -> None:
    """Remove a checkpoint; a kill meanwhile leaves no half one."""
    hidden = path.with_name(f".{path.name}.old.tmp")
    shutil.rmtree(hidden, ignore_errors=True)
    path.rename(hidden)
    shutil.rmtree(hidden, ignore_errors=True)


def _other(path: Path) -> str:
    """Return the advice to use another checkpoint, if there is one."""
    others = [step for step, entry in list_checkpoints(path.parent) if entry.name != path.name]
    return f" Remove {path} to go on from step {others[-1]}." if others else " There is no other checkpoint."
