"""`ganlab resume`: go on with a run to the end that its recipe states."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from ganlab.cli.choices import DeviceChoice, MaxMinutes
from ganlab.cli.training_display import ConsoleListener, report
from ganlab.errors import UsageError
from ganlab.plugins import load_plugins
from ganlab.recipe import load_recipe
from ganlab.recipe_end import with_end
from ganlab.registry import Registry
from ganlab.spec import make_spec


def command(
    run_dir: Annotated[Path, typer.Argument(help="a run's folder", show_default=False)],
    max_steps: Annotated[int | None, typer.Option(min=1, help="a new end of the run, in steps")] = None,
    epochs: Annotated[float | None, typer.Option(min=0, help="a new end of the run, in epochs")] = None,
    device: DeviceChoice = "auto",
    max_minutes: MaxMinutes = None,
) -> None:
    """Go on with a run from its newest checkpoint to the end that its recipe states."""
    from ganlab.resolve import choose_device
    from ganlab.runs.directory import open_run
    from ganlab.training.session import resume_run

    if max_steps is not None and epochs is not None:
        raise UsageError("--max-steps and --epochs are two ends; give one")
    run = open_run(run_dir)
    plugins = load_plugins()
    recipe = load_recipe(run.recipe)
    has_new_end = max_steps is not None or epochs is not None
    if has_new_end:
        recipe = with_end(recipe, steps=max_steps, epochs=epochs)
    spec, chosen = make_spec(recipe, Registry(plugins)), choose_device(device)
    with ConsoleListener() as listener:
        outcome = resume_run(
            spec,
            plugins,
            run,
            chosen,
            listener,
            command=["ganlab", *sys.argv[1:]],
            has_new_end=has_new_end,
            max_minutes=max_minutes,
        )
    report(outcome, spec)
