"""`ganlab plugin check`: every claim that the contract makes of a plugin, and whether it holds."""

from __future__ import annotations

import contextlib
import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ganlab.cli import console
from ganlab.errors import PluginError, UsageError

if TYPE_CHECKING:
    from ganlab.testing import Case, Finding

SCHEMA = 1  # of the JSON; counts up when a field changes its meaning or goes
_WIDTH = len("not applicable")


def check_command(
    plugin: Annotated[
        str,
        typer.Argument(metavar="NAME|PATH", help="an installed plugin, or a folder with pyproject.toml", show_default=False),
    ],
    only: Annotated[str | None, typer.Option(metavar="TEXT", help="only components and claims whose words hold this")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON, at the end")] = False,
) -> None:
    """Check a plugin against its contract: what holds, what is broken, why and where. Exit code 5 if anything is broken."""
    found = []
    component = ""
    for finding in _findings(_cases(plugin, only)):
        found.append(finding)
        if as_json:
            continue
        if finding.case.about != component:
            component = finding.case.about
            console.result(component)
        console.result(_lines(finding))
    counts: Counter[str] = Counter(finding.verdict for finding in found)
    if as_json:
        console.result(json.dumps(_as_json(plugin, found, counts), indent=2))
    summary = f"{plugin}: {_of(counts['holds'], 'claim')} {'holds' if counts['holds'] == 1 else 'hold'}"
    if counts["not applicable"]:
        summary += f", {counts['not applicable']} could not be checked here"
    if counts["broken"]:
        raise PluginError(f"{summary}, {counts['broken']} {'is' if counts['broken'] == 1 else 'are'} broken")
    if not as_json:
        console.result(summary)


def _cases(plugin: str, only: str | None) -> list[Case]:
    """Return the cases of the plugin whose name holds `only`; raises `UsageError` if there are none."""
    from ganlab.testing import cases

    with contextlib.redirect_stdout(sys.stderr):  # what a plugin prints must not mix with the result
        every = cases(plugin)
    chosen = [case for case in every if only is None or only.lower() in str(case).lower()]
    if every and not chosen:
        raise UsageError(f"--only {only}: none of the {len(every)} claims about {plugin} holds these words")
    return chosen


def _findings(cases: Sequence[Case]) -> Iterator[Finding]:
    """Yield each finding as soon as it is known."""
    from ganlab.testing import findings

    found = findings(cases)
    while True:
        with contextlib.redirect_stdout(sys.stderr):
            finding = next(found, None)
        if finding is None:
            return
        yield finding


def _lines(finding: Finding) -> str:
    """Return what a person reads of a finding: the verdict and the claim; below, why and where."""
    lines = [f"  {finding.verdict:{_WIDTH}}  {finding.case.text}"]
    indent = " " * (_WIDTH + 4)
    lines += [f"{indent}{line}" for line in finding.why.splitlines()]
    if finding.where:
        lines.append(f"{indent}at {finding.where}")
    return "\n".join(lines)


def _as_json(plugin: str, found: Sequence[Finding], counts: Counter[str]) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "plugin": plugin,
        "holds": counts["holds"],
        "broken": counts["broken"],
        "not_applicable": counts["not applicable"],
        "findings": [
            {
                "component": finding.case.about,
                "claim": finding.case.text,
                "verdict": finding.verdict,
                "why": finding.why,
                "where": finding.where,
                "seconds": round(finding.seconds, 3),
            }
            for finding in found
        ],
    }


def _of(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
