"""`ganlab weights`: files of published weights."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from ganlab.cli import console
from ganlab.errors import DataError

if TYPE_CHECKING:
    from ganlab.weights import KnownWeights

SCHEMA = 1  # of the JSON; counts up when a field changes its meaning or goes
_MEGABYTE = 10**6

LIST_EXAMPLES = """\b
Examples:
  ganlab weights list
  ganlab weights list --json"""
FETCH_EXAMPLES = """\b
Examples:
  ganlab weights fetch fid
  ganlab weights fetch inception-2015-12-05.pt --from downloads/inception-2015-12-05.pt"""
CHECK_EXAMPLES = """\b
Examples:
  ganlab weights check
  ganlab weights check --json"""

app = typer.Typer(no_args_is_help=True, help="The files of weights that some scores need, which no package brings.")


@app.callback()
def _group() -> None:
    """The files of weights that some scores need, which no package brings."""


_Json = Annotated[bool, typer.Option("--json", help="print JSON")]


@app.command("list", epilog=LIST_EXAMPLES)
def list_command(as_json: _Json = False) -> None:
    """List the files, what needs them, whether they are there, and where."""
    known = _known()
    _print(known, [each.state() for each in known], as_json)


@app.command("check", epilog=CHECK_EXAMPLES)
def check_command(as_json: _Json = False) -> None:
    """Compare every file that is there with the published digest; fails if one is damaged."""
    known = _known()
    states = [each.checked() for each in known]
    _print(known, states, as_json)
    damaged = [str(each.path) for each, state in zip(known, states, strict=True) if state == "damaged"]
    if damaged:
        raise DataError(f"damaged: {', '.join(damaged)}; `ganlab weights fetch` replaces a file in the folder of weights")


@app.command("fetch", epilog=FETCH_EXAMPLES)
def fetch_command(
    name: Annotated[str, typer.Argument(help="the file, or what needs it, such as fid", show_default=False)],
    source: Annotated[
        str | None, typer.Option("--from", metavar="PLACE", help="another address, or a file; default: its publisher's")
    ] = None,
) -> None:
    """Download a file from its publisher and check it. Nothing else in ganlab downloads; a good file that is there stays."""
    from ganlab.weights import fetch, find_known

    known = find_known(_known(), name)
    with console.TrainingDisplay(
        f"{known.file.name} from {source or known.file.url}",
        round(known.file.size / _MEGABYTE),
        0,
        {"megabytes": f"{known.file.size / _MEGABYTE:.1f}"},
        unit="MB",
    ) as display:
        path, is_new = fetch(known, source, lambda here, _: display.update(round(here / _MEGABYTE), {}, 0))
    console.result(f"{path}: {'fetched, with the published digest' if is_new else 'is there already, with its digest'}")


def _known() -> list[KnownWeights]:
    from ganlab.plugins import load_plugins
    from ganlab.registry import Registry
    from ganlab.weights import known_weights

    return known_weights(Registry(load_plugins()))


def _print(known: list[KnownWeights], states: list[str], as_json: bool) -> None:
    if as_json:
        files = [
            {
                "name": each.file.name,
                "state": state,
                "size": each.file.size,
                "sha256": each.file.sha256,
                "path": str(each.path),
                "url": each.file.url,
                "needed_by": list(each.components),
            }
            for each, state in zip(known, states, strict=True)
        ]
        console.result(json.dumps({"schema": SCHEMA, "weights": files}, indent=2))
        return
    rows = [
        [each.file.name, state, f"{each.file.size:,}", each.file.sha256[:12], ", ".join(each.components), str(each.path)]
        for each, state in zip(known, states, strict=True)
    ]
    console.table(rows, ["file", "state", "bytes", "sha256", "needed by", "place"], whole=2)
    if "missing" in states:
        console.progress("any one of the files that a score names is enough; `ganlab weights fetch NAME` downloads one")
