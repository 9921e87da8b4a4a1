"""`ganlab recipes cp`: a copy that stands alone, means the same, and reads as its sources did."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ganlab.recipe import list_recipes, load_recipe
from ganlab.recipe_copy import standing_alone

Printed = Callable[..., tuple[int, str, str]]

BASE = """\
# A base.
#
# Its second paragraph.

[objective]
use = "dcgan"                         # of 2015
# The target of real images.
adversarial = { use = "bce", real_low = 0.7 }  # smooth
words = "no # comment"

[optimizer]                           # of every player
learning_rate = 2e-4                  # as "published" # twice
betas = [
    0.5, 0.999,
]
"""
CHILD = """\
#:schema recipe.schema.json
# A child.
extends = "base.toml"

[optimizer]
learning_rate = 1e-3                  # faster

[training]
steps = 1_000
"""
COPY = """\
# A child.
#
# A copy of child with what it extends written in: base.

[objective]
use = "dcgan"                         # of 2015
words = "no # comment"

# The target of real images.
[objective.adversarial]               # smooth
use = "bce"
real_low = 0.7

[optimizer]
learning_rate = 1e-3                  # faster
betas = [0.5, 0.999]

[training]
steps = 1_000
"""


@pytest.fixture
def folder(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("base.toml").write_text(BASE)
    Path("child.toml").write_text(CHILD)
    return tmp_path


@pytest.mark.parametrize("path", list_recipes(), ids=lambda path: path.stem)
def test_the_copy_of_each_shipped_recipe_needs_no_other_and_says_the_same(path: Path, tmp_path: Path) -> None:
    copy = tmp_path / path.name
    copy.write_text(standing_alone(path))
    assert load_recipe(copy).values == load_recipe(path).values
    assert load_recipe(copy).header.splitlines()[0] == load_recipe(path).header.splitlines()[0]
    own = path.read_text().splitlines()
    assert all(len(line) <= 128 for line in copy.read_text().splitlines() if line not in own)


def test_what_is_extended_is_written_in_with_its_comments_and_spelling(folder: Path, printed: Printed) -> None:
    assert printed("recipes", "cp", "child", "mine.toml") == (0, "mine.toml\n", "edit it, then: ganlab run mine.toml\n")
    assert Path("mine.toml").read_text() == COPY


def test_a_recipe_that_extends_none_is_copied_as_it_is(folder: Path, printed: Printed) -> None:
    Path("inner").mkdir()
    assert printed("recipes", "cp", "base.toml", "inner")[:2] == (0, f"{Path('inner/base.toml')}\n")
    assert Path("inner/base.toml").read_text() == BASE
    assert printed("recipes", "cp", "quickstart")[:2] == (0, "quickstart.toml\n")
    assert printed("validate", "quickstart.toml")[0] == 0


def test_the_copy_of_a_runs_recipe_is_a_new_experiment(trained: Path, printed: Printed) -> None:
    as_run = load_recipe(trained / "recipe.toml")
    assert printed("recipes", "cp", str(trained), "again.toml")[:2] == (0, "again.toml\n")
    copy = load_recipe(Path("again.toml"))
    assert copy.values == {name: table for name, table in as_run.values.items() if name != "components"}
    assert copy.header == as_run.header.partition("\n")[2]
    assert printed("recipes", "diff", str(trained), "again.toml")[1].splitlines()[-1] == "no difference"


@pytest.mark.parametrize(
    ("to", "fault"),
    [
        ("base.toml", "base.toml: exists; name another file, or write over it with --force"),
        ("child.toml", "child.toml: is that recipe itself; name another file"),
        ("mine", "mine: a recipe's file ends in .toml, such as mine.toml"),
        ("no/mine.toml", "no/mine.toml: there is no folder no"),
    ],
)
def test_a_copy_never_takes_a_place_that_it_should_not(folder: Path, printed: Printed, to: str, fault: str) -> None:
    before = sorted((path.name, path.read_bytes()) for path in folder.iterdir() if path.is_file())
    assert printed("recipes", "cp", "child", to) == (2, "", f"ganlab: error: {fault}\n")
    assert sorted((path.name, path.read_bytes()) for path in folder.iterdir() if path.is_file()) == before


def test_force_writes_over_another_file_but_never_over_the_recipe_itself(folder: Path, printed: Printed) -> None:
    assert printed("recipes", "cp", "child", "child.toml", "--force")[0] == 2
    assert printed("recipes", "cp", "child", "base.toml", "--force")[0] == 0
    assert Path("base.toml").read_text() == COPY
