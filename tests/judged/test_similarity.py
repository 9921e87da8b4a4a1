"""Structural similarity has the values of its definition, of a loop over windows, and of other libraries."""

import numpy as np
import pytest
import torch
from ganlab_scores.similarity import structural_similarity
from torch import Tensor


def picture(seed: int, channels: int = 1) -> Tensor:
    draws = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (2, channels, 16, 20), generator=draws, dtype=torch.uint8)


def test_a_picture_is_1_to_itself_and_less_to_any_other() -> None:
    assert structural_similarity(picture(0), picture(0)).tolist() == pytest.approx([1, 1], abs=1e-12)
    assert structural_similarity(picture(0), picture(1)).max() < 0.3


@pytest.mark.parametrize(("a", "b"), [(0, 0), (0, 255), (100, 120), (30, 29)])
def test_constant_pictures_have_the_value_of_their_levels(a: int, b: int) -> None:
    c1 = (0.01 * 255) ** 2
    flat = [torch.full((1, 3, 11, 11), level, dtype=torch.uint8) for level in (a, b)]
    assert float(structural_similarity(*flat)) == pytest.approx((2 * a * b + c1) / (a**2 + b**2 + c1), rel=1e-9)


def test_it_is_the_mean_over_windows() -> None:
    one, other = picture(2, 3), picture(2, 3) // 2 + picture(3, 3) // 2
    distance = np.arange(11) - 5
    weights = np.exp(-(distance[:, None] ** 2 + distance[None] ** 2) / (2 * 1.5**2))
    weights /= weights.sum()
    c1, c2, values = (0.01 * 255) ** 2, (0.03 * 255) ** 2, []
    for channel in range(3):
        a, b = (images[0, channel].double().numpy() for images in (one, other))
        for top in range(16 - 10):
            for left in range(20 - 10):
                x, y = (image[top : top + 11, left : left + 11] for image in (a, b))
                mean, other_mean = (weights * x).sum(), (weights * y).sum()
                spread, other_spread = (weights * (x - mean) ** 2).sum(), (weights * (y - other_mean) ** 2).sum()
                shared = (weights * (x - mean) * (y - other_mean)).sum()
                likeness = (2 * mean * other_mean + c1) * (2 * shared + c2)
                values.append(likeness / ((mean**2 + other_mean**2 + c1) * (spread + other_spread + c2)))
    assert float(structural_similarity(one, other)[0]) == pytest.approx(np.mean(values), rel=1e-9)


def test_it_is_piqs() -> None:
    piq = pytest.importorskip("piq", reason="piq is absent; uv sync --group oracles installs it", exc_type=ImportError)
    one, other = picture(2, 3), picture(2, 3) // 2 + picture(3, 3) // 2
    theirs = piq.ssim(one.double(), other.double(), data_range=255.0, downsample=False, reduction="none")
    assert structural_similarity(one, other).tolist() == pytest.approx(theirs.tolist(), rel=1e-6)


def test_a_picture_smaller_than_a_window_is_refused() -> None:
    with pytest.raises(ValueError, match="needs pictures of 11 px or more, not 10"):
        structural_similarity(picture(0)[..., :10], picture(1)[..., :10])
