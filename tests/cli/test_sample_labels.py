"""`ganlab sample --labels` and `--attributes`: each column shows what it was asked for, each row one noise or one face.

The model is a plugin whose pictures can be read: one pixel for each label, and one for the noise.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

Printed = Callable[..., tuple[int, str, str]]

BLIND = ("architecture.blind=true", "objective.blind=true")


def pixels(folder: str) -> dict[str, list[int]]:
    """Return the labels that each written picture shows, 0 or 100, and its noise."""
    found = {}
    for path in sorted(Path(folder).glob("*.png")):
        with Image.open(path) as opened:
            image = np.asarray(opened)
        found[path.stem] = [*(round(value / 2.55) for value in image[0].tolist()), int(image[1, 0])]
    return found


def test_a_generator_shows_the_classes_by_name_each_row_one_noise(trained_on: Any, printed: Printed) -> None:
    run = trained_on("classes")
    asked = ("--labels", "wearing hat,Smiling", "--labels", "EYEGLASSES", "--count", "2", "--separate", "--out", "made")
    code, out, err = printed("sample", run, *asked)
    assert (code, err) == (0, "")
    names = ("Wearing_Hat", "Smiling", "Eyeglasses")
    assert out.splitlines() == [f"made/{row:03}-{name}.png" for row in range(2) for name in names]
    made = pixels("made")
    shown = {name: [made[f"{row:03}-{name}"][:4] for row in range(2)] for name in names}
    assert shown == {
        "Wearing_Hat": [[0, 0, 0, 100]] * 2,
        "Smiling": [[100, 0, 0, 0]] * 2,
        "Eyeglasses": [[0, 100, 0, 0]] * 2,
    }
    noises = [{made[f"{row:03}-{name}"][4] for name in names} for row in range(2)]
    assert [len(noise) for noise in noises] == [1, 1]
    assert noises[0] != noises[1]
    assert printed("sample", run, *asked, "--seed", "1")[0] == 0
    assert pixels("made")["000-Smiling"][4] not in noises[0]
    assert printed("sample", run, "--labels", "all", "--rows", "1")[1] == (
        "run/samples/sample-step-00000001-seed-0-Smiling-Eyeglasses-5_o_Clock_Shadow-Wearing_Hat.png\n"
    )


def test_attributes_that_nobody_named_are_those_that_the_run_kept_and_no_data_are_read(
    trained_on: Any, printed: Printed
) -> None:
    run = trained_on("attributes")
    kept = json.loads((Path(run) / "labels.json").read_text())
    assert kept["rows"] == [[row >> bit & 1 for bit in range(4)] for row in range(20)]
    printed("models", "add", run, "--name", "readable", "--alias", "best")
    shutil.rmtree(run)
    shutil.rmtree("home/data")  # the cache of the data set
    asked = ("--attributes", "smiling=1, wearing-hat=0.5", "--attributes", "Eyeglasses=0")
    code, out, err = printed("sample", "readable@best", *asked, "--count", "21", "--separate", "--out", "made")
    assert (code, err, len(out.splitlines())) == (0, "", 42)
    made = pixels("made")
    for row in range(21):
        own = [100 * value for value in kept["rows"][row % 20]]
        assert made[f"{row:03}-Smiling=1,Wearing_Hat=0.5"][:4] == [100, own[1], own[2], 50]
        assert made[f"{row:03}-Eyeglasses=0"][:4] == [own[0], 0, own[2], own[3]]
    assert not Path("home/data").exists()
    assert printed("sample", "readable", *asked)[1] == "readable@1-seed-0-Smiling=1,Wearing_Hat=0.5-Eyeglasses=0.png\n"
    assert printed("sample", "readable", "--separate", "--rows", "1")[0] == 0  # without a wish: the first eight rows
    grid = pixels("readable@1-sampled")
    assert [grid[f"000-{column:02}"][:4] for column in range(8)] == [[100 * v for v in row] for row in kept["rows"][:8]]


def test_a_run_that_kept_no_labels_asks_its_data_set(trained_on: Any, printed: Printed) -> None:
    run = trained_on("attributes")
    (Path(run) / "labels.json").unlink()
    assert printed("sample", run, "--attributes", "Smiling=1", "--rows", "3", "--separate", "--out", "made")[0] == 0
    assert [made[:4] for made in pixels("made").values()] == [[100, 0, 0, 0], [100, 0, 0, 0], [100, 100, 0, 0]]
    (Path(run) / "labels.json").write_text('{"names": ["a"], "rows": [[1]]}')
    code, _, err = printed("sample", run, "--attributes", "Smiling=1")
    assert (code, err) == (
        6,
        "ganlab: error: run/labels.json: cannot be read (its names are not the recipe's 4 attributes); "
        "delete it, and the data set is asked instead\n",
    )


def test_a_translator_changes_what_was_asked_for_and_leaves_the_rest_of_each_face(trained_on: Any, printed: Printed) -> None:
    run = trained_on("attributes", 'architecture.makes_what=["translate"]')
    asked = ("--attributes", "Wearing_Hat=1", "--rows", "3", "--separate", "--out", "made")
    assert printed("sample", run, *asked)[0] == 0
    made = pixels("made")
    assert [made[f"{row:03}-Wearing_Hat=1"][:4] for row in range(3)] == [[0, 0, 0, 100], [100, 0, 0, 100], [0, 100, 0, 100]]
    assert [made[f"{row:03}-source"][4] for row in range(3)] == [50, 51, 52]
    Path("photos").mkdir()
    Image.new("L", (4, 4), 7).save("photos/me.png")
    code, out, _ = printed("sample", run, *asked[:2], "--images", "photos", "--separate", "--out", "mine")
    assert (code, out.splitlines()) == (0, ["mine/me-source.png", "mine/me-Wearing_Hat=1.png"])
    assert pixels("mine")["me-Wearing_Hat=1"] == [0, 0, 0, 100, 7]


@pytest.mark.parametrize(
    ("kind", "asked", "reason"),
    [
        ("classes", ["--labels", "Smilling"], ["--labels: no label is called 'Smilling'; did you mean 'Smiling'?"]),
        (
            "classes",
            ["--labels", "x,Smiling, y"],
            [
                "--labels: no label is called 'x'; labels are Smiling, Eyeglasses, 5_o_Clock_Shadow, Wearing_Hat",
                "--labels: no label is called 'y'; labels are Smiling, Eyeglasses, 5_o_Clock_Shadow, Wearing_Hat",
            ],
        ),
        (
            "classes",
            ["--attributes", "Smiling=1"],
            [
                "--attributes: the model's labels are the classes Smiling, Eyeglasses, 5_o_Clock_Shadow, Wearing_Hat; "
                "say --labels Wearing_Hat"
            ],
        ),
        (
            "attributes",
            ["--labels", "all"],
            ['--labels: the model\'s labels are attributes; say --attributes "Smiling=1"'],
        ),
        (
            "attributes",
            ["--attributes", "Smilin=1,Eyeglasses,Wearing_Hat=2,Wearing_Hat=nan"],
            [
                "--attributes: no label is called 'Smilin'; did you mean 'Smiling'?",
                "--attributes: 'Eyeglasses' has no value; write \"Eyeglasses=1\"",
                "--attributes: Wearing_Hat=2: a value is 1, 0 or a number between, such as 0.5",
                "--attributes: Wearing_Hat=nan: a value is 1, 0 or a number between, such as 0.5",
            ],
        ),
        (
            "attributes",
            ["--attributes", "Smiling=1,smiling=0"],
            ["--attributes: Smiling is set twice; give --attributes twice for two columns"],
        ),
        ("none", ["--labels", "happy"], ["--labels: the model was trained without labels; leave the option out"]),
        ("none", ["--attributes", "x=1"], ["--attributes: the model was trained without labels; leave the option out"]),
        (
            "classes",
            ["--labels", "all", "--attributes", "x=1"],
            ["--labels names classes and --attributes sets attributes; a model has one kind of label, so give one"],
        ),
    ],
)
def test_what_cannot_be_asked_for_is_answered_line_by_line(
    kind: str, asked: list[str], reason: list[str], trained_on: Any, printed: Printed
) -> None:
    code, out, err = printed("sample", trained_on(kind, *(BLIND if kind == "none" else ())), *asked)
    first, *more = err.splitlines()
    assert (code, out) == (2, "")
    assert [first.removeprefix("ganlab: error: "), *(line.removeprefix("  ") for line in more)] == reason
