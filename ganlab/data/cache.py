"""What a data set reads -> the same images, memory-mapped from one file that is named after their content."""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganlab.contracts import Dataset, ImageSet, Pieces
from ganlab.data.fit import fit
from ganlab.data.pieces import Progress, Rows, untold, write_in_pieces
from ganlab.errors import DataError, DeviceError, GanlabError, PluginError, RunError
from ganlab.files import PARTIAL, write_text_atomic
from ganlab.home import home
from ganlab.tensors import DamagedFile, digest, read_tensors, write_tensors

_FORMAT = 1  # of the files here and of what `fit` computes
_SETTLED_SECONDS = 2.0  # a file younger than this may change once more within one tick of its modification time
_ABANDONED_SECONDS = 24 * 3600.0  # a file half written so long ago belongs to a process that was killed


@dataclass(frozen=True, kw_only=True)
class CachedImages:
    """The splits of a data set as tensors, and what identifies their content."""

    splits: dict[str, ImageSet]  # images uint8 [N, C, H, W]; labels uint8 0/1 [N, K] or int64 [N]; identities int64 [N]; names
    fingerprint: str  # SHA-256 of what decides the content
    notices: list[str]  # one line each, for the user


def open_images(
    name: str,
    version: int,
    options: Mapping[str, object],
    dataset: Dataset,
    *,
    size_px: int,
    channels: int,
    folder: Path | None = None,
    progress: Progress = untold,
) -> CachedImages:
    """Return what `dataset` reads, fitted to size and channels; it is read once and memory-mapped ever after.

    `options` holds those that decide the content, as values that JSON knows; `version` is that of the component. The cache
    lies in `folder`; `None`: where ganlab keeps it. `progress` hears how many images of `Pieces` are read.
    """
    folder = folder or home() / "data"
    # Paths as text: a data set may name 200,000 files, whose Paths would take ten seconds at every opening.
    here = str(Path.cwd())
    sources = [os.path.join(here, source) for source in dataset.sources()]  # noqa: PTH118
    states = [_state(source) for source in sources]
    content = {
        "format": _FORMAT,
        "name": name,
        "version": version,
        "options": dict(options),
        "sources": _digests(sources, states, folder / "digests.json"),
        **_names(sources),
        "size_px": size_px,
        "channels": channels,
    }
    fingerprint = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    file = folder / f"{re.sub(r'[^A-Za-z0-9_.-]', '_', name)}-{fingerprint[:16]}.safetensors"
    notices = []
    if os.path.exists(file):  # noqa: PTH110  # Path.exists raises if the folder may not be entered
        try:
            return CachedImages(splits=_load(file, fingerprint), fingerprint=fingerprint, notices=[])
        except (DamagedFile, RunError) as error:
            notices.append(f"{error}; the data are read anew")

    splits = _read(name, dataset)
    unchanged = partial(_check_unchanged, sources, states)

    if any(isinstance(images.images, Pieces) for images in splits.values()):
        if notices:
            file.unlink(missing_ok=True)
        _sweep(folder)
        # They may be more than the memory holds: without a file to put them in, they are not read at all.
        tensors, rows = _parted(name, splits, size_px, channels)
        write_in_pieces(file, tensors, rows, _metadata(splits, fingerprint), progress=progress, before_end=unchanged)
        return CachedImages(splits=_load(file, fingerprint), fingerprint=fingerprint, notices=notices)
    unchanged()
    splits = {split: _fitted(images, size_px, channels) for split, images in splits.items()}

    try:
        _store(file, splits, fingerprint)
        splits = _load(file, fingerprint)
    except (DamagedFile, DeviceError, RunError) as error:
        notices.append(f"the data stay in memory and the next run reads them anew: {error}")
    return CachedImages(splits=splits, fingerprint=fingerprint, notices=notices)


def _read(name: str, dataset: Dataset) -> dict[str, ImageSet]:
    """Return what a data set reads, checked."""
    splits = {split: _checked(name, split, images) for split, images in dataset.read().items()}
    if not {"train", "test"} <= splits.keys():
        raise PluginError(f"data set {name}: read() returned splits {sorted(splits)}, not ['test', 'train']")
    return splits


