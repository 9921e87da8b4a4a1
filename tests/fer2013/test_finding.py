"""FER2013: where the file is looked for, and what its options promise."""

from pathlib import Path

import pytest
from ganlab_fer2013.dataset import Fer2013
from ganlab_fer2013.options import Fer2013Options

from ganlab.contracts import DataSpec
from ganlab.errors import DataError

HOW = (
    "It is the file fer2013.csv (columns emotion,pixels,Usage) of the FER2013 contest, Goodfellow et al., 2013. "
    "Put it there, or set dataset.path or GANLAB_DATA to the file or its folder.\n"
    "`--dataset synthetic_faces` needs no file and runs now."
)
EXPRESSIONS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GANLAB_DATA", raising=False)
    monkeypatch.chdir(tmp_path)


def found(path: str | None = None) -> str:
    (source,) = Fer2013(Fer2013Options.model_validate({"path": path})).sources()
    return str(source.relative_to(Path.cwd()))


def touch(name: str) -> str:
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).touch()
    return name


def test_path_comes_first_then_the_environment_then_the_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    assert found(touch("datasets/fer2013.csv")) == "datasets/fer2013.csv"
    assert found() == "datasets/fer2013.csv"
    monkeypatch.setenv("GANLAB_DATA", "data")
    assert found() == "datasets/fer2013.csv"  # the folder does not hold it
    touch("data/fer2013.csv.xz")
    assert found() == "data/fer2013.csv.xz"
    touch("data/fer2013.csv.gz")
    assert found() == "data/fer2013.csv.gz"
    touch("data/fer2013.csv")
    assert found() == "data/fer2013.csv"
    monkeypatch.setenv("GANLAB_DATA", touch("faces.csv"))
    assert found() == "faces.csv"
    assert found("data") == "data/fer2013.csv"
    assert found("data/fer2013.csv.xz") == "data/fer2013.csv.xz"


@pytest.mark.parametrize(
    ("path", "environment", "places"),
    [
        (None, None, "{here}/datasets/fer2013.csv (or .gz, .xz)"),
        (None, "none", "{here}/none and {here}/datasets/fer2013.csv (or .gz, .xz)"),
        (None, "empty", "{here}/empty/fer2013.csv (or .gz, .xz) and {here}/datasets/fer2013.csv (or .gz, .xz)"),
        ("my.csv", "empty", "{here}/my.csv"),
        ("empty", None, "{here}/empty/fer2013.csv (or .gz, .xz)"),
    ],
)
def test_missing_file_says_where_and_how(
    path: str | None, environment: str | None, places: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty").mkdir()
    if environment:
        monkeypatch.setenv("GANLAB_DATA", environment)
    with pytest.raises(DataError) as error:
        found(path)
    assert str(error.value) == f"FER2013 is not here; looked for {places.format(here=tmp_path)}.\n{HOW}"
    assert error.value.code == 4


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, {"size_px": 48, "channels": 1, "test_seen": False}),
        ({"size_px": 64, "channels": 3}, {"size_px": 64, "channels": 3, "test_seen": False}),
        ({"test_in_training": True}, {"size_px": 48, "channels": 1, "test_seen": True}),
        ({"split": "all"}, {"size_px": 48, "channels": 1, "test_seen": True}),
    ],
)
def test_options_say_what_the_images_look_like(options: dict[str, object], expected: dict[str, int]) -> None:
    data = Fer2013Options.model_validate(options).data_spec()
    assert vars(data) == vars(
        DataSpec(label_kind="classes", label_names=EXPRESSIONS, **expected)  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"labels": "attributes"}, 'labels = "attributes": FER2013 has labels = "expression" only'),
        (
            {"test_in_training": True, "split": "all"},
            'test_in_training = true and split = "all" would train on each test image twice; drop one',
        ),
    ],
)
def test_options_that_do_not_go_together_are_refused(options: dict[str, object], reason: str) -> None:
    with pytest.raises(ValueError) as error:
        Fer2013Options.model_validate(options).data_spec()
    assert str(error.value) == reason
