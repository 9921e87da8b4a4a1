"""The layers of CCycleGAN T1 to T17: 4x4 convolutions whose zeros lie as Keras' padding="same" puts them, label tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganlab.layers import InstanceNorm, draw_as_keras

KERNEL_PX = 4
SLOPE = 0.2  # of every LeakyReLU


class Halve(nn.Conv2d):
    """Halve images of even side: 4x4 convolution, stride 2."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__(channels_in, channels_out, KERNEL_PX, stride=2, padding=1)
        draw_as_keras(self)


class Keep(nn.Conv2d):
    """Keep the size of images: 4x4 convolution, stride 1."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__(channels_in, channels_out, KERNEL_PX)
        draw_as_keras(self)

    def forward(self, x: Tensor) -> Tensor:
        """Turn [N, C, H, W] into [N, channels_out, H, W]."""
        # One row and column of zeros before the image, two after it.
        return super().forward(F.pad(x, (1, 2, 1, 2)))


class DoubledKeep(Keep):
    """Double images, each pixel four times, then `Keep`; in one 3x3 convolution, since neighbours are equal.

    Of the 4x4 doubled pixels that an even one sees, those in the middle are one pixel, so their weights are added; an odd
    one sees 2x2 pixels. On a CPU the generator is twice as fast so, and no doubled image is written.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Turn [N, C, H, W] into [N, channels_out, 2 H, 2 W]."""
        assert self.bias is not None
        kernels = torch.cat([kernel for rows in _taps(self.weight, 2) for kernel in _taps(rows, 3)])
        made = F.conv2d(x, kernels, self.bias.repeat(4), padding=1)
        # [N, H, W, 2, 2, C] -> [N, 2 H, 2 W, C], which is how it lies in memory.
        pixels = cast(Tensor, made.permute(0, 2, 3, 1).unflatten(3, (2, 2, -1))).transpose(2, 3)
        return pixels.flatten(1, 2).flatten(2, 3).permute(0, 3, 1, 2)


class DoubledHalve(Halve):
    """Double images, each pixel four times, then `Halve`; in one 3x3 convolution."""

    def forward(self, x: Tensor) -> Tensor:
        """Turn [N, C, H, W] into [N, channels_out, H, W]."""
        rows, _ = _taps(self.weight, 2)
        kernel, _ = _taps(rows, 3)
        return F.conv2d(x, kernel, self.bias, padding=1)


def _taps(weight: Tensor, axis: int) -> tuple[Tensor, Tensor]:
    """Return what 4 weights along `axis` are to 3 undoubled pixels, of an even and of an odd doubled pixel."""
    first, second, third, fourth = weight.split(1, axis)
    even = torch.cat([first, second + third, fourth], axis)
    odd = torch.cat([torch.zeros_like(first), first + second, third + fourth], axis)
    return even, odd


class DownLevel(nn.Module):
    """A convolution, LeakyReLU, perhaps the normalisation: one level of an encoder or a discriminator."""

    def __init__(self, convolution: nn.Module, *, normalised: bool = True) -> None:
        super().__init__()
        self.convolution = convolution
        self.norm: nn.Module = InstanceNorm() if normalised else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """Turn [N, C, H, W] into [N, channels_out, ...], by the convolution's size."""
        return cast(Tensor, self.norm(F.leaky_relu(self.convolution(x), SLOPE)))


class UpLevel(nn.Module):
    """A convolution of doubled images, ReLU, the normalisation; then the encoder's feature map of that size beside it."""

    def __init__(self, convolution: nn.Module) -> None:
        super().__init__()
        self.convolution, self.norm = convolution, InstanceNorm()

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        """Turn [N, C, H, W] into [N, channels_out + those of `skip`, ...]."""
        x = self.norm(F.relu(self.convolution(x)))
        return torch.cat([x, skip], 1)


class LabelTable(nn.Module):
    """A vector for each label (Keras' Embedding); of a mixed label, the mixture."""

    def __init__(self, labels: int, length: int) -> None:
        super().__init__()
        self.vectors = nn.Parameter(torch.empty(labels, length).uniform_(-0.05, 0.05))

    def forward(self, labels: Tensor) -> Tensor:
        """Turn [N, K] into [N, length]."""
        return labels.to(self.vectors.dtype) @ self.vectors


class LabelMap(nn.Module):
    """A feature map for each label; its numbers lie in the published order: height, width, channels."""

    def __init__(self, labels: int, channels: int, size_px: int) -> None:
        super().__init__()
        self.shape = (size_px, size_px, channels)
        self.table = LabelTable(labels, channels * size_px**2)

    def forward(self, labels: Tensor) -> Tensor:
        """Turn [N, K] into [N, channels, size_px, size_px]."""
        return cast(Tensor, self.table(labels).unflatten(1, self.shape)).permute(0, 3, 1, 2)


def levels(channels: int, widths: Sequence[int], *, first_normalised: bool = True) -> nn.ModuleList:
    """Return one `DownLevel` a width, each halving what the one before it makes."""
    return nn.ModuleList(
        DownLevel(Halve(before, after), normalised=first_normalised or level > 0)
        for level, (before, after) in enumerate(zip([channels, *widths], widths, strict=False))
    )


def keras_linear(inputs: int, outputs: int) -> nn.Linear:
    """Return a dense layer that starts as Keras starts it."""
    layer = nn.Linear(inputs, outputs)
    draw_as_keras(layer)
    return layer
