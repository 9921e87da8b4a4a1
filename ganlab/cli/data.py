"""`ganlab data`: data sets as files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ganlab.cli.console import progress, result

EXAMPLES = """\b
Examples:
  ganlab data export synthetic_faces --layout fer2013 --out datasets
  ganlab data export synthetic_faces --layout fer2013 --out small --images 700 --set level=easy"""

app = typer.Typer(no_args_is_help=True, help="Write a data set to files.")


@app.callback()
def _group() -> None:
    """Write a data set to files."""


@app.command("export", epilog=EXAMPLES)
def export_command(
    dataset: Annotated[str, typer.Argument(help="the data set to write", show_default=False)],
    layout: Annotated[str, typer.Option(help="the published data set whose form the files take: fer2013")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="the folder to write into")],
    images: Annotated[int | None, typer.Option(min=1, help="write the first so many only, of train and test")] = None,
    sets: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="an option of the data set, such as seed=1; repeatable"),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="overwrite a file that is there")] = False,
) -> None:
    """Write the images and labels of a data set in the layout of a published one, which its loader then reads."""
    from ganlab.data.export import export
    from ganlab.plugins import load_plugins
    from ganlab.registry import Registry

    registered = Registry(load_plugins()).find("dataset", dataset)
    exported = export(registered, layout, out, sets=sets or (), images=images, force=force, tell=progress)
    parts = ", ".join(f"{part} {rows}" for part, rows in exported.rows.items())
    result(f"{exported.file}: {sum(exported.rows.values())} rows ({parts})")
    progress(f"train on it: {exported.train_command}")
