"""`ganlab components`: what a recipe may name, and what it may say to it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ganlab.cli import console
from ganlab.cli.choices import component_asked
from ganlab.contracts import KINDS
from ganlab.errors import UsageError
from ganlab.plugins import load_plugins
from ganlab.registry import Registered, Registry, did_you_mean, near_names, normalise, with_article

if TYPE_CHECKING:
    from ganlab.spec_card import Card
    from ganlab.spec_words import Option

SCHEMA = 1  # of the JSON; counts up when a field changes its meaning or goes
LEAST_COLUMNS = 100  # of a terminal on which a table can be read

app = typer.Typer(no_args_is_help=True, help="List the components that a recipe may name, or show the options of one.")

_KIND = f"{', '.join(KINDS[:-1])} or {KINDS[-1]}"
AsJson = Annotated[bool, typer.Option("--json", help="print JSON")]


@app.command("list", epilog="\b\nExamples:\n  ganlab components list\n  ganlab components list loss --json")
def list_command(
    kind: Annotated[str | None, typer.Argument(help=_KIND, show_default=False)] = None, as_json: AsJson = False
) -> None:
    """List the components: kind, the family of a loss, name, what it is; as JSON also paper, plugin and version."""
    registry = Registry(load_plugins())
    if kind is not None:
        _check_kind(kind)
    kinds = KINDS if kind is None else (kind,)
    listed = [(name, c) for k in kinds for c, name in zip(registry.all(k), registry.names(k), strict=True)]
    if as_json:
        console.result(json.dumps({"schema": SCHEMA, "components": [_heading(name, c) for name, c in listed]}, indent=2))
        return
    _print_list([(_with_family(c.kind, c), name, c.component.summary) for name, c in listed])


@app.command(
    "show",
    epilog="\b\nExamples:\n  ganlab components show loss bce\n  ganlab components show --schema > recipe.schema.json",
)
def show_command(
    kind: Annotated[str | None, typer.Argument(help=f"{_KIND}; not needed where one has the name", show_default=False)] = None,
    name: Annotated[str | None, typer.Argument(help="as in a recipe", show_default=False)] = None,
    as_json: AsJson = False,
    as_schema: Annotated[
        bool,
        typer.Option("--schema", help="print JSON Schema: of the component, or of a whole recipe if none is named"),
    ] = False,
) -> None:
    """Show a component: what it is, each option with its limits, default and meaning, and lines to paste into a recipe.

    With --schema, print JSON Schema instead, for an editor. Saved as recipe.schema.json beside a recipe whose first line is
    "#:schema ./recipe.schema.json", it lets editors that know Taplo complete names and options and mark mistakes.
    """
    if as_json and as_schema:
        raise UsageError("--json and --schema exclude each other; --schema prints JSON of its own")
    registry = Registry(load_plugins())
    if as_schema:
        _show_schema(registry, kind, name)
        return
    from ganlab.spec_card import card

    shown = card(registry, _component(registry, kind, name))
    _print_json(shown) if as_json else _print(shown)


def _component(registry: Registry, kind: str | None, name: str | None) -> Registered:
    """Return the component that `KIND NAME`, or the name alone, means."""
    if kind is None:
        raise UsageError("name a component: ganlab components show KIND NAME\n`ganlab components list` lists them.")
    if name is not None:
        _check_kind(kind)
        return component_asked(registry, kind, name)
    if kind in KINDS:
        raise UsageError(f"which {kind}? There are {', '.join(registry.names(kind)) or 'none'}")
    short = normalise(kind.rpartition(":")[2])
    found = [c for c in registry.all() if normalise(c.name) == short]
    kinds = [k for k in KINDS if any(c.kind == k for c in found)]
    if len(kinds) == 1:
        return component_asked(registry, kinds[0], kind)
    if kinds:
        ways = " or ".join(f"`ganlab components show {k} {kind}`" for k in kinds)
        raise UsageError(f"{kind!r} is {' and '.join(map(with_article, kinds))}; write {ways}")
    near = did_you_mean(near_names(kind, {known for k in KINDS for known in registry.names(k)} | set(KINDS)))
    # A near name explains more than a plugin that cannot be used.
    hidden = [] if near else registry.unusable()
    raise UsageError("\n".join([f"no component is called {kind!r}{near}", *hidden, "`ganlab components list` lists them."]))


def _check_kind(kind: str) -> None:
    if kind not in KINDS:
        raise UsageError(
            f"{kind!r} is no kind of component; kinds are {', '.join(KINDS)}{did_you_mean(near_names(kind, KINDS))}"
        )


def _show_schema(registry: Registry, kind: str | None, name: str | None) -> None:
    from ganlab.spec_schema import component_schema, recipe_schema

    made = recipe_schema(registry) if kind is None else component_schema(registry, _component(registry, kind, name))
    schema, notices = made
    for line in notices:
        console.progress(f"warning: the schema takes any option here: {line}")
    console.result(json.dumps(schema, indent=2))


def _print_list(rows: Sequence[tuple[str, str, str]]) -> None:
    """Print a table, or where its last column would be too narrow to read, a heading a kind."""
    if console.columns() >= LEAST_COLUMNS:
        console.table(rows, ("kind", "name", "what it is"), whole=2)
        return
    for kind in dict.fromkeys(kind for kind, _, _ in rows):
        console.result(kind)
        console.facts([(f"  {name}", what) for of, name, what in rows if of == kind])


def _with_family(text: str, registered: Registered) -> str:
    return f"{text} ({registered.component.family})" if registered.component.family else text


def _heading(name: str, registered: Registered) -> dict[str, Any]:
    component = registered.component
    return {
        "kind": registered.kind,
        "name": name,
        "full_name": registered.full_name,
        "family": component.family,
        "version": component.version,
        "summary": component.summary,
        "paper": component.paper,
        "plugin": registered.plugin,
        "distribution": registered.distribution,
        "distribution_version": registered.distribution_version,
        "origin": "built-in" if registered.is_builtin else "third party",
    }


def _print_json(shown: Card) -> None:
    def option(key: str, one: Option, is_shared: bool) -> dict[str, Any]:
        return {
            "key": key,
            "type": one.type,
            "limits": one.limits,
            "unit": one.unit,
            "default": one.value,
            "required": one.is_required,
            "meaning": one.meaning,
            "families": list(one.families),
            "shared": is_shared,
        }

    parts = ((shown.options, False), (shown.shared, True))
    console.result(
        json.dumps(
            {
                "schema": SCHEMA,
                **_heading(shown.name, shown.registered),
                "place": shown.place,
                "file": shown.file,
                "facts": [{"what": what, "text": text} for what, text in shown.facts],
                "options": [option(k, o, shared) for part, shared in parts for one in part for k, o in one.flat()],
                "snippets": list(shown.snippets),
            },
            indent=2,
        )
    )


def _print(shown: Card) -> None:
    registered, component = shown.registered, shown.registered.component
    console.result(f"{_with_family(f'{registered.kind} {shown.name}', registered)}, version {component.version}")
    origin = "built-in" if registered.is_builtin else "third party"
    console.facts(
        [
            *((what, text) for what, text in (("summary", component.summary), ("paper", component.paper)) if text),
            ("plugin", f"{registered.plugin}, of {registered.distribution} {registered.distribution_version} ({origin})"),
            ("defined", f"{shown.place} {shown.file and f'in {shown.file}'}"),
            *((what if what != before else "", text) for (before, _), (what, text) in pairwise((("", ""), *shown.facts))),
        ]
    )
    for title, options in (("Options", shown.options), ("Keys of every data set", shown.shared)):
        if options:
            console.result(f"\n{title}:")
            _print_options([_row(key, one) for option in options for key, one in option.flat()])
    if not shown.options and not shown.shared:
        console.result("\nIt has no options.")
    for number, snippet in enumerate(shown.snippets):
        console.result("\nIn a recipe:\n" if number == 0 else "\nor, with its options:\n")
        console.result(snippet)


def _print_options(rows: Sequence[tuple[str, str, str, str]]) -> None:
    """Print a table, or where its columns would be too narrow to read, a paragraph an option."""
    if console.columns() >= LEAST_COLUMNS:
        console.table(rows, ("key", "value", "default", "meaning"), whole=1)
        return
    console.result("")
    console.facts([(key, f"{meaning} [{value}{_told(default)}]".lstrip()) for key, value, default, meaning in rows])


def _told(default: str) -> str:
    """Return a default in words: "; default 5", "; left out: all others"."""
    if default in ("", "required", "(left out)"):
        return f"; {default.strip('()')}" if default else ""
    return f"; left out: {default[1:-1]}" if default.startswith("(") else f"; default {default}"


def _row(key: str, option: Option) -> tuple[str, str, str, str]:
    value = ", ".join(filter(None, (option.type, option.limits)))
    return key, f"{value} ({option.unit})" if option.unit else value, option.default, option.meaning
