"""CCycleGAN in small on tiny images, with what a `--set` changes."""

from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from ganlab.plugins import GROUP, Plugins, is_builtin, load_plugins
from ganlab.recipe import parse_recipe, with_sets
from ganlab.registry import Registry
from ganlab.spec import Spec, make_spec
from ganlab.testing import tiny
from ganlab.testing.source import ModuleEntryPoint

RECIPE = """
# T26 in small: two steps move the generator, those between do not.
[dataset]
use = "tiny"
size_px = 48
[architecture]
use = "ccyclegan"
width = 4
[objective]
use = "ccyclegan"
generator_every = 2
[training]
steps = 4
batch_images = 3
log_every_steps = 1
averaging_decay = 0.9
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANLAB_HOME", str(tmp_path / "home"))
    torch.set_num_threads(1)  # these networks are too small to share


@pytest.fixture(scope="session")
def plugins() -> Plugins:
    """Return the built-in plugins, and that of the tiny images."""
    builtins = [point for point in metadata.entry_points(group=GROUP) if is_builtin(point)]
    dist = SimpleNamespace(name="tests", version="0")
    return load_plugins([*builtins, ModuleEntryPoint("tiny", tiny.__name__, dist, tiny)])


@pytest.fixture
def spec_with(plugins: Plugins) -> Callable[..., Spec]:
    """Return `spec_with("objective.penalty=r1", ...)`: the recipe as `--set` changes it."""
    return lambda *sets: make_spec(with_sets(parse_recipe(RECIPE, Path("small.toml")), sets), Registry(plugins))