def _store(file: Path, splits: Mapping[str, ImageSet], fingerprint: str) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(f"{file.parent}: cannot be created: {error.strerror}") from error
    _sweep(file.parent)
    write_tensors(file, _named(splits), _metadata(splits, fingerprint))


def _sweep(folder: Path) -> None:
    """Remove what killed processes left half written a day ago."""
    for abandoned in folder.glob(f"*{PARTIAL}"):
        with suppress(OSError):
            if time.time() - abandoned.stat().st_mtime > _ABANDONED_SECONDS:
                abandoned.unlink()


def _named(splits: Mapping[str, ImageSet]) -> dict[str, Any]:
    """Return the parts of the splits by the names that they have in the file."""
    parts = ((split, part, value) for split, images in splits.items() for part, value in vars(images).items())
    there = ((split, part, value) for split, part, value in parts if value is not None)
    return {f"{split}.{part}": _packed(value) if part == "names" else value for split, part, value in there}


def _metadata(splits: Mapping[str, ImageSet], fingerprint: str) -> dict[str, str]:
    return {"fingerprint": fingerprint, "splits": json.dumps(list(splits))}


def _parted(
    name: str, splits: Mapping[str, ImageSet], size_px: int, channels: int
) -> tuple[dict[str, Tensor], dict[str, Rows]]:
    """Return what is at hand, fitted, and what is to be made in pieces, by the names of the file."""

    def rows(split: str, pieces: Pieces) -> Rows:
        def make(begin: int, end: int) -> Tensor:
            pixels = _checked_pixels(name, split, pieces.make(begin, end))
            if len(pixels) != end - begin:
                raise PluginError(f"data set {name}, split {split}: rows {begin} to {end} were asked for, {len(pixels)} made")
            return fit(pixels, size_px, channels)

        return Rows(shape=(len(pieces), channels, size_px, size_px), make=make)

    made = {f"{split}.images": rows(split, s.images) for split, s in splits.items() if isinstance(s.images, Pieces)}
    whole = {split: s if f"{split}.images" in made else _fitted(s, size_px, channels) for split, s in splits.items()}
    return {part: tensor for part, tensor in _named(whole).items() if part not in made}, made


def _load(file: Path, fingerprint: str) -> dict[str, ImageSet]:
    """Return the splits in `file`, memory-mapped; raises DamagedFile for a file that does not hold them."""
    tensors, metadata = read_tensors(file)
    if metadata.get("fingerprint") != fingerprint:
        raise DamagedFile(f"{file}: damaged, or not what its name says")
    try:
        names = json.loads(metadata["splits"])
        return {
            split: ImageSet(
                images=tensors[f"{split}.images"],
                labels=tensors.get(f"{split}.labels"),
                identities=tensors.get(f"{split}.identities"),
                names=_unpacked(tensors.get(f"{split}.names")),
            )
            for split in names
        }
    except (KeyError, TypeError, ValueError):
        raise DamagedFile(f"{file}: damaged: it does not hold the splits") from None


def _packed(names: Sequence[str]) -> Tensor:
    """Return the names of images as the bytes of JSON, uint8 [bytes]."""
    return torch.frombuffer(bytearray(json.dumps(names).encode()), dtype=torch.uint8)


def _unpacked(packed: Tensor | None) -> list[str] | None:
    """Return what `_packed` was given; files of former versions hold no names."""
    return None if packed is None else list(json.loads(packed.numpy().tobytes()))


def _state(source: str) -> list[int]:
    """Return what changes when a file does, without reading it."""
    try:
        status = os.stat(source)  # noqa: PTH116
    except OSError as error:
        raise DataError(f"{source}: cannot be read: {error.strerror}") from None
    return [status.st_size, status.st_mtime_ns, status.st_ino, status.st_ctime_ns]


def _check_unchanged(sources: Sequence[str], states: Sequence[list[int]]) -> None:
    for source, state in zip(sources, states, strict=True):
        if _state(source)[:3] != state[:3]:
            raise DataError(f"{source}: the file changed while it was read; start again when nothing writes to it")


