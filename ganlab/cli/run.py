"""`ganlab run`: train a recipe in a new run directory."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from ganlab.cli.choices import DatasetChoice, DeviceChoice, MaxMinutes, PrecisionChoice, Sets
from ganlab.cli.recipe_arguments import read_spec
from ganlab.cli.training_display import ConsoleListener, report


def command(
    recipe: Annotated[str, typer.Argument(help="recipe file, or the name of a shipped recipe", show_default=False)],
    out: Annotated[Path | None, typer.Option(help="the run's folder itself; default: runs/NNNN-name")] = None,
    sets: Sets = None,
    dataset: DatasetChoice = None,
    seed: Annotated[int | None, typer.Option(help="replaces training.seed")] = None,
    device: DeviceChoice = "auto",
    precision: PrecisionChoice = None,
    max_steps: Annotated[int | None, typer.Option(min=1, help="ends the run after so many steps")] = None,
    max_minutes: MaxMinutes = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="print the resolved recipe and networks, train nothing")] = False,
) -> None:
    """Train a recipe in a new run directory."""
    spec, plugins = read_spec(recipe, sets=sets or [], dataset=dataset, seed=seed, precision=precision, max_steps=max_steps)
    if dry_run:
        from ganlab.cli.dry_run import show

        show(spec, device)
        return
    from ganlab.resolve import choose_device
    from ganlab.training.session import start_run

    chosen = choose_device(device)
    with ConsoleListener() as listener:
        outcome = start_run(
            spec, plugins, chosen, listener, out=out, command=["ganlab", *sys.argv[1:]], max_minutes=max_minutes
        )
    report(outcome, spec)
