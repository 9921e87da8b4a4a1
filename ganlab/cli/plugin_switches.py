"""`ganlab plugin disable` and `ganlab plugin enable`: what is imported from now on. Neither imports a plugin."""

from __future__ import annotations

from typing import Annotated

import typer

from ganlab.cli.console import progress, result
from ganlab.errors import UsageError
from ganlab.plugin_switches import Change, disable, enable, full_name, is_called, read_switches, switches_file
from ganlab.plugins import installed_plugins


def disable_command(
    names: Annotated[
        list[str], typer.Argument(metavar="NAME", help="a plugin, its distribution, or distribution:plugin", show_default=False)
    ],
) -> None:
    """Import a plugin no more, in every later command, until `ganlab plugin enable`.

    For one command: GANLAB_DISABLE=NAME, GANLAB_PLUGINS=NAME (of the plugins of third parties only these), --no-plugins.
    """
    change = disable(names, installed_plugins(), switches_file())
    _tell_aside(change)
    for line in change.changed:
        result(f"disabled {line}")
    for line in change.unchanged:
        result(f"{line} is disabled already")


def enable_command(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME", help="a plugin, its distribution, or distribution:plugin", show_default=False),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="enable every plugin; mends a damaged file of switches")] = False,
) -> None:
    """Take back `ganlab plugin disable`; the plugin need not be installed any more."""
    if bool(names) == everything:
        raise UsageError("name the plugins to enable, or give --all")
    installed = installed_plugins()
    change = enable(names or (), installed, switches_file())
    _tell_aside(change)
    for line in change.changed:
        result(f"enabled {line}")
    for name in change.unchanged:
        result(f"{name} is not disabled by `ganlab plugin disable`")
    if everything and not change.changed:
        result("no plugin is disabled by `ganlab plugin disable`")
    switches = read_switches()
    for plugin in installed:
        reason = switches.reason(plugin)
        if reason and (everything or is_called(plugin, names or ())):
            progress(f"{full_name(plugin)} stays disabled here {reason}")


def _tell_aside(change: Change) -> None:
    if change.aside:
        progress(f"{switches_file()} was damaged and is now {change.aside.name}; whatever it disabled is enabled")
