"""An exception of a stranger's plugin while a run goes on -> a `PluginError` of a few lines, and the traceback in a file."""

from __future__ import annotations

import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import torch

from ganlab.errors import GanlabError, PluginError
from ganlab.plugins import PluginRecord, Plugins
from ganlab.registry import in_one_line, normalise

TRACEBACK = "traceback.txt"  # in the run's folder


@contextmanager
def blaming(plugins: Plugins, folder: Path | None, when: Callable[[], str]) -> Iterator[None]:
    """Turn what third-party code raises into `PluginError`; faults of built-in plugins and of ganlab stay as they are.

    The full traceback goes to a file in `folder`, or to a temporary one while there is no run yet.
    """
    try:
        yield
    except (GanlabError, MemoryError, torch.OutOfMemoryError):
        raise
    except Exception as error:  # a plugin's code may do anything
        culprit = _culprit(plugins, error)
        if culprit is None:
            raise
        record, place = culprit
        raise PluginError(
            f"plugin {record.name!r} ({record.distribution} {record.version}) failed {when()}: {in_one_line(error)}\n"
            f"  at {place}\n"
            f"{_kept(folder, error)}\n"
            f"Mend or update the plugin; `ganlab plugin check {record.name}` tries it on its own."
        ) from error


def _culprit(plugins: Plugins, error: Exception) -> tuple[PluginRecord, str] | None:
    """Return the plugin whose code is innermost in the traceback, and "file:line in function"; None if it is nobody's."""
    packages = {package: record for record in plugins.records if (package := _package(plugins, record))}
    for frame, line in reversed(list(traceback.walk_tb(error.__traceback__))):
        module = str(frame.f_globals.get("__name__", ""))
        names = module.split(".")
        owner = next((o for n in range(len(names), 0, -1) if (o := packages.get(".".join(names[:n])))), None)
        if owner is not None:
            return owner, f"{frame.f_code.co_filename}:{line} in {frame.f_code.co_name}"
    return None


def _package(plugins: Plugins, record: PluginRecord) -> str | None:
    """Return the package, or the module, that holds a stranger's entry point; None for ours."""
    if record.origin == "built-in":
        return None
    plugin = plugins.manager.get_plugin(f"{record.distribution}:{record.name}")
    if plugin is None:
        return None
    name = plugin.__name__ if isinstance(plugin, ModuleType) else str(getattr(plugin, "__module__", ""))
    top = name.partition(".")[0]
    if normalise(top) == "ganlab" or not name:
        return None
    return _topmost(name)


def _topmost(module: str) -> str:
    """Return the topmost package of `module` that is no namespace, which several distributions may share."""
    names = module.split(".")
    ways = (".".join(names[:depth]) for depth in range(1, len(names) + 1))
    return next((way for way in ways if getattr(sys.modules.get(way), "__file__", None)), module)


def _kept(folder: Path | None, error: Exception) -> str:
    """Write the full traceback; return the line that says where it is, or the traceback itself if no disk takes it."""
    text = "".join(traceback.format_exception(error))
    try:
        if folder is None:
            folder = Path(tempfile.mkdtemp(prefix="ganlab-"))
        (folder / TRACEBACK).write_text(text, encoding="utf-8", errors="backslashreplace")
    except OSError:
        return text.rstrip()
    return f"The full traceback: {folder / TRACEBACK}"
