"""`ganlab data show` and `ganlab data check`, on a folder with planted faults."""

import json
import shutil
import tomllib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

Printed = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def folder(place: Path) -> Path:
    """Return a folder of 24 ants and two bees to train on, two of each to test on, with planted faults."""
    random = np.random.default_rng(0)

    def save(name: str, pixels: np.ndarray) -> None:
        path = place / "insects" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels.astype(np.uint8)).save(path)

    for split, kind, count in (("train", "ant", 24), ("train", "bee", 2), ("test", "ant", 2), ("test", "bee", 2)):
        for number in range(count):
            save(f"{split}/{kind}/{number}.png", random.integers(0, 256, (16, 16, 3)))
    insects = place / "insects"
    shutil.copy(insects / "train/ant/0.png", insects / "train/ant/copy.png")  # within a split
    shutil.copy(insects / "train/ant/1.png", insects / "test/ant/copy.png")  # across splits
    shutil.copy(insects / "train/ant/2.png", insects / "train/bee/copy.png")  # with another label
    save("train/ant/flat.png", 100 + random.integers(0, 2, (16, 16, 3)))  # nearly one colour
    return insects


def sets(folder: Path) -> tuple[str, ...]:
    return ("--set", f"path={folder}", "--set", "size_px=16")


def test_check_finds_what_was_planted(folder: Path, printed: Printed) -> None:
    code, out, _ = printed("data", "check", "image_folder", *sets(folder), "--json")
    found = json.loads(out)
    assert code == 0
    assert found["images"] == {"train": 29, "test": 5}
    assert found["labels"] == {"ant": {"train": 26, "test": 3}, "bee": {"train": 3, "test": 2}}
    assert sorted(sorted(place["name"] for place in group) for group in found["duplicates"]) == [
        ["test/ant/copy.png", "train/ant/1.png"],
        ["train/ant/0.png", "train/ant/copy.png"],
        ["train/ant/2.png", "train/bee/copy.png"],
    ]
    assert [sorted(place["split"] for place in group) for group in found["across_splits"]] == [["test", "train"]]
    (contradiction,) = found["contradicting"]
    assert sorted((place["name"], place["labels"]) for place in contradiction) == [
        ("train/ant/2.png", ["ant"]),
        ("train/bee/copy.png", ["bee"]),
    ]
    (flat,) = found["nearly_constant"]
    assert (flat["split"], flat["name"], flat["labels"]) == ("train", "train/ant/flat.png", ["ant"])
    assert found["uneven"] == []


def test_check_tells_it_in_words(folder: Path, printed: Printed) -> None:
    code, out, _ = printed("data", "check", "image_folder", *sets(folder))
    assert code == 0
    shown = out.splitlines()
    assert {frozenset(line.strip().split(" = ")) for line in shown if " = " in line} == {
        frozenset({"train/ant/0.png (train)", "train/ant/copy.png (train)"}),
        frozenset({"train/ant/1.png (train)", "test/ant/copy.png (test)"}),
        frozenset({"train/ant/2.png (train)", "train/bee/copy.png (train)"}),
        frozenset({"train/ant/2.png (train, ant)", "train/bee/copy.png (train, bee)"}),
    }
    assert shown[-1] == "  train/ant/flat.png (train)"
    lines = [line for line in shown if not line.startswith("  ")]
    assert lines == [
        "image_folder: 16 x 16 px, colour; 29 train, 5 test",
        "label  train       test",
        "ant    26 (89.7%)  3 (60.0%)",
        "bee    3 (10.3%)   2 (40.0%)",
        "balance: nothing to tell",
        "duplicates: 3 groups of equal images; 3 of these could be left out",
        "across splits: 1 of the groups with images in several splits: a score knows them from training",
        "contradictions: 1 of the groups with labels that differ",
        "nearly constant: 1",
    ]


def test_check_of_one_class_names_its_images_as_before(folder: Path, printed: Printed) -> None:
    code, out, _ = printed("data", "check", "image_folder", *sets(folder), "--set", 'classes=["ant"]', "--json")
    found = json.loads(out)
    assert (code, found["images"], found["contradicting"]) == (0, {"train": 26, "test": 3}, [])
    assert [place["name"] for place in found["nearly_constant"]] == ["train/ant/flat.png"]
    assert sorted(place["name"] for group in found["duplicates"] for place in group) == [
        "test/ant/copy.png",
        "train/ant/0.png",
        "train/ant/1.png",
        "train/ant/copy.png",
    ]


