"""Turns the entry points of group "ganlab" into plugins; a broken one is quarantined and reported, never fatal."""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Any, Literal, Protocol

import pluggy

from ganlab import hookspecs
from ganlab.contracts import FAMILIES, Component
from ganlab.registry import Registered, clashes, did_you_mean, in_one_line, near_names, normalise, with_article

GROUP = "ganlab"
BUILTIN_DISTRIBUTION = "ganlab"
HOOK_OF_KIND = {
    "dataset": "ganlab_datasets",
    "architecture": "ganlab_architectures",
    "loss": "ganlab_losses",
    "objective": "ganlab_objectives",
    "evaluator": "ganlab_evaluators",
}
HOOKS = tuple(name for name in vars(hookspecs) if name.startswith("ganlab_"))

Stage = Literal["import", "register", "unknown hook", "wrong argument", "bad component", "hook raises", "clash"]


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
    fault: Fault | None = None

    @property
    def status(self) -> str:
        """Return "ready", or the stage at which the plugin failed."""
        return self.fault.stage if self.fault else "ready"

    @property
    def is_quarantined(self) -> bool:
        """Return whether nothing of it can be used; after a clash the rest still can."""
        return self.fault is not None and self.fault.stage != "clash"


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
    """Import, register and ask every plugin; `None` takes all that are installed."""
    manager = pluggy.PluginManager("ganlab")
    manager.add_hookspecs(hookspecs)
    found: dict[tuple[bool, str, str], tuple[PluginRecord, EntryPointLike]] = {}
    for entry_point in metadata.entry_points(group=GROUP) if entry_points is None else entry_points:
        record = _record(entry_point)
        # One distribution may be found twice, as when an editable install lies beside a wheel: the first counts.
        key = (record.origin != "built-in", normalise(record.distribution), record.name)
        found.setdefault(key, (record, entry_point))

    records, recipes = [], []
    for _, (record, entry_point) in sorted(found.items(), key=lambda item: item[0]):
        record, paths = _examined(record, entry_point, manager)
        records.append(record)
        recipes += paths
    return Plugins(records=_with_clashes(records), manager=manager, recipes=tuple(recipes))


class _Refused(Exception):
    """Carries a fault that our own checks found."""

    def __init__(self, stage: Stage, line: str) -> None:
        super().__init__(line)
        self.stage: Stage = stage


def is_builtin(entry_point: EntryPointLike) -> bool:
    """Return whether a plugin came with ganlab itself."""
    try:
        return normalise(entry_point.dist.name) == BUILTIN_DISTRIBUTION
    except Exception:  # no distribution, or damaged metadata
        return False


def _record(entry_point: EntryPointLike) -> PluginRecord:
    try:
        distribution, version = entry_point.dist.name or "unknown", entry_point.dist.version or "unknown"
    except Exception:  # no distribution, or damaged metadata
        distribution, version = "unknown", "unknown"
    origin: Literal["built-in", "third party"] = "built-in" if is_builtin(entry_point) else "third party"
    return PluginRecord(name=entry_point.name, distribution=distribution, version=version, origin=origin)


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
            stage = "register"
            manager.register(plugin, name=key)
            _check_hooks(plugin, manager)
            stage = "hook raises"
            offers = _offers(plugin, manager)
            stage = "bad component"
            return replace(record, components=_components(record, offers)), _recipe_files(offers)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a plugin's code may do anything, sys.exit too
            if manager.has_plugin(key):
                manager.unregister(name=key)
            return replace(record, fault=_fault(stage, error)), []


def _fault(stage: Stage, error: BaseException) -> Fault:
    if isinstance(error, _Refused):
        return Fault(stage=error.stage, error="", line=str(error))
    import traceback

    line = in_one_line(error)
    if isinstance(error, pluggy.PluginValidationError):  # "Plugin 'x' for hook 'y'", lines of detail, the reason
        stage = "wrong argument"
        hook = re.search(r"for hook '(\w+)'", str(error))
        line = f"{hook.group(1) if hook else 'hook'}: {str(error).strip().splitlines()[-1]}"
    text = "".join(traceback.format_exception(error))
    return Fault(stage=stage, error=type(error).__name__, line=line, traceback=text)


