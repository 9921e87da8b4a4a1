"""What the user has switched off -> why each plugin is not imported. Reads names only, never a plugin.

A file of the user's holds what `ganlab plugin disable` was told; the variables GANLAB_PLUGINS and GANLAB_DISABLE hold for
one command and the processes that it starts. A plugin goes by its name, its distribution, or "distribution:name".
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from ganlab.errors import DeviceError, PluginError, UsageError
from ganlab.files import lock, write_text_atomic
from ganlab.home import config_home
from ganlab.registry import did_you_mean, near_names, normalise

ONLY, EXCEPT = "GANLAB_PLUGINS", "GANLAB_DISABLE"  # comma-separated; without the first, every plugin is allowed
SCHEMA = 1  # of the file; counts up when an older ganlab can no longer read it

_WAIT_SECONDS = 10.0  # for another process that changes the file


class Named(Protocol):
    """What is asked of a plugin: what its metadata say."""

    @property
    def name(self) -> str: ...

    @property
    def distribution(self) -> str: ...

    @property
    def origin(self) -> str: ...


AnyNamed = TypeVar("AnyNamed", bound=Named)


@dataclass(frozen=True, kw_only=True)
class Switches:
    """Names of plugins, as they were typed."""

    disabled: tuple[str, ...] = ()  # by `ganlab plugin disable`
    excluded: tuple[str, ...] = ()  # by GANLAB_DISABLE
    only: tuple[str, ...] | None = None  # GANLAB_PLUGINS; None: it is not set

    def reason(self, plugin: Named) -> str:
        """Return by what the plugin is disabled; nothing if it is not."""
        reasons = []
        if is_called(plugin, self.disabled):
            reasons.append("by `ganlab plugin disable`")
        if is_called(plugin, self.excluded):
            reasons.append(f"by {EXCEPT}")
        if self.only is not None and plugin.origin != "built-in" and not is_called(plugin, self.only):
            reasons.append(f"not in {ONLY}" if self.only else f"by --no-plugins or an empty {ONLY}")
        return " and ".join(reasons)

    def check(self, installed: Collection[Named]) -> None:
        """Raise `UsageError` for a name in a variable that no installed plugin has; the file may hold old names."""
        lines = [
            f"{variable}: no installed plugin is called {name!r}{_suggestion(name, installed)}"
            for variable, names in ((ONLY, self.only or ()), (EXCEPT, self.excluded))
            for name in names
            if not any(is_called(plugin, (name,)) for plugin in installed)
        ]
        if lines:
            raise UsageError("\n".join(lines))


def read_switches(environment: Mapping[str, str] = os.environ) -> Switches:
    """Return what holds now; raises `PluginError` if the file is damaged."""
    disabled = read_disabled(switches_file(environment))
    only = environment.get(ONLY)
    return Switches(
        disabled=disabled,
        excluded=_split(environment.get(EXCEPT, "")),
        only=None if only is None else _split(only),
    )


def switches_file(environment: Mapping[str, str] = os.environ) -> Path:
    """Return the file that `ganlab plugin disable` writes; it need not exist."""
    return config_home(environment) / "plugins.json"


def read_disabled(file: Path) -> tuple[str, ...]:
    """Return the names in the file, none if there is no file; raises `PluginError` if it is damaged."""
    try:
        content = json.loads(file.read_bytes())
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise _damaged(file, error.strerror or type(error).__name__) from None
    except (ValueError, RecursionError):  # no JSON, no UTF-8
        raise _damaged(file, "it is not JSON") from None
    names = content.get("disabled") if isinstance(content, dict) else None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise _damaged(file, 'it holds no list "disabled" of names')
    if content.get("schema") != SCHEMA:
        raise _damaged(file, f"its schema is {content.get('schema')!r}, and this ganlab reads {SCHEMA}")
    return tuple(names)


@dataclass(frozen=True, kw_only=True)
class Change:
    """What a change of the file came to."""

    changed: tuple[str, ...] = ()  # names in the file
    unchanged: tuple[str, ...] = ()  # names that were so already
    aside: Path | None = None  # where the file lies now that was damaged


def disable(names: Sequence[str], installed: Collection[AnyNamed], file: Path) -> Change:
    """Add the plugins of these names to the file; raises `PluginError` for a name that no installed plugin has."""
    wanted = [full_name(plugin) for plugin in _find(names, installed)]

    def extended(lines: tuple[str, ...]) -> tuple[str, ...]:
        return (*lines, *(line for line in wanted if line not in lines))

    before, after, aside = _rewritten(file, extended)
    changed = tuple(line for line in after if line not in before)
    return Change(changed=changed, unchanged=tuple(line for line in wanted if line in before), aside=aside)


def enable(names: Sequence[str], installed: Collection[Named], file: Path) -> Change:
    """Take the plugins of these names out of the file, installed or not; without names, all.

    Raises `PluginError` for a name that neither the file nor an installed plugin has.
    """

    def lines_of(name: str, lines: Sequence[str]) -> list[str]:
        plugins = [plugin for plugin in installed if is_called(plugin, (name,))]
        return [line for line in lines if _says(line, name) or any(is_called(plugin, (line,)) for plugin in plugins)]

    def reduced(lines: tuple[str, ...]) -> tuple[str, ...]:
        if not names:
            return ()
        # A name that the file knows may be that of a plugin which was uninstalled since.
        _find([name for name in names if not lines_of(name, lines)], installed, also=lines)
        dropped = {line for name in names for line in lines_of(name, lines)}
        return tuple(line for line in lines if line not in dropped)

    before, after, aside = _rewritten(file, reduced)
    changed = tuple(line for line in before if line not in after)
    return Change(changed=changed, unchanged=tuple(name for name in names if not lines_of(name, before)), aside=aside)


def is_called(plugin: Named, names: Collection[str]) -> bool:
    """Return whether one of `names` means the plugin; upper and lower case, `-` and `_` are one."""
    own = {normalise(plugin.name), normalise(plugin.distribution), normalise(full_name(plugin))}
    return any(normalise(name) in own for name in names)


def full_name(plugin: Named) -> str:
    """Return "distribution:name", which no other plugin has."""
    return f"{plugin.distribution}:{plugin.name}"


def _find(names: Sequence[str], installed: Collection[AnyNamed], also: Sequence[str] = ()) -> list[AnyNamed]:
    """Return the plugins of these names, each once; raises `PluginError` for a name that matches none."""
    lines = [
        f"no plugin is called {name!r}{_suggestion(name, installed, also)}"
        for name in names
        if not any(is_called(plugin, (name,)) for plugin in installed)
    ]
    if lines:
        raise PluginError(
            "\n".join([*lines, "`ganlab env` shows which are disabled, `ganlab list-plugins` what is installed."])
        )
    return [plugin for plugin in installed if is_called(plugin, names)]


def _suggestion(name: str, installed: Collection[Named], also: Sequence[str] = ()) -> str:
    full = ":" in name
    known = {text for p in installed for text in ((full_name(p),) if full else (p.name, p.distribution))}
    known |= {part for line in also for part in ((line,) if full else line.split(":", 1))}
    return did_you_mean(near_names(name, known)) or f"; there are {', '.join(sorted({p.name for p in installed}))}"


def _says(line: str, name: str) -> bool:
    """Return whether a line of the file, "distribution:name" or typed by hand, means `name`."""
    return normalise(name) in {normalise(text) for text in (line, *line.split(":", 1))}


def _split(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _damaged(file: Path, reason: str) -> PluginError:
    is_ours = os.path.isdir(file.parent) and os.access(file.parent, os.W_OK)  # noqa: PTH112  # Path.is_dir may raise
    way_on = "`ganlab plugin enable --all` mends it" if is_ours else "Mend that, or name another folder in GANLAB_HOME"
    return PluginError(f"{file}: which plugins are disabled cannot be read: {reason}. {way_on}.")


def _rewritten(
    file: Path, change: Callable[[tuple[str, ...]], tuple[str, ...]]
) -> tuple[tuple[str, ...], tuple[str, ...], Path | None]:
    """Change the names in the file; return those before, those after, and where a damaged file was put aside."""
    with _held(file):
        aside = None
        try:
            before = read_disabled(file)
        except PluginError:
            before, aside = (), file.with_suffix(".damaged")
        after = change(before)
        if aside is not None:
            _put_aside(file, aside)
        if after != before:
            write_text_atomic(file, json.dumps({"schema": SCHEMA, "disabled": after}, indent=2) + "\n")
        return before, after, aside


def _put_aside(file: Path, aside: Path) -> None:
    try:
        file.replace(aside)
    except OSError as error:
        raise DeviceError(f"{file}: damaged, and cannot be put aside: {error.strerror}; delete it") from None


@contextmanager
def _held(file: Path) -> Iterator[None]:
    """Keep other processes from changing the file meanwhile; a reader needs no lock, since the file is replaced whole."""
    end = time.monotonic() + _WAIT_SECONDS
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        stream = file.with_suffix(".lock").open("a+")
    except OSError as error:
        reason = f"{file}: cannot be written: {error.strerror}"
        raise DeviceError(f"{reason}; name a folder that can in GANLAB_HOME, or use {EXCEPT}=NAME") from None
    with stream:
        while not lock(stream.fileno()):
            if time.monotonic() > end:
                raise DeviceError(f"{file}: another process has been changing it for {_WAIT_SECONDS:.0f} seconds")
            time.sleep(0.02)
        yield
