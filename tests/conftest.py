"""Fakes for every test: plugins in ten lines, installed as pip would, and the command line in a process of its own."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest


@pytest.fixture(autouse=True, scope="session")
def _no_switches(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let no plugin be disabled by what the user of this machine has chosen."""
    with pytest.MonkeyPatch.context() as patch:
        for variable in ("GANLAB_PLUGINS", "GANLAB_DISABLE"):
            patch.delenv(variable, raising=False)
        for variable in ("XDG_CONFIG_HOME", "APPDATA"):
            patch.setenv(variable, str(tmp_path_factory.mktemp("settings")))
        yield


@dataclass
class FakeEntryPoint:
    """An entry point whose `load` returns the plugin at hand, or calls what stands for importing it."""

    name: str
    plugin: Any
    dist: Any
    is_called: bool

    def load(self) -> Any:
        """Return the plugin."""
        return self.plugin() if self.is_called else self.plugin


@pytest.fixture
def entry_point() -> Callable[..., FakeEntryPoint]:
    """Return `entry_point(name, plugin)`: a plugin that is an object, of the distribution `dist`."""

    def make(
        name: str, plugin: Any = None, *, load: Callable[[], Any] | None = None, dist: str = "stranger", version: str = "1.0"
    ) -> FakeEntryPoint:
        return FakeEntryPoint(name, load or plugin, SimpleNamespace(name=dist, version=version), load is not None)

    return make


@dataclass
class PluginSite:
    """A folder of installed plugins that is on `sys.path`; call it to install one."""

    folder: Path
    modules: list[str] = field(default_factory=list)

    def __call__(self, name: str, source: str, *, dist: str | None = None, version: str = "1.0") -> Path:
        """Write a distribution whose entry point `name` is a module of that `source`; return the module's file."""
        module = f"installed_{name}"
        self.modules.append(module)
        dist = dist or f"ganlab-{name}".replace("_", "-")
        file = self.folder / f"{module}.py"
        file.write_text(textwrap.dedent(source))
        info = self.folder / f"{dist.replace('-', '_')}-{version}.dist-info"
        info.mkdir(exist_ok=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {dist}\nVersion: {version}\n")
        points = info / "entry_points.txt"
        points.write_text((points.read_text() if points.exists() else "[ganlab]\n") + f"{name} = {module}\n")
        importlib.invalidate_caches()
        return file


@pytest.fixture
def installed_plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PluginSite]:
    """Return `installed_plugin(name, source, dist=...)`, seen by this process and by `run_ganlab`."""
    site = PluginSite(tmp_path / "site-packages")
    site.folder.mkdir()
    monkeypatch.syspath_prepend(site.folder)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(site.folder), *filter(None, [os.environ.get("PYTHONPATH")])]))
    yield site
    for module in site.modules:
        sys.modules.pop(module, None)


@pytest.fixture
def run_ganlab() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return `run_ganlab("list-plugins", ...)`: the command in a new process, its output as text."""

    def run(*arguments: str, cwd: Path | None = None, check: bool = False) -> subprocess.CompletedProcess[str]:
        command: Sequence[str] = [sys.executable, "-m", "ganlab", *arguments]
        return subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=check, timeout=120)

    return run
