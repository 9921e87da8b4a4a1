"""`ganlab compare`: runs, checkpoints and models of the registry side by side."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

Printed = Callable[..., tuple[int, str, str]]


@pytest.fixture
def model(trained: Path, place: Path, printed: Printed) -> Iterator[str]:
    """Return the name of the run's first checkpoint in a registry of this test's own."""
    assert printed("models", "add", str(trained), "--step", "3", "--name", "faces")[0] == 0
    yield "faces@1"
    shutil.rmtree(place / "home" / "models")


def test_without_out_the_table_is_printed_and_nothing_written(trained: Path, run_copy: Path, printed: Printed) -> None:
    before = sorted(Path().rglob("*"))
    code, out, err = printed("compare", str(trained), str(run_copy))
    assert (code, sorted(Path().rglob("*"))) == (0, before)
    assert err == "--out DIR writes the table as Markdown and CSV, and the curves and samples as a picture\n"
    rows = [line.split() for line in out.splitlines()]
    assert rows[0] == ["trained", "copy"]
    assert rows[1] == ["training"]  # their recipes are the same
    assert ["steps", "6", "6"] in rows
    assert ["images", "24", "24"] in rows


def test_with_out_the_table_and_the_picture_are_written_and_named(trained: Path, run_copy: Path, printed: Printed) -> None:
    code, out, err = printed("compare", str(trained), str(run_copy), "--out", "beside")
    files = [Path("beside") / f"comparison.{suffix}" for suffix in ("md", "csv", "png")]
    assert (code, err) == (0, "")
    assert out.splitlines()[-3:] == [str(file) for file in files]
    assert files[0].read_text().startswith("# trained against copy\n")
    assert [row["steps"] for row in csv.DictReader(files[1].read_text().splitlines())] == ["6", "6"]
    assert files[2].read_bytes().startswith(b"\x89PNG")


def test_a_checkpoint_and_a_model_are_told_up_to_their_step(trained: Path, model: str, printed: Printed) -> None:
    code, out, err = printed("compare", str(trained), str(trained / "checkpoints" / "step-00000003"), model, "--json")
    known = json.loads(out)
    assert (code, known["schema"], known["files"]) == (0, 1, [])
    assert [(run["run"], run["steps"], run["images"]) for run in known["runs"]] == [
        ("trained", 6, 24),
        ("trained step 3", 3, 12),
        ("faces@1", 3, 12),
    ]
    warning = "the runs have seen unlike many images: trained 24, trained step 3 12, faces@1 12"
    assert known["warnings"] == [warning]
    assert err == f"warning: {warning}\n"


@pytest.mark.parametrize(
    ("arguments", "code", "fault"),
    [
        (["trained"], 2, "name two runs or more; `ganlab compare --help` explains"),
        (["trained", "trained"], 2, "trained: is named twice"),
        (["trained", "nowhere"], 6, "nowhere: no such run or checkpoint"),
        (["trained", "home"], 6, "home: not a run folder: it holds no recipe.toml"),
        (["trained", "copy", "--out", "trained/log.csv"], 7, "--out trained/log.csv: cannot be made (File exists)"),
    ],
)
def test_what_cannot_be_compared_is_one_clear_line(
    run_copy: Path, printed: Printed, arguments: list[str], code: int, fault: str
) -> None:
    assert printed("compare", *arguments) == (code, "", f"ganlab: error: {fault}\n")
