"""Two pictures -> their structural similarity (Wang, Bovik, Sheikh and Simoncelli, 2004)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from ganlab.scores import check_pixels

WINDOW_PX = 11
_DEVIATION_PX = 1.5
_RANGE = 255.0
_C1, _C2 = (0.01 * _RANGE) ** 2, (0.03 * _RANGE) ** 2  # K1 and K2 of the paper
_BATCH_IMAGES = 256


def structural_similarity(one: Tensor, other: Tensor) -> Tensor:
    """Return the mean similarity of each pair of uint8 images [N, C, H, W], at most 1, float64 [N].

    Windows of 11 by 11 px, Gaussian with a standard deviation of 1.5, that lie wholly inside the picture; of colour images
    the mean over the channels. Raises `ValueError` for pictures smaller than a window, or of two shapes.
    """
    check_pixels(one)
    check_pixels(other)
    if one.shape != other.shape:
        raise ValueError(f"pictures of {list(one.shape)} and of {list(other.shape)} cannot be compared")
    if min(one.shape[2:]) < WINDOW_PX:
        raise ValueError(f"structural similarity needs pictures of {WINDOW_PX} px or more, not {min(one.shape[2:])}")
    pairs = zip(one.split(_BATCH_IMAGES), other.split(_BATCH_IMAGES), strict=True)
    return torch.cat([_similarity(a.double(), b.double()) for a, b in pairs])


def _similarity(one: Tensor, other: Tensor) -> Tensor:
    mean, other_mean = _smoothed(one), _smoothed(other)
    variance = _smoothed(one * one) - mean * mean
    other_variance = _smoothed(other * other) - other_mean * other_mean
    covariance = _smoothed(one * other) - mean * other_mean
    # Eq. 13
    similarity = (2 * mean * other_mean + _C1) * (2 * covariance + _C2)
    similarity = similarity / ((mean**2 + other_mean**2 + _C1) * (variance + other_variance + _C2))
    return similarity.mean((1, 2, 3))


def _smoothed(images: Tensor) -> Tensor:
    """Return weighted means of all windows, [N, C, H - 10, W - 10]: down, then across."""
    distances = torch.arange(WINDOW_PX, dtype=images.dtype) - WINDOW_PX // 2
    weights = torch.exp(-(distances**2) / (2 * _DEVIATION_PX**2))
    weights = (weights / weights.sum()).expand(images.shape[1], 1, -1)
    down = F.conv2d(images, weights[..., None], groups=images.shape[1])
    return F.conv2d(down, weights[:, :, None], groups=images.shape[1])
