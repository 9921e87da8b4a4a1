"""The kernel distance has the values that its definition gives, and is unbiased."""

import pytest
import torch
from torch import Tensor

from ganlab.scores import disjoint_kernel_distance, kernel, kernel_distance, subset_kernel_distance


def draw(rows: int, width: int, seed: int, scale: float = 1.0) -> Tensor:
    return torch.randn(rows, width, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) * scale


def test_two_points_against_two() -> None:
    assert kernel_distance(torch.tensor([[0.0], [1.0]]), torch.tensor([[0.0], [2.0]])) == -13.0


def test_the_definition_read_aloud_gives_the_same() -> None:
    one, other = draw(7, 3, 1), draw(5, 3, 2)

    def k(x: Tensor, y: Tensor) -> float:
        return float((x @ y / 3 + 1) ** 3)

    within = [sum(k(x, y) for i, x in enumerate(side) for j, y in enumerate(side) if i != j) for side in (one, other)]
    across = sum(k(x, y) for x in one for y in other)
    expected = within[0] / (7 * 6) + within[1] / (5 * 4) - 2 * across / (7 * 5)
    assert kernel_distance(one, other) == pytest.approx(expected, rel=1e-12)


def test_tiles_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = draw(50, 4, 1), draw(41, 4, 2)
    whole = kernel_distance(one, other)
    monkeypatch.setattr("ganlab.scores.kernel._TILE_ROWS", 7)
    assert kernel.kernel_distance(one, other) == pytest.approx(whole, rel=1e-12)


def test_the_mean_over_draws_of_two_laws_is_their_distance() -> None:
    """For N(0, 1) against N(0, s^2), 3 (1 - s^2)^2: of the raw moments only the second differs; s = 1.5 gives 4.6875."""
    values = torch.tensor([kernel_distance(draw(100, 1, 2 * i), draw(100, 1, 2 * i + 1, 1.5)) for i in range(300)])
    error = float(values.std() / len(values) ** 0.5)
    assert error < 0.4
    assert abs(float(values.mean()) - 4.6875) < 3 * error


def test_the_mean_over_draws_of_one_law_is_zero_at_any_number() -> None:
    values = torch.tensor([kernel_distance(draw(8, 4, 2 * i), draw(8, 4, 2 * i + 1)) for i in range(600)])
    error = float(values.std() / len(values) ** 0.5)
    assert abs(float(values.mean())) < 3 * error
    assert float(values.min()) < 0  # and it is not clipped
    with_the_diagonal = 2 * float((draw(8, 4, 0).square().sum(1) / 4 + 1).pow(3).mean()) / 8
    assert with_the_diagonal > 10 * error  # so that a diagonal left in would have been seen


def test_subsets_are_drawn_by_the_seed_and_hold_all_where_they_are_whole() -> None:
    one, other = draw(60, 4, 1), draw(70, 4, 2)
    first, again, another = (subset_kernel_distance(one, other, subsets=5, subset_rows=20, seed=seed) for seed in (0, 0, 1))
    assert first == again
    assert first.mean != another.mean
    assert first.std > 0
    assert first.standard_error is None
    whole = subset_kernel_distance(one, other[:60], subsets=3, subset_rows=60)
    assert whole.mean == pytest.approx(kernel_distance(one, other[:60]), rel=1e-12)
    assert whole.std < 1e-12


def test_the_standard_error_is_that_of_repeated_draws() -> None:
    found = [disjoint_kernel_distance(draw(100, 4, 2 * i), draw(100, 4, 2 * i + 1, 1.3), blocks=10, seed=i) for i in range(80)]
    means = torch.tensor([each.mean for each in found])
    told = torch.tensor([each.standard_error for each in found]).square().mean().sqrt()
    assert float(told / means.std()) == pytest.approx(1, abs=0.2)


def test_disjoint_blocks_of_nearly_equal_size_use_every_row() -> None:
    one = draw(23, 2, 1)
    sizes = [len(part) for part in one.tensor_split(5)]
    assert sum(sizes) == 23
    assert disjoint_kernel_distance(one, draw(31, 2, 2), blocks=5).standard_error is not None


def test_too_few_rows_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^1 and 5 features: the unbiased distance needs at least 2 on each side$"):
        kernel_distance(draw(1, 2, 0), draw(5, 2, 1))
    with pytest.raises(ValueError, match=r"^100 subsets of 1000 rows cannot be drawn from 5 features$"):
        subset_kernel_distance(draw(5, 2, 0), draw(9, 2, 1))
    with pytest.raises(ValueError, match=r"^5 features cannot be cut into 3 blocks of at least 2"):
        disjoint_kernel_distance(draw(5, 2, 0), draw(9, 2, 1), blocks=3)
