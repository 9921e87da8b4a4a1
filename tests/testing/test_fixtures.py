"""The kit's fixtures, tried as an author would: a plugin in a folder, its tests run by pytest in a process of its own."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

PYPROJECT = """
[project]
name = "ganlab-hinge-z"
version = "0.1"
[project.entry-points.ganlab]
hinge_z = "ganlab_hinge_z"
"""
MODULE = """
from ganlab import Component, hookimpl

class HingeZ:
    def discriminator(self, real, fake):
        return (1 - real).relu(), (1 + fake).relu()

    def generator(self, fake):
        return -fake

@hookimpl
def ganlab_losses():
    return [Component("hinge_z", HingeZ, family="adversarial")]
"""
TESTS = r"""
from pathlib import Path
from types import ModuleType
import pytest
import torch
from ganlab.errors import DivergedError, RecipeError
from ganlab.registry import Registry

pytest_plugins = ["ganlab.testing.fixtures"]
HERE = Path(__file__).parent
RECIPE = '''
[objective]
use = "ccyclegan"
adversarial = "hinge_z"
'''

def test_it_trains(train):
    rows = train(HERE, '[objective]\nuse = "ccyclegan"\nadversarial = "hinge_z"')
    assert [row["step"] for row in rows] == [1, 2, 3]
    assert all(row["d_adversarial"] >= 0 for row in rows)

def test_runs_are_equal_and_apart(train, tmp_path):
    state = torch.get_rng_state()
    first, second = (train(HERE, RECIPE, steps=2) for _ in range(2))
    assert first == second
    assert len(first) == 2
    assert torch.equal(torch.get_rng_state(), state)
    assert sorted(path.name for path in tmp_path.glob("run-*/log.csv")) == ["log.csv", "log.csv"]

def test_what_is_written_stays(train):
    settings = "[architecture]\nuse = 'ccyclegan'\n[dataset]\nuse = 'tiny'\nsize_px = 48\n[training]\nsteps = 1"
    assert [row["images"] for row in train(HERE, RECIPE + settings + "\nbatch_images = 5")] == [5]

def test_a_wrong_recipe_says_why(train):
    with pytest.raises(RecipeError, match="recipe.toml:4: objective.adversarial.use: no loss is called 'hinge_y'"):
        train(HERE, RECIPE.replace("hinge_z", "hinge_y"))

def test_a_wrong_objective_says_why(train):
    with pytest.raises(RecipeError, match="no objective is called 'ccyclegam'; did you mean 'ccyclegan'?"):
        train(HERE, RECIPE.replace("ccyclegan", "ccyclegam"))

def test_a_loss_that_breaks_the_run_breaks_the_test(train):
    import ganlab_hinge_z
    from ganlab import Component, hookimpl

    class Breaks(ganlab_hinge_z.HingeZ):
        def generator(self, fake):
            return fake / 0

    @hookimpl
    def ganlab_losses():
        return [Component("breaks", Breaks, family="adversarial")]

    module = ModuleType("breaking")
    module.ganlab_losses = ganlab_losses
    with pytest.raises(DivergedError, match="^g_adversarial"):
        train(module, RECIPE.replace("hinge_z", "breaks"))


def test_spec_of(spec_of):
    spec = spec_of(HERE, RECIPE, steps=7)
    assert (spec.training.steps, spec.training.batch_images) == (7, 4)
    assert (spec.dataset.name, spec.architecture.name) == ("tiny", "stand_in")
    assert spec.losses["adversarial"].registered.full_name == "ganlab-hinge-z:hinge_z"
    assert spec.objective.settings["generator_every"] == 2  # its SMALL settings
    assert spec_of(HERE, RECIPE + "generator_every = 3").objective.settings["generator_every"] == 3

def test_plugins_of(plugins_of):
    (record,) = plugins_of(HERE).records
    assert (record.name, record.distribution, record.status) == ("hinge_z", "ganlab-hinge-z", "ready")
    assert [component.name for component in record.components] == ["hinge_z"]
    assert [record.name for record in plugins_of("losses").records] == ["losses"]
    import ganlab_losses
    assert [record.name for record in plugins_of(ganlab_losses).records] == ["ganlab_losses"]

def test_plugins_of_with_builtins(plugins_of):
    plugins = plugins_of(HERE, builtins=True)
    assert {record.status for record in plugins.records} == {"ready"}
    assert {"bce", "hinge_z"} <= set(Registry(plugins).names("loss"))
    names = [record.name for record in plugins_of("losses", builtins=True).records]
    assert names.count("losses") == 1 and "fer2013" in names

def test_tiny(tiny_labelled, tiny_attributed, tiny_unlabelled, tiny_gray, tiny_colour):
    data, images = tiny_labelled
    assert (data.label_kind, data.labels, images.images.shape) == ("classes", 3, (12, 1, 16, 16))
    assert images.labels.unique().tolist() == [0, 1, 2]
    data, images = tiny_attributed
    assert (data.label_kind, data.labels, images.labels.shape) == ("attributes", 4, (12, 4))
    data, images = tiny_unlabelled
    assert (data.label_kind, data.labels, images.labels) == ("none", 0, None)
    assert (tiny_gray.data.channels, tiny_colour.data.channels) == (1, 3)
    assert tiny_colour.images.images.shape == (12, 3, 16, 16)
    assert tiny_colour.images.images.dtype == torch.uint8

def test_ganlab_home(ganlab_home, tmp_path):
    from ganlab.home import home
    assert home() == ganlab_home
    assert tmp_path in ganlab_home.parents
"""


@dataclass(frozen=True)
class Outcome:
    """What pytest said of the plugin's tests."""

    tests: dict[str, str]  # name -> "PASSED"
    output: str
    user: Path  # what stood for the user's own folder of caches


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """Write the plugin and run its tests."""
    place = tmp_path_factory.mktemp("author")
    folder = place / "ganlab-hinge-z"
    folder.mkdir()
    for name, text in (("pyproject.toml", PYPROJECT), ("ganlab_hinge_z.py", MODULE), ("test_hinge_z.py", TESTS)):
        (folder / name).write_text(text)
    environment = {**os.environ, "GANLAB_HOME": str(place / "user"), "OMP_NUM_THREADS": "1"}
    options = ["-v", "-W", "error", "-p", "no:cacheprovider", "--basetemp", str(place / "base")]
    result = subprocess.run(
        [sys.executable, "-m", "pytest", *options], cwd=folder, env=environment, capture_output=True, text=True, timeout=300
    )
    tests = dict(re.findall(r"::test_(\w+) ([A-Z]+)", result.stdout))
    return Outcome(tests=tests, output=result.stdout + result.stderr, user=place / "user")


@pytest.mark.parametrize("name", re.findall(r"def test_(\w+)", TESTS))
def test_the_test_of_an_author_passes(name: str, outcome: Outcome) -> None:
    assert outcome.tests.get(name) == "PASSED", outcome.output


def test_the_users_own_caches_are_left_alone(outcome: Outcome) -> None:
    assert "passed" in outcome.output
    assert not outcome.user.exists()


def test_importing_the_kit_imports_neither_pytest_nor_torch() -> None:
    code = "import sys, ganlab.testing; print([name for name in ('pytest', 'torch') if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
