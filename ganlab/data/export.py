"""A data set -> files in the layout of a published one, for the loader of that one, or for another program."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ganlab.contracts import DataSpec, ImageSet
from ganlab.data.asked import asked_options, open_asked
from ganlab.data.layouts import LAYOUTS, Layout
from ganlab.data.pieces import Progress, untold
from ganlab.errors import DataError, RunError, UsageError
from ganlab.options import DatasetOptions
from ganlab.registry import Registered, did_you_mean, near_names


@dataclass(frozen=True, kw_only=True)
class Exported:
    """What was written."""

    file: Path  # or folder
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
    progress: Progress = untold,
) -> Exported:
    """Write the images of a data set, at most so many, into `folder`; an existing file only gives way to `force`.

    `tell` gets a line each for what takes long and for what the cache has to say; `progress` is that of `open_images`.
    """
    layout = LAYOUTS.get(layout_name)
    if layout is None:
        hint = did_you_mean(near_names(layout_name, LAYOUTS)) or f"; layouts are {', '.join(LAYOUTS)}"
        raise UsageError(f"no layout is called {layout_name!r}{hint}")
    options, spec = _options(registered, layout, sets)
    if fault := layout.check(spec):
        raise DataError(f"data set {registered.name} does not fit the layout {layout_name}: {fault}")
    file = folder / layout.file
    _make_room(file, layout, force)
    tell(f"reading or drawing {registered.name}")
    asked = replace(spec, size_px=layout.size_px, channels=layout.channels)
    cached = open_asked(registered, options, asked, progress)
    for notice in cached.notices:
        tell(notice)
    splits = first_images(cached.splits, images)
    rows = layout.write(file, splits, spec)
    path = shlex.quote(str(file))
    command = f"ganlab run {layout.recipe} --dataset {layout.dataset} --set dataset.path={path}"
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
            identities=None if splits[split].identities is None else splits[split].identities[:count],
        )
        for split, count in kept.items()
    }


def _make_room(file: Path, layout: Layout, force: bool) -> None:
    """Create the folder above; raises UsageError for a file, or a folder, that would be lost."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        if layout.marker and file.exists():
            is_ours = (file / layout.marker).exists()
            if any(file.iterdir()) and not (is_ours and force):
                way = "--force overwrites it" if is_ours else "no export wrote it; choose another --out"
                raise UsageError(f"{file}: there is such a folder; {way}")
        elif file.exists() and file.stat().st_size and not force:
            raise UsageError(f"{file}: there is such a file; --force overwrites it")
    except OSError as error:
        raise RunError(f"{file.parent}: cannot be written to: {error.strerror}") from None


def _options(registered: Registered, layout: Layout, sets: Sequence[str]) -> tuple[DatasetOptions, DataSpec]:
    """Return the data set's options with the changes of `sets`; raises RecipeError with every fault of them."""
    refused = "every split is written; --images limits how many images"
    given = {"size_px": layout.size_px, "channels": layout.channels, "labels": layout.labels}
    return asked_options(registered, sets, given, {"split": refused, "images": refused})
