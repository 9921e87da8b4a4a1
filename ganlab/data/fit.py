"""Images of any size, gray or colour -> images as a recipe asks for them."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

_CHUNK_IMAGES = 256  # resized at once, as float32


def fit(images: Tensor, size_px: int, channels: int) -> Tensor:
    """Return uint8 [N, C, H, W] as uint8 [N, `channels`, `size_px`, `size_px`]; the same tensor if it fits already.

    Sizes change by bicubic interpolation with antialiasing. Gray is repeated; colour becomes its luma (ITU-R 601).
    """
    if tuple(images.shape[1:]) == (channels, size_px, size_px):
        return images
    fitted = torch.empty(len(images), channels, size_px, size_px, dtype=torch.uint8)
    for begin in range(0, len(images), _CHUNK_IMAGES):
        chunk = images[begin : begin + _CHUNK_IMAGES]
        if channels == 1:
            chunk = _gray(chunk)
        fitted[begin : begin + len(chunk)] = _resized(chunk, size_px)  # one channel fills three
    return fitted


def _gray(images: Tensor) -> Tensor:
    """Return the luma, rounded, by the integer weights that Pillow uses."""
    if images.shape[1] == 1:
        return images
    red, green, blue = images.int().split(1, dim=1)
    luma: Tensor = (red * 19595 + green * 38470 + blue * 7471 + 32768) >> 16
    return luma.to(torch.uint8)


def _resized(images: Tensor, size_px: int) -> Tensor:
    if tuple(images.shape[2:]) == (size_px, size_px):
        return images
    resized = F.interpolate(images.float(), (size_px, size_px), mode="bicubic", align_corners=False, antialias=True)
    return resized.round_().clamp_(0, 255).to(torch.uint8)
