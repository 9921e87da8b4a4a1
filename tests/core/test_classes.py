"""`dataset.classes`: a recipe trains, and is tested, on the images of the named classes alone."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from ganlab import Component, DataSpec, ImageSet, hookimpl
from ganlab.data.asked import asked_options, open_asked
from ganlab.data.classes import keep_classes
from ganlab.errors import DataError, RecipeError
from ganlab.options import DatasetOptions
from ganlab.plugins import Plugins
from ganlab.recipe import parse_recipe, swap_dataset
from ganlab.registry import Registry
from ganlab.resolve import open_splits, resolve
from ganlab.spec import Spec, make_spec
from ganlab.spec_resolved import resolved

SpecOf = Callable[..., Spec]
CPU = torch.device("cpu")
TINY = '[dataset]\nuse = "tiny"'


def chosen(*names: str) -> dict[str, str]:
    return {TINY: f"{TINY}\nclasses = {list(names)}"}


def brightness(images: ImageSet) -> list[int]:
    """Return which class each tiny image shows: its gray values are 80 a class, with noise below 40."""
    shown: list[int] = (images.images.flatten(1).float().mean(1) / 80).long().tolist()
    return shown


def test_both_splits_hold_the_images_of_the_classes_labelled_in_their_order(spec_of: SpecOf) -> None:
    spec = spec_of(chosen("blue", "red"))
    assert (spec.data.label_names, spec.data.labels) == (("blue", "red"), 2)
    opened, whole = open_splits(spec), open_splits(spec_of())
    for split in ("train", "test"):
        images = opened.splits[split]
        assert [("red", "green", "blue")[shown] for shown in brightness(images)] == [
            ("blue", "red")[label] for label in images.labels.tolist()
        ]
        # Every image of the two is there, in the order of the whole set.
        kept = whole.splits[split].images[whole.splits[split].labels != 1]
        assert torch.equal(images.images, kept)


def test_one_reading_of_the_data_serves_every_choice(spec_of: SpecOf, home: Path) -> None:
    fingerprints = {open_splits(spec_of(choice)).fingerprint for choice in ({}, chosen("red"), chosen("red", "blue"))}
    assert len(list((home / "data").glob("*.safetensors"))) == 1
    assert len(fingerprints) == 3  # yet scores and checkpoints tell them apart


def test_another_order_copies_no_image(spec_of: SpecOf) -> None:
    whole = open_splits(spec_of())
    turned = keep_classes(whole, spec_of(chosen("blue", "green", "red")).dataset.options)  # type: ignore[arg-type]
    assert turned.splits["train"].images is whole.splits["train"].images
    assert turned.splits["train"].labels.tolist() == [2 - label for label in whole.splits["train"].labels.tolist()]


def test_the_first_images_are_counted_among_the_classes(spec_of: SpecOf) -> None:
    parts = resolve(spec_of({TINY: f'{TINY}\nclasses = ["blue", "green"]\nimages = 6'}), CPU)
    assert parts.data.bank.labels.tolist() == [[0, 1], [1, 0]] * 3
    assert parts.nets["generator"].hidden.in_features == 3 + 2  # type: ignore[union-attr]


def test_labels_in_columns_and_identities_are_kept_too(spec_of: SpecOf) -> None:
    whole = open_splits(spec_of())
    train = whole.splits["train"]
    columns = torch.nn.functional.one_hot(train.labels, 3).to(torch.uint8)
    whole.splits["train"] = ImageSet(images=train.images, labels=columns, identities=torch.arange(16))
    kept = keep_classes(whole, spec_of(chosen("green")).dataset.options).splits["train"]  # type: ignore[arg-type]
    assert (kept.identities.tolist(), kept.labels.tolist()) == ([1, 4, 7, 10, 13], [0] * 5)


@pytest.mark.parametrize(
    ("choice", "reason"),
    [
        ('classes = ["red", "geen"]', "no class is called 'geen'; did you mean 'green'?"),
        ('classes = ["mauve"]', "no class is called 'mauve'; classes are red, green, blue"),
        ('classes = ["red", "blue", "red"]', "'red' is there twice; name each class once"),
        ("classes = []", "names no class; classes are red, green, blue"),
        ('classes = "red"', "'red' must be a list"),
        ('classes = ["red"]\nlabels = "none"', "these data have no labels, so there is no class to choose"),
    ],
)
def test_a_wrong_choice_is_a_fault_at_its_line(spec_of: SpecOf, choice: str, reason: str) -> None:
    with pytest.raises(RecipeError) as raised:
        spec_of({TINY: f"{TINY}\n{choice}"})
    assert str(raised.value).splitlines()[1:] == [f"  tiny.toml:5: dataset.classes: {reason}"]


class AttributesOptions(DatasetOptions):
    def data_spec(self) -> DataSpec:
        return DataSpec(size_px=8, channels=1, label_kind="attributes", label_names=("Smiling", "Young"))


def test_attributes_are_no_classes(plugins_with: Callable[[ModuleType], Plugins], recipe_text: str) -> None:
    module: Any = ModuleType("portraits")
    component = Component("portraits", lambda options: None, options=AttributesOptions)
    module.ganlab_datasets = hookimpl(specname="ganlab_datasets")(lambda: [component])
    text = recipe_text.replace(TINY, '[dataset]\nuse = "portraits"\nclasses = ["Smiling"]')
    reason = 'dataset.classes: the labels are attributes, not classes; say dataset.labels = "Smiling" for two classes'
    with pytest.raises(RecipeError, match=re.escape(reason)):
        make_spec(parse_recipe(text, Path("x.toml")), Registry(plugins_with(module)))


def test_a_split_without_an_image_of_them_is_told(spec_of: SpecOf) -> None:
    spec = spec_of({TINY: f'{TINY}\nclasses = ["blue"]\ncount = 4'})  # red, green | blue, red
    whole = open_splits(spec_of({TINY: f"{TINY}\ncount = 4"}))
    assert whole.splits["train"].labels.tolist() == [0, 1]
    with pytest.raises(DataError) as raised:
        resolve(spec, CPU)
    assert str(raised.value) == "dataset.classes: the split train has no image of blue"


def test_a_run_states_the_choice_and_another_data_set_keeps_it(spec_of: SpecOf, recipe_text: str) -> None:
    assert resolved(spec_of(chosen("red", "blue")))["dataset"]["classes"] == ["red", "blue"]
    assert "classes" not in resolved(spec_of())["dataset"]
    recipe = parse_recipe(recipe_text.replace(TINY, f'{TINY}\nclasses = ["red"]\ncount = 12'), Path("x.toml"))
    assert swap_dataset(recipe, "other")[0].values["dataset"] == {"use": "other", "classes": ["red"]}


def test_a_data_set_is_looked_at_with_the_choice(registry: Registry) -> None:
    registered = registry.find("dataset", "tiny")
    options, spec = asked_options(registered, ['classes=["blue", "red"]'], {}, {})
    assert spec.label_names == ("blue", "red")
    assert open_asked(registered, options, spec).splits["test"].labels.tolist() == [0, 1, 0, 1, 0]
    with pytest.raises(RecipeError, match=r"--set: dataset.classes: no class is called 'rad'; did you mean 'red'\?"):
        asked_options(registered, ['classes=["rad"]'], {}, {})
