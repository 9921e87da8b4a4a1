"""`ganlab sample`: pictures from a checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ganlab.cli.choices import DatasetChoice, DeviceChoice
from ganlab.cli.console import progress, result


def command(
    source: Annotated[
        str,
        typer.Argument(help="a run's folder, a checkpoint's, or a model: NAME, NAME@3, NAME@best", show_default=False),
    ],
    out: Annotated[
        Path | None, typer.Option(help="the PNG grid, or with --separate the folder; default: in the run, or here")
    ] = None,
    labels: Annotated[
        list[str] | None,
        typer.Option(metavar="NAMES", help="a column for each of these classes: happy,sad or all; repeatable"),
    ] = None,
    attributes: Annotated[
        list[str] | None,
        typer.Option(metavar="VALUES", help='a column with these attributes: "Smiling=1,Eyeglasses=0"; again: another column'),
    ] = None,
    images: Annotated[Path | None, typer.Option(help="translate the images of this folder, not the data set's")] = None,
    rows: Annotated[
        int | None,
        typer.Option(
            "--rows", "--count", min=1, max=1000, help="images of each column; default: 7, or one for each of --images"
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="of the noise, and of the faces to translate")] = 0,
    separate: Annotated[bool, typer.Option("--separate", help="one PNG an image instead of a grid")] = False,
    raw: Annotated[bool, typer.Option("--raw", help="the raw weights, where averaged ones were kept")] = False,
    dataset: DatasetChoice = None,
    device: DeviceChoice = "auto",
) -> None:
    """Make pictures from a checkpoint. A generator needs its folder only; a translator also needs source faces.

    With --labels or --attributes each row is one noise, or one source face, and the columns differ in the label alone.
    Attributes that --attributes does not name are those of the run's first test images, of which each run keeps 64 in
    labels.json; of your own --images nobody knows them, and they are 0.
    """
    from ganlab.cli.training_display import ReadingDisplay
    from ganlab.evaluation.sampling import sample

    sampled = sample(
        source,
        images=images,
        rows=rows,
        labels=labels or [],
        attributes=attributes or [],
        seed=seed,
        raw=raw,
        dataset=dataset,
        device=device,
        progress=ReadingDisplay(),
    )
    for notice in sampled.source.notices:
        progress(notice)
    for path in sampled.write(out, separate=separate):
        result(str(path))
