"""`ganlab list-plugins`: what every plugin offers, and where a broken one fails."""

from __future__ import annotations

from typing import Annotated

import typer

from ganlab.cli.plugin_table import show


def command(
    kind: Annotated[
        str | None, typer.Option(metavar="KIND", help="only dataset, architecture, loss, objective or evaluator")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON, with tracebacks")] = False,
) -> None:
    """List the plugins: version, origin, status, components by kind, and the first line of a fault.

    A broken plugin stops a command only if its recipe needs it; this command always ends well.
    """
    show(kind, as_json=as_json)
