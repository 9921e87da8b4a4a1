"""Images -> features: what an extractor is, the one that needs no file, and the arithmetic that all of them get."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.nn import functional as F

from ganlab.scores.images import check_pixels, digest_of, in_colour


class FeatureExtractor(Protocol):
    """Turns images into features; distances are comparable only between features of equal name, digest, preprocessing."""

    @property
    def name(self) -> str:
        """Return what people call it: "inception", "random", "dinov2"."""

    @property
    def digest(self) -> str:
        """Return a digest of its weights: other weights, another digest."""

    @property
    def preprocessing(self) -> str:
        """Return in words what happens to the uint8 images first: colour, resize, range."""

    def __call__(self, images: Tensor) -> Tensor:
        """Return features [N, D], float32, of uint8 images [N, C, H, W] on the CPU; of each image on its own."""


class RandomFeatures:
    """Three random strided convolutions, averaged to 2 by 2: 512 features that see blur, noise, colour and collapse.

    Distances of such features order corruptions as people do, and need no download. They are no FID: their scale means
    nothing beyond this extractor, this seed and this size of images.
    """

    name = "random"
    preprocessing = "gray to RGB; no resize; (pixel - 127.5) / 127.5"

    def __init__(self, *, seed: int = 0, device: torch.device | str = "cpu") -> None:
        draws = torch.Generator().manual_seed(seed)
        self.device = torch.device(device)
        self._kernels = []
        for inputs, outputs in ((3, 32), (32, 64), (64, 128)):
            kernel = torch.randn(outputs, inputs, 3, 3, generator=draws) * (2 / (9 * inputs)) ** 0.5  # He et al., 2015
            self._kernels.append(kernel)

    @cached_property
    def digest(self) -> str:
        """Return the digest of the drawn weights."""
        return digest_of(torch.cat([kernel.flatten() for kernel in self._kernels]))

    def __call__(self, images: Tensor) -> Tensor:
        """Return [N, 512] on the CPU, of images of 8 px or more."""
        check_pixels(images)
        hidden = in_colour(images).to(self.device).float().sub_(127.5).div_(127.5)
        with exact_arithmetic(self.device):
            for kernel in self._kernels:
                hidden = F.conv2d(hidden, kernel.to(self.device), stride=2, padding=1).relu_()
            return F.adaptive_avg_pool2d(hidden, 2).flatten(1).cpu()


@contextmanager
def exact_arithmetic(device: torch.device) -> Iterator[None]:
    """Compute in float32 as it is on paper: no gradient, no autocast, no TF32, which keeps ten bits of a number."""
    cudnn: Any = torch.backends.cudnn
    products, convolutions = torch.backends.cuda.matmul, cudnn.conv
    before = products.fp32_precision, convolutions.fp32_precision
    products.fp32_precision = convolutions.fp32_precision = "ieee"
    try:
        with torch.inference_mode(), torch.autocast(device.type, enabled=False):
            yield
    finally:
        products.fp32_precision, convolutions.fp32_precision = before
