"""The data set: splits, labels, options, and what importing it costs."""

import subprocess
import sys

import pytest
import torch
from ganlab_synthetic_faces import ATTRIBUTES, EXPRESSIONS, LEVELS, NOT_DRAWN, attributes, faces, ganlab_datasets
from ganlab_synthetic_faces.dataset import SyntheticFaces
from ganlab_synthetic_faces.options import SyntheticFacesOptions
from pydantic import ValidationError

SMALL = {"identities": 20, "test_identities": 10, "size_px": 16}


def test_importing_the_package_imports_no_torch() -> None:
    code = (
        "import sys, ganlab_synthetic_faces, ganlab_synthetic_faces.options as options;"
        "options.SyntheticFacesOptions().data_spec(); print('torch' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "False"


def test_the_hook_offers_one_data_set() -> None:
    (component,) = ganlab_datasets()
    assert component.name == "synthetic_faces"
    assert component.target == f"{SyntheticFaces.__module__}:{SyntheticFaces.__name__}"
    assert component.options == f"{SyntheticFacesOptions.__module__}:{SyntheticFacesOptions.__name__}"


@pytest.mark.parametrize("labels", ["expression", "attributes", "Smiling"])
@pytest.mark.parametrize("channels", [None, 1, 3])
def test_what_is_read_is_what_the_options_promise(labels: str, channels: int | None) -> None:
    options = SyntheticFacesOptions.model_validate({**SMALL, "labels": labels, "channels": channels})
    spec, read = options.data_spec(), SyntheticFaces(options).read()
    assert list(read) == ["train", "test"]
    for split, identities in (("train", 20), ("test", 10)):
        images = read[split]
        assert images.images.shape == (7 * identities, spec.channels, spec.size_px, spec.size_px)
        assert images.images.dtype == torch.uint8
        assert len(images.identities.unique()) == identities
        if spec.label_kind == "classes":
            assert images.labels.dtype == torch.int64
            assert images.labels.unique().tolist() == list(range(spec.labels))
        else:
            assert images.labels.shape == (7 * identities, spec.labels)
            assert images.labels.unique().tolist() == [0, 1]


def test_the_same_options_draw_the_same_bytes() -> None:
    options = SyntheticFacesOptions.model_validate(SMALL)
    first, second = SyntheticFaces(options).read(), SyntheticFaces(options).read()
    other = SyntheticFaces(SyntheticFacesOptions.model_validate({**SMALL, "seed": 1})).read()
    assert torch.equal(first["test"].images, second["test"].images)
    assert not torch.equal(first["test"].images, other["test"].images)
    assert SyntheticFaces(options).sources() == []


def test_no_person_is_in_two_splits() -> None:
    people = {split: set(faces(0, torch.arange(700), split=split).persons.tolist()) for split in ("train", "test", "fresh")}
    assert max(people["train"]) < 50_000 <= min(people["test"])
    assert max(people["test"]) < 100_000 <= min(people["fresh"])


@pytest.mark.parametrize("identities", [1, 6, 20, 91])
def test_each_person_wears_each_expression_once(identities: int) -> None:
    drawn = faces(0, torch.arange(7 * identities), identities=identities)
    assert len(set(zip(drawn.persons.tolist(), drawn.labels.tolist(), strict=True))) == 7 * identities
    assert drawn.labels.bincount().tolist() == [identities] * 7


def test_about_half_smile_where_attributes_are_the_labels() -> None:
    drawn = faces(0, torch.arange(7000), labels="attributes")
    columns = attributes(drawn.identity, drawn.expression).float().mean(0)
    assert columns[ATTRIBUTES.index("Smiling")] == pytest.approx(0.48, abs=0.02)
    happy = drawn.labels == EXPRESSIONS.index("happy")
    assert attributes(drawn.identity, drawn.expression)[happy, ATTRIBUTES.index("Smiling")].float().mean() > 0.99


def test_attributes_are_celebas_forty_and_each_occurs() -> None:
    assert len(ATTRIBUTES) == 40
    assert ATTRIBUTES[0] == "5_o_Clock_Shadow"
    assert list(ATTRIBUTES[1:]) == sorted(ATTRIBUTES[1:])  # the official order is the alphabet's
    assert set(NOT_DRAWN) == {"Attractive"}
    drawn = faces(0, torch.arange(4000), labels="attributes", identities=4000)
    rates = attributes(drawn.identity, drawn.expression).float().mean(0)
    assert ((rates > 0.005) & (rates < 0.9)).all()


def test_levels_differ_in_strength() -> None:
    weakest = {level: faces(0, torch.arange(500), level=level).strength.min().item() for level in LEVELS}
    assert weakest == pytest.approx({"easy": 0.75, "default": 0.60, "hard": 0.45}, abs=0.01)


def test_options_name_the_labels() -> None:
    assert SyntheticFacesOptions().data_spec().label_names == EXPRESSIONS
    assert SyntheticFacesOptions(labels="attributes").data_spec().label_names == ATTRIBUTES
    assert SyntheticFacesOptions(labels="Smiling").data_spec().label_names == ("not Smiling", "Smiling")
    assert SyntheticFacesOptions(split="all").data_spec().test_seen
    assert not SyntheticFacesOptions().data_spec().test_seen


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"labels": "smilng"},
            "Value error, no label is called 'smilng'. Did you mean 'Smiling'? "
            "Say expression, attributes or one of CelebA's 40 names",
        ),
        (
            {"labels": "qqq"},
            "Value error, no label is called 'qqq'. Say expression, attributes or one of CelebA's 40 names",
        ),
        ({"size_px": 130}, "Value error, faces are drawn from 16 to 128 pixels, not 130"),
        ({"level": "harder"}, "Input should be 'easy', 'default' or 'hard'"),
        ({"identities": 50_001}, "Input should be less than or equal to 50000"),
        ({"identity": 3}, "Extra inputs are not permitted"),
    ],
)
def test_wrong_options_are_refused_in_one_line(options: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError) as raised:
        SyntheticFacesOptions.model_validate(options)
    assert [error["msg"] for error in raised.value.errors()] == [message]
