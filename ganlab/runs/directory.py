"""A run's folder: created once, held by one process at a time, found again by path."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganlab.errors import DeviceError, RunError
from ganlab.files import lock, write_text_atomic

RUNS = Path("runs")  # where runs are made that are given no folder
_LOCK = ".lock"


@dataclass(frozen=True)
class Run:
    """A run directory."""

    path: Path

    @property
    def recipe(self) -> Path:
        """Return the resolved recipe."""
        return self.path / "recipe.toml"

    @property
    def checkpoints(self) -> Path:
        """Return the folder of checkpoints."""
        return self.path / "checkpoints"

    @property
    def samples(self) -> Path:
        """Return the folder of pictures."""
        return self.path / "samples"

    @property
    def scores(self) -> Path:
        """Return the file of scores."""
        return self.path / "scores.json"

    @property
    def score_pictures(self) -> Path:
        """Return the folder of what `ganlab eval` draws of scores."""
        return self.path / "scores"

    @property
    def log(self) -> Path:
        """Return the table of terms and measures."""
        return self.path / "log.csv"

    @property
    def timing(self) -> Path:
        """Return the table of speed and memory."""
        return self.path / "timing.csv"

    def write_json(self, name: str, values: Mapping[str, Any]) -> None:
        """Write `values` to the file `name`, atomically."""
        write_text_atomic(self.path / name, json.dumps(values, indent=2, sort_keys=False) + "\n")

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the run for this process; the operating system lets go when the process ends, however it ends."""
        path = self.path / _LOCK
        try:
            file = path.open("a+")
        except OSError as error:
            raise RunError(f"{self.path}: cannot be written ({error.strerror}); choose another folder with --out") from None
        with file:
            if not lock(file.fileno()):
                raise RunError(f"{self.path}: another ganlab process is working on this run; wait for it or stop it")
            yield


def check_out(out: Path) -> None:
    """Raise `RunError` if `out` cannot be the folder of a new run, since something is there."""
    # A lock alone is left by a run that ended before it began: killed at once, say.
    if not out.exists() or (out.is_dir() and all(entry.name == _LOCK for entry in out.iterdir())):
        return
    is_run = Run(out).recipe.is_file()
    way_on = f"`ganlab resume {out}` continues the run in it" if is_run else "choose another with --out DIR"
    raise RunError(f"{out}: exists and is not an empty folder; {way_on}")


def create_run(out: Path | None, name: str, root: Path = RUNS) -> Run:
    """Make the folder of a new run: `out` itself, or the next `root/NNNN-name`."""
    try:
        if out is not None:
            check_out(out)
            out.mkdir(parents=True, exist_ok=True)
            return Run(out)
        root.mkdir(parents=True, exist_ok=True)
        numbers = [int(m[1]) for entry in root.iterdir() if (m := re.match(r"(\d{4,})-", entry.name))]
        number = max(numbers, default=0)
        while True:
            number += 1
            path = root / f"{number:04}-{name}"
            try:
                path.mkdir()
            except FileExistsError:  # another process was faster
                continue
            return Run(path)
    except OSError as error:
        place = out or root
        raise DeviceError(f"{place}: cannot make a run folder ({error.strerror}); choose another with --out DIR") from None


def open_run(path: Path) -> Run:
    """Return the run at `path`; raises `RunError` if there is none."""
    run = Run(path)
    if not path.is_dir():
        raise RunError(f"{path}: no such run folder; runs are made by `ganlab run`, by default as runs/NNNN-name")
    if not run.recipe.is_file():
        raise RunError(f"{path}: not a run folder: it holds no recipe.toml")
    return run
