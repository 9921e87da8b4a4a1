"""The name of an installed plugin, its folder or its module -> the plugin alone, beside the built-in ones."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from importlib import import_module, metadata
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

from ganlab.errors import PluginError
from ganlab.plugins import BUILTIN_DISTRIBUTION, GROUP, EntryPointLike, PluginRecord, Plugins, is_builtin, load_plugins
from ganlab.recipe_text import parse_toml
from ganlab.registry import did_you_mean, near_names, normalise

KIT = "ganlab-testing"  # the distribution of what the kit itself brings


@dataclass(frozen=True, kw_only=True)
class PluginSource:
    """What is under test, as entry points; `search` are the folders that must be on `sys.path` to import it."""

    entry_points: tuple[EntryPointLike, ...]
    search: tuple[str, ...] = ()
    module: str = ""  # what the entry point names: "ganlab_hinge_x"

    def loaded(self) -> Iterator[tuple[PluginRecord, Plugins]]:
        """Yield each plugin under test as it was loaded, and all plugins beside it: the built-ins and itself."""
        for point in self.entry_points:
            plugins = replace(self, entry_points=(point,)).beside_builtins()
            name = str(getattr(point.dist, "name", None) or "unknown")
            yield next(r for r in plugins.records if (r.name, r.distribution) == (point.name, name)), plugins

    def beside_builtins(self) -> Plugins:
        """Return what is under test and ganlab's own plugins, loaded."""
        under_test = {point.name for point in self.entry_points if is_builtin(point)}
        built_in = metadata.distribution(BUILTIN_DISTRIBUTION).entry_points.select(group=GROUP)
        own = [point for point in built_in if point.name not in under_test]
        return replace(self, entry_points=(*own, *self.entry_points)).alone()

    def alone(self) -> Plugins:
        """Return what is under test, loaded."""
        sys.path[:0] = [folder for folder in self.search if folder not in sys.path]
        return load_plugins(self.entry_points)

    def of(self, record: PluginRecord) -> PluginSource:
        """Return this source with the module of one of its plugins."""
        point: Any = next(point for point in self.entry_points if point.name == record.name)
        return replace(self, module=str(point.value).partition(":")[0])


@dataclass(frozen=True)
class ModuleEntryPoint:
    """An entry point that nobody installed: of a folder under test, or of a module at hand."""

    name: str
    value: str
    dist: Any
    module: ModuleType | None = None

    def load(self) -> Any:
        """Return the module, imported now unless it is at hand."""
        if self.module is not None:
            return self.module
        return metadata.EntryPoint(self.name, self.value, GROUP).load()


def with_the_kits_own(plugins: Plugins) -> Plugins:
    """Return the plugins and what the kit brings, tiny images and stand-in networks; no name of theirs is lost to it."""
    own = load_plugins(of_module(import_module(f"ganlab.testing.{name}"), KIT) for name in ("tiny", "stand_in"))
    return replace(plugins, records=(*plugins.records, *own.records))


def of_module(module: ModuleType, distribution: str) -> ModuleEntryPoint:
    """Return the entry point of a module at hand, as if that distribution had installed it."""
    dist = SimpleNamespace(name=distribution, version="0")
    return ModuleEntryPoint(module.__name__.rpartition(".")[2], module.__name__, dist, module)


def plugin_source(plugin: str | Path | ModuleType) -> PluginSource:
    """Return what is under test; raises `PluginError` if there is no such plugin."""
    if isinstance(plugin, ModuleType):
        return PluginSource(entry_points=(of_module(plugin, "under-test"),))
    if isinstance(plugin, Path) or "/" in plugin or plugin in (".", ".."):
        return _in_folder(Path(plugin))
    installed = list(metadata.entry_points(group=GROUP))
    found = [point for point in installed if normalise(plugin) in (normalise(point.name), _distribution(point))]
    if not found:
        if Path(plugin).is_dir():
            return _in_folder(Path(plugin))
        near = did_you_mean(near_names(plugin, {point.name for point in installed}))
        raise PluginError(f"no plugin is called {plugin!r}{near}\n`ganlab list-plugins` shows what is installed.")
    return PluginSource(entry_points=tuple(found))


def _in_folder(folder: Path) -> PluginSource:
    file = folder / "pyproject.toml"
    try:
        project = parse_toml(file.read_text(encoding="utf-8"), file).get("project", {})
    except OSError as error:
        raise PluginError(f"{file}: {error.strerror}; a plugin's folder holds its pyproject.toml") from None
    named: dict[str, str] = project.get("entry-points", {}).get(GROUP, {})
    if not named:
        raise PluginError(f"{file}: names no plugin; add the section [project.entry-points.{GROUP}] with NAME = MODULE")
    dist = SimpleNamespace(name=project.get("name", "unknown"), version=str(project.get("version", "0")))
    places: Sequence[Path] = [place for place in (folder / "src", folder) if place.is_dir()]
    return PluginSource(
        entry_points=tuple(ModuleEntryPoint(name, value, dist) for name, value in named.items()),
        search=tuple(str(place.absolute()) for place in places),
    )


def _distribution(point: metadata.EntryPoint) -> str:
    name = getattr(point.dist, "name", None)
    return normalise(str(name)) if name else ""
