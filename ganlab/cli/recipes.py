"""`ganlab recipes`: the recipes that are at hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from ganlab.cli import console
from ganlab.errors import RecipeError
from ganlab.plugins import load_plugins
from ganlab.recipe import find_recipe, list_recipes, read_text
from ganlab.recipe_text import read_header

SCHEMA = 1  # of the JSON; counts up when a field changes its meaning or goes

app = typer.Typer(no_args_is_help=True, help="List the recipes that ganlab and its plugins ship, or show one.")


@app.command("list", epilog="\b\nExamples:\n  ganlab recipes list\n  ganlab recipes list --json")
def list_command(as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False) -> None:
    """List the recipes that ganlab and its plugins ship."""
    paths = list_recipes(load_plugins().recipes)
    if as_json:
        recipes = [{"recipe": path.stem, "title": _title(path), "path": str(path)} for path in paths]
        console.result(json.dumps({"schema": SCHEMA, "recipes": recipes}, indent=2))
    else:
        console.table([(path.stem, _title(path), str(path)) for path in paths], ("recipe", "what it is", "file"))


@app.command("show", epilog="\b\nExamples:\n  ganlab recipes show quickstart\n  ganlab recipes show quickstart > mine.toml")
def show_command(
    recipe: Annotated[str, typer.Argument(help="recipe file, or the name of a recipe", show_default=False)],
) -> None:
    """Print a recipe's file, as it is."""
    console.result(read_text(find_recipe(recipe, load_plugins().recipes)).removesuffix("\n"))


def _title(path: Path) -> str:
    """Return the first line of the comment at the top, or why there is none to read."""
    try:
        return read_header(read_text(path)).partition("\n")[0]
    except RecipeError as error:
        return f"broken: {error}"
