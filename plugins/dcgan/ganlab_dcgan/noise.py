"""A count and a distribution -> the numbers that images are made from."""

import torch
from torch import Tensor

from ganlab_dcgan.options import Noise


def draw_noise(kind: Noise, count: int, length: int, device: torch.device) -> Tensor:
    """Return noise [count, length]: normal N(0, 1), or uniform in [-1, 1)."""
    if kind == "normal":
        return torch.randn(count, length, device=device)
    return torch.rand(count, length, device=device) * 2 - 1
