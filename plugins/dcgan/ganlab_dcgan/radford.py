"""The convolutional networks of DCGAN (Radford, Metz and Chintala, 2015), for images of 16 px and more."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from ganlab import DataSpec, Verdict
from ganlab_dcgan.from_noise import FromNoise
from ganlab_dcgan.options import DcganNetworks, first_map

_DEVIATION = 0.02  # of all weights at the start, around 0, and of the scales of batch normalisation, around 1


def dcgan(options: DcganNetworks, data: DataSpec) -> FromNoise:
    """Return transposed convolutions, and convolutions that judge what they make."""
    return FromNoise(options, lambda: (Generator(options, data), Discriminator(options, data)))


class Generator(nn.Module):
    """Turns noise [N, Z] into images [N, C, H, W] in [-1, 1]; for 64 px 512@4, 256@8, 128@16, 64@32, 3@64."""

    def __init__(self, options: DcganNetworks, data: DataSpec) -> None:
        super().__init__()
        size_px, doublings = first_map(data.size_px)
        widths = [options.width * 2**level for level in reversed(range(doublings))]
        self._first = (size_px, size_px, widths[0])
        # A 4x4 transposed convolution of a point is this product; the latter is several times as fast on a CPU.
        self.project = nn.Linear(options.noise_length, widths[0] * size_px**2, bias=False)
        self.normalise = _normalised(widths[0], options.generator_slope)
        self.levels = nn.Sequential(
            *(nn.Sequential(_up(*pair), _normalised(pair[1], options.generator_slope)) for pair in pairwise(widths))
        )
        self.draw = _up(widths[-1], data.channels)
        draw_as_radford(self)

    def forward(self, noise: Tensor) -> Tensor:
        """Return one image a row of `noise`."""
        first = self.project(noise).unflatten(1, self._first).permute(0, 3, 1, 2)
        return torch.tanh(self.draw(self.levels(self.normalise(first))))


class Discriminator(nn.Module):
    """Judges images [N, C, H, W] by the generator's maps, the other way round; the first is not normalised."""

    def __init__(self, options: DcganNetworks, data: DataSpec) -> None:
        super().__init__()
        size_px, halvings = first_map(data.size_px)
        widths = [options.width * 2**level for level in range(halvings)]
        slope, dropout = options.discriminator_slope, options.dropout
        self.see = nn.Sequential(_down(data.channels, widths[0]), _activation(slope), nn.Dropout(dropout))
        self.levels = nn.Sequential(
            *(nn.Sequential(_down(*pair), _normalised(pair[1], slope), nn.Dropout(dropout)) for pair in pairwise(widths))
        )
        self.reality = nn.Linear(widths[-1] * size_px**2, 1, bias=False)
        draw_as_radford(self)

    def forward(self, images: Tensor) -> Verdict:
        """Return the logits [N] of being real, and the features below them."""
        features = self.levels(self.see(images)).permute(0, 2, 3, 1).flatten(1)
        return Verdict(logits=self.reality(features)[:, 0], features=features)


@torch.no_grad()
def draw_as_radford(network: nn.Module) -> None:
    """Draw weights from N(0, 0.02) and the scales of batch normalisation from N(1, 0.02)."""
    for layer in network.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(layer.weight, 0.0, _DEVIATION)
        elif isinstance(layer, nn.BatchNorm2d):
            nn.init.normal_(layer.weight, 1.0, _DEVIATION)


def _up(channels_in: int, channels_out: int) -> nn.ConvTranspose2d:
    return nn.ConvTranspose2d(channels_in, channels_out, kernel_size=4, stride=2, padding=1, bias=False)


def _down(channels_in: int, channels_out: int) -> nn.Conv2d:
    return nn.Conv2d(channels_in, channels_out, kernel_size=4, stride=2, padding=1, bias=False)


def _normalised(channels: int, slope: float) -> nn.Sequential:
    return nn.Sequential(nn.BatchNorm2d(channels), _activation(slope))


def _activation(slope: float) -> nn.Module:
    return nn.LeakyReLU(slope) if slope else nn.ReLU()
