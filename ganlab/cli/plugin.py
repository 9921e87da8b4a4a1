"""`ganlab plugin`: begin a plugin of one's own, prove that it is right, switch one off and on."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from ganlab.cli import console
from ganlab.cli.plugin_check import check_command
from ganlab.cli.plugin_switches import disable_command, enable_command
from ganlab.contracts import KINDS

app = typer.Typer(no_args_is_help=True, help="Begin a plugin of your own, prove that it is right, switch one off and on.")

NEW_EXAMPLES = """\b
Examples:
  ganlab plugin new hinge-x --kind loss
  ganlab plugin new shapes --kind dataset --out work/shapes"""
CHECK_EXAMPLES = """\b
Examples:
  ganlab plugin check hinge-x
  ganlab plugin check ./ganlab-hinge-x --only gradient"""
DISABLE_EXAMPLES = """\b
Examples:
  ganlab plugin disable hinge-x
  ganlab plugin disable ganlab-hinge-x:hinge_x"""
ENABLE_EXAMPLES = """\b
Examples:
  ganlab plugin enable hinge-x
  ganlab plugin enable --all"""


@app.command("new", epilog=NEW_EXAMPLES)
def new_command(
    name: Annotated[str, typer.Argument(help="what the plugin does, such as hinge-x", show_default=False)],
    kind: Annotated[str, typer.Option(metavar="KIND", help=f"what it offers: {', '.join(KINDS)}")],
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="its folder itself; default: ./ganlab-NAME")] = None,
) -> None:
    """Write a complete package: a component that works, a recipe that uses it, tests that pass. Needs no network."""
    from ganlab.scaffold.package import new_package

    made, folder, files = new_package(name, kind, out)
    for file in files:
        console.result(str(file))
    where = shlex.quote(str(folder) if folder.is_absolute() else f"./{folder}")
    hints = {f"pip install -e {where}": f"or: uv pip install -e {where}"}
    if kind == "dataset":
        hints[f"python -m {made.package}.examples datasets/{made.short}"] = "a few images, to try it with"
    hints[f"ganlab plugin check {made.short}"] = "what the contract asks, claim by claim"
    hints[f"ganlab run {made.short} --max-steps 20"] = "the recipe of the package"
    width = max(map(len, hints))
    for index, (hint, meaning) in enumerate(hints.items()):
        console.result(f"{'' if index else 'next:':6}{hint:{width}}  {meaning}")
    console.result(f"{folder / 'README.md'} says what to edit first")


app.command("check", epilog=CHECK_EXAMPLES)(check_command)
app.command("disable", epilog=DISABLE_EXAMPLES)(disable_command)
app.command("enable", epilog=ENABLE_EXAMPLES)(enable_command)
