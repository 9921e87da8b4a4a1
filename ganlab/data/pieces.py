"""Images that are made a piece at a time -> one file, which grows on where a kill left it."""

from __future__ import annotations

import math
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import torch
from torch import Tensor

from ganlab.errors import DataError, DeviceError, GanlabError
from ganlab.files import PARTIAL, explained, lock, sync_folder
from ganlab.tensors import content, head

Progress = Callable[[int, int], None]  # images that are done, of how many

_PIECE_BYTES = 1 << 24  # made at once; a kill loses no more
_WAIT_SECONDS = 0.2
_NAMED_FAULTS = 10  # the others are counted
_MOST_FAULTS = 1000  # of so many, the rest of the data is not looked at


def untold(done: int, total: int) -> None:
    """Take progress that nobody wants to hear of."""


@dataclass(frozen=True, kw_only=True)
class Rows:
    """A tensor of uint8 whose rows are made when they are written."""

    shape: tuple[int, ...]
    make: Callable[[int, int], Tensor]  # begin, end -> [end - begin, ...]

    @property
    def row_bytes(self) -> int:
        """Return the bytes of one row."""
        return math.prod(self.shape[1:])


@dataclass(frozen=True, kw_only=True)
class _Piece:
    rows: Rows
    begin: int
    end: int

    @property
    def nbytes(self) -> int:
        return (self.end - self.begin) * self.rows.row_bytes


def write_in_pieces(
    path: Path,
    tensors: Mapping[str, Tensor],
    rows: Mapping[str, Rows],
    metadata: Mapping[str, str],
    *,
    progress: Progress,
    before_end: Callable[[], None],
) -> None:
    """Write a safetensors file unless it is there; other processes that write the same one wait for the first.

    `before_end` is called before the file takes its name, and may raise. Raises DataError with the faults of all pieces.
    """
    order = sorted(tensors, key=lambda name: (-tensors[name].element_size(), name))
    forms = [(name, tensors[name].dtype, tuple(tensors[name].shape)) for name in order]
    forms += [(name, torch.uint8, growing.shape) for name, growing in rows.items()]
    start = head(forms, metadata) + b"".join(content(tensors[name]) for name in order)
    partial = path.with_name(f".{path.stem}{PARTIAL}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _alone(path.with_name(f".{path.stem}.lock{PARTIAL}")):
            if path.exists():
                return
            try:
                with partial.open("r+b" if partial.exists() else "x+b") as file:
                    _write(file, path, start, _pieces(list(rows.values())), progress)
                before_end()
            except GanlabError as error:
                if not isinstance(error, DeviceError):  # what is written cannot be used, not even in part
                    partial.unlink()
                raise
            partial.replace(path)
            sync_folder(path.parent)
    except OSError as error:
        raise explained(error, path) from error


def _pieces(rows: Sequence[Rows]) -> list[_Piece]:
    """Cut tensors into pieces; the same ones always, so that those of a killed process are known again."""
    pieces = []
    for growing in rows:
        step = max(_PIECE_BYTES // growing.row_bytes, 1)
        for begin in range(0, growing.shape[0], step):
            pieces.append(_Piece(rows=growing, begin=begin, end=min(begin + step, growing.shape[0])))
    return pieces


def _write(file: BinaryIO, path: Path, start: bytes, pieces: Sequence[_Piece], progress: Progress) -> None:
    """Append the pieces that are missing; raises DataError with what is wrong with any of them."""
    kept = _kept(file, start, pieces)
    missing, free = sum(piece.nbytes for piece in pieces[kept:]), shutil.disk_usage(path.parent).free
    if missing > free:
        raise DeviceError(
            f"{path.parent}: {missing / 2**20:.0f} MiB of images are to be written and {free / 2**20:.0f} MiB are free; "
            "make room, or set GANLAB_HOME to a folder on another disk"
        )
    total = sum(piece.end - piece.begin for piece in pieces)
    done = sum(piece.end - piece.begin for piece in pieces[:kept])
    faults: list[str] = []
    progress(done, total)
    for piece in pieces[kept:]:
        try:
            images = piece.rows.make(piece.begin, piece.end)
            if not faults:
                file.write(content(images))
                file.flush()
                os.fsync(file.fileno())
        except DataError as error:
            faults += str(error).splitlines()
            if len(faults) > _MOST_FAULTS:
                break
        done += piece.end - piece.begin
        progress(done, total)
    if faults:
        raise _all(faults)


def _kept(file: BinaryIO, start: bytes, pieces: Sequence[_Piece]) -> int:
    """Return how many pieces the file holds already; it ends behind them afterwards."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    if file.read(len(start)) != start:
        file.seek(0)
        file.truncate()
        file.write(start)
        return 0
    end, kept = len(start), 0
    while kept < len(pieces) and end + pieces[kept].nbytes <= size:
        end, kept = end + pieces[kept].nbytes, kept + 1
    file.seek(end)
    file.truncate()
    return kept


def _all(faults: Sequence[str]) -> DataError:
    count = f"{len(faults)}" if len(faults) <= _MOST_FAULTS else f"at least {len(faults)}"
    lines = [
        f"{count} image{'' if len(faults) == 1 else 's'} cannot be used",
        *(f"  {line}" for line in faults[:_NAMED_FAULTS]),
    ]
    if len(faults) > _NAMED_FAULTS:
        lines.append(f"  and {len(faults) - _NAMED_FAULTS} more")
    return DataError("\n".join(lines))


@contextmanager
def _alone(lock_file: Path) -> Iterator[None]:
    """Let in one process at a time; another one waits."""
    while True:
        with lock_file.open("ab") as file:
            # Whoever was inside has removed the file: a lock on what is no longer there keeps nobody out.
            if lock(file.fileno()) and _is_same(file, lock_file):
                try:
                    yield
                finally:
                    with suppress(OSError):
                        lock_file.unlink()
                return
        time.sleep(_WAIT_SECONDS)


def _is_same(file: BinaryIO, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except OSError:
        return False
