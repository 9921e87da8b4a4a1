"""Recipes changed from the command line: `--set` and `--dataset`, with a notice of what they drop."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from ganlab.errors import RecipeError
from ganlab.options import DatasetOptions
from ganlab.recipe import SHARED_DATASET_KEYS, load_recipe, swap_dataset

BASE = """\
[dataset]
use = "fer2013"
size_px = 48
path = "faces.csv"

[objective]
use = "dcgan"
adversarial = { use = "bce", real_low = 0.7 }

[objective.weights]
d_adversarial = 1.0

[training]
epochs = 3
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "base.toml"
    file.write_text(BASE)
    return file


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        ("2e-4", 2e-4),
        ("true", True),
        ("[0.5, 0.9]", [0.5, 0.9]),
        ('{ use = "x" }', {"use": "x"}),
        ('"3"', "3"),
        ("1979-05-27", date(1979, 5, 27)),
        ("bce", "bce"),
        ("wgan-gp@1", "wgan-gp@1"),
        ("cuda:1", "cuda:1"),
        ("/data/my faces.csv", "/data/my faces.csv"),
        ("runs/0001#2", "runs/0001#2"),
        ("1 # 2", "1 # 2"),
        ("a=b", "a=b"),
        ("1, 2", "1, 2"),
        ("'a # b'", "a # b"),
        ("007", "007"),
    ],
)
def test_set_takes_toml_and_bare_words(path: Path, text: str, value: object) -> None:
    recipe = load_recipe(path, [f"training.key={text}"])
    assert recipe.values["training"] == {"epochs": 3, "key": value}
    assert str(recipe.places["training", "key"]) == "--set"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("training.epochs", "--set training.epochs: there is no `=`; write it as training.epochs=3"),
        ("=3", "--set =3: '' is no key; write it as training.epochs=3"),
        ("a b=3", "--set a b=3: 'a b' is no key; write it as training.epochs=3"),
        ("a..b=3", "--set a..b=3: 'a..b' is no key; write it as training.epochs=3"),
        ("a=", "--set a=: there is no value; an empty string is written '\"\"'"),
        ("a=[1", "--set a=[1: unclosed array"),
        ('a="x', '--set a="x: unterminated string'),
        ("a=1\nb=2", "--set a: the value holds a line break or another control character"),
        ("extends=x.toml", "--set extends: extends can only stand in a file"),
        ("dataset.size_px.x=1", "--set dataset.size_px.x: dataset.size_px is a value, not a table ({path}:3)"),
    ],
)
def test_a_malformed_set_is_one_clear_line(path: Path, text: str, fault: str) -> None:
    with pytest.raises(RecipeError) as raised:
        load_recipe(path, [text])
    assert str(raised.value) == fault.format(path=path)


def test_all_malformed_sets_are_told_at_once(path: Path) -> None:
    with pytest.raises(RecipeError) as raised:
        load_recipe(path, ["a", "dataset.size_px.x=1", "b=1"])
    assert [line.split(":")[0] for line in str(raised.value).splitlines()] == ["--set a", "--set dataset.size_px.x"]


def test_set_of_another_component_drops_the_keys_of_the_old_one_and_says_so(path: Path) -> None:
    recipe = load_recipe(path, ["objective.use=wgan"])
    assert recipe.values["objective"] == {"use": "wgan"}
    assert recipe.notices == (
        "--set objective.use: dropped objective.adversarial, objective.weights, which belonged to 'dcgan'",
    )
    assert ("objective", "weights", "d_adversarial") not in recipe.places


def test_set_of_another_data_set_keeps_the_shared_keys(path: Path) -> None:
    recipe = load_recipe(path, ["dataset.use=synthetic_faces"])
    assert recipe.values["dataset"] == {"use": "synthetic_faces", "size_px": 48}
    assert recipe.notices == ("--set dataset.use: dropped dataset.path, which belonged to 'fer2013'",)


def test_set_of_the_same_component_drops_nothing(path: Path) -> None:
    recipe = load_recipe(path, ["dataset.use=FER2013", "objective.use=DCGAN"])
    assert recipe.notices == ()
    assert list(recipe.values["dataset"]) == ["use", "size_px", "path"]


def test_the_short_form_of_a_component_can_be_set_with_and_without_options(path: Path) -> None:
    recipe = load_recipe(path, ["objective.adversarial=hinge"])
    assert recipe.values["objective"]["adversarial"] == "hinge"
    assert recipe.notices == ("--set objective.adversarial: dropped objective.adversarial.real_low, which belonged to 'bce'",)
    recipe = load_recipe(path, ["objective.adversarial=hinge", "objective.adversarial.margin=2"])
    assert recipe.values["objective"]["adversarial"] == {"use": "hinge", "margin": 2}


def test_the_order_of_sets_does_not_matter_but_the_last_of_one_key_wins(path: Path) -> None:
    sets = ["dataset.path=new.csv", "dataset.use=other", "objective.adversarial.margin=2", "objective.adversarial=hinge"]
    forward, backward = load_recipe(path, sets).values, load_recipe(path, sets[::-1]).values
    assert forward == backward
    assert forward["dataset"] == {"use": "other", "size_px": 48, "path": "new.csv"}
    assert load_recipe(path, ["training.epochs=1", "training.epochs=2"]).values["training"] == {"epochs": 2}


def test_swapping_the_data_set_keeps_shared_keys_and_names_the_dropped_ones(path: Path) -> None:
    recipe = load_recipe(path)
    swapped, notices = swap_dataset(recipe, "synthetic_faces")
    assert swapped.values["dataset"] == {"use": "synthetic_faces", "size_px": 48}
    assert notices == ("--dataset synthetic_faces: dropped dataset.path, which belonged to 'fer2013'",)
    assert recipe.values["dataset"]["path"] == "faces.csv"
    assert swap_dataset(recipe, "fer2013")[1] == ()


def test_the_shared_keys_are_those_of_every_data_set() -> None:
    assert set(SHARED_DATASET_KEYS) == set(DatasetOptions.model_fields)
