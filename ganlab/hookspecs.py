"""The whole plugin contract on one screen: implement any of these with `@ganlab.hookimpl` in a module that the entry
point group `ganlab` names. Each component hook returns a list; importing the module must not import torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pluggy

from ganlab.contracts import Component, RunInfo

if TYPE_CHECKING:
    from pathlib import Path

hookspec = pluggy.HookspecMarker("ganlab")
hookimpl = pluggy.HookimplMarker("ganlab")


@hookspec
def ganlab_datasets() -> list[Component]:
    """Return data sets: `Class(options)` with `sources()` and `read()`; options derive from `DatasetOptions`."""


@hookspec
def ganlab_architectures() -> list[Component]:
    """Return architectures: `Class(options, data)` with `networks()`; options derive from `ArchitectureOptions`."""


@hookspec
def ganlab_losses() -> list[Component]:
    """Return losses: one formula each, one value an image, no mean; `family` is required."""


@hookspec
def ganlab_objectives() -> list[Component]:
    """Return objectives: `Class(**options)` with `step(s)`; options derive from `ObjectiveOptions`."""


@hookspec
def ganlab_evaluators() -> list[Component]:
    """Return evaluators: `score(model, test)` gives named numbers."""


@hookspec
def ganlab_recipes() -> list[Path]:
    """Return recipe files, or folders of recipe files, that the plugin ships."""


# Observers: they may take fewer arguments; one that raises is dropped for the rest of the run; none can change the run.


@hookspec
def ganlab_run_started(run: RunInfo, step: int) -> bool | None:
    """Observe that training starts (`step` 0) or goes on after `step`; return False to hear no more of this run.

    A process that was killed may have told of later steps already: those come again.
    """


@hookspec
def ganlab_logged(run: RunInfo, step: int, row: Mapping[str, float]) -> None:
    """Observe one row of log.csv."""


@hookspec
def ganlab_checkpoint_saved(run: RunInfo, step: int, path: Path) -> None:
    """Observe a checkpoint that is complete on disk."""


@hookspec
def ganlab_scored(run: RunInfo, step: int, scores: Mapping[str, float]) -> None:
    """Observe the scores of a checkpoint."""


@hookspec
def ganlab_run_ended(run: RunInfo, status: str) -> None:
    """Observe the end: "finished", "stopped" or "failed"."""
