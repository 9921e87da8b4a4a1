"""`ganlab models`: trained models by name."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from ganlab.cli import console
from ganlab.errors import UsageError
from ganlab.runs.model_database import rebuild
from ganlab.runs.models import Models, ModelVersion

SCHEMA = 1  # of the JSON; counts up when a field changes its meaning or goes
DESCRIPTION = """Give trained models names that commands and recipes take: NAME@3, NAME@best, or NAME for the newest version.

Each model is a copy (where the disk allows, a link that takes no room) of one checkpoint with its recipe and scores, so that
a run may be deleted. The models lie in GANLAB_HOME/models; without that variable in the user's data folder, never among
caches: $XDG_DATA_HOME/ganlab or ~/.local/share/ganlab on Linux, ~/Library/Application Support/ganlab on macOS,
%APPDATA%\\ganlab on Windows. `ganlab sample`, training.start_from and [frozen.NETWORK] run = "..." take such names; a path
that exists goes before a bare NAME. A run's recipe.toml records the version that was meant.
"""

app = typer.Typer(no_args_is_help=True, help=DESCRIPTION)

Reference = Annotated[str, typer.Argument(metavar="MODEL", help="NAME@3, NAME@best, or NAME", show_default=False)]
AsJson = Annotated[bool, typer.Option("--json", help="print JSON")]


@app.command(
    "add",
    epilog="\b\nExamples:\n  ganlab models add runs/0003-acgan_smile128 --name smile-acgan --alias best"
    "\n  ganlab models add runs/0004-c2_resnet50 --best --name c2_resnet50 --alias judge",
)
def add_command(
    source: Annotated[str, typer.Argument(help="a run's folder, a checkpoint's, or another model", show_default=False)],
    name: Annotated[str, typer.Option(metavar="NAME", help="letters, digits, `.`, `_` and `-`; versions count up from 1")],
    step: Annotated[int | None, typer.Option(min=0, help="which checkpoint of the run; default: the newest")] = None,
    best: Annotated[bool, typer.Option("--best", help="the checkpoint that the run found best by its training.best")] = False,
    aliases: Annotated[
        list[str] | None, typer.Option("--alias", metavar="WORD", help="lets this alias mean the new version; repeatable")
    ] = None,
    note: Annotated[str, typer.Option(metavar="TEXT", help="a few words, shown by list and show")] = "",
) -> None:
    """Add a checkpoint as the next version of a name. A checkpoint that is added twice is kept once."""
    from ganlab.runs.choosing import best_step
    from ganlab.runs.model_adding import add_model

    if best and step is not None:
        raise UsageError("--best and --step exclude each other; leave one out")
    step = best_step(source) if best else step
    added = add_model(source, name, step=step, aliases=aliases or [], note=note)
    model = added.model
    console.result(f"{model.reference}: step {model.step} of {model.source}")
    if model.aliases:
        console.result(f"aliases: {', '.join(f'{model.name}@{alias}' for alias in model.aliases)}")
    console.progress(f"kept in {added.folder}")
    if added.twins:
        console.progress(f"the same checkpoint as {', '.join(added.twins)}; its files are kept once")


@app.command("list", epilog="\b\nExamples:\n  ganlab models list\n  ganlab models list --json")
def list_command(as_json: AsJson = False) -> None:
    """List every version of every model, the newest of each name first."""
    registry = Models()
    models = registry.all()
    if as_json:
        console.result(json.dumps({"schema": SCHEMA, "models": [_card(registry, model) for model in models]}, indent=2))
    elif not models:
        console.progress("no model has a name yet; `ganlab models add RUN --name NAME` gives one")
    else:
        headers = ("model", "aliases", "step", "what", "data", "added", "note")
        console.table([_row(model) for model in models], headers, whole=1)


@app.command("show", epilog="\b\nExamples:\n  ganlab models show smile-acgan@best\n  ganlab models show smile-acgan@3 --json")
def show_command(model: Reference, as_json: AsJson = False) -> None:
    """Show a model: which checkpoint it is, from where, its scores, data, versions of packages, and where its files lie."""
    from ganlab.runs.model_folder import is_called_rightly

    registry = Models()
    found = registry.find(model)
    card = _card(registry, found)
    folder = registry.folder_of(found)
    card["files"] = "whole" if is_called_rightly(folder) else "damaged" if folder.exists() else "gone"
    if as_json:
        console.result(json.dumps({"schema": SCHEMA, **card}, indent=2))
        return
    scores = card.pop("scores")
    packages = card.pop("packages") or {}
    of_name = [str(other.version) for other in registry.all() if other.name == found.name]
    console.facts(
        [
            *((name.replace("_", " "), _text(value)) for name, value in card.items()),
            ("packages", ", ".join(f"{name} {version}" for name, version in packages.items()) or "unknown"),
            *((f"score {name}", f"{value:.6g}") for name, value in scores.items()),
            ("versions", ", ".join(reversed(of_name))),
        ]
    )


@app.command(
    "promote",
    epilog="\b\nExamples:\n  ganlab models promote smile-acgan@3 best\n  ganlab models promote smile-acgan published",
)
def promote_command(
    model: Reference,
    alias: Annotated[str, typer.Argument(metavar="ALIAS", help="a word such as best", show_default=False)],
) -> None:
    """Let an alias mean this version; whoever reads it sees either the version before or this one."""
    promoted, before = Models().promote(model, alias)
    was = f"; it meant {before.reference}" if before and before.version != promoted.version else ""
    console.result(f"{promoted.name}@{alias} means {promoted.reference}{was}")


@app.command(
    "remove",
    epilog="\b\nExamples:\n  ganlab models remove smile-acgan@2\n  ganlab models remove smile-acgan@best",
)
def remove_command(
    model: Reference,
    force: Annotated[bool, typer.Option("--force", help="also versions that an alias means; asks nothing")] = False,
) -> None:
    """Remove a version (NAME@2), every version (NAME), or an alias alone (NAME@best). Runs are never touched.

    Asks first if a person is at the terminal. Numbers of removed versions are not given again.
    """
    registry = Models()
    gone = registry.would_remove(model)
    if gone and not force and sys.stdin.isatty() and sys.stderr.isatty():
        typer.confirm(f"remove {', '.join(each.reference for each in gone)}?", abort=True, err=True)
    removed = registry.remove(model, force=force)
    for reference in (*removed.aliases, *removed.references):
        console.result(f"removed {reference}")
    if removed.means:
        console.progress(f"{removed.means.reference} itself stays")


@app.command("rebuild", epilog="\b\nExamples:\n  ganlab models rebuild\n  ganlab models rebuild && ganlab models list")
def rebuild_command() -> None:
    """Make a damaged registry anew from the text that is written with each change; models and aliases keep their names."""
    registry = Models()
    count, aside = rebuild(registry.folder)
    console.result(f"{registry.folder}: rebuilt, {count} version{'' if count == 1 else 's'}")
    if aside:
        console.progress(f"the damaged file is kept: {aside}")


def _card(registry: Models, model: ModelVersion) -> dict[str, Any]:
    return {
        "model": model.reference,
        "aliases": list(model.aliases),
        "note": model.note,
        "step": model.step,
        "added": model.added,
        "source": model.source,
        "digest": model.digest,
        "folder": str(registry.folder_of(model)),
        **_facts(model.facts),
    }


def _facts(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the facts, scores as the last: numbers that JSON lacks as None."""
    scores = {name: value if abs(value) < float("inf") else None for name, value in facts.get("scores", {}).items()}
    return {**{name: value for name, value in facts.items() if name != "scores"}, "scores": scores}


def _row(model: ModelVersion) -> tuple[str, ...]:
    facts = model.facts
    what = (
        facts["objective"] if facts["objective"] == facts["architecture"] else f"{facts['objective']}/{facts['architecture']}"
    )
    return (
        model.reference,
        ", ".join(model.aliases),
        str(model.step),
        str(what),
        str(facts["dataset"]),
        model.added[:10],
        model.note,
    )


def _text(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return "none" if value in (None, "") else str(value)
