"""A folder -> its images with the label and the split of each, by names and tables alone: no image is opened."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ganlab import DataError
from ganlab_image_folder.options import KINDS, ImageFolderOptions
from ganlab_image_folder.tables import Table, read_table

ENDS = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".gif", ".tif", ".tiff")
TABLES = ("labels.csv", "attributes.csv")
SPLITS = ("train", "test")
CEILING_IMAGES = 2_000_000

_BESIDE = (".txt", ".md", ".csv", ".json", ".ini", ".db")  # of files that may lie among images
_NAMED_FAULTS = 10  # the others are counted

Label = int | tuple[int, ...] | None  # a class, 0/1 for each attribute, or none


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a folder holds."""

    place: Path
    table: Path | None
    label_names: tuple[str, ...]  # classes or attributes; empty for labels = "none"
    names: Sequence[str]  # of the images, below the folder, with "/"; sorted
    labels: Sequence[Label]
    splits: Sequence[str | None]  # "train" or "test"; None: to be drawn


def find(options: ImageFolderOptions) -> Found:
    """Return what the folder holds; raises DataError with every fault of it."""
    place = _place(options)
    faults: list[str] = []
    names = sorted(_images(place, faults))
    splits = _splits(place, names, faults)
    table = None if options.labels == "none" else _table(place, options)
    label_names: tuple[str, ...] = ()
    labels: list[Label] = [None] * len(names)
    if table:
        label_names, labels = _by_table(options, read_table(table, faults), table, names, faults)
    elif options.labels != "none":
        label_names, labels = _by_folder(options, names, splits, faults)
    if not names and not faults:
        faults.append(f"holds no image; looked for {', '.join(ENDS)}")
    raise_any(place, faults)
    return Found(place=place, table=table, label_names=label_names, names=names, labels=labels, splits=splits)


def raise_any(place: Path, faults: Sequence[str]) -> None:
    """Raise DataError with the first faults and the number of all, if there are any."""
    if not faults:
        return
    lines = [f"  {line}" for line in faults[:_NAMED_FAULTS]]
    if len(faults) > _NAMED_FAULTS:
        lines.append(f"  and {len(faults) - _NAMED_FAULTS} more")
    heading = f"{place}: {len(faults)} fault{'' if len(faults) == 1 else 's'}; nothing of the folder is used"
    raise DataError("\n".join([heading, *lines]))


def _place(options: ImageFolderOptions) -> Path:
    """Return the first folder that is there."""
    if options.path:
        places = [Path(options.path)]
    else:
        places = [Path("datasets", "image_folder")]
        if chosen := os.environ.get("GANLAB_DATA"):
            places.insert(0, Path(chosen, "image_folder"))
    places = [place.expanduser().absolute() for place in places]
    for place in places:
        if os.path.isdir(place):  # noqa: PTH112  # Path's may raise
            return place
    raise DataError(
        f"there is no folder of images; looked for {' and '.join(map(str, places))}.\n"
        "It holds a sub-folder for each class (optionally below train and test), or images and labels.csv (columns "
        "file,label) or attributes.csv (file and a column for each attribute). Set dataset.path to it.\n"
        "`--dataset synthetic_faces` needs no file and runs now."
    )


def _images(place: Path, faults: list[str]) -> Iterator[str]:
    """Yield the names of all images below a folder; links are followed, but not in circles."""
    count = 0
    waiting: list[tuple[str, str, frozenset[tuple[int, int]]]] = [(str(place), "", frozenset())]
    while waiting:
        folder, prefix, above = waiting.pop()
        try:
            status = os.stat(folder)  # noqa: PTH116
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            faults.append(f"{prefix or '.'}: cannot be read: {error.strerror}")
            continue
        here = (status.st_dev, status.st_ino)
        if here in above:
            faults.append(f"{prefix}: a link to a folder above it, so without end")
            continue
        for entry in entries:
            name = prefix + entry.name
            if entry.name.startswith("."):
                continue
            if entry.is_dir():
                waiting.append((entry.path, f"{name}/", above | {here}))
            elif entry.name.lower().endswith(ENDS):
                count += 1
                if count > CEILING_IMAGES:
                    raise DataError(f"{place}: holds more than {CEILING_IMAGES:,} images")
                yield name
            elif not entry.name.lower().endswith(_BESIDE):
                faults.append(f"{name}: no image that can be read; they are {', '.join(ENDS)}")


