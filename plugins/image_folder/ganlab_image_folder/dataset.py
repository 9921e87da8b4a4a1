"""A folder of images -> the splits "train" and "test", whose images are read a piece at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from ganlab import DataError, ImageSet, Pieces
from ganlab_image_folder.files import SPLITS, Found, find, raise_any
from ganlab_image_folder.options import ImageFolderOptions
from ganlab_image_folder.pictures import content, read_squares, reason


class ImageFolder:
    """The images in an order drawn from their content, so that the first so many of them are of every class."""

    def __init__(self, options: ImageFolderOptions) -> None:
        self.options = options.found()

    @cached_property
    def _folder(self) -> Found:
        return find(self.options)

    def sources(self) -> Sequence[Path]:
        """Return the images, and the table if there is one."""
        folder = self._folder
        return [*([folder.table] if folder.table else []), *(folder.place / name for name in folder.names)]

    def read(self) -> Mapping[str, ImageSet]:
        """Return "train" and "test"; an image is decoded when its piece is asked for."""
        folder, spec = self._folder, self.options.data_spec()
        rows: dict[str, list[int]] = {split: [] for split in SPLITS}
        draws = self._draws(folder)
        for row in sorted(range(len(folder.names)), key=lambda row: (draws[row], folder.names[row])):
            drawn = "test" if draws[row] < self.options.test_share else "train"
            rows[folder.splits[row] or drawn].append(row)
        if empty := [split for split in SPLITS if not rows[split]]:
            raise DataError(
                f"{folder.place}: test_share = {self.options.test_share:g} of {len(draws)} images leaves no {empty[0]} image; "
                "change it, or the seed, or make train and test folders"
            )

        def split(chosen: Sequence[int]) -> ImageSet:
            paths = [folder.place / folder.names[row] for row in chosen]

            def make(begin: int, end: int) -> object:
                return read_squares(paths[begin:end], spec.size_px, spec.channels)

            labels = None
            if spec.labels:
                labels = np.array([folder.labels[row] for row in chosen], np.int64)
            return ImageSet(
                images=Pieces(count=len(paths), make=make), labels=labels, names=[folder.names[row] for row in chosen]
            )

        return {name: split(chosen) for name, chosen in rows.items()}

    def _draws(self, folder: Found) -> list[float]:
        """Return a number in [0, 1) for each image, which its content and the seed decide, and no other image."""
        draws, faults = [], []
        for name in folder.names:
            try:
                digest = hashlib.sha256(f"{self.options.seed}:".encode() + content(folder.place / name)).digest()
                draws.append(int.from_bytes(digest[:6], "big") / 2**48)
            except (OSError, ValueError) as error:
                faults.append(f"{name}: {reason(error)}")
        raise_any(folder.place, faults)
        return draws
