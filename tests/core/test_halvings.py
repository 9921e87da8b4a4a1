"""How often images are halved, and what is said of sides that never come."""

import pytest

from ganlab.options import halvings


@pytest.mark.parametrize(("size_px", "end_px", "times"), [(64, 8, 3), (128, 4, 5), (48, 3, 4), (48, 24, 1), (16, 1, 4)])
def test_halvings_are_counted(size_px: int, end_px: int, times: int) -> None:
    assert halvings(size_px, end_px, "start_px") == times
    assert end_px * 2**times == size_px


@pytest.mark.parametrize(
    ("size_px", "end_px", "why"),
    [
        (48, 4, "48 px, halved, is never start_px 4; start_px may be 24, 12, 6, 3"),
        (48, 48, "48 px, halved, is never start_px 48; start_px may be 24, 12, 6, 3"),
        (45, 5, "45 px, halved, is never start_px 5; an odd side has no half"),
    ],
)
def test_a_side_that_never_comes_is_refused_with_those_that_do(size_px: int, end_px: int, why: str) -> None:
    with pytest.raises(ValueError) as error:
        halvings(size_px, end_px, "start_px")
    assert str(error.value) == why
