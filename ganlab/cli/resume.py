"""`ganlab resume`: go on with a run to the end that its recipe states."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ganlab.cli.choices import DeviceChoice, MaxMinutes
from ganlab.cli.training_display import ConsoleListener, report
from ganlab.errors import UsageError
from ganlab.plugins import load_plugins
from ganlab.recipe import dump_recipe, load_recipe
from ganlab.recipe_end import with_end
from ganlab.registry import Registry
from ganlab.spec import make_spec, resolved


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
    from ganlab.tensors import write_text_atomic
    from ganlab.training.session import check_new_end, resume_run

    if max_steps is not None and epochs is not None:
        raise UsageError("--max-steps and --epochs are two ends; give one")
    run = open_run(run_dir)
    plugins = load_plugins()
    recipe = load_recipe(run.recipe)
    if max_steps is not None or epochs is not None:
        recipe = with_end(recipe, steps=max_steps, epochs=epochs)
    spec = make_spec(recipe, Registry(plugins))
    if max_steps is not None or epochs is not None:
        with run.held():
            check_new_end(run, steps=max_steps, epochs=epochs)
            write_text_atomic(run.recipe, dump_recipe(resolved(spec), recipe.header))
    with ConsoleListener() as listener:
        outcome = resume_run(spec, plugins, run, choose_device(device), listener, max_minutes)
    report(outcome, spec)
