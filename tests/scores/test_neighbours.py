"""Precision, recall, density and coverage have the values that can be counted by hand."""

import math

import pytest
import torch
from torch import Tensor

from ganlab.scores import Neighbours, compare_neighbours, nearest_distances, neighbours


def column(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float32)[:, None]


REAL, MADE = column(0, 1, 2, 10), column(0.5, 1.5, 5, 30)


def test_points_on_a_line() -> None:
    assert compare_neighbours(REAL, MADE, 1) == Neighbours(precision=0.75, recall=1, density=1.25, coverage=1)
    assert compare_neighbours(REAL, MADE, 2) == Neighbours(precision=0.75, recall=1, density=1, coverage=1)


def test_tiles_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    draws = torch.Generator().manual_seed(0)
    real, made = torch.randn(40, 3, generator=draws), torch.randn(33, 3, generator=draws)
    whole = compare_neighbours(real, made, 3)
    monkeypatch.setattr("ganlab.scores.neighbours._TILE_ROWS", 7)
    assert neighbours.compare_neighbours(real, made, 3) == whole
    assert 0 < whole.precision < 1


def test_one_image_again_and_again_is_precise_and_recalls_nothing() -> None:
    draws = torch.Generator().manual_seed(0)
    real = torch.randn(100, 4, generator=draws)
    scores = compare_neighbours(real, real[:1].repeat(100, 1), 3)
    assert scores.precision == 1
    assert scores.recall == 0.01
    assert scores.coverage < 0.2


def test_the_rim_belongs_to_the_ball_so_that_doubled_images_find_each_other() -> None:
    doubled = column(0, 0, 5, 5)
    assert compare_neighbours(doubled, doubled, 1) == Neighbours(precision=1, recall=1, density=2, coverage=1)


def test_equal_rows_are_at_no_distance_far_from_zero() -> None:
    draws = torch.Generator().manual_seed(0)
    real = torch.randn(50, 64, generator=draws) + 1000
    assert nearest_distances(real, real).max() == 0
    assert compare_neighbours(torch.cat([real, real]), torch.cat([real, real]), 1).precision == 1


def test_samples_of_one_law_have_the_density_and_the_coverage_of_theory() -> None:
    """E density = 1; E coverage = 1 - prod (N - i) / (2 N - i) for i from 1 to k: 0.8756 for N = 600, k = 3."""
    draws = torch.Generator().manual_seed(0)
    found = [
        compare_neighbours(torch.randn(600, 4, generator=draws), torch.randn(600, 4, generator=draws), 3) for _ in range(8)
    ]
    expected = 1 - math.prod((600 - i) / (1200 - i) for i in range(1, 4))
    assert expected == pytest.approx(0.8756, abs=1e-4)
    assert sum(each.coverage for each in found) / 8 == pytest.approx(expected, abs=0.015)
    assert sum(each.density for each in found) / 8 == pytest.approx(1, abs=0.04)


def test_a_copy_of_a_real_image_is_nearest_to_it() -> None:
    assert nearest_distances(column(1, 7), REAL).tolist() == pytest.approx([0, 3])
    assert float(nearest_distances(column(1), REAL)) == 0


@pytest.mark.parametrize("k", [0, 4])
def test_k_lies_between_one_and_the_number_of_images(k: int) -> None:
    with pytest.raises(ValueError, match=f"^k = {k} neighbours of 4 real and 4 generated features"):
        compare_neighbours(REAL, MADE, k)