def test_check_of_a_sound_set_finds_nothing(place: Path, printed: Printed) -> None:
    code, out, _ = printed("data", "check", "synthetic_faces", "--set", "identities=8", "--set", "test_identities=2")
    assert code == 0
    assert out.splitlines()[-5:] == [
        "balance: nothing to tell",
        "duplicates: none",
        "across splits: none",
        "contradictions: none",
        "nearly constant: none",
    ]


def test_show_draws_a_column_for_each_label(folder: Path, printed: Printed, place: Path) -> None:
    code, out, _ = printed("data", "show", "image_folder", *sets(folder), "--out", "sheet.png")
    assert code == 0
    assert out.splitlines()[-1] == "sheet.png: training images by label"
    sheet = np.asarray(Image.open(place / "sheet.png"))
    cell = 96 + 2
    assert sheet.shape == (8 * cell + 2 + 18, 2 * cell + 2, 3)
    columns = sheet[20:, 2:100], sheet[20:, 100:198]
    assert (columns[0][-96:-2, :96] != 255).any()  # eight of the ants
    assert (columns[1][2 * cell : 3 * cell - 2, :96] != 255).any()  # the third bee
    assert (columns[1][3 * cell :] == 255).all()  # there is no fourth


def test_show_prints_json(folder: Path, printed: Printed) -> None:
    code, out, _ = printed("data", "show", "image_folder", *sets(folder), "--json")
    shown = json.loads(out)
    assert (code, shown["file"], shown["label_kind"]) == (0, "image_folder.png", "classes")
    assert shown["labels"]["bee"] == {"train": 3, "test": 2}


def test_what_decides_the_training_images_cannot_be_set(printed: Printed) -> None:
    code, _, told = printed("data", "check", "synthetic_faces", "--set", "split=test")
    assert code == 2
    assert "--set split=test: every image is looked at" in told


def test_a_folder_that_is_not_there_is_told(printed: Printed) -> None:
    code, _, told = printed("data", "check", "image_folder", "--set", "path=nowhere")
    assert code == 4
    assert "there is no folder of images" in told
    assert "Set dataset.path to it" in told


def test_a_run_states_the_names_and_is_sampled_without_the_images(folder: Path, printed: Printed, place: Path) -> None:
    moved = place / "moved"
    shutil.copytree(folder, moved)
    changes = (f"dataset.path={moved}", "dataset.labels=classes", "architecture.width=4", "training.batch_images=4")
    settings = (argument for change in changes for argument in ("--set", change))
    run = ("run", "cgan_celeba", "--dataset", "image_folder", *settings, "--max-steps", "2", "--device", "cpu")
    code, _, told = printed(*run, "--out", "insects_run")
    assert code == 0, told
    recipe = tomllib.loads((place / "insects_run" / "recipe.toml").read_text())
    assert recipe["dataset"]["label_names"] == ["ant", "bee"]
    shutil.rmtree(place / "home")  # the cache
    shutil.rmtree(moved)
    code, _, told = printed("sample", "insects_run", "--labels", "bee", "--rows", "1", "--device", "cpu")
    assert code == 0, told
    code, _, told = printed("resume", "insects_run", "--max-steps", "4")
    assert code == 4
    assert f"looked for {moved}" in told


def test_sampling_shows_how_far_it_is_where_it_must_read_the_images_again(folder: Path, printed: Printed, place: Path) -> None:
    settings = (f"dataset.path={folder}", "dataset.labels=classes", "architecture.width=4", "training.batch_images=2")
    changes = [argument for change in settings for argument in ("--set", change)]
    run = ("run", "ccyclegan_t26", "--dataset", "image_folder", *changes, "--max-steps", "1", "--device", "cpu")
    code, _, told = printed(*run, "--out", "translator")
    assert code == 0, told
    again = ("sample", "translator", "--rows", "1", "--device", "cpu")
    assert printed(*again)[2] == ""
    shutil.rmtree(place / "home" / "data")
    code, _, told = printed(*again)
    assert code == 0
    assert told.splitlines()[0] == "reading, this once: images 34"
