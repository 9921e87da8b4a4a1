"""CelebA's files, wherever they are -> the splits "train" and "test", whose images are read a piece at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ganlab import DataError, ImageSet, Pieces
from ganlab_celeba.files import (
    AGAIN,
    ATTRIBUTES,
    IDENTITIES,
    PARTITION,
    Files,
    FolderImages,
    ZippedImages,
    find,
    images_in,
    name_faults,
)
from ganlab_celeba.options import ATTRIBUTES as ATTRIBUTE_NAMES
from ganlab_celeba.options import TRAIN_COUNT, CelebAOptions
from ganlab_celeba.pictures import read_squares
from ganlab_celeba.tables import Faults, image_names, read_attributes, read_identities, read_partition, tell

_TEST = 2  # in the partition; 0 trains, 1 validates


class CelebA:
    """The images in the order of their table; validation images count as training images."""

    def __init__(self, options: CelebAOptions) -> None:
        self.options = options

    @cached_property
    def _files(self) -> Files:
        return find(self.options)

    def sources(self) -> Sequence[Path]:
        """Return the tables and the images, or the zip file that holds these."""
        files = self._files
        if files.is_zip:
            return [*files.tables.values(), files.images]
        names = images_in(files.images)
        faults = Faults()
        if table := self._table_of_names():
            tell(faults, name_faults(image_names(table), table.name, names))
        faults.raise_any(files.place, AGAIN)
        return [*files.tables.values(), *(files.images / name for name in names)]

    def read(self) -> Mapping[str, ImageSet]:
        """Return "train" and "test"; an image is read when its piece is asked for."""
        files, options = self._files, self.options
        images = ZippedImages(files.images) if files.is_zip else FolderImages(files.images)
        names, faults = images.names, Faults()
        if table := self._table_of_names():
            names = image_names(table)
            tell(faults, name_faults(names, table.name, images.names))
        labels = identities = None
        if options.labels != "none":
            labels = read_attributes(files.tables[ATTRIBUTES], faults)
        if IDENTITIES in files.tables:
            identities = read_identities(files.tables[IDENTITIES], names, faults)
        parts = np.zeros(len(names), np.int64)
        if options.partition != "first":
            parts = read_partition(files.tables[PARTITION], names, faults)
        faults.raise_any(files.place, AGAIN)

        if labels is not None and options.labels != "attributes":
            labels = labels[:, ATTRIBUTE_NAMES.index(options.labels)].astype(np.int64)
        size_px = options.data_spec().size_px

        def split(rows: NDArray[np.int64]) -> ImageSet:
            def make(begin: int, end: int) -> object:
                chosen = [names[row] for row in rows[begin:end]]
                return read_squares(chosen, images.read, images.place, options.crop, size_px)

            return ImageSet(
                images=Pieces(count=len(rows), make=make),
                labels=None if labels is None else labels[rows],
                identities=None if identities is None else identities[rows],
                names=[names[row] for row in rows],
            )

        return {part: split(rows) for part, rows in self._rows(parts).items()}

    def _rows(self, parts: NDArray[np.int64]) -> dict[str, NDArray[np.int64]]:
        """Return which images train and which test; raises DataError if either are none."""
        options, everything = self.options, np.arange(len(parts))
        if options.partition == "first":
            count = options.train_count or TRAIN_COUNT
            rows = {"train": everything[:count], "test": everything[count:]}
            why = f"train_count = {count:,} of {len(parts):,} images"
        else:
            rows = {"train": everything if options.partition == "all" else np.flatnonzero(parts != _TEST)}
            rows["test"] = np.flatnonzero(parts == _TEST)
            why = f"{self._files.tables[PARTITION].name} has {len(rows['test']):,} test images of {len(parts):,}"
        if empty := [part for part in rows if not len(rows[part])]:
            raise DataError(f'{self._files.place}: {why}, which leaves no {empty[0]} image; see partition = "first"')
        return rows

    def _table_of_names(self) -> Path | None:
        """Return the table that says which images there are; without one, there are those that are found."""
        tables = self._files.tables
        return tables.get(ATTRIBUTES) or tables.get(PARTITION)
