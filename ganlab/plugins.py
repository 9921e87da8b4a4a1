"""Turns the entry points of group "ganlab" into plugins; a broken one is quarantined and reported, never fatal."""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Any, Literal, Protocol

import pluggy

from ganlab import hookspecs
from ganlab.contracts import API_VERSION
from ganlab.plugin_offers import BadComponent, ask, offered_components, offered_recipes
from ganlab.plugin_switches import Switches, read_switches
from ganlab.registry import Registered, clashes, did_you_mean, in_one_line, near_names, normalise

GROUP = "ganlab"
BUILTIN_DISTRIBUTION = "ganlab"
OBSERVERS = ("ganlab_run_started", "ganlab_logged", "ganlab_checkpoint_saved", "ganlab_scored", "ganlab_run_ended")
HOOKS = tuple(name for name in vars(hookspecs) if name.startswith("ganlab_"))

Stage = Literal[
    "disabled",
    "import",
    "other contract",
    "register",
    "unknown hook",
    "wrong argument",
    "hook raises",
    "bad component",
    "clash",
]


@dataclass(frozen=True, kw_only=True)
class Fault:
    """Why a plugin, or one of its components, cannot be used."""

    stage: Stage
    error: str  # the exception's type
    line: str  # for a table: one line
    traceback: str = ""  # for a bug report; empty where our own check found the fault


@dataclass(frozen=True, kw_only=True)
class PluginRecord:
    """One installed plugin: what it offers, or why not."""

    name: str  # of the entry point
    distribution: str
    version: str  # of the distribution
    origin: Literal["built-in", "third party"]
    components: tuple[Registered, ...] = ()
    observes: bool = False  # runs, by hooks that return nothing
    fault: Fault | None = None

    @property
    def status(self) -> str:
        """Return "ready", or the stage at which the plugin failed."""
        return self.fault.stage if self.fault else "ready"

    @property
    def is_disabled(self) -> bool:
        """Return whether a switch keeps it from being imported."""
        return self.fault is not None and self.fault.stage == "disabled"

    @property
    def is_quarantined(self) -> bool:
        """Return whether it is broken, so that nothing of it can be used; after a clash the rest still can."""
        return self.fault is not None and self.fault.stage not in ("disabled", "clash")


@dataclass(frozen=True, kw_only=True)
class Plugins:
    """All plugins, built-ins first, then by distribution and name."""

    records: tuple[PluginRecord, ...]
    manager: pluggy.PluginManager  # holds those that are not quarantined; calls the observers
    recipes: tuple[Path, ...]  # recipe files that plugins ship


class EntryPointLike(Protocol):
    """What is needed of an `importlib.metadata.EntryPoint`."""

    @property
    def name(self) -> str: ...

    @property
    def dist(self) -> Any: ...

    def load(self) -> Any: ...


def load_plugins(entry_points: Iterable[EntryPointLike] | None = None) -> Plugins:
    """Import, register and ask every plugin; `None` takes all that are installed and not disabled.

    Raises `UsageError` for a switch that names no plugin, `PluginError` if the file of switches is damaged; a plugin,
    however broken, raises nothing.
    """
    switches = read_switches() if entry_points is None else Switches()
    manager = pluggy.PluginManager("ganlab")
    manager.add_hookspecs(hookspecs)
    found = _found(metadata.entry_points(group=GROUP) if entry_points is None else entry_points)
    switches.check([record for record, _ in found])

    records, recipes = [], []
    for record, entry_point in found:
        if reason := switches.reason(record):
            records.append(replace(record, fault=Fault(stage="disabled", error="", line=reason)))
            continue
        examined, paths = _examined(record, entry_point, manager)
        records.append(examined)
        recipes += paths
    return Plugins(records=_with_clashes(records), manager=manager, recipes=tuple(recipes))


def installed_plugins() -> list[PluginRecord]:
    """Return what the metadata say of each installed plugin, in the order of `Plugins`; imports none."""
    return [record for record, _ in _found(metadata.entry_points(group=GROUP))]


def _found(entry_points: Iterable[EntryPointLike]) -> list[tuple[PluginRecord, EntryPointLike]]:
    """Return each plugin once, built-ins first, then by distribution and name."""
    found: dict[tuple[bool, str, str], tuple[PluginRecord, EntryPointLike]] = {}
    # Each question parses the metadata of a distribution anew, and one may have many plugins. The distribution itself is
    # kept too, or another could have its id.
    told: dict[int, tuple[Any, tuple[str, str]]] = {}
    for entry_point in entry_points:
        dist = entry_point.dist
        if id(dist) not in told:
            told[id(dist)] = (dist, _name_and_version(dist))
        distribution, version = told[id(dist)][1]
        record = PluginRecord(name=entry_point.name, distribution=distribution, version=version, origin=_origin(distribution))
        # One distribution may be found twice, as when an editable install lies beside a wheel: the first counts.
        key = (record.origin != "built-in", normalise(record.distribution), record.name)
        found.setdefault(key, (record, entry_point))
    return [found[key] for key in sorted(found)]


class _Refused(Exception):
    """Carries a fault that our own checks found."""

    def __init__(self, stage: Stage, line: str) -> None:
        super().__init__(line)
        self.stage: Stage = stage


def is_builtin(entry_point: EntryPointLike) -> bool:
    """Return whether a plugin came with ganlab itself."""
    return _origin(_name_and_version(entry_point.dist)[0]) == "built-in"


