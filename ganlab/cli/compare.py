"""`ganlab compare`: several runs in one table and one picture."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from ganlab.cli import console

SCHEMA = 1  # of the JSON; counts up when a field changes its meaning or goes


def command(
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN...", help="folders of runs or checkpoints, or models: NAME@3, NAME@best", show_default=False
        ),
    ],
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="write comparison.md, .csv and .png there; default: print only")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """Put runs side by side: what differs in their recipes, how far they trained, scores, terms of the log.

    With --out also as Markdown, as CSV (a row a run), and as a picture: the curves over each other, and rows of the newest
    samples. Scores that were measured by unlike protocols never share a row. Reads the runs' folders alone.
    """
    from ganlab.report.comparison import compare
    from ganlab.report.comparison_text import as_json as comparison_json
    from ganlab.report.comparison_text import sections

    comparison = compare(runs)
    for warning in comparison.warnings:
        console.progress(f"warning: {warning}")
    files = []
    if out is not None:
        from ganlab.report.comparison_files import write_comparison

        files = write_comparison(comparison, out)
    if as_json:
        known = {**comparison_json(comparison), "files": [str(path) for path in files]}
        console.result(json.dumps({"schema": SCHEMA, **known}, indent=2))
        return
    rows: list[tuple[str, ...]] = []
    for heading, found in sections(comparison).items():
        rows += [(heading, *[""] * len(runs)), *((f"  {name}", *cells) for name, *cells in found)]
    console.table(rows, ("", *(run.name for run in comparison.runs)))
    for path in files:
        console.result(str(path))
    if out is None:
        console.progress("--out DIR writes the table as Markdown and CSV, and the curves and samples as a picture")
