"""The contest's file, wherever it is -> the splits "train" and "test"."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from ganlab import DataError, ImageSet
from ganlab_fer2013.options import SIZE_PX, Fer2013Options
from ganlab_fer2013.rows import Rows, read_rows

_FILE = "fer2013.csv"
_ENDS = ("", ".gz", ".xz")


class Fer2013:
    """The images in the order of the file; the test images are those of both test stages of the contest."""

    def __init__(self, options: Fer2013Options) -> None:
        self.options = options

    def sources(self) -> Sequence[Path]:
        """Return the one file."""
        if self.options.path:
            return [find([Path(self.options.path)])]
        places = [Path("datasets")]
        if chosen := os.environ.get("GANLAB_DATA"):
            places.insert(0, Path(chosen))
        return [find(places)]

    def read(self) -> Mapping[str, ImageSet]:
        """Return "train" (the rows whose Usage is Training) and "test" (the others)."""
        (file,) = self.sources()
        rows = read_rows(file)
        is_train = rows.usages == 0
        if not is_train.any():
            raise DataError(f"{file}: no row has the Usage Training")
        test = _images(rows, np.flatnonzero(~is_train))
        train = _images(rows, np.flatnonzero(is_train))
        if self.options.test_in_training:
            train = _images(rows, np.concatenate([np.flatnonzero(is_train), np.flatnonzero(~is_train)]))
        return {"train": train, "test": test}


def find(places: Sequence[Path]) -> Path:
    """Return the first file that `places`, files or folders, name or hold; raises DataError with all of them."""
    looked_for = []
    for place in (place.expanduser().absolute() for place in places):
        is_folder = os.path.isdir(place) or place.name == "datasets"  # noqa: PTH112  # Path.is_dir may raise
        files = [place / (_FILE + end) for end in _ENDS] if is_folder else [place]
        for file in files:
            if os.path.isfile(file):  # noqa: PTH113
                return file
        looked_for.append(f"{files[0]} (or {', '.join(_ENDS[1:])})" if is_folder else str(place))
    raise DataError(
        f"FER2013 is not here; looked for {' and '.join(looked_for)}.\n"
        f"It is the file {_FILE} (columns emotion,pixels,Usage) of the FER2013 contest, Goodfellow et al., 2013. "
        "Put it there, or set dataset.path or GANLAB_DATA to the file or its folder.\n"
        "`--dataset synthetic_faces` needs no file and runs now."
    )


def _images(rows: Rows, chosen: np.ndarray[tuple[int], np.dtype[np.intp]]) -> ImageSet:
    return ImageSet(
        images=rows.pixels[chosen].reshape(-1, 1, SIZE_PX, SIZE_PX),
        labels=rows.labels[chosen].astype(np.int64),
        names=[f"line {line}" for line in rows.lines[chosen]],
    )
