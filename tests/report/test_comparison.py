"""Runs beside each other: what differs, how it went, and what may not stand in one row."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from ganlab.errors import GanlabError, RunError, UsageError
from ganlab.report.comparison import At, Comparison, compare
from ganlab.report.comparison_files import write_comparison
from ganlab.report.comparison_text import as_json, csv_rows, markdown, sections
from ganlab.report.tables import write_csv

MakeRun = Callable[..., str]
RATE = {"optimizer": {"learning_rate": 0.2}}


def test_only_the_keys_of_the_recipes_that_differ_are_told(make_run: MakeRun) -> None:
    hinge = {"objective": {"use": "gan", "adversarial": {"use": "hinge"}}, **RATE}
    comparison = compare([make_run("a"), make_run("b", recipe=hinge), make_run("c")])
    assert comparison.recipes == {
        ("objective", "adversarial"): ("bce", "hinge", "bce"),
        ("objective", "adversarial", "real_low"): (1.0, None, 1.0),
        ("optimizer", "learning_rate"): (0.1, 0.2, 0.1),
    }
    assert (comparison.runs[0].title, comparison.warnings) == ("A title.", ())


def test_optimizers_of_players_are_compared_with_one_of_all_players(make_run: MakeRun) -> None:
    each = {"optimizer": {"generator": {"learning_rate": 0.1}, "critic": {"learning_rate": 0.3}}}
    assert compare([make_run("a"), make_run("b", recipe=each)]).recipes == {
        ("optimizer", "critic", "learning_rate"): (0.1, 0.3)
    }


def test_how_far_a_run_came_and_its_newest_terms_are_read_from_its_tables(make_run: MakeRun) -> None:
    run = compare([make_run("a"), make_run("b")]).runs[0]
    assert (run.step, run.epoch, run.images, run.seconds, run.device) == (30, 0.3, 300, 7.5, "cpu")
    assert run.final == {"d_loss": 1.0, "g_loss": 1.5}
    assert run.sample == (30, Path("a/samples/step-00000030.png"))


def test_a_last_line_that_a_kill_cut_off_is_left_out(make_run: MakeRun) -> None:
    cut = "step,epoch,images,d_loss\n10,0.1,100,4\n20,0.2,200,12"
    assert compare([make_run("a", log=cut), make_run("b")]).runs[0].final == {"d_loss": 4.0}


def test_a_score_is_told_by_its_last_its_lowest_and_its_highest_value(make_run: MakeRun) -> None:
    scores = [(10, {"error": 3.0}), (20, {"error": 1.0}), (30, {"error": 2.0})]
    comparison = compare([make_run("a", scores=scores), make_run("b")])
    (row,) = comparison.scores
    assert row.of_runs[0] is not None
    assert (row.of_runs[0].last, row.of_runs[0].lowest, row.of_runs[0].highest) == (At(2.0, 30), At(1.0, 20), At(3.0, 10))
    assert row.of_runs[1] is None
    assert sections(comparison)["scores: last (lowest at its step; highest at its step)"] == [
        ("judge.error", "2 (1 at 20; 3 at 10)", "-")
    ]


@pytest.mark.parametrize(("best_is", "value"), [("lowest", "judge.error 1 at 20"), ("highest", "judge.error 3 at 10")])
def test_the_best_score_is_that_of_the_runs_own_measure(make_run: MakeRun, best_is: str, value: str) -> None:
    chosen = {"training": {"steps": 30, "best": "judge.error", "best_is": best_is}}
    scores = [(10, {"error": 3.0}), (20, {"error": 1.0}), (30, {"error": 2.0})]
    comparison = compare([make_run("a", scores=scores, recipe=chosen), make_run("b", scores=scores)])
    rows = next(rows for heading, rows in sections(comparison).items() if heading.startswith("scores"))
    assert rows[0] == ("training.best", value, "-")


@pytest.mark.parametrize(
    ("card", "unlike"),
    [
        ({"options": {"people": 9}}, "options.people"),
        ({"version": 2}, "version"),
        ({"weights": "averaged"}, "weights"),
        ({"facts": {"digest": "ab"}}, "facts.digest"),
    ],
)
def test_scores_by_unlike_protocols_never_share_a_row_or_a_column(
    make_run: MakeRun, tmp_path: Path, card: dict[str, object], unlike: str
) -> None:
    scores = [(30, {"error": 2.0})]
    a, b, c = make_run("a", scores=scores), make_run("b", scores=scores, card=card), make_run("c", scores=scores)
    comparison = compare([a, b, c])
    told = [(comparison.label(row), [of_run is not None for of_run in row.of_runs]) for row in comparison.scores]
    assert told == [("judge.error [A]", [True, False, True]), ("judge.error [B]", [False, True, False])]
    assert comparison.warnings == (f"judge scored by unlike protocols, A (a, c) and B (b); unlike are {unlike}",)
    write_csv(tmp_path / "table.csv", csv_rows(comparison))
    rows = list(csv.DictReader((tmp_path / "table.csv").read_text().splitlines()))
    assert [row["score.judge.error [A].last"] for row in rows] == ["2.0", "", "2.0"]
    assert [row["score.judge.error [B].last"] for row in rows] == ["", "2.0", ""]


def test_another_release_of_ganlab_is_no_other_protocol(make_run: MakeRun) -> None:
    scores = [(30, {"error": 2.0})]
    comparison = compare([make_run("a", scores=scores), make_run("b", scores=scores, card={"ganlab": "0.2.0"})])
    assert [comparison.label(row) for row in comparison.scores] == ["judge.error"]
    assert [at.value for at in comparison.points(comparison.scores[0], comparison.runs[1])] == [2.0]
    assert comparison.warnings == ()


def test_what_makes_runs_unlike_is_told_in_a_line_each(make_run: MakeRun) -> None:
    other = {"components": {"loss bce": {"version": 1, "source": "fedcba9876543210"}}}
    short = "step,epoch,images,d_loss\n10,0.1,100,4\n"
    a, b, c = make_run("a"), make_run("b", data="e" * 64), make_run("c", recipe=other, log=short)
    reason = "scores that read the test images were not measured on the same ones"
    assert compare([a, b, c]).warnings == (
        f"the data are not the same: a, c (dddddddddddd) and b (eeeeeeeeeeee); {reason}",
        "the runs have seen unlike many images: a 300, b 300, c 100",
        "the code of loss bce is not the same for a, b and c",
    )


def test_runs_of_one_name_are_called_as_they_were_asked_for(make_run: MakeRun) -> None:
    make_run("x/run"), make_run("y/run"), make_run("z")
    assert [run.name for run in compare(["x/run", "y/run", "z"]).runs] == ["x/run", "y/run", "z"]


@pytest.mark.parametrize(
    ("references", "fault"),
    [
        (["a"], "name two runs or more; `ganlab compare --help` explains"),
        (["a", "a"], "a: is named twice"),
    ],
)
def test_a_comparison_needs_unlike_runs(make_run: MakeRun, references: list[str], fault: str) -> None:
    make_run("a")
    with pytest.raises(UsageError) as error:
        compare(references)
    assert str(error.value) == fault


@pytest.mark.parametrize(
    ("file", "content", "fault"),
    [
        ("scores.json", "{", "a/scores.json: damaged, or cannot be read (JSONDecodeError)"),
        ("scores.json", "[]", "a/scores.json: damaged: it holds no table"),
        ("scores.json", '{"scores": [{"step": 3}]}', "a/scores.json: damaged (KeyError: 'evaluator')"),
        ("log.csv", "step,epoch\n1,x\n", "a/log.csv: cannot be read as a run's table (ValueError: "),
        ("log.csv", "a,b\n1,2\n", "a/log.csv: cannot be read as a run's table (KeyError: "),
        ("log.csv", "\n", "a/log.csv: cannot be read as a run's table (EmptyDataError: "),
        ("samples/step-00000030.png", "no picture", "a/samples/step-00000030.png: cannot be read as a picture ("),
    ],
)
def test_a_damaged_file_is_one_clear_line(make_run: MakeRun, tmp_path: Path, file: str, content: str, fault: str) -> None:
    runs = [make_run("a"), make_run("b")]
    (Path("a") / file).write_text(content)
    with pytest.raises(GanlabError) as error:
        write_comparison(compare(runs), tmp_path / "out")
    assert str(error.value).startswith(fault)
    assert "\n" not in str(error.value)


def test_what_is_no_run_is_refused(make_run: MakeRun, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(RunError, match="not a run folder: it holds no recipe"):
        compare([make_run("a"), "empty"])


def test_markdown_holds_every_section_the_warnings_and_the_protocols(make_run: MakeRun) -> None:
    scores = [(30, {"error": 2.0})]
    text = markdown(compare([make_run("a", scores=scores), make_run("b|c", recipe=RATE, data="e" * 64)]), "comparison.png")
    assert text.splitlines()[:4] == ["# a against b|c", "", "- `a`: A title.", "- `b|c`: A title."]
    assert "- **Unlike:** the data are not the same: a (dddddddddddd) and b|c (eeeeeeeeeeee)" in text
    assert "![curves and samples](comparison.png)" in text
    assert "|  | a | b\\|c |\n|---|---:|---:|\n| optimizer.learning_rate | 0.1 | 0.2 |\n" in text
    assert "| judge.error | 2 | - |\n" in text
    assert text.endswith("- A: ganlab:judge, version 1 (people 8); data faces, weights raw, ganlab 0.1.0\n")


def test_json_holds_numbers_where_text_has_words_and_null_where_there_is_no_number(make_run: MakeRun) -> None:
    nan = "step,epoch,images,d_loss\n10,0.1,100,inf\n"
    comparison: Comparison = compare([make_run("a", log=nan, scores=[(10, {"error": 2.0})]), make_run("b", recipe=RATE)])
    known = json.loads(json.dumps(as_json(comparison), allow_nan=False))
    assert known["recipes"] == {"optimizer.learning_rate": {"a": 0.1, "b": 0.2}}
    assert known["log"] == {"d_loss": {"a": None, "b": 1.0}, "g_loss": {"a": None, "b": 1.5}}
    at = {"value": 2.0, "step": 10}
    assert known["scores"][0]["runs"] == {"a": {"last": at, "lowest": at, "highest": at}}
    assert [run["images"] for run in known["runs"]] == [100, 300]
