"""`ganlab sample`: pictures from a checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ganlab.cli.choices import DatasetChoice, DeviceChoice
from ganlab.cli.console import progress, result


def command(
    source: Annotated[Path, typer.Argument(help="a run's folder or a checkpoint's", show_default=False)],
    out: Annotated[Path | None, typer.Option(help="the PNG grid, or with --separate the folder; default: in the run")] = None,
    images: Annotated[Path | None, typer.Option(help="translate the images of this folder, not the data set's")] = None,
    rows: Annotated[
        int | None, typer.Option(min=1, max=1000, help="rows of the grid; default: 7, or one for each of --images")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="of the noise, and of the faces to translate")] = 0,
    separate: Annotated[bool, typer.Option("--separate", help="one PNG an image instead of a grid")] = False,
    raw: Annotated[bool, typer.Option("--raw", help="the raw weights, where averaged ones were kept")] = False,
    dataset: DatasetChoice = None,
    device: DeviceChoice = "auto",
) -> None:
    """Make pictures from a checkpoint. A generator needs its folder only; a translator also needs source faces."""
    from ganlab.evaluation.sampling import sample

    sampled = sample(source, images=images, rows=rows, seed=seed, raw=raw, dataset=dataset, device=device)
    for notice in sampled.notices:
        progress(notice)
    default = sampled.folder / ("sampled" if separate else f"sample-step-{sampled.step:08}-seed-{seed}.png")
    for path in sampled.write(out or default, separate=separate):
        result(str(path))
