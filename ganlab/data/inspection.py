"""The images and labels of a data set -> what somebody should know before training on them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from torch import Tensor

from ganlab.contracts import DataSpec, ImageSet
from ganlab.data.asked import asked_options, open_asked
from ganlab.data.bank import one_hot
from ganlab.data.pieces import Progress, untold
from ganlab.registry import Registered

FLAT_LEVELS = 2.0  # an image whose standard deviation, over pixels from 0 to 255, is below this is nearly constant
UNEVEN_TIMES = 10.0  # classes are told as uneven if one has so many times the images of another
RARE_SHARE = 0.01  # an attribute is told as rare, or as common, if no more images than this differ

_CHUNK_IMAGES = 1024
_SHOWN = 8  # images in one line

Place = tuple[str, int]  # split and row, from 0


@dataclass(frozen=True, kw_only=True)
class DataSet:
    """A data set, opened whole."""

    name: str
    spec: DataSpec
    splits: Mapping[str, ImageSet]
    notices: Sequence[str]  # of the cache

    def counts(self) -> dict[str, list[int]]:
        """Return split -> how many of its images have each label, in the order of the names."""
        return {split: self._labels(split).sum(0).long().tolist() for split in self.splits}

    def sizes(self) -> dict[str, int]:
        """Return split -> how many images it has."""
        return {split: len(images.images) for split, images in self.splits.items()}

    def rows_of(self, split: str, label: int) -> list[int]:
        """Return which images of a split have a label."""
        rows: list[int] = self._labels(split)[:, label].nonzero()[:, 0].tolist()
        return rows

    def labels_of(self, place: Place) -> frozenset[str]:
        """Return the class of one image, or the attributes that hold for it."""
        split, row = place
        labels = self.splits[split].labels
        held = one_hot(None if labels is None else labels[row : row + 1], self.spec.labels, 1)[0]
        return frozenset(name for name, is_held in zip(self.spec.label_names, held, strict=True) if is_held)

    def name_of(self, place: Place) -> str | None:
        """Return which file or line one image comes from, if the data set says so."""
        names = self.splits[place[0]].names
        return None if names is None else names[place[1]]

    def _labels(self, split: str) -> Tensor:
        images = self.splits[split]
        return one_hot(images.labels, self.spec.labels, len(images.images))


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """What was found; places are in the order of the splits."""

    sizes: dict[str, int]
    counts: dict[str, list[int]]
    uneven: list[str]  # a line each
    duplicates: list[list[Place]]  # groups of images that are the same, pixel by pixel
    across: list[list[Place]]  # those of them that lie in several splits
    contradicting: list[list[Place]]  # those of them whose labels differ
    flat: list[Place]  # images that are nearly constant

    @property
    def findings(self) -> int:
        """Return how many kinds of things there are to look at; 0: none."""
        return len(self.uneven) + sum(bool(found) for found in (self.duplicates, self.across, self.contradicting, self.flat))


def open_data_set(registered: Registered, sets: Sequence[str] = (), progress: Progress = untold) -> DataSet:
    """Return a data set with the options of `sets`, every split of it; raises RecipeError and DataError."""
    why = "every image is looked at; it says which of them are trained on"
    options, spec = asked_options(registered, sets, {}, {"split": why, "images": why})
    opened = open_asked(registered, options, spec, progress)
    return DataSet(name=registered.name, spec=spec, splits=opened.splits, notices=opened.notices)


def inspect(data: DataSet) -> Inspection:
    """Look at every image and label."""
    same: dict[bytes, list[Place]] = defaultdict(list)
    flat: list[Place] = []
    for split, images in data.splits.items():
        for begin in range(0, len(images.images), _CHUNK_IMAGES):
            chunk = images.images[begin : begin + _CHUNK_IMAGES].flatten(1)
            for row, image in enumerate(chunk.numpy(), start=begin):
                same[blake2b(image.tobytes(), digest_size=16).digest()].append((split, row))
            deviations = chunk.float().std(1, correction=0)
            flat += [(split, begin + row) for row in (deviations < FLAT_LEVELS).nonzero()[:, 0].tolist()]
    duplicates = [places for places in same.values() if len(places) > 1]
    counts = data.counts()
    return Inspection(
        sizes=data.sizes(),
        counts=counts,
        uneven=_uneven(data, counts),
        duplicates=duplicates,
        across=[places for places in duplicates if len({split for split, _ in places}) > 1],
        contradicting=[places for places in duplicates if len({data.labels_of(place) for place in places}) > 1],
        flat=flat,
    )


def lines(data: DataSet, found: Inspection, most: int = 5) -> list[str]:
    """Return the findings in words, at most so many examples of each."""
    told = [f"balance: {line}" for line in found.uneven] or ["balance: nothing to tell"]
    copies = sum(len(places) - 1 for places in found.duplicates)
    groups = (
        ("duplicates", found.duplicates, f"groups of equal images; {copies:,} of these could be left out"),
        ("across splits", found.across, "of the groups with images in several splits: a score knows them from training"),
        ("contradictions", found.contradicting, "of the groups with labels that differ"),
    )
    for name, places, meaning in groups:
        told.append(f"{name}: {len(places):,} {meaning}" if places else f"{name}: none")
        told += [f"  {_listed(data, group, ' = ', with_labels=places is found.contradicting)}" for group in places[:most]]
    told.append(f"nearly constant: {len(found.flat):,}" if found.flat else "nearly constant: none")
    if found.flat:
        told.append(f"  {_listed(data, found.flat, ', ')}")
    return told


def as_json(data: DataSet, found: Inspection) -> dict[str, Any]:
    """Return the findings as values that JSON knows, every one of them."""

    def told(places: Sequence[Place]) -> list[dict[str, Any]]:
        return [
            {"split": place[0], "row": place[1], "name": data.name_of(place), "labels": sorted(data.labels_of(place))}
            for place in places
        ]

    return {
        "dataset": data.name,
        **described(data),
        "uneven": found.uneven,
        "duplicates": [told(group) for group in found.duplicates],
        "across_splits": [told(group) for group in found.across],
        "contradicting": [told(group) for group in found.contradicting],
        "nearly_constant": told(found.flat),
    }


def described(data: DataSet) -> dict[str, Any]:
    """Return what the data set is, as values that JSON knows."""
    counts, spec = data.counts(), data.spec
    labels = {name: {split: counts[split][k] for split in counts} for k, name in enumerate(spec.label_names)}
    return {
        "size_px": spec.size_px,
        "channels": spec.channels,
        "label_kind": spec.label_kind,
        "images": data.sizes(),
        "labels": labels,
    }


def _uneven(data: DataSet, counts: Mapping[str, Sequence[int]]) -> list[str]:
    """Return what is wrong with the balance of each split, a line each."""
    told = []
    for split, size in data.sizes().items():
        of_name = dict(zip(data.spec.label_names, counts[split], strict=True))
        told += [f"{split}: no image has the label {name}" for name, count in of_name.items() if not count]
        there = {name: count for name, count in of_name.items() if count}
        if data.spec.label_kind == "classes" and there:
            most, least = max(there, key=there.__getitem__), min(there, key=there.__getitem__)
            if there[most] >= UNEVEN_TIMES * there[least]:
                times = there[most] / there[least]
                told.append(f"{split}: {most} has {there[most]:,} images, {times:.0f} times the {there[least]:,} of {least}")
        elif data.spec.label_kind == "attributes":
            ends = {name: count for name, count in there.items() if min(count, size - count) <= RARE_SHARE * size}
            told += [f"{split}: {name} holds for {count:,} of {size:,} images" for name, count in ends.items()]
    return told


def _listed(data: DataSet, places: Sequence[Place], between: str, *, with_labels: bool = False) -> str:
    """Return the images by name and split, the first of them; with the labels that not all of them have, if asked."""
    labels = [data.labels_of(place) for place in places] if with_labels else [frozenset[str]()] * len(places)
    apart = sorted(frozenset.union(*labels) - frozenset.intersection(*labels))
    shown = [
        f"{data.name_of(place) or f'row {place[1]}'} ({', '.join([place[0], *_told(data.spec, held, apart)])})"
        for place, held in zip(places[:_SHOWN], labels, strict=False)
    ]
    more = f" and {len(places) - _SHOWN} more" if len(places) > _SHOWN else ""
    return between.join(shown) + more


def _told(spec: DataSpec, held: Collection[str], apart: Sequence[str]) -> list[str]:
    """Return what one image has, and lacks, of the labels in which it differs from its copies."""
    if spec.label_kind == "classes":
        return [name for name in apart if name in held]
    return [name if name in held else f"not {name}" for name in apart]
