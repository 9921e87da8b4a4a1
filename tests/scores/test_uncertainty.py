"""An interval holds the mean as often as it says, and only intervals that part make one model better."""

import pytest
import torch

from ganlab.scores import Interval, interval


def test_the_interval_of_three_scores() -> None:
    found = interval([1.0, 2.0, 3.0])
    assert found.mean == 2
    assert found.high - found.mean == pytest.approx(4.3027 / 3**0.5)  # Student's t with 2 degrees of freedom, std 1
    assert found.mean - found.low == pytest.approx(found.high - found.mean)


@pytest.mark.parametrize("count", [2, 5, 40])
def test_it_holds_the_mean_in_95_of_100_cases(count: int) -> None:
    draws = torch.randn(4000, count, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    held = sum(found.low <= 0 <= found.high for found in map(interval, draws.tolist()))
    assert held / 4000 == pytest.approx(0.95, abs=0.012)


def test_better_is_said_only_where_intervals_part() -> None:
    low, middle, high = Interval(mean=1, low=0, high=2), Interval(mean=2.5, low=2, high=3), Interval(mean=4, low=3.5, high=5)
    assert not low.is_apart_from(middle)
    assert not middle.is_apart_from(low)
    assert low.is_apart_from(high)
    assert high.is_apart_from(low)


def test_one_score_has_no_interval() -> None:
    with pytest.raises(ValueError, match=r"^1 score: an interval over seeds needs at least 2$"):
        interval([1.0])
