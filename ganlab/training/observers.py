"""What happens in a run -> the plugins that observe it; one that raises is dropped with one line."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch

from ganlab.contracts import RunInfo
from ganlab.plugins import OBSERVERS, Plugins
from ganlab.registry import in_one_line
from ganlab.training.random_state import kept_random_state


class Observers:
    """Calls each plugin's observing hooks on its own; what nobody observes costs nothing.

    No observer changes the run: tables are handed over read-only, the random state is kept, what is printed goes to
    standard error.
    """

    def __init__(self, plugins: Plugins, run: Callable[[], RunInfo], device: torch.device, tell: Callable[[str], None]) -> None:
        hooks = {name: list(getattr(plugins.manager.hook, name).get_hookimpls()) for name in OBSERVERS}
        self._hooks = {name: implementations for name, implementations in hooks.items() if implementations}
        self._run = run() if self._hooks else None
        self._device, self._tell = device, tell

    def started(self, step: int) -> None:
        """Tell that training starts, or goes on after `step`."""
        if "ganlab_run_started" in self._hooks:
            self._call("ganlab_run_started", step=step)

    def logged(self, step: int, row: Mapping[str, float]) -> None:
        """Tell one row of the log."""
        if "ganlab_logged" in self._hooks:
            self._call("ganlab_logged", step=step, row=MappingProxyType(row))

    def saved(self, step: int, path: Path) -> None:
        """Tell a complete checkpoint."""
        if "ganlab_checkpoint_saved" in self._hooks:
            self._call("ganlab_checkpoint_saved", step=step, path=path)

    def scored(self, step: int, scores: Mapping[str, float]) -> None:
        """Tell the scores of a step."""
        if "ganlab_scored" in self._hooks:
            self._call("ganlab_scored", step=step, scores=MappingProxyType(scores))

    def ended(self, status: str) -> None:
        """Tell the end: "finished", "stopped" or "failed"."""
        if "ganlab_run_ended" in self._hooks:
            self._call("ganlab_run_ended", status=status)

    def _call(self, hook: str, **facts: Any) -> None:
        given = {"run": self._run, **facts}
        for implementation in self._hooks[hook]:
            # Standard output is for results; a live display takes what goes to standard error and draws around it.
            with kept_random_state(self._device), contextlib.redirect_stdout(sys.stderr):
                try:
                    answer = implementation.function(*(given[name] for name in implementation.argnames))
                except KeyboardInterrupt:
                    raise
                except BaseException as error:  # a plugin, however broken, never stops a run
                    self._drop(implementation.plugin)
                    self._tell(f"plugin {implementation.plugin_name} no longer observes: {hook}: {in_one_line(error)}")
                    continue
            if hook == "ganlab_run_started" and answer is False:
                self._drop(implementation.plugin)

    def _drop(self, plugin: object) -> None:
        kept = {name: [i for i in implementations if i.plugin is not plugin] for name, implementations in self._hooks.items()}
        self._hooks = {name: implementations for name, implementations in kept.items() if implementations}
