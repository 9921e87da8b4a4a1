"""The fully connected networks of Face Synthesis (seed 001, 2020), which its text calls a DCGAN."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn

from ganlab import DataSpec, Verdict
from ganlab_dcgan.from_noise import FromNoise
from ganlab_dcgan.options import FaceMlpNetworks


def face_mlp(options: FaceMlpNetworks, data: DataSpec) -> FromNoise:
    """Return linear layers, whose weights start as torch draws them."""
    return FromNoise(options, lambda: (Generator(options, data), Discriminator(options, data)))


class Generator(nn.Module):
    """Turns noise [N, Z] into images [N, C, H, W] in [-1, 1]: 100, 256, 512, 1024, 1024, all pixels."""

    def __init__(self, options: FaceMlpNetworks, data: DataSpec) -> None:
        super().__init__()
        self._shape = (data.channels, data.size_px, data.size_px)
        width = options.width
        units = [options.noise_length, width, 2 * width, 4 * width, 4 * width]
        hidden = [nn.Sequential(nn.Linear(*pair), _activation(options.generator_slope)) for pair in pairwise(units)]
        self.layers = nn.Sequential(*hidden, nn.Linear(units[-1], data.channels * data.size_px**2), nn.Tanh())

    def forward(self, noise: Tensor) -> Tensor:
        """Return one image a row of `noise`."""
        pixels: Tensor = self.layers(noise)
        return pixels.view(-1, *self._shape)


class Discriminator(nn.Module):
    """Judges images [N, C, H, W]: all pixels, 256, 512, perhaps 512 again, one logit."""

    def __init__(self, options: FaceMlpNetworks, data: DataSpec) -> None:
        super().__init__()
        width = options.width
        units = [data.channels * data.size_px**2, width, *([2 * width] * (1 + options.extra_layer))]
        self.layers = nn.Sequential(
            *(
                nn.Sequential(nn.Linear(*pair), _activation(options.discriminator_slope), nn.Dropout(options.dropout))
                for pair in pairwise(units)
            )
        )
        self.reality = nn.Linear(units[-1], 1)

    def forward(self, images: Tensor) -> Verdict:
        """Return the logits [N] of being real, and the features below them."""
        features = self.layers(images.flatten(1))
        return Verdict(logits=self.reality(features)[:, 0], features=features)


def _activation(slope: float) -> nn.Module:
    return nn.LeakyReLU(slope) if slope else nn.ReLU()
