"""A data set under test -> what a run would get of it: what it promises, what it reads, what the cache makes of that."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ganlab.contracts import Dataset, DataSpec, ImageSet, Pieces
from ganlab.data.cache import CachedImages, open_images
from ganlab.errors import DataError
from ganlab.options import DatasetOptions
from ganlab.testing.dataset.faults import identity_fault, image_fault, label_fault, name_fault, splits_fault
from ganlab.testing.kit import Broken, NotApplicable, Subject, told_elsewhere
from ganlab.testing.state import same_bits
from ganlab.testing.surroundings import heard_files, random_numbers


@dataclass(frozen=True, kw_only=True, eq=False)
class Reading:
    """What a data set read once, as it returned it, and what it touched."""

    subject: Subject
    options: DatasetOptions
    promised: DataSpec
    sources: list[Path]
    splits: dict[str, Any]  # whatever read() returned; `ImageSet`s, if all is well
    opened: list[Path]  # files that were opened to read
    moved: list[str]  # global random generators that were moved

    def cached(self) -> CachedImages:
        """Return what ganlab's cache gives for it, made anew in a folder of its own."""
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            return open_images(
                self.subject.component.full_name,
                self.subject.component.component.version,
                self.options.content(),
                _Remembered(self.sources, self.splits),
                size_px=self.promised.size_px,
                channels=self.promised.channels,
                folder=Path(folder),
            )

    def difference(self, other: Reading) -> str | None:
        """Return where `other` read something else; None if all bits are equal."""
        if self.splits.keys() != other.splits.keys():
            return f"the splits {', '.join(self.splits)} became {', '.join(other.splits)}"
        for split, images in self.splits.items():
            for part, mine in vars(images).items():
                theirs = getattr(other.splits[split], part)
                if (mine is None) != (theirs is None):
                    return f"the {part} of split {split} came and went"
                if not same_bits(mine, theirs):
                    return f"the {part} of split {split} differ"
        return None


@dataclass(frozen=True)
class _Remembered:
    """What a data set has read, as a data set: so that reading and caching can be told apart."""

    files: list[Path]
    splits: Mapping[str, ImageSet]

    def sources(self) -> list[Path]:
        return self.files

    def read(self) -> Mapping[str, ImageSet]:
        return self.splits


@lru_cache(maxsize=1)  # the claims about one data set share its first reading
def first_reading(subject: Subject) -> Reading:
    """Return what the data set reads, small; raises NotApplicable if its data are absent."""
    return read(subject, completed(subject.options()))


def read(subject: Subject, options: DatasetOptions, seed: int = 1) -> Reading:
    """Read the data set anew, the global random generators set to `seed`; raises NotApplicable if its data are absent."""
    dataset: Dataset = subject.component.load_target()(options)
    try:
        sources = [Path(source) for source in dataset.sources()]
    except DataError as absent:
        raise NotApplicable(str(absent).partition("\n")[0]) from None
    with random_numbers(seed) as moved, heard_files() as opened:
        splits = dataset.read()
        if isinstance(splits, Mapping):
            splits = {split: _joined(images, seed) for split, images in splits.items()}
        moved_by_reading = moved()
    if not isinstance(splits, Mapping):
        raise Broken(f"read() returned {type(splits).__name__}, not a mapping of splits")
    return Reading(
        subject=subject,
        options=options,
        promised=options.data_spec(),
        sources=sources,
        splits=dict(splits),
        opened=opened,
        moved=moved_by_reading,
    )


def _joined(images: Any, seed: int) -> Any:
    """Return a split with the `Pieces` of its images joined; they are cut elsewhere for every seed."""
    if not isinstance(images, ImageSet) or not isinstance(images.images, Pieces) or not len(images.images):
        return images
    count, step = len(images.images), 16 + seed
    made = [np.asarray(images.images.make(begin, min(begin + step, count))) for begin in range(0, count, step)]
    return replace(images, images=np.concatenate(made))


def usable_options(subject: Subject) -> DatasetOptions:
    """Return the options; `promises_without_reading` tells what is wrong with them."""
    with told_elsewhere("its options cannot be made"):
        options: DatasetOptions = subject.options()
    return completed(options)


def completed(options: DatasetOptions) -> DatasetOptions:
    """Return the options with what the files fill in; raises NotApplicable if the data are absent."""
    try:
        return options.found()
    except DataError as absent:
        raise NotApplicable(str(absent).partition("\n")[0]) from None


def readable(subject: Subject) -> Reading:
    """Return the first reading; `reads_two_splits` tells why there is none."""
    with told_elsewhere("it cannot be read"):
        return first_reading(subject)


def whole(subject: Subject) -> Reading:
    """Return the first reading if it has the splits."""
    reading = readable(subject)
    if fault := splits_fault(reading.splits):
        raise NotApplicable(f"it reads no two splits ({fault})")
    return reading


def sound(subject: Subject) -> Reading:
    """Return the first reading if ganlab can take its images and labels."""
    reading = whole(subject)
    for images in reading.splits.values():
        wrong = image_fault(images) or label_fault(images, reading.promised) or identity_fault(images) or name_fault(images)
        if wrong:
            raise NotApplicable(f"what it reads cannot be used ({wrong})")
    return reading


def accepted(subject: Subject, **changes: Any) -> DatasetOptions | None:
    """Return the options with `changes`; None if they, the files or `data_spec()` refuse them."""
    with suppress(ValueError, DataError):
        options: DatasetOptions = subject.options(**changes)
        options = options.found()
        options.data_spec()
        return options
    return None


def other_values(options: DatasetOptions, field: str) -> Iterator[Any]:
    """Yield values of another meaning for a field, as far as its type tells them; the options may refuse them."""
    value = getattr(options, field)
    schema: dict[str, Any] = type(options).model_json_schema()["properties"][field]
    for form in schema.get("anyOf", [schema]):
        if "enum" in form:
            yield from (other for other in form["enum"] if other != value)
        elif form.get("type") == "boolean":
            yield not value
        elif form.get("type") in ("integer", "number"):
            yield form.get("minimum", 1) if value is None else value + 1
            if value is not None:
                yield value - 1
