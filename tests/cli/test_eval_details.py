"""What an evaluator tells beside its scores reaches the user: an alarm on the console, a confusion table as a picture."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

Printed = Callable[..., tuple[int, str, str]]

# A stranger's evaluator whose details are those of a file.
TELLING = """
import json
from pathlib import Path
from ganlab import Component, hookimpl

class Telling:
    def score(self, model, test): return {"value": 1.0}
    def details(self, model, test): return json.loads(Path("details").read_text())

@hookimpl
def ganlab_evaluators():
    return [Component("telling", Telling)]
"""
WARNING = "100% of the translations\nequal their photo"
TABLE = {"sad": {"sad": 1.0, "glad": 0.0}, "glad": {"sad": 0.75, "glad": 0.25}}


@pytest.fixture
def telling(installed_plugin: Any, trained_on: Any) -> Callable[..., str]:
    """Return `telling(details, *sets)`: a run of two steps; its evaluator tells these details."""
    installed_plugin("telling", TELLING)

    def train(details: dict[str, Any], *sets: str) -> str:
        Path("details").write_text(json.dumps(details))
        run: str = trained_on("classes", "training.steps=2", *sets)
        return run

    return train


def test_an_alarm_stands_below_its_score_also_when_it_was_known_before(telling: Any, printed: Printed) -> None:
    run = telling({"alarm": WARNING})
    line = "run step 2: alarm: telling: 100% of the translations equal their photo"
    for _ in range(2):
        code, _, err = printed("eval", run, "--score", "telling", "--json")
        assert (code, err.splitlines()[1:]) == (0, [line])
    assert not Path(run, "scores").exists()


def test_an_alarm_ends_a_run_that_scores_itself(
    telling: Any, printed: Printed, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    telling({"alarm": WARNING})
    Path("self.toml").write_text(Path("small.toml").read_text() + "\n[evaluation.telling]\n")
    sets = ("--set", "dataset.kind=classes", "--set", "training.steps=2", "--set", "training.evaluate_every_steps=1")
    code, out, err = printed("run", "self.toml", *sets, "--device", "cpu", "--out", "self")
    assert code == 0, err
    alarm = "alarm: telling: 100% of the translations equal their photo"
    assert [line for line in err.splitlines() if "alarm" in line] == [f"step 1: {alarm}", f"step 2: {alarm}"]
    told = out.splitlines()
    assert told[told.index("  telling.value  1") + 1] == f"  {alarm}"


def test_a_confusion_table_becomes_a_picture_of_its_shares(telling: Any, printed: Printed) -> None:
    run = telling({"confusion": TABLE})
    path = Path(run, "scores", "step-00000002-telling-confusion.png")
    code, _, err = printed("eval", run, "--score", "telling")
    assert (code, err.splitlines()[1:]) == (0, [f"confusion picture: {path}"])
    cells = cell_colours(path)
    assert cells[0][0] == (8, 48, 107)  # the darkest: a share of 1
    assert cells[0][1] == (247, 251, 255)  # the palest: 0
    assert sum(cells[0][0]) < sum(cells[1][0]) < sum(cells[1][1]) < sum(cells[0][1])
    first = path.read_bytes()
    path.unlink()
    assert printed("eval", run, "--score", "telling")[0] == 0  # the score is known; the picture comes from scores.json
    assert path.read_bytes() == first


def cell_colours(path: Path) -> list[list[tuple[int, ...]]]:
    """Return the colours of the corners of a table of 2 x 2 cells, row by row: what is neither white nor ink, at the left."""
    pixels = np.asarray(Image.open(path).convert("RGB")).astype(int)
    dark = (pixels == (8, 48, 107)).all(2)
    rows, columns = np.flatnonzero(dark.sum(1) > 30), np.flatnonzero(dark.sum(0) > 30)
    top, left, side = rows[0], columns[0], round(0.55 * 110)
    return [[tuple(pixels[top + y * side + 6, left + x * side + 6].tolist()) for x in (0, 1)] for y in (0, 1)]


@pytest.mark.parametrize("details", [{"confusion": "much", "alarm": 3}, {"confusion": {"a": 1.0}}, {"confusion": {}}])
def test_details_of_another_shape_are_kept_and_not_shown(details: dict[str, Any], telling: Any, printed: Printed) -> None:
    run = telling(details)
    code, _, err = printed("eval", run, "--score", "telling")
    assert (code, len(err.splitlines())) == (0, 1)
    assert json.loads(Path(run, "scores.json").read_text())["scores"][0]["details"] == details
    assert not Path(run, "scores").exists()


def test_a_picture_that_cannot_be_written_is_one_line_and_the_score_stays(telling: Any, printed: Printed) -> None:
    run = telling({"confusion": TABLE})
    Path(run, "scores").write_text("in the way")
    code, _, err = printed("eval", run, "--score", "telling")
    path = Path(run, "scores", "step-00000002-telling-confusion.png")
    assert (code, err.splitlines()[1:]) == (
        6,
        [f"ganlab: error: {path}: cannot be written (File exists); the scores are kept in {run}/scores.json"],
    )
    assert json.loads(Path(run, "scores.json").read_text())["scores"][0]["scores"] == {"value": 1.0}
