"""What CelebA's options promise, and which of them go together."""

import pytest
from ganlab_celeba.options import ATTRIBUTES, CelebAOptions
from ganlab_synthetic_faces.names import ATTRIBUTES as DRAWN
from pydantic import ValidationError

from ganlab.contracts import DataSpec
from ganlab.data.celeba_layout import CELEBA_ATTRIBUTES


def test_attributes_are_those_that_are_drawn_and_exported() -> None:
    assert ATTRIBUTES == DRAWN == CELEBA_ATTRIBUTES
    assert len(ATTRIBUTES) == 40


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, DataSpec(size_px=64, channels=3, label_kind="attributes", label_names=ATTRIBUTES)),
        (
            {"crop": "smile", "labels": "Smiling"},
            DataSpec(size_px=128, channels=3, label_kind="classes", label_names=("not Smiling", "Smiling")),
        ),
        ({"labels": "none", "size_px": 32, "channels": 1}, DataSpec(size_px=32, channels=1)),
        ({"labels": "none", "partition": "all"}, DataSpec(size_px=64, channels=3, test_seen=True)),
        ({"labels": "none", "split": "all"}, DataSpec(size_px=64, channels=3, test_seen=True)),
        ({"labels": "none", "partition": "first"}, DataSpec(size_px=64, channels=3)),
    ],
)
def test_options_say_what_the_images_look_like(options: dict[str, object], expected: DataSpec) -> None:
    assert CelebAOptions.model_validate(options).data_spec() == expected


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"train_count": 5}, 'train_count = 5 needs partition = "first", not "official"'),
        (
            {"partition": "all", "split": "all"},
            'partition = "all" and split = "all" would train on each test image twice; drop one',
        ),
    ],
)
def test_options_that_do_not_go_together_are_refused(options: dict[str, object], reason: str) -> None:
    with pytest.raises(ValueError) as error:
        CelebAOptions.model_validate(options).data_spec()
    assert str(error.value) == reason


@pytest.mark.parametrize(
    ("labels", "hint"),
    [("smiling", "did you mean 'Smiling'? "), ("expression", ""), ("Eyeglass", "did you mean 'Eyeglasses'? ")],
)
def test_unknown_labels_are_refused_with_the_near_name(labels: str, hint: str) -> None:
    with pytest.raises(ValidationError) as error:
        CelebAOptions.model_validate({"labels": labels})
    (fault,) = error.value.errors()
    assert fault["msg"] == (
        f'Value error, CelebA has no label {labels!r}; {hint}say "attributes", one of the 40 names, or "none"'
    )
