"""A data set -> files in the layout of a published one, for the loader of that one, or for another program."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from torch import Tensor

from ganlab.contracts import DataSpec, ImageSet
from ganlab.data.cache import open_images
from ganlab.errors import DataError, PluginError, RunError, UsageError
from ganlab.files import replacing
from ganlab.options import DatasetOptions
from ganlab.recipe import Place, Recipe
from ganlab.recipe_text import Key, parse_set
from ganlab.registry import Registered, did_you_mean, near_names
from ganlab.spec_faults import Faults

FER2013_EXPRESSIONS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")  # 0 to 6


@dataclass(frozen=True, kw_only=True)
class Layout:
    """How a published data set is written."""

    file: str
    dataset: str  # the data set that reads it
    size_px: int
    channels: int
    labels: str  # the option `labels` that it needs
    check: Callable[[DataSpec], str | None]  # what does not fit, if anything
    write: Callable[[BinaryIO, Mapping[str, ImageSet], DataSpec], dict[str, int]]  # returns part -> rows written


@dataclass(frozen=True, kw_only=True)
class Exported:
    """What was written."""

    file: Path
    rows: dict[str, int]  # by part of the layout
    train_command: str


def export(
    registered: Registered,
    layout_name: str,
    folder: Path,
    *,
    sets: Sequence[str] = (),
    images: int | None = None,
    force: bool = False,
    tell: Callable[[str], None] = lambda line: None,
) -> Exported:
    """Write the images of a data set, at most so many, into `folder`; an existing file only gives way to `force`.

    `tell` gets a line each for what takes long and for what the cache has to say.
    """
    layout = LAYOUTS.get(layout_name)
    if layout is None:
        hint = did_you_mean(near_names(layout_name, LAYOUTS)) or f"; layouts are {', '.join(LAYOUTS)}"
        raise UsageError(f"no layout is called {layout_name!r}{hint}")
    options, spec = _options(registered, layout, sets)
    if fault := layout.check(spec):
        raise DataError(f"data set {registered.name} does not fit the layout {layout_name}: {fault}")
    file = folder / layout.file
    _make_room(file, force)
    tell(f"reading or drawing {registered.name}")
    component = registered.component
    dataset: Any = registered.load_target()(options)
    cached = open_images(
        registered.full_name, component.version, options.content(), dataset, size_px=layout.size_px, channels=layout.channels
    )
    for notice in cached.notices:
        tell(notice)
    splits = first_images(cached.splits, images)
    with replacing(file) as stream:
        rows = layout.write(stream, splits, spec)
    path = shlex.quote(str(file))
    command = f"ganlab run quickstart --dataset {layout.dataset} --set dataset.path={path}"
    return Exported(file=file, rows=rows, train_command=command)


def first_images(splits: Mapping[str, ImageSet], images: int | None) -> dict[str, ImageSet]:
    """Return the first images of "train" and "test", `images` altogether, in the proportion that they have."""
    train, test = len(splits["train"].images), len(splits["test"].images)
    if images is None or images >= train + test:
        return dict(splits)
    kept_test = min(round(images * test / (train + test)), images - 1)
    kept = {"train": images - kept_test, "test": kept_test}
    return {
        split: ImageSet(
            images=splits[split].images[:count],
            labels=None if splits[split].labels is None else splits[split].labels[:count],
        )
        for split, count in kept.items()
    }


def _make_room(file: Path, force: bool) -> None:
    """Create the folder; raises UsageError for a file that would be lost."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.exists() and file.stat().st_size and not force:
            raise UsageError(f"{file}: there is such a file; --force overwrites it")
    except OSError as error:
        raise RunError(f"{file.parent}: cannot be written to: {error.strerror}") from None


def _options(registered: Registered, layout: Layout, sets: Sequence[str]) -> tuple[DatasetOptions, DataSpec]:
    """Return the data set's options with the changes of `sets`; raises RecipeError with every fault of them."""
    model = registered.load_options()
    if model is None or not issubclass(model, DatasetOptions):
        raise PluginError(f"plugin {registered.plugin}: options of {registered.name} must derive from DatasetOptions")
    table: dict[str, Any] = {"size_px": layout.size_px, "channels": layout.channels, "labels": layout.labels}
    for text in sets:
        key, value = parse_set(text.removeprefix("dataset."))
        if len(key) != 1:
            raise UsageError(f"--set {text}: only options of the data set can be set here")
        if key[0] in ("split", "images"):
            raise UsageError(f"--set {text}: every split is written; --images limits how many images")
        table[key[0]] = value
    places: dict[Key, Place] = {("dataset", key): Place(None) for key in table}
    faults = Faults(Recipe(path=None, name=f"data set {registered.name}", values={"dataset": table}, places=places))
    options = faults.validated(("dataset",), model, table)
    try:
        if options is not None:
            return options, options.data_spec()
    except ValueError as error:
        faults.add(("dataset",), str(error))
    faults.raise_all()
    raise AssertionError("there was a fault")


def _fer2013_fault(spec: DataSpec) -> str | None:
    if spec.label_kind == "classes" and set(spec.label_names) == set(FER2013_EXPRESSIONS):
        return None
    names = ", ".join(spec.label_names[:8]) + (", ..." if spec.labels > 8 else "")
    return f"each image must be one of {', '.join(FER2013_EXPRESSIONS)}; its labels are {names or 'none'}"


def _write_fer2013(stream: BinaryIO, splits: Mapping[str, ImageSet], spec: DataSpec) -> dict[str, int]:
    """Write emotion,pixels,Usage: the training images, then the test images in two halves."""
    numbers = [str(FER2013_EXPRESSIONS.index(name)) for name in spec.label_names]
    value = [str(pixel) for pixel in range(256)]
    half = (len(splits["test"].images) + 1) // 2
    parts = {
        "Training": ("train", slice(None)),
        "PublicTest": ("test", slice(half)),
        "PrivateTest": ("test", slice(half, None)),
    }
    stream.write(b"emotion,pixels,Usage\n")
    for usage, (split, part) in parts.items():
        images: Tensor = splits[split].images[part].flatten(1)
        labels: Tensor = splits[split].labels[part]
        classes = labels if labels.dim() == 1 else labels.argmax(1)
        for image, label in zip(images, classes.tolist(), strict=True):
            pixels = " ".join(map(value.__getitem__, image.tolist()))
            stream.write(f"{numbers[label]},{pixels},{usage}\n".encode())
    return {usage: len(splits[split].images[part]) for usage, (split, part) in parts.items()}


LAYOUTS = {
    "fer2013": Layout(
        file="fer2013.csv",
        dataset="fer2013",
        size_px=48,
        channels=1,
        labels="expression",
        check=_fer2013_fault,
        write=_write_fer2013,
    ),
}
