"""Fixtures for the tests of a plugin; a test module asks for them by `pytest_plugins = ["ganlab.testing.fixtures"]`.

A whole run of a plugin's loss, in a test:

    def test_it_trains(train):
        rows = train("hinge_x", '[objective]\nuse = "ccyclegan"\nadversarial = "hinge_x"')
        assert [row["step"] for row in rows] == [1, 2, 3]
"""

from __future__ import annotations

from itertools import count
from pathlib import Path
from types import ModuleType
from typing import NamedTuple, Protocol

import pytest

from ganlab.contracts import DataSpec, ImageSet
from ganlab.plugins import Plugins
from ganlab.spec import Spec
from ganlab.testing import tiny
from ganlab.testing.small_run import small_spec, train_small
from ganlab.testing.source import plugin_source

Plugin = str | Path | ModuleType  # the name of an installed plugin, its folder with a pyproject.toml, or its module


class TinyImages(NamedTuple):
    """Twelve images of 16 px, and what a recipe knows of them."""

    data: DataSpec
    images: ImageSet  # uint8 [12, C, 16, 16]; classes [12] or attributes 0/1 [12, K]


class PluginsOf(Protocol):
    """Loads plugins: the one under test alone or, with `builtins`, beside ganlab's own."""

    def __call__(self, plugin: Plugin, *, builtins: bool = False) -> Plugins: ...


class SpecOf(Protocol):
    """Makes a spec of a recipe's text, with the plugin under test, ganlab's own and the kit's tiny parts at hand."""

    def __call__(self, plugin: Plugin, text: str, *, steps: int | None = None) -> Spec: ...


class Train(Protocol):
    """Trains a recipe's text for a few steps; returns the rows of the log, each with `step` and the terms."""

    def __call__(self, plugin: Plugin, text: str, *, steps: int | None = None) -> list[dict[str, float]]: ...


@pytest.fixture
def ganlab_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a fresh folder where ganlab keeps its caches for this test, not the user's own."""
    home = tmp_path / "ganlab-home"
    monkeypatch.setenv("GANLAB_HOME", str(home))
    return home


@pytest.fixture
def plugins_of() -> PluginsOf:
    """Return `plugins_of(plugin)`: the plugin under test, loaded alone; `builtins=True`: beside ganlab's own.

    `.records` say what each offers, or why it is broken; `.manager` calls its observers.
    """

    def load(plugin: Plugin, *, builtins: bool = False) -> Plugins:
        source = plugin_source(plugin)
        return source.beside_builtins() if builtins else source.alone()

    return load


@pytest.fixture
def spec_of(ganlab_home: Path) -> SpecOf:
    """Return `spec_of(plugin, text)`: what a recipe means; it need only say what matters, `small_spec` fills in the rest."""

    def make(plugin: Plugin, text: str, *, steps: int | None = None) -> Spec:
        return small_spec(text, plugin_source(plugin).beside_builtins(), steps)

    return make


@pytest.fixture
def train(ganlab_home: Path, tmp_path: Path) -> Train:
    """Return `train(plugin, text, steps=3)`: the rows of the log of a run, made in `tmp_path/run-1`, `run-2`, ..."""
    numbers = count(1)

    def run(plugin: Plugin, text: str, *, steps: int | None = None) -> list[dict[str, float]]:
        plugins = plugin_source(plugin).beside_builtins()
        return train_small(small_spec(text, plugins, steps), plugins, tmp_path / f"run-{next(numbers)}")

    return run


@pytest.fixture
def tiny_labelled() -> TinyImages:
    """Return gray images of three classes."""
    return _tiny(tiny.data_spec("classes"))


@pytest.fixture
def tiny_attributed() -> TinyImages:
    """Return gray images with four attributes."""
    return _tiny(tiny.data_spec("attributes"))


@pytest.fixture
def tiny_unlabelled() -> TinyImages:
    """Return gray images without labels."""
    return _tiny(tiny.data_spec("none"))


@pytest.fixture
def tiny_gray(tiny_labelled: TinyImages) -> TinyImages:
    """Return gray images of three classes."""
    return tiny_labelled


@pytest.fixture
def tiny_colour() -> TinyImages:
    """Return colour images of three classes."""
    return _tiny(tiny.data_spec("classes", channels=3))


def _tiny(data: DataSpec) -> TinyImages:
    return TinyImages(data, tiny.images(data))
