"""Streamed moments are those of all features at once."""

import pytest
import torch
from torch import Tensor

from ganlab.scores import RunningMoments, moments_of


def far_from_zero(rows: int = 1000) -> Tensor:
    """Return float32 features with mean 100 and standard deviation 0.18, [rows, 8]."""
    return torch.randn(rows, 8, generator=torch.Generator().manual_seed(0)) * 0.18 + 100


@pytest.mark.parametrize("batch_rows", [1, 7, 64, 1000])
def test_any_batches_give_the_covariance_of_the_whole_far_from_zero(batch_rows: int) -> None:
    features = far_from_zero()
    exact = torch.cov(features.double().T)
    found = moments_of(features, batch_rows)
    assert found.count == 1000
    assert float((found.covariance - exact).norm() / exact.norm()) < 1e-11
    assert float((found.mean - features.double().mean(0)).abs().max()) < 1e-11


def test_sums_about_zero_in_float32_would_fail_that_test() -> None:
    features = far_from_zero()
    about_zero = (features.T @ features - 1000 * torch.outer(features.mean(0), features.mean(0))) / 999
    exact = torch.cov(features.double().T)
    assert float((about_zero.double() - exact).norm() / exact.norm()) > 0.1


def test_parts_of_several_processes_merge_to_the_whole() -> None:
    features = far_from_zero()
    parts = []
    for rows in features.split([1, 400, 599]):
        running = RunningMoments()
        for batch in rows.split(100):
            running.add(batch + 0)
        parts.append(running)
    total = RunningMoments()
    for part in [*parts, RunningMoments()]:
        total.merge(part)
    total.add(features[:0])
    whole = moments_of(features)
    merged = total.moments()
    assert merged.count == 1000
    assert torch.allclose(merged.mean, whole.mean, rtol=1e-13)
    assert torch.allclose(merged.covariance, whole.covariance, rtol=1e-9, atol=1e-12)


def test_features_can_be_added_after_a_merge() -> None:
    features = far_from_zero(300)
    total, other = RunningMoments(), RunningMoments()
    total.add(features[:100])
    other.add(features[100:200])
    total.merge(other)
    total.add(features[200:])
    assert torch.allclose(total.moments().covariance, moments_of(features).covariance, rtol=1e-9, atol=1e-12)


def test_one_feature_has_no_covariance() -> None:
    with pytest.raises(ValueError, match=r"^1 features have no covariance; at least 2 are needed$"):
        moments_of(torch.zeros(1, 3))


def test_whole_numbers_and_pictures_are_no_features() -> None:
    for wrong in (torch.zeros(2, 3, dtype=torch.int64), torch.zeros(2, 3, 4, 4)):
        with pytest.raises(ValueError, match=r"^features are floating \[N, D\], not "):
            moments_of(wrong)


def test_widths_do_not_change_between_batches() -> None:
    running = RunningMoments()
    running.add(torch.zeros(2, 3))
    with pytest.raises(ValueError, match=r"^features of 4 and of 3 values cannot be compared"):
        running.add(torch.zeros(2, 4))