def _origin(distribution: str) -> Literal["built-in", "third party"]:
    return "built-in" if normalise(distribution) == BUILTIN_DISTRIBUTION else "third party"


def _name_and_version(distribution: Any) -> tuple[str, str]:
    try:
        return distribution.name or "unknown", distribution.version or "unknown"
    except Exception:  # no distribution, or damaged metadata
        return "unknown", "unknown"


def _examined(
    record: PluginRecord, entry_point: EntryPointLike, manager: pluggy.PluginManager
) -> tuple[PluginRecord, list[Path]]:
    """Return the record with its components or its fault, and the plugin's recipes."""
    key = f"{record.distribution}:{record.name}"
    stage: Stage = "import"
    # What a plugin prints while it is asked must not mix with the result of a command.
    with contextlib.redirect_stdout(sys.stderr):
        try:
            plugin = entry_point.load()
            stage = "other contract"
            _check_contract(plugin, record)
            stage = "register"
            manager.register(plugin, name=key)
            _check_hooks(plugin, manager)
            stage = "hook raises"
            offers = ask(plugin, manager)
            stage = "bad component"
            components = tuple(
                Registered(
                    kind=kind,
                    component=component,
                    plugin=record.name,
                    distribution=record.distribution,
                    distribution_version=record.version,
                    is_builtin=record.origin == "built-in",
                )
                for kind, component in offered_components(offers)
            )
            observes = any(caller.name in OBSERVERS for caller in manager.get_hookcallers(plugin) or ())
            return replace(record, components=components, observes=observes), offered_recipes(offers)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a plugin's code may do anything, sys.exit too
            if manager.has_plugin(key):
                manager.unregister(name=key)
            return replace(record, fault=_fault(stage, error)), []


def _fault(stage: Stage, error: BaseException) -> Fault:
    if isinstance(error, _Refused):
        return Fault(stage=error.stage, error="", line=str(error))
    if isinstance(error, BadComponent):
        return Fault(stage="bad component", error="", line=str(error))
    import traceback

    line = in_one_line(error)
    if isinstance(error, pluggy.PluginValidationError):  # "Plugin 'x' for hook 'y'", lines of detail, the reason
        stage = "wrong argument"
        hook = re.search(r"for hook '(\w+)'", str(error))
        line = f"{hook.group(1) if hook else 'hook'}: {str(error).strip().splitlines()[-1]}"
    text = "".join(traceback.format_exception(error))
    return Fault(stage=stage, error=type(error).__name__, line=line, traceback=text)


def _check_contract(plugin: object, record: PluginRecord) -> None:
    """Refuse a plugin that says it was written for another contract than ours."""
    number = getattr(plugin, "GANLAB_API", API_VERSION)
    if not isinstance(number, int) or isinstance(number, bool):
        raise _Refused("other contract", f"GANLAB_API is {number!r}, not a whole number such as {API_VERSION}")
    if number != API_VERSION:
        stale = "ganlab" if number > API_VERSION else record.distribution
        raise _Refused(
            "other contract",
            f"it is written for contract {number}, this ganlab has {API_VERSION}; `pip install --upgrade {stale}`",
        )


def _check_hooks(plugin: object, manager: pluggy.PluginManager) -> None:
    """Refuse hooks that would silently never be called."""
    callers = manager.get_hookcallers(plugin) or []
    for caller in callers:
        if any(impl.wrapper or impl.hookwrapper for impl in caller.get_hookimpls() if impl.plugin is plugin):
            raise _Refused("register", f"{caller.name} is a wrapper, and ganlab calls none; take @ganlab.hookimpl alone")
        # The question of pluggy's check_pending, asked of this plugin alone, so that a near name can be told.
        optional = all(impl.optionalhook for impl in caller.get_hookimpls() if impl.plugin is plugin)
        if not caller.has_spec() and not optional:
            near = did_you_mean(near_names(caller.name, HOOKS))
            raise _Refused("unknown hook", f"no hook is called {caller.name!r}{near}")
    implemented = {caller.name for caller in callers}
    bare = [name for name in HOOKS if name not in implemented and callable(getattr(plugin, name, None))]
    if bare:
        raise _Refused("register", f"{bare[0]} lacks the decorator @ganlab.hookimpl")
    if not callers:
        raise _Refused("register", "it offers nothing: no function has the decorator @ganlab.hookimpl")


def _with_clashes(records: list[PluginRecord]) -> tuple[PluginRecord, ...]:
    """Return the records, those with a component that lost its short name marked; the rest of them stays usable."""
    lost = clashes(component for record in records for component in record.components)
    marked = []
    for record in records:
        lines = [
            f"the {mine.kind} {mine.name!r} is also offered by {_owners(rivals)}; a recipe must say {mine.full_name!r}"
            for mine, rivals in lost.items()
            if mine in record.components
        ]
        more = f" (and {len(lines) - 1} more)" if len(lines) > 1 else ""
        fault = Fault(stage="clash", error="", line=lines[0] + more) if lines else record.fault
        marked.append(replace(record, fault=fault))
    return tuple(marked)


def _owners(rivals: Iterable[Registered]) -> str:
    return " and ".join("ganlab itself" if c.is_builtin else f"{c.plugin} ({c.distribution})" for c in rivals)
