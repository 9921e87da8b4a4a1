"""What happens in a run -> the plugins that observe it; one that raises is dropped with one line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ganlab.contracts import RunInfo
from ganlab.plugins import Plugins
from ganlab.registry import in_one_line


class Observers:
    """Calls each plugin's observing hooks on its own."""

    def __init__(self, plugins: Plugins, run: RunInfo, tell: Callable[[str], None]) -> None:
        self._run, self._tell = run, tell
        self._hooks = {
            name: list(getattr(plugins.manager.hook, name).get_hookimpls())
            for name in (
                "ganlab_run_started",
                "ganlab_logged",
                "ganlab_checkpoint_saved",
                "ganlab_scored",
                "ganlab_run_ended",
            )
        }

    def started(self) -> None:
        """Tell that training starts or goes on."""
        self._call("ganlab_run_started")

    def logged(self, step: int, row: Mapping[str, float]) -> None:
        """Tell one row of the log."""
        self._call("ganlab_logged", step=step, row=row)

    def saved(self, step: int, path: Path) -> None:
        """Tell a complete checkpoint."""
        self._call("ganlab_checkpoint_saved", step=step, path=path)

    def scored(self, step: int, scores: Mapping[str, float]) -> None:
        """Tell the scores of a step."""
        self._call("ganlab_scored", step=step, scores=scores)

    def ended(self, status: str) -> None:
        """Tell the end: "finished", "stopped" or "failed"."""
        self._call("ganlab_run_ended", status=status)

    def _call(self, hook: str, **facts: Any) -> None:
        for implementation in list(self._hooks[hook]):
            given = {"run": self._run, **facts}
            try:
                implementation.function(*(given[name] for name in implementation.argnames))
            except KeyboardInterrupt:
                raise
            except BaseException as error:  # a plugin, however broken, never stops a run
                for implementations in self._hooks.values():
                    implementations[:] = [i for i in implementations if i.plugin is not implementation.plugin]
                self._tell(f"plugin {implementation.plugin_name} no longer observes: {hook}: {in_one_line(error)}")
