"""`ganlab data`: data sets as files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ganlab.cli.choices import component_asked
from ganlab.cli.console import progress, result, table

if TYPE_CHECKING:
    from ganlab.data.inspection import DataSet

EXAMPLES = """\b
Examples:
  ganlab data export synthetic_faces --layout fer2013 --out datasets
  ganlab data export synthetic_faces --layout celeba --out datasets --images 700 --set level=easy"""

SHOW_EXAMPLES = """\b
Examples:
  ganlab data show fer2013 --out fer2013.png
  ganlab data show image_folder --set path=pets --set size_px=128"""
CHECK_EXAMPLES = """\b
Examples:
  ganlab data check fer2013
  ganlab data check image_folder --set path=pets --json"""

app = typer.Typer(no_args_is_help=True, help="Look at a data set, check it, or write it to files.")


@app.callback()
def _group() -> None:
    """Look at a data set, check it, or write it to files."""


@app.command("export", epilog=EXAMPLES)
def export_command(
    dataset: Annotated[str, typer.Argument(help="the data set to write", show_default=False)],
    layout: Annotated[str, typer.Option(help="the published data set whose form the files take: fer2013, celeba")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="the folder to write into")],
    images: Annotated[int | None, typer.Option(min=1, help="write the first so many only, of train and test")] = None,
    sets: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="an option of the data set, such as seed=1; repeatable"),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="overwrite a file that is there")] = False,
) -> None:
    """Write the images and labels of a data set in the layout of a published one, which its loader then reads."""
    from ganlab.cli.training_display import ReadingDisplay
    from ganlab.data.export import export
    from ganlab.plugins import load_plugins
    from ganlab.registry import Registry

    registered = component_asked(Registry(load_plugins()), "dataset", dataset)
    exported = export(
        registered, layout, out, sets=sets or (), images=images, force=force, tell=progress, progress=ReadingDisplay()
    )
    parts = ", ".join(f"{part} {rows}" for part, rows in exported.rows.items())
    result(f"{exported.file}: {sum(exported.rows.values())} rows ({parts})")
    progress(f"train on it: {exported.train_command}")


_Name = Annotated[str, typer.Argument(help="the data set to look at", show_default=False)]
_Sets = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="an option of the data set, such as path=faces; repeatable"),
]
_Json = Annotated[bool, typer.Option("--json", help="print JSON")]


@app.command("show", epilog=SHOW_EXAMPLES)
def show_command(
    dataset: _Name,
    sets: _Sets = None,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="the picture, a PNG; default: NAME.png, here")] = None,
    as_json: _Json = False,
) -> None:
    """Draw a contact sheet of the training images, a column for each label, and count the images of each label."""
    from ganlab.data.inspection import described
    from ganlab.report.contact_sheet import write_contact_sheet

    data = _opened(dataset, sets)
    file = out or Path(f"{dataset.rpartition('/')[2]}.png")
    write_contact_sheet(file, data)
    if as_json:
        result(json.dumps({"dataset": dataset, "file": str(file), **described(data)}, indent=2))
        return
    _labels(data)
    result(f"{file}: training images by label")


@app.command("check", epilog=CHECK_EXAMPLES)
def check_command(dataset: _Name, sets: _Sets = None, as_json: _Json = False) -> None:
    """Tell what is wrong with a data set: uneven labels, equal images, labels that contradict each other, empty images.

    Images are compared as training sees them: of the size and the channels that the options say. They are told by the file
    or the line that they come from; where a data set does not say it, by their row in the split, from 0. What is found
    changes no exit code.
    """
    from ganlab.data.inspection import as_json as in_json
    from ganlab.data.inspection import inspect, lines

    data = _opened(dataset, sets)
    found = inspect(data)
    if as_json:
        result(json.dumps(in_json(data, found), indent=2))
        return
    _labels(data)
    for line in lines(data, found):
        result(line)


def _opened(dataset: str, sets: list[str] | None) -> DataSet:
    from ganlab.cli.training_display import ReadingDisplay
    from ganlab.data.inspection import open_data_set
    from ganlab.plugins import load_plugins
    from ganlab.registry import Registry

    data = open_data_set(component_asked(Registry(load_plugins()), "dataset", dataset), sets or (), ReadingDisplay())
    for notice in data.notices:
        progress(notice)
    return data


def _labels(data: DataSet) -> None:
    """Print how many images there are, and how many of each label."""
    spec, sizes, counts = data.spec, data.sizes(), data.counts()
    channels = "gray" if spec.channels == 1 else "colour"
    result(f"{data.name}: {spec.size_px} x {spec.size_px} px, {channels}; " + ", ".join(f"{n:,} {s}" for s, n in sizes.items()))
    if spec.labels:
        rows = [
            [name, *(f"{counts[split][k]} ({counts[split][k] / sizes[split]:.1%})" for split in sizes)]
            for k, name in enumerate(spec.label_names)
        ]
        table(rows, ["label", *sizes])
