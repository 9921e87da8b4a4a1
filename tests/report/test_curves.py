"""The picture of a comparison, and the rows that it takes of other pictures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ganlab.report.comparison import compare
from ganlab.report.curves import Curve, draw, is_steep, scores_over_time, shared_terms
from ganlab.report.pictures import top_rows, write_grid
from ganlab.report.tables import smoothed

MakeRun = Callable[..., str]
BLUE, ORANGE, GREEN = (0, 0x72, 0xB2), (0xE6, 0x9F, 0), (0, 0x9E, 0x73)  # of the first runs


def count(path: Path, colour: tuple[int, int, int]) -> int:
    """Return how many pixels of a picture have a colour."""
    return int((np.asarray(Image.open(path).convert("RGB")) == colour).all(2).sum())


def curve(*values: float) -> Curve:
    return Curve(run=0, images=np.arange(len(values), dtype=float), values=np.array(values))


def test_a_panel_holds_a_term_of_two_runs_or_more_over_images_without_its_gaps(make_run: MakeRun) -> None:
    other = "step,epoch,images,d_loss,d_penalty\n10,0.1,50,4,1\n"
    panels = shared_terms(compare([make_run("a"), make_run("b"), make_run("c", log=other)]))
    assert list(panels) == ["d_loss", "g_loss"]
    assert [(c.run, c.images.tolist(), c.values.tolist()) for c in panels["d_loss"]] == [
        (0, [100, 200, 300], [4, 2, 1]),
        (1, [100, 200, 300], [4, 2, 1]),
        (2, [50], [4]),
    ]
    assert [c.images.tolist() for c in panels["g_loss"]] == [[200], [200]]


def test_scores_by_one_protocol_stand_over_the_images_that_the_log_tells(make_run: MakeRun) -> None:
    scores = [(15, {"error": 2.0, "b": 1.0, "c": 1.0, "d": 1.0, "fifth": 1.0}), (30, {"error": 3.0, "fifth": 1.0})]
    a, c = make_run("a", scores=scores), make_run("c", scores=scores[1:])
    b = make_run("b", scores=scores, card={"version": 2})
    panels = scores_over_time(compare([a, b, c]))
    assert {name: [(curve.run, curve.images.tolist(), curve.values.tolist()) for curve in panels[name]] for name in panels} == {
        "judge.error [A]": [(0, [150, 300], [2, 3]), (2, [300], [3])]
    }


def test_a_score_that_was_taken_once_has_no_panel(make_run: MakeRun) -> None:
    once = [(30, {"error": 3.0})]
    assert scores_over_time(compare([make_run("a", scores=once), make_run("b", scores=once)])) == {}


@pytest.mark.parametrize(
    ("values", "steep"),
    [((100.0, 1.0, 1.0), True), ((20.0, 1.0, 1.0), False), ((100.0, 1.0, -1.0), False), ((100.0, 1.0, 0.0), False)],
)
def test_only_positive_curves_that_fall_far_get_a_logarithmic_axis(values: tuple[float, ...], steep: bool) -> None:
    assert is_steep([curve(*values)]) is steep


def test_smoothing_is_the_mean_of_neighbours() -> None:
    assert smoothed(np.array([1.0, 2.0, 6.0, 4.0]), 3).tolist() == [1.5, 3.0, 4.0, 5.0]


def test_the_picture_draws_each_run_in_its_colour_and_is_the_same_again(make_run: MakeRun, tmp_path: Path) -> None:
    comparison = compare([make_run("a"), make_run("b", log=None), make_run("c")])
    first, second = tmp_path / "first.png", tmp_path / "second.png"
    draw(comparison, first)
    draw(comparison, second)
    assert first.read_bytes() == second.read_bytes()
    # Run b keeps no log and no samples: it has its name and the line beside it alone.
    assert count(first, GREEN) > count(first, ORANGE) > 100
    assert count(first, (90, 90, 90)) > 10_000  # the pixels of the samples


def test_runs_without_curves_or_samples_more_than_there_are_colours_still_give_a_picture(
    make_run: MakeRun, tmp_path: Path
) -> None:
    runs = ["$a_{$", "名前", "x" * 80, *(f"run{number}" for number in range(6))]
    draw(compare([make_run(name, log=None) for name in runs]), tmp_path / "picture.png")
    assert count(tmp_path / "picture.png", BLUE) > 100


@pytest.mark.parametrize(
    ("rows", "columns", "size_px", "caption"), [(7, 8, 48, "x"), (5, 8, 64, ""), (2, 1, 28, "x"), (4, 2, 128, "")]
)
def test_the_top_rows_of_a_grid_are_cut_between_its_images(
    tmp_path: Path, rows: int, columns: int, size_px: int, caption: str
) -> None:
    images = torch.randint(0, 255, (rows, columns, 3, size_px, size_px), generator=torch.Generator().manual_seed(0))
    whole, part = tmp_path / "whole.png", tmp_path / "part.png"
    write_grid(whole, images.to(torch.uint8), [caption] * columns)
    write_grid(part, images[:2].to(torch.uint8), [caption] * columns)
    assert (top_rows(whole, 2) == np.asarray(Image.open(part))).all()
    assert (top_rows(whole, 99) == np.asarray(Image.open(whole))).all()


def test_a_picture_that_is_no_grid_is_shown_whole(tmp_path: Path) -> None:
    Image.effect_noise((60, 50), 99).save(tmp_path / "noise.png")
    assert top_rows(tmp_path / "noise.png", 1).shape == (50, 60, 3)
