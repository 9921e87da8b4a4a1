"""A registry that holds the shared losses and the tiny plugin, and recipes for it."""

import importlib.util
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import ganlab_losses
import pytest
import torch

from ganlab.plugins import Plugins, load_plugins
from ganlab.recipe import parse_recipe
from ganlab.registry import Registry
from ganlab.spec import Spec, make_spec

RECIPE = """
# Tiny: a generator of gray squares.
[dataset]
use = "tiny"
[architecture]
use = "tiny"
[objective]
use = "tiny"
[optimizer]
learning_rate = 1e-2
[training]
steps = 20
batch_images = 4
log_every_steps = 4
checkpoint_every_steps = 5
averaging_decay = 0.9
"""


@dataclass(frozen=True)
class FakeEntryPoint:
    """An entry point of the distribution "ganlab" whose plugin is at hand."""

    name: str
    module: ModuleType

    @property
    def dist(self) -> Any:
        return SimpleNamespace(name="ganlab", version="0", metadata={"Name": "ganlab", "Version": "0"})

    @property
    def value(self) -> str:
        return self.module.__name__

    def load(self) -> ModuleType:
        return self.module


@pytest.fixture(scope="session")
def tiny() -> ModuleType:
    spec = importlib.util.spec_from_file_location("ganlab_test_tiny", Path(__file__).with_name("tiny.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def plugins(tiny: ModuleType) -> Plugins:
    return load_plugins([FakeEntryPoint("losses", ganlab_losses), FakeEntryPoint("tiny", tiny)])


@pytest.fixture
def plugins_with(tiny: ModuleType) -> Callable[[ModuleType], Plugins]:
    """Load the usual plugins and one more."""
    usual = [FakeEntryPoint("losses", ganlab_losses), FakeEntryPoint("tiny", tiny)]
    return lambda module: load_plugins([*usual, FakeEntryPoint(module.__name__, module)])


@pytest.fixture(scope="session")
def registry(plugins: Plugins) -> Registry:
    return Registry(plugins)


@pytest.fixture
def spec_of(registry: Registry) -> Callable[..., Spec]:
    """Make a spec of a recipe's text with replacements."""

    def make(replacements: Mapping[str, str] | None = None, text: str = RECIPE) -> Spec:
        for old, new in (replacements or {}).items():
            assert old in text
            text = text.replace(old, new)
        return make_spec(parse_recipe(text, Path("tiny.toml")), registry)

    return make


@pytest.fixture
def recipe_text() -> str:
    return RECIPE


class Quiet:
    """A listener that remembers what it was told."""

    def __init__(self) -> None:
        self.rows: list[Mapping[str, float]] = []
        self.notes: list[str] = []

    def opened(self, *facts: object) -> None: ...
    def stepped(self, *facts: object) -> None: ...
    def reading(self, *facts: object) -> None: ...

    def note(self, text: str) -> None:
        self.notes.append(text)

    def logged(self, step: int, row: Mapping[str, float]) -> None:
        self.rows.append(row)


@pytest.fixture
def listener() -> Quiet:
    return Quiet()


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GANLAB_HOME", str(tmp_path / "home"))
    torch.manual_seed(0)
    torch.set_num_threads(1)  # these networks are too small to share
    return tmp_path / "home"
