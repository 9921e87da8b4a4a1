"""Where CelebA may lie -> its tables and its images, unpacked or in the zip file that is published."""

from __future__ import annotations

import os
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ganlab import DataError
from ganlab_celeba.options import CelebAOptions

IMAGES = "img_align_celeba"
ATTRIBUTES, PARTITION, IDENTITIES = "list_attr_celeba", "list_eval_partition", "identity_CelebA"
PLACE = "https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html"
AGAIN = f"Nothing of the data is used; get the files again from {PLACE}"
CEILING_BYTES = 1 << 20  # of one image; those of CelebA have 12 KB

_FOLDERS = ("", "Anno", "Eval", "Img")  # of the tables in the published folder; all in one place elsewhere
_ENDS = (".txt", ".csv")


@dataclass(frozen=True, kw_only=True)
class Files:
    """Everything that is read."""

    place: Path
    images: Path  # a folder, or a zip file
    tables: Mapping[str, Path]  # by name without end; those that are there

    @property
    def is_zip(self) -> bool:
        """Return whether the images are still packed."""
        return self.images.suffix == ".zip"


def find(options: CelebAOptions) -> Files:
    """Return the files; raises DataError that names each one that is missing."""
    place = _place(options)
    if place.suffix == ".zip":
        place, images = place.parent, place
    else:
        nested, folder, packed = place / IMAGES / IMAGES, place / IMAGES, place / f"{IMAGES}.zip"
        images = next((it for it in (nested, folder, packed) if it.exists()), folder)
    names = {name: _table(place, name) for name in (ATTRIBUTES, PARTITION, IDENTITIES)}
    needed = [ATTRIBUTES] if options.labels != "none" else []
    needed += [PARTITION] if options.partition != "first" else []
    missing = [] if images.exists() else [f"{folder} (or .zip)"]
    missing += [f"{place / name}.txt (or .csv)" for name in needed if names[name] is None]
    if missing:
        raise _absent(f"CelebA is not whole; there is no {', no '.join(missing)}.", place)
    return Files(place=place, images=images, tables={name: path for name, path in names.items() if path is not None})


def _place(options: CelebAOptions) -> Path:
    """Return the first place that is there."""
    if options.path:
        places = [Path(options.path)]
    else:
        places = [Path("datasets", "celeba")]
        if chosen := os.environ.get("GANLAB_DATA"):
            places.insert(0, Path(chosen, "celeba"))
    places = [place.expanduser().absolute() for place in places]
    for place in places:
        if os.path.isdir(place) or (place.suffix == ".zip" and os.path.isfile(place)):  # noqa: PTH112, PTH113  # Path's may raise
            return place
    raise _absent(f"CelebA is not here; looked for {' and '.join(map(str, places))}.", places[0])


def _absent(what: str, place: Path) -> DataError:
    return DataError(
        f"{what}\nIt is {IMAGES}.zip (202,599 images), {ATTRIBUTES}.txt, {PARTITION}.txt and {IDENTITIES}.txt of CelebA, "
        f"Liu et al., 2015, from {PLACE}. Put them into {place}, the images unpacked or not, or set dataset.path or "
        "GANLAB_DATA (to the folder above celeba).\n"
        "`--dataset synthetic_faces` needs no file and runs now."
    )


def _table(place: Path, name: str) -> Path | None:
    candidates = (place / folder / (name + end) for end in _ENDS for folder in _FOLDERS)
    return next((path for path in candidates if path.is_file()), None)


def images_in(folder: Path) -> list[str]:
    """Return the names of the images in a folder, sorted."""
    with os.scandir(folder) as entries:
        return sorted(entry.name for entry in entries if entry.name.endswith(".jpg") and not entry.name.startswith("."))


class FolderImages:
    """The images in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.names = images_in(folder)

    def place(self, name: str) -> str:
        """Return where an image is, for a person."""
        return str(self._folder / name)

    def read(self, name: str) -> bytes:
        """Return the content of an image; raises OSError."""
        with open(f"{self._folder}{os.sep}{name}", "rb") as file:  # noqa: PTH123  # a Path costs as much as reading it
            return file.read(CEILING_BYTES)


class ZippedImages:
    """The images in the published zip file, which any number of threads may read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, OSError) as error:
            raise DataError(f"{path}: truncated, or not a zip file ({error}). {AGAIN}") from None
        entries = ((info.filename.rpartition("/")[2], info) for info in self._zip.infolist() if not info.is_dir())
        self._entries = {name: info for name, info in entries if name.endswith(".jpg") and not name.startswith(".")}
        self.names: list[str] = sorted(self._entries)

    def place(self, name: str) -> str:
        """Return where an image is, for a person."""
        return f"{self._path}, {self._entries[name].filename}"

    def read(self, name: str) -> bytes:
        """Return the content of an image; raises OSError."""
        entry = self._entries[name]
        if entry.file_size > CEILING_BYTES:
            raise OSError(f"{entry.file_size >> 20} MiB, so no image of CelebA")
        try:
            return self._zip.read(entry)
        except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
            raise OSError(f"damaged in the zip file ({error})") from None


def name_faults(listed: Sequence[str], table: str, present: Sequence[str]) -> list[str]:
    """Return what is wrong with the names of the images: those that the table lists without an image, and the other way."""
    if listed == present:
        return []
    here, known = set(present), set(listed)
    missing = [name for name in listed if name not in here]
    strange = [name for name in present if name not in known]
    twice = len(listed) - len(known)
    return [
        *(f"{IMAGES}/{name}: missing; {table} lists it" for name in missing),
        *(f"{IMAGES}/{name}: in no line of {table}; renamed?" for name in strange),
        *([f"{table}: lists {twice} image{'' if twice == 1 else 's'} twice"] if twice else []),
    ]
