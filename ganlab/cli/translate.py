"""`ganlab translate`: a person's own photos, changed towards labels."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ganlab.cli.choices import DeviceChoice
from ganlab.cli.console import progress, result


def command(
    model: Annotated[
        str,
        typer.Argument(help="a run's folder, a checkpoint's, or a model: NAME, NAME@3, NAME@best", show_default=False),
    ],
    images: Annotated[list[Path], typer.Argument(help="photos of any size, or folders of them", show_default=False)],
    to: Annotated[
        list[str] | None,
        typer.Option(
            metavar="LABELS", help='happy,sad or all; of attributes "Smiling=1,Eyeglasses=0"; repeatable; default: every class'
        ),
    ] = None,
    out: Annotated[Path, typer.Option(help="the folder to write to")] = Path("translated"),
    separate: Annotated[bool, typer.Option("--separate", help="one PNG an image instead of one a photo")] = False,
    raw: Annotated[bool, typer.Option("--raw", help="the raw weights, where averaged ones were kept")] = False,
    device: DeviceChoice = "auto",
) -> None:
    """Change photos towards labels: for each a picture of the original and its translations, side by side.

    A photo is turned as its EXIF data say, cropped to the square in its centre and fitted to the size and the colours of
    the model. Of a photo nobody knows the attributes: those that --to does not name are 0.
    """
    from ganlab.evaluation.translating import translate

    translated = translate(model, images, to or [], raw=raw, device=device)
    for notice in translated.notices:
        progress(notice)
    for path in translated.write(out, separate=separate):
        result(str(path))
