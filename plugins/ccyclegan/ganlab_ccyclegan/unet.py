"""The U-Net generator of CCycleGAN T1 to T16: an image and a label -> the image changed; and T17's two halves of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn

from ganlab_ccyclegan.architecture_options import HALVINGS, LabelPlace, smallest_px
from ganlab_ccyclegan.unet_layers import DoubledHalve, DoubledKeep, DownLevel, Keep, LabelMap, LabelTable, UpLevel, levels

_MORE_LEVELS = 2  # of a deep generator, at the smallest size
_TOLD_CHANNELS = 8  # of T17's label: 72 numbers of 3 x 3
_CONCATENATED = 11  # numbers of a label's vector for each pixel of the smallest feature map: 99 of 3 x 3


def widths(first: int) -> list[int]:
    """Return the channels of the four levels."""
    return [first << level for level in range(HALVINGS)]


class Encoder(nn.Module):
    """Turns images [N, C, H, W] into feature maps, the largest first."""

    def __init__(self, channels: int, width: int, *, deep: bool = False) -> None:
        super().__init__()
        self.levels = levels(channels, widths(width))
        deepest = widths(width)[-1]
        self.levels.extend(DownLevel(Keep(deepest, deepest)) for _ in range(_MORE_LEVELS * deep))

    def forward(self, images: Tensor) -> list[Tensor]:
        """Return [N, width, 24, 24], ... [N, 8 width, 3, 3] for images of 48 px; of the deep one two more as the last."""
        latents, x = [], images
        for level in self.levels:
            x = level(x)
            latents.append(x)
        return latents


class Ups(nn.Module):
    """Turns the smallest feature map, with the larger ones beside it, into images [N, C, H, W] in [-1, 1]."""

    def __init__(self, channels: int, width: int, deepest: int, *, deep: bool = False) -> None:
        super().__init__()
        *skips, last = widths(width)
        # A deep one's first levels double and halve again, so that they stay at the smallest size.
        kinds: list[type[nn.Module]] = [DoubledHalve] * (_MORE_LEVELS * deep) + [DoubledKeep] * len(skips)
        beside = [last] * (_MORE_LEVELS * deep) + skips[::-1]  # each level makes as much as it finds beside it
        inputs = [deepest, *(2 * count for count in beside)]
        self.levels = nn.ModuleList(
            UpLevel(kind(before, after)) for kind, before, after in zip(kinds, inputs, beside, strict=False)
        )
        self.last = DoubledKeep(inputs[-1], channels)

    def forward(self, deepest: Tensor, skips: Sequence[Tensor]) -> Tensor:
        """Return the images; `skips` are the other feature maps, the largest first."""
        x = deepest
        for level, skip in zip(self.levels, reversed(skips), strict=True):
            x = level(x, skip)
        return torch.tanh(self.last(x))


class Generator(nn.Module):
    """Turns images and, unless it is told none, labels into images [N, C, H, W] in [-1, 1]."""

    def __init__(
        self, channels: int, size_px: int, labels: int, width: int, *, label_at: LabelPlace | None, deep: bool = False
    ) -> None:
        super().__init__()
        self.label_at = label_at
        deepest, side = widths(width)[-1], smallest_px(size_px)
        self.encoder = Encoder(channels, width, deep=deep)
        self.told: nn.Module | None = None
        if label_at == "image":
            self.told = LabelMap(labels, channels, size_px)
        elif label_at == "bottleneck":
            self.told = LabelMap(labels, deepest, side)
        elif label_at == "bottleneck_concat":
            self.told = LabelTable(labels, _CONCATENATED * side**2)
            deepest += _CONCATENATED
        self.decoder = Ups(channels, width, deepest, deep=deep)

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        """Return `images` [N, C, H, W], changed to `labels` [N, K]; in [-1, 1]."""
        told = self.told(labels) if self.told is not None else None
        if told is not None and self.label_at == "image":
            images = images * told
        *skips, deepest = self.encoder(images)
        if told is not None and self.label_at == "bottleneck":
            deepest = deepest * told
        elif told is not None and self.label_at == "bottleneck_concat":
            deepest = _appended(deepest, told)
        return cast(Tensor, self.decoder(deepest, skips))


class Decoder(nn.Module):
    """Turns feature maps, as `Encoder` gives them, and labels [N, K] into images: the second half of T17's generator."""

    def __init__(self, channels: int, size_px: int, labels: int, width: int) -> None:
        super().__init__()
        deepest, side = widths(width)[-1], smallest_px(size_px)
        self.told = LabelMap(labels, _TOLD_CHANNELS, side)
        self.ups = Ups(channels, width, deepest + _TOLD_CHANNELS)

    def forward(self, latents: Sequence[Tensor], labels: Tensor) -> Tensor:
        """Return the images [N, C, H, W] in [-1, 1] that `latents` make with `labels`."""
        *skips, deepest = latents
        return cast(Tensor, self.ups(torch.cat([deepest, self.told(labels)], 1), skips))


def _appended(x: Tensor, vectors: Tensor) -> Tensor:
    """Append `vectors` [N, 11 H W] to the flat `x` [N, C, H, W] and read all of it anew as [N, C + 11, H, W].

    As published: the numbers of a pixel, 267 of them, are then no longer those of one pixel of `x`.
    """
    height, width = x.shape[2:]
    flat = torch.cat([x.permute(0, 2, 3, 1).flatten(1), vectors.to(x.dtype)], 1)
    return cast(Tensor, flat.unflatten(1, (height, width, -1))).permute(0, 3, 1, 2)