def _names(sources: Sequence[str]) -> dict[str, list[str]]:
    """Return how several files lie to each other, since a folder's name may be a label; one file may be called anything."""
    if len(sources) < 2:
        return {}
    above = len(os.path.commonpath({os.path.dirname(source) for source in sources}))  # noqa: PTH120
    return {"names": [source[above:].replace(os.sep, "/").lstrip("/") for source in sources]}


def _digests(sources: Sequence[str], states: Sequence[list[int]], index_file: Path) -> list[str]:
    """Return the digest of each file's content; a file whose state is known is not read again."""
    index = _index(index_file)
    found, learnt = [], {}
    for source, state in zip(sources, states, strict=True):
        known = index.get(source)
        if isinstance(known, list) and known[:-1] == state:
            found.append(str(known[-1]))
            continue
        try:
            found.append(digest(Path(source)))
        except OSError as error:
            raise DataError(f"{source}: cannot be read: {error.strerror}") from None
        if time.time() - max(state[1], state[3]) / 1e9 > _SETTLED_SECONDS:
            learnt[source] = [*state, found[-1]]
    if learnt:
        # Two processes may each lose what the other has learnt: then a file is read once more. An index that cannot be
        # written costs the same.
        with suppress(OSError, GanlabError):
            index_file.parent.mkdir(parents=True, exist_ok=True)
            write_text_atomic(index_file, json.dumps(_index(index_file) | learnt))
    return found


def _index(file: Path) -> dict[str, Any]:
    try:
        index = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return {}
    return index if isinstance(index, dict) else {}


def _checked(name: str, split: str, images: ImageSet) -> ImageSet:
    """Return a split as tensors, or `Pieces`; raises PluginError if it is not what the contract says."""

    def refuse(what: str, tensor: Tensor, expected: str) -> PluginError:
        return _refused(name, split, what, tensor, expected)

    pixels = images.images if isinstance(images.images, Pieces) else _checked_pixels(name, split, images.images)
    count = len(pixels)
    labels = None if images.labels is None else _tensor(images.labels)
    if labels is not None and (labels.dim() not in (1, 2) or len(labels) != count):
        raise refuse("labels", labels, f"[{count}] or [{count}, K]")
    if labels is not None and labels.dim() == 2:
        if not ((labels == 0) | (labels == 1)).all():
            raise refuse("labels", labels, "0 or 1 only")
        labels = labels.to(torch.uint8)
    elif labels is not None:
        if labels.is_floating_point():
            raise refuse("labels", labels, "class indices")
        labels = labels.long()
    identities = None if images.identities is None else _tensor(images.identities).long()
    if identities is not None and tuple(identities.shape) != (count,):
        raise refuse("identities", identities, f"[{count}]")
    names = None if images.names is None else [str(each) for each in images.names]
    if names is not None and len(names) != count:
        raise PluginError(f"data set {name}, split {split}: read() returned {len(names)} names for {count} images")
    return ImageSet(images=pixels, labels=labels, identities=identities, names=names)


def _checked_pixels(name: str, split: str, images: Any) -> Tensor:
    pixels = _tensor(images)
    if pixels.dtype != torch.uint8 or pixels.dim() != 4 or pixels.shape[1] not in (1, 3):
        raise _refused(name, split, "images", pixels, "uint8 [N, 1 or 3, H, W]")
    if pixels.shape[2] != pixels.shape[3]:
        raise _refused(name, split, "images", pixels, "square ones")
    return pixels


def _refused(name: str, split: str, what: str, tensor: Tensor, expected: str) -> PluginError:
    found = f"{str(tensor.dtype).removeprefix('torch.')} {list(tensor.shape)}"
    return PluginError(f"data set {name}, split {split}: read() returned {what} {found}, not {expected}")


def _tensor(values: Any) -> Tensor:
    if isinstance(values, Tensor):
        return values.detach().cpu()
    array = np.ascontiguousarray(values)
    return torch.from_numpy(array if array.flags.writeable else array.copy())


def _fitted(images: ImageSet, size_px: int, channels: int) -> ImageSet:
    return replace(images, images=fit(images.images, size_px, channels))