def _splits(place: Path, names: Sequence[str], faults: list[str]) -> list[str | None]:
    """Return the split of each image: its folder train or test, if there are such."""
    tops = {name.partition("/")[0] for name in names if "/" in name}
    if not tops & set(SPLITS):
        return [None] * len(names)
    for missing in sorted(set(SPLITS) - tops):
        there = next(iter(tops & set(SPLITS)))
        faults.append(f"there are images below {there}/ and none below {missing}/; have both, or neither of them")
    strange = [name for name in names if name.partition("/")[0] not in SPLITS or "/" not in name]
    faults += [f"{name}: neither below train/ nor below test/" for name in strange]
    return [name.partition("/")[0] for name in names]


def _table(place: Path, options: ImageFolderOptions) -> Path | None:
    """Return the table that labels the images; None: their folders do."""
    if options.labels_file is not None:
        path = place / options.labels_file
        if not path.is_file():
            raise DataError(f"{path}: there is no such file; dataset.labels_file names the table in the folder of the images")
        return path
    there = [place / name for name in TABLES if (place / name).is_file()]
    if len(there) < 2:
        return there[0] if there else None
    return there[0] if KINDS.get(options.labels) == "classes" else there[1]


def _by_folder(
    options: ImageFolderOptions, names: Sequence[str], splits: Sequence[str | None], faults: list[str]
) -> tuple[tuple[str, ...], list[Label]]:
    """Return the classes and the class of each image: the folder that it lies in, at the top or below train or test."""
    if KINDS.get(options.labels) != "classes":
        what = "attributes" if options.labels == "attributes" else f"the attribute {options.labels!r}"
        faults.append(f'there is no table, {TABLES[1]} or dataset.labels_file, for {what}; labels = "classes" needs none')
        return (), []
    classes = []
    for name, split in zip(names, splits, strict=True):
        folders = name.split("/")[:-1]
        folders = folders[1:] if split else folders
        classes.append(folders[0] if folders else "")
        if not folders:
            faults.append(f'{name}: lies in no folder of a class; see labels.csv, or labels = "none"')
    if faults:
        return (), []
    return _numbered(options, classes, names, faults, "the folder")


def _by_table(
    options: ImageFolderOptions, table: Table, path: Path, names: Sequence[str], faults: list[str]
) -> tuple[tuple[str, ...], list[Label]]:
    """Return the names of the labels and the label of each image, as the table says."""
    if faults:  # of the table or the folder: what follows from them would be no news
        return (), []
    present, known = set(names), set(table.rows)
    faults += [f"{name}: missing; {path.name} lists it" for name in table.rows if name not in present]
    faults += [f"{name}: in no line of {path.name}" for name in names if name not in known]
    if faults:
        return (), []
    rows = [table.rows[name] for name in names]
    if KINDS.get(options.labels) == "classes":
        if table.attributes:
            faults.append(
                f'{path.name}: its columns are the attributes {_listed(table.attributes)}; say labels = "attributes" or one'
            )
            return (), []
        return _numbered(options, [str(row) for row in rows], names, faults, path.name)
    if not table.attributes:
        faults.append(f'{path.name}: has one class for each image and no attributes; say labels = "classes"')
        return (), []
    wanted = options.label_names or table.attributes
    if options.labels != "attributes":
        wanted = (options.labels,)
    absent = [name for name in wanted if name not in table.attributes]
    if absent:
        faults.append(f"{path.name}: has no column {_listed(absent)}; its columns are {_listed(table.attributes)}")
        return (), []
    columns = [table.attributes.index(name) for name in wanted]
    if options.labels != "attributes":
        return (), [int(row[columns[0]]) for row in rows]
    return tuple(wanted), [tuple(int(row[column]) for column in columns) for row in rows]


def _numbered(
    options: ImageFolderOptions, classes: Sequence[str], names: Sequence[str], faults: list[str], where: str
) -> tuple[tuple[str, ...], list[Label]]:
    """Return the classes in order, and for each image the number of its own."""
    there = set(classes)
    wanted = options.label_names or tuple(sorted(there))
    strange = sorted(there - set(wanted))
    if strange:
        example = names[next(row for row, name in enumerate(classes) if name == strange[0])]
        faults.append(
            f"the class {_listed(strange)} is not among dataset.label_names, {_listed(wanted)}; the first such image: {example}"
        )
    faults += [f"no image is of the class {name!r}, which dataset.label_names holds" for name in wanted if name not in there]
    if faults:
        return (), []
    numbers = {name: number for number, name in enumerate(wanted)}
    return wanted, [numbers[name] for name in classes]


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names[:8])) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
