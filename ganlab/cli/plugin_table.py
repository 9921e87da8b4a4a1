"""All plugins -> the table, or the JSON, of `ganlab list-plugins`. Imports neither typer nor pydantic: it is quick."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from ganlab.cli import console
from ganlab.contracts import KINDS
from ganlab.errors import UsageError
from ganlab.plugins import PluginRecord, load_plugins
from ganlab.registry import did_you_mean, near_names

SCHEMA = 1  # of the JSON; counts up when a field changes its meaning or goes


def answers_at_once(arguments: Sequence[str]) -> bool:
    """Answer the plain forms of the command without the library that parses arguments: it costs more than the answer."""
    match arguments:
        case []:
            show()
        case ["--json"]:
            show(as_json=True)
        case ["--kind", kind]:
            show(kind)
        case ["--kind", kind, "--json"] | ["--json", "--kind", kind]:
            show(kind, as_json=True)
        case _:
            return False
    return True


def show(kind: str | None = None, *, as_json: bool = False) -> None:
    """Print every plugin; with `kind`, those that offer some, and those that may: broken and disabled ones."""
    if kind is not None and kind not in KINDS:
        raise UsageError(f"--kind {kind}: kinds are {', '.join(KINDS)}{did_you_mean(near_names(kind, KINDS))}")
    kinds = KINDS if kind is None else (kind,)
    records = [
        record
        for record in load_plugins().records
        if kind is None or record.is_quarantined or record.is_disabled or any(c.kind == kind for c in record.components)
    ]
    if as_json:
        listed = {"schema": SCHEMA, "plugins": [_as_json(record, kinds) for record in records]}
        console.result(json.dumps(listed, indent=2))
        return
    console.table([_row(record, kinds) for record in records], ("plugin", "version", "origin", "status", "components", "fault"))
    _tell_of_broken([record for record in records if record.is_quarantined])
    if any(record.is_disabled for record in records):
        console.progress("A plugin that is disabled is not imported; `ganlab plugin enable --help` says how to use it again.")


def _tell_of_broken(broken: Sequence[PluginRecord]) -> None:
    if broken:
        is_one = len(broken) == 1
        console.progress(
            f"{len(broken)} plugin{' is' if is_one else 's are'} broken; a command fails only if its recipe needs "
            f"{'it' if is_one else 'them'}. `ganlab list-plugins --json` has the tracebacks, "
            "`ganlab plugin disable NAME` leaves one out."
        )


def _row(record: PluginRecord, kinds: Sequence[str]) -> tuple[str, ...]:
    offers = {kind: [c.name for c in record.components if c.kind == kind] for kind in kinds}
    observing = ["observes runs"] if record.observes else []
    return (
        record.name,
        record.version,
        record.origin if record.origin == "built-in" else f"{record.origin}: {record.distribution}",
        record.status,
        "; ".join([*(f"{kind}: {', '.join(names)}" for kind, names in offers.items() if names), *observing]),
        record.fault.line if record.fault else "",
    )


def _as_json(record: PluginRecord, kinds: Sequence[str]) -> dict[str, Any]:
    fault = record.fault
    return {
        "plugin": record.name,
        "distribution": record.distribution,
        "version": record.version,
        "origin": record.origin,
        "status": record.status,
        "components": {
            kind: [
                {
                    "name": registered.name,
                    "full_name": registered.full_name,
                    "family": registered.component.family,
                    "version": registered.component.version,
                    "summary": registered.component.summary,
                    "paper": registered.component.paper,
                }
                for registered in record.components
                if registered.kind == kind
            ]
            for kind in kinds
        },
        "observes": record.observes,
        "fault": fault and {"error": fault.error, "line": fault.line, "traceback": fault.traceback},
    }