def _check_hooks(plugin: object, manager: pluggy.PluginManager) -> None:
    """Refuse hooks that would silently never be called."""
    callers = manager.get_hookcallers(plugin) or []
    for caller in callers:
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


def _offers(plugin: object, manager: pluggy.PluginManager) -> dict[str, object]:
    """Return what each hook of this plugin returned; called apart, since one that raises loses the results of all."""
    offers: dict[str, object] = {}
    for hook in (*HOOK_OF_KIND.values(), "ganlab_recipes"):
        for implementation in getattr(manager.hook, hook).get_hookimpls():
            if implementation.plugin is plugin:
                offers[hook] = implementation.function()
    return offers


def _components(record: PluginRecord, offers: Mapping[str, object]) -> tuple[Registered, ...]:
    components: dict[tuple[str, str], Registered] = {}
    for kind, hook in HOOK_OF_KIND.items():
        for component in _list(hook, offers.get(hook, [])):
            reason = _wrong_component(kind, component)
            if reason:
                raise _Refused("bad component", f"{hook}: {reason}")
            if (kind, normalise(component.name)) in components:
                raise _Refused("bad component", f"{hook}: two components are called {component.name!r}")
            components[kind, normalise(component.name)] = Registered(
                kind=kind,
                component=component,
                plugin=record.name,
                distribution=record.distribution,
                distribution_version=record.version,
                is_builtin=record.origin == "built-in",
            )
    return tuple(components.values())


def _list(hook: str, offered: object) -> list[Any]:
    if not isinstance(offered, list | tuple):
        raise _Refused("bad component", f"{hook}: returned {_what(offered)}, not a list")
    return list(offered)


def _wrong_component(kind: str, component: object) -> str | None:
    """Return why `component` cannot be used; None if it can."""
    if not isinstance(component, Component):
        return f"the list holds {_what(component)}, not a Component"
    name, target, options = component.name, component.target, component.options
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", name):
        return f"the name {name!r} is not made of letters, digits, `_`, `-` and `.`"
    if not (_is_place(target) if isinstance(target, str) else callable(target)):
        return f'{name!r}: the target {target!r} is neither callable nor "package.module:Name"'
    if not (options is None or (_is_place(options) if isinstance(options, str) else isinstance(options, type))):
        return f'{name!r}: the options {options!r} are neither a class nor "package.module:Name"'
    if options is None and kind in ("dataset", "architecture", "objective"):
        return f"{name!r}: {with_article(kind)} must have options"
    if kind == "loss" and component.family not in FAMILIES:
        given = f"not {component.family!r}" if component.family is not None else "none is given"
        return f"{name!r}: the family of a loss is one of {', '.join(FAMILIES)}; {given}"
    if not isinstance(component.version, int) or isinstance(component.version, bool) or component.version < 1:
        return f"{name!r}: the version {component.version!r} is not a whole number from 1"
    if not isinstance(component.summary, str) or not isinstance(component.paper, str):
        return f"{name!r}: summary and paper must be text"
    return None


def _is_place(text: str) -> bool:
    module, colon, attribute = text.partition(":")
    return bool(colon) and all(part.isidentifier() for part in f"{module}.{attribute}".split("."))


def _recipe_files(offers: Mapping[str, object]) -> list[Path]:
    files: list[Path] = []
    for offered in _list("ganlab_recipes", offers.get("ganlab_recipes", [])):
        if not isinstance(offered, str | os.PathLike):
            raise _Refused("bad component", f"ganlab_recipes: the list holds {_what(offered)}, not a path")
        path = Path(offered)
        if not path.exists():
            raise _Refused("bad component", f"ganlab_recipes: there is no {path}")
        files += sorted(path.glob("*.toml")) if path.is_dir() else [path]
    return files


def _what(value: object) -> str:
    return "None" if value is None else with_article(type(value).__name__)


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
