"""`ganlab recipes`: the recipes that are at hand, what tells two apart, and a copy of one to edit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from ganlab.cli import console
from ganlab.errors import RecipeError, UsageError
from ganlab.plugins import load_plugins
from ganlab.recipe import find_recipe, list_recipes, read_text
from ganlab.recipe_text import read_header, without_as_run

SCHEMA = 1  # of the JSON; counts up when a field changes its meaning or goes

app = typer.Typer(
    no_args_is_help=True, help="List the recipes that ganlab and its plugins ship, show one, compare two, copy one to edit."
)
AsJson = Annotated[bool, typer.Option("--json", help="print JSON")]
Reference = Annotated[str, typer.Argument(help="recipe file, name of a recipe, or a run's folder", show_default=False)]


@app.command("list", epilog="\b\nExamples:\n  ganlab recipes list\n  ganlab recipes list smile --json")
def list_command(
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="[WORD]...", help="show those whose name or title holds each word", show_default=False),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the recipes that ganlab and its plugins ship, by the folder that they lie in."""
    known = list_recipes(load_plugins().recipes)
    paths = [path for path in known if all(word.lower() in f"{path.stem} {_title(path)}".lower() for word in words or ())]
    if not paths and words:
        raise UsageError(
            f"none of {len(known)} recipes holds {' and '.join(map(repr, words))}; `ganlab recipes list` shows all"
        )
    if as_json:
        recipes = [{"recipe": path.stem, "title": _title(path), "path": str(path)} for path in paths]
        console.result(json.dumps({"schema": SCHEMA, "recipes": recipes}, indent=2))
    else:
        # A column of files would leave the titles no room; a folder holds many.
        for number, folder in enumerate(dict.fromkeys(path.parent for path in paths)):
            console.result(str(folder) if number == 0 else f"\n{folder}")
            console.table(
                [(path.stem, _title(path)) for path in paths if path.parent == folder], ("recipe", "what it is"), whole=1
            )


@app.command("show", epilog="\b\nExamples:\n  ganlab recipes show quickstart\n  ganlab recipes show quickstart > mine.toml")
def show_command(
    recipe: Annotated[str, typer.Argument(help="recipe file, or the name of a recipe", show_default=False)],
) -> None:
    """Print a recipe's file, as it is."""
    console.result(read_text(find_recipe(recipe, load_plugins().recipes)).removesuffix("\n"))


@app.command(
    "diff",
    epilog="\b\nExamples:\n  ganlab recipes diff ccyclegan_t25 ccyclegan_t26"
    "\n  ganlab recipes diff quickstart runs/0001-quickstart --json",
)
def diff_command(
    a: Annotated[str, typer.Argument(metavar="A", help="recipe file, name of a recipe, or a run's folder", show_default=False)],
    b: Annotated[str, typer.Argument(metavar="B", help="the same", show_default=False)],
    whole: Annotated[
        bool, typer.Option("--resolved", help="also options that neither states, the defaults of unlike components")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Print what changes from recipe A to B, a line for each key: both values, and where each stands.

    What `extends` gives counts, and so do defaults: a default that is written out is no difference. Where B uses another
    component than A, its options differ too; those that neither recipe states are only counted, unless --resolved is given.
    """
    from ganlab.recipe import load_recipe
    from ganlab.recipe_diff import diff
    from ganlab.registry import Registry
    from ganlab.runs.references import locate_recipe
    from ganlab.spec import make_spec

    plugins = load_plugins()
    registry = Registry(plugins)
    paths = [locate_recipe(reference, plugins.recipes) for reference in (a, b)]
    differences = diff(*(make_spec(load_recipe(path), registry) for path in paths))
    shown = [each for each in differences if whole or each.is_written]
    if as_json:
        recipes = [{"recipe": _name(path), "title": _title(path), "path": str(path)} for path in paths]
        rows = [{"key": each.key, "a": _side_json(each.a), "b": _side_json(each.b)} for each in shown]
        known = {"a": recipes[0], "b": recipes[1], "differences": rows, "unstated": len(differences) - len(shown)}
        console.result(json.dumps({"schema": SCHEMA, **known}, indent=2))
        return
    console.facts([(_name(path), _title(path)) for path in paths])
    if not differences:
        console.result("no difference")
        return
    console.result("")
    headers = ("key", *(_name(path) for path in paths), "stands at", "and at")
    rows_of_text = [(each.key, *map(_value, (each.a, each.b)), *map(_place, (each.a, each.b))) for each in shown]
    console.table(rows_of_text, headers, whole=1)
    if len(shown) < len(differences):
        console.progress(f"and {len(differences) - len(shown)} options that neither states; --resolved shows them")


@app.command(
    "cp",
    epilog="\b\nExamples:\n  ganlab recipes cp quickstart mine.toml"
    "\n  ganlab recipes cp runs/0001-quickstart mine.toml --force",
)
def cp_command(
    recipe: Reference,
    to: Annotated[
        Path | None, typer.Argument(metavar="[TO.toml]", help="the new file, or its folder; default: here", show_default=False)
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="write over a file that exists")] = False,
) -> None:
    """Copy a recipe to edit. The copy stands alone: what `extends` gave is written in, with the comments of each value."""
    from ganlab.recipe_copy import copy_recipe
    from ganlab.runs.references import locate_recipe

    source = locate_recipe(recipe, load_plugins().recipes)
    path = copy_recipe(source, to, _name(source), force=force)
    console.result(str(path))
    console.progress(f"edit it, then: ganlab run {path}")


def _title(path: Path) -> str:
    """Return the first line of the comment at the top, or why there is none to read."""
    try:
        return without_as_run(read_header(read_text(path))).partition("\n")[0]
    except RecipeError as error:
        return f"broken: {error}"


def _name(path: Path) -> str:
    """Return what to call a recipe: the name of its file, or of the run whose it is."""
    from ganlab.runs.references import RECIPE

    return path.absolute().parent.name if path.name == RECIPE else path.stem


def _value(side: Any) -> str:
    from ganlab.recipe_text import toml_value

    return "-" if side.value is None else toml_value(side.value)


def _place(side: Any) -> str:
    if side.value is None:
        return "-"
    return "default" if side.place is None else f"{side.place.file.name}:{side.place.line}"


def _side_json(side: Any) -> dict[str, Any]:
    place = side.place and {"file": str(side.place.file), "line": side.place.line}
    state = "absent" if side.value is None else "default" if side.place is None else "written"
    return {"value": side.value, "state": state, "place": place}
