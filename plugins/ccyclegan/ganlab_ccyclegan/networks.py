"""The encoder, decoder and discriminator of CCycleGAN T18 to T26."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganlab import DataSpec, Verdict
from ganlab.layers import InstanceNorm, draw_as_keras, spectral_norm
from ganlab_ccyclegan.convolutions import Down, Up
from ganlab_ccyclegan.options import LEVELS, CCycleGanNetworks, level_sizes_px

_SLOPE = 0.2  # of every LeakyReLU
_FIRST_CHANGE = 0.05  # a residual decoder starts with weights so much smaller: it starts near the photo


class CCycleGan:
    """Changes the class of a photo by an encoder and a decoder that is told the label."""

    def __init__(self, options: CCycleGanNetworks, data: DataSpec) -> None:
        self._options, self._data = options, data

    def networks(self) -> dict[str, nn.Module]:
        """Return the three networks, freshly drawn."""
        options, data = self._options, self._data
        sizes = level_sizes_px(data.size_px)
        widths = _widths(options.width)
        nets: dict[str, nn.Module] = {
            "encoder": Encoder(data.channels, widths, keep_photo=options.residual),
            "decoder": Decoder(
                data.channels,
                widths,
                sizes,
                data.labels,
                residual=options.residual,
                transform=options.transform,
                label_at_levels=options.label_at_levels,
            ),
            "discriminator": Discriminator(
                data.channels, _widths(options.discriminator_width or options.width), sizes[-1], data.labels
            ),
        }
        if options.spectral_norm:
            spectral_norm(nets["discriminator"])
        return nets

    def translate(self, nets: Mapping[str, nn.Module], images: Tensor, labels: Tensor) -> Tensor:
        """Return `images` [N, C, H, W] with the class of `labels` [N, K], in [-1, 1]."""
        translated: Tensor = nets["decoder"](nets["encoder"](images), labels)
        return translated


class Encoder(nn.Module):
    """Turns images [N, C, H, W] into latents of four sizes; with `keep_photo` the image is the last of the list."""

    def __init__(self, channels: int, widths: Sequence[int], *, keep_photo: bool) -> None:
        super().__init__()
        self.keep_photo = keep_photo
        self.convolutions = nn.ModuleList(map(Down, [channels, *widths], widths))
        self.norms = nn.ModuleList(InstanceNorm() for _ in widths)

    def forward(self, images: Tensor) -> list[Tensor]:
        """Return [N, width, 23, 23], ... [N, 8 width, 1, 1] for images of 48 px, in [-1, 1]."""
        latents, x = [], images
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            x = norm(F.leaky_relu(convolution(x), _SLOPE))
            latents.append(x)
        return [*latents, images] if self.keep_photo else latents


class Decoder(nn.Module):
    """Turns latents and labels [N, K] into images [N, C, H, W] in [-1, 1]."""

    def __init__(
        self,
        channels: int,
        widths: Sequence[int],
        sizes_px: Sequence[int],
        labels: int,
        *,
        residual: bool,
        transform: bool,
        label_at_levels: bool,
    ) -> None:
        super().__init__()
        *skips, deepest = widths
        self.residual = residual
        self.transform = nn.Linear(deepest + labels, deepest + labels) if transform else None
        self.narrow = nn.Conv2d(deepest + labels, deepest, 1)
        if self.transform is not None:
            draw_as_keras(self.transform)
        draw_as_keras(self.narrow)

        # Each level joins what comes from below with the encoder's latent of that size, and doubles both.
        inputs = [deepest, *(2 * width for width in reversed(skips))]
        outputs = [*reversed(skips), 2 * channels if residual else channels]
        sizes = list(reversed(sizes_px))
        paddings = [after - (2 * before + 2) for before, after in pairwise(sizes)]
        *ups, last = (
            Up(inside, outside, output_padding=padding)
            for inside, outside, padding in zip(inputs, outputs, paddings, strict=True)
        )
        if residual:
            with torch.no_grad():
                last.weight.mul_(_FIRST_CHANGE)
        biases = [nn.Linear(labels, width, bias=False) if label_at_levels else None for width in outputs[:-1]]
        self.levels = nn.ModuleList(Level(up, bias) for up, bias in zip(ups, biases, strict=True))
        self.last = last

    def forward(self, latents: Sequence[Tensor], labels: Tensor) -> Tensor:
        """Return the images that `latents`, as `Encoder` gives them, make with `labels`."""
        *skips, deepest = latents[:LEVELS]
        height, width = deepest.shape[2:]
        told = labels.to(deepest.dtype)[:, :, None, None].expand(-1, -1, height, width)
        x = torch.cat([deepest, told], 1)
        if self.transform is not None:
            x = F.leaky_relu(self.transform(x.permute(0, 2, 3, 1)), _SLOPE).permute(0, 3, 1, 2)
        x = self.narrow(x)
        for level, skip in zip(self.levels, reversed(skips), strict=True):
            x = torch.cat([level(x, labels), skip], 1)
        drawn = self.last(x)
        return _change(latents[LEVELS], *drawn.chunk(2, 1)) if self.residual else torch.tanh(drawn)


class Level(nn.Module):
    """Doubles what comes from below: `up`, perhaps a bias that the label chooses, ReLU, normalisation."""

    def __init__(self, up: Up, label_bias: nn.Linear | None) -> None:
        super().__init__()
        self.up, self.label_bias, self.norm = up, label_bias, InstanceNorm()
        if label_bias is not None:
            draw_as_keras(label_bias)

    def forward(self, x: Tensor, labels: Tensor) -> Tensor:
        """Turn [N, C, H, W] with `labels` [N, K] into [N, width, 2 H + 2, 2 W + 2], plus the output padding."""
        x = self.up(x)
        if self.label_bias is not None:
            x = x + self.label_bias(labels)[:, :, None, None]
        normalised: Tensor = self.norm(F.relu(x))
        return normalised


def _change(photo: Tensor, drawn: Tensor, counts: Tensor) -> Tensor:
    """Return the photo moved towards white or black by tanh(drawn) * sigmoid(counts) of the way, so it stays in [-1, 1].

    The second factor, as the attention of GANimation (Pumarola et al., 2018), can leave what surrounds a face untouched.
    """
    change = torch.tanh(drawn) * torch.sigmoid(counts)
    return photo + change.relu() * (1 - photo) - (-change).relu() * (1 + photo)


class Discriminator(nn.Module):
    """Judges images [N, C, H, W]: are they real, and which class do they show."""

    def __init__(self, channels: int, widths: Sequence[int], last_size_px: int, labels: int) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList(map(Down, [channels, *widths], widths))
        self.norms = nn.ModuleList([nn.Identity(), *(InstanceNorm() for _ in widths[1:])])
        features, hidden = widths[-1] * last_size_px**2, widths[-1]
        self.reality = _head(features, hidden, 1)
        self.classes = _head(features, hidden, labels)

    def forward(self, images: Tensor) -> Verdict:
        """Return the logits [N] of being real, of the classes [N, K], and the features below both."""
        x = images
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            x = norm(F.leaky_relu(convolution(x), _SLOPE))
        features = x.flatten(1)
        return Verdict(logits=self.reality(features)[:, 0], classes=self.classes(features), features=features)


def _widths(first: int) -> list[int]:
    return [first * 2**level for level in range(LEVELS)]


def _head(features: int, hidden: int, outputs: int) -> nn.Sequential:
    inner, outer = nn.Linear(features, hidden), nn.Linear(hidden, outputs)
    draw_as_keras(inner)
    draw_as_keras(outer)
    return nn.Sequential(inner, nn.LeakyReLU(_SLOPE), outer)
