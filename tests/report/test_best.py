"""Which of some values is best, and what may be said of it."""

import math
from collections.abc import Callable, Sequence

import pytest

from ganlab.report.best import Best, best_of, bounds_of
from ganlab.report.comparison import compare
from ganlab.report.comparison_text import as_json, sections


@pytest.mark.parametrize(
    ("values", "bounds", "which", "best"),
    [
        ([3, 1, 2], [None] * 3, "lowest", Best(index=1, which="lowest", rivals=None)),
        ([3, 1, 2], [None] * 3, "highest", Best(index=0, which="highest", rivals=None)),
        ([1, 3], [(0, 2), (2.5, 3.5)], "lowest", Best(index=0, which="lowest", rivals=())),
        ([1, 3], [(0, 2), (2, 4)], "lowest", Best(index=0, which="lowest", rivals=(1,))),  # they touch
        ([1, 3, 2], [(0, 2.5), (2.8, 3), (1, 3)], "lowest", Best(index=0, which="lowest", rivals=(2,))),
        ([1, 3, 2], [(0, 2), (2.8, 3), None], "lowest", Best(index=0, which="lowest", rivals=None)),
        ([None, math.nan, 2, 5], [None, None, (1, 3), (4, 6)], "lowest", Best(index=2, which="lowest", rivals=())),
        ([None, math.nan, 2], [None] * 3, "lowest", None),
        ([2, 2], [None] * 2, "highest", Best(index=0, which="highest", rivals=None)),
    ],
)
def test_the_best(
    values: Sequence[float | None], bounds: Sequence[tuple[float, float] | None], which: str, best: Best | None
) -> None:
    assert best_of(values, bounds, which) == best


def test_an_interval_is_told_beside_its_score() -> None:
    scores = {"fid": 2.0, "fid_low": 1.0, "fid_high": 3.0, "kid": 1.0, "kid_low": 0.0}
    assert (bounds_of(scores, "fid"), bounds_of(scores, "kid")) == ((1.0, 3.0), None)


@pytest.mark.parametrize(
    ("others", "said", "rivals"),
    [
        ({}, ["lowest; no intervals", "-"], None),
        ({"fid_low": 3.0, "fid_high": 5.0}, ["best; its interval is apart", "-"], []),
        ({"fid_low": 1.5, "fid_high": 5.0}, ["lowest; its interval touches others", "-"], ["b"]),
    ],
)
def test_a_comparison_names_the_run_whose_last_score_is_best(
    others: dict[str, float], said: list[str], rivals: list[str] | None, make_run: Callable[..., str]
) -> None:
    own = {"fid_low": 1.0, "fid_high": 2.0} if others else {}
    make_run("a", scores=[(10, {"fid": 9.0}), (30, {"fid": 1.5, **own})], best_is={"fid": "lowest"})
    make_run("b", scores=[(10, {"fid": 0.5}), (30, {"fid": 4.0, **others})], best_is={"fid": "lowest"})
    comparison = compare(["a", "b"])
    assert sections(comparison)["best of the last scores"] == [("judge.fid", *said)]
    (told,) = [score["best"] for score in as_json(comparison)["scores"] if score["score"] == "fid"]
    assert (told["run"], told["best_is"]) == ("a", "lowest")
    assert told["not_apart_from"] == rivals


def test_a_comparison_names_no_best_where_no_evaluator_says_what_is_best(make_run: Callable[..., str]) -> None:
    for name in "ab":
        make_run(name, scores=[(30, {"fid": 1.0})])
    assert "best of the last scores" not in sections(compare(["a", "b"]))


def test_the_best_of_training_is_by_the_options_of_the_recipe(make_run: Callable[..., str]) -> None:
    recipe = {"evaluation": {"judge": {"use": "judge", "people": 8}}, "training": {"best": "judge.fid", "best_is": "lowest"}}
    make_run("a", scores=[(10, {"fid": 3.0})], recipe=recipe)
    make_run("b", scores=[(10, {"fid": 1.0})], card={"options": {"people": 99}}, recipe=recipe)  # of `ganlab eval`
    rows = {name: cells for heading in sections(compare(["a", "b"])).values() for name, *cells in heading}
    assert rows["training.best"] == ["judge.fid 3 at 10", "-"]
