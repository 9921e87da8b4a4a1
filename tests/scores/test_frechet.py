"""The Frechet distance has the values that formulas give, whichever way it is computed."""

import math

import pytest
import torch
from torch import Tensor

from ganlab.scores import (
    Moments,
    covariance_root,
    frechet_distance,
    frechet_distance_of_features,
    moments_of,
    with_root,
)

EYE = torch.eye(2).tolist()


def moments(mean: list[float], covariance: list[list[float]]) -> Moments:
    return Moments(
        count=100, mean=torch.tensor(mean, dtype=torch.float64), covariance=torch.tensor(covariance, dtype=torch.float64)
    )


def diagonal(*values: float) -> list[list[float]]:
    return torch.tensor(values).diag().tolist()


def draw(rows: int, width: int, seed: int) -> Tensor:
    draws = torch.Generator().manual_seed(seed)
    mixed = torch.randn(width, width, generator=draws, dtype=torch.float64)
    return torch.randn(rows, width, generator=draws, dtype=torch.float64) @ mixed + seed


def scaled_sixfold() -> tuple[Moments, Moments]:
    mean = [0.0] * 6
    return moments(mean, diagonal(*[0.5] * 6)), moments(mean, diagonal(*[2.0] * 6))


M = ([[2.0, 1.0], [1.0, 2.0]], [[3.0, -1.0], [-1.0, 1.0]])
KNOWN = {
    "equal covariances": (moments([0, 0], EYE), moments([3, 4], EYE), 25.0),
    "one dimension": (moments([0], [[4.0]]), moments([1], [[9.0]]), 2.0),
    "diagonal": (moments([0, 0, 0], diagonal(1, 4, 9)), moments([1, 1, 1], diagonal(4, 1, 25)), 9.0),
    "scaled by 2 in 6 dimensions": (*scaled_sixfold(), 3.0),
    "not commuting": (moments([0, 0], M[0]), moments([0, 0], M[1]), 1.3972795044568622),
    "singular and orthogonal": (moments([0, 0], diagonal(1, 0)), moments([0, 0], diagonal(0, 1)), 2.0),
}


@pytest.mark.parametrize("name", KNOWN)
def test_known_values_either_way_round_and_with_a_stored_root(name: str) -> None:
    one, other, value = KNOWN[name]
    assert frechet_distance(one, other) == pytest.approx(value, abs=1e-12)
    assert frechet_distance(other, one) == pytest.approx(value, abs=1e-12)
    assert frechet_distance(with_root(one), other) == pytest.approx(value, abs=1e-12)


def test_the_value_without_commuting_covariances_is_that_of_the_formula_for_two_dimensions() -> None:
    one, other = (torch.tensor(matrix, dtype=torch.float64) for matrix in M)
    product = one @ other
    root_trace = math.sqrt(float(product.trace()) + 2 * math.sqrt(float(torch.linalg.det(product))))
    assert float(one.trace() + other.trace()) - 2 * root_trace == pytest.approx(1.3972795044568622, abs=1e-14)


def test_a_set_is_at_no_distance_from_itself() -> None:
    features = draw(300, 24, 1)
    assert frechet_distance_of_features(features, features) < 1e-8 * float(features.var(0).sum())
    few = draw(10, 24, 1)
    assert frechet_distance_of_features(few, few) < 1e-8 * float(few.var(0).sum())


def test_turning_both_sets_changes_nothing_and_scaling_them_scales_by_the_square() -> None:
    one, other = draw(200, 12, 1), draw(250, 12, 2)
    turn = torch.linalg.qr(draw(12, 12, 3)).Q
    value = frechet_distance_of_features(one, other)
    assert frechet_distance_of_features(one @ turn, other @ turn) == pytest.approx(value, rel=1e-10)
    assert frechet_distance_of_features(3 * one, 3 * other) == pytest.approx(9 * value, rel=1e-10)


def test_few_images_give_by_singular_values_what_the_moments_give() -> None:
    one, other = draw(20, 40, 1), draw(30, 40, 2)
    by_moments = frechet_distance(moments_of(one), moments_of(other))
    assert frechet_distance_of_features(one, other) == pytest.approx(by_moments, rel=1e-6)


def test_the_root_times_itself_is_the_covariance_also_of_a_singular_one() -> None:
    covariance = moments_of(draw(8, 16, 1)).covariance
    root = covariance_root(covariance)
    assert torch.allclose(root @ root.T, covariance, atol=1e-10)


def test_the_distance_of_small_samples_falls_as_theory_says() -> None:
    """E = (d + d(d + 1) / 4) / N for white features against the truth: 84 / N for d = 16."""
    white = Moments(count=10**6, mean=torch.zeros(16, dtype=torch.float64), covariance=torch.eye(16, dtype=torch.float64))
    draws = torch.Generator().manual_seed(0)
    for count in (400, 1600):
        values = [
            frechet_distance(white, moments_of(torch.randn(count, 16, generator=draws, dtype=torch.float64))) for _ in range(60)
        ]
        assert sum(values) / len(values) * count == pytest.approx(84, rel=0.08)


@pytest.mark.parametrize(
    ("one", "other", "message"),
    [
        ((5, 4), (5, 3), "features of 3 and of 4 values cannot be compared; they come from two extractors"),
        ((1, 4), (5, 4), "1 and 5 features: each side needs at least 2"),
    ],
)
def test_sets_that_cannot_be_compared_are_refused(one: tuple[int, int], other: tuple[int, int], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        frechet_distance_of_features(torch.zeros(*one), torch.zeros(*other))


def test_moments_of_two_extractors_are_refused() -> None:
    with pytest.raises(ValueError, match="they come from two extractors"):
        frechet_distance(moments([0], [[1.0]]), moments([0, 0], EYE))


def test_a_feature_that_is_not_finite_is_refused() -> None:
    broken = torch.zeros(5, 4)
    broken[2, 1] = torch.nan
    with pytest.raises(ValueError, match=r"^1 of 5 features are not finite$"):
        frechet_distance_of_features(torch.zeros(5, 4), broken)
