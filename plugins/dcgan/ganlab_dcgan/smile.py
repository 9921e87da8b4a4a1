"""The networks of the plain GAN and of the WGAN of SMiLEConverter (seed 000, 2017), without labels."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from ganlab import DataSpec, Verdict
from ganlab.layers import draw_cut_normal
from ganlab_dcgan.from_noise import FromNoise
from ganlab_dcgan.options import SmileNetworks, first_map

_SLOPE = 0.2  # of the discriminators' LeakyReLU


def smile_gan(options: SmileNetworks, data: DataSpec) -> FromNoise:
    """Return model 0: 5x5 convolutions in both networks."""
    return FromNoise(options, lambda: _drawn(Generator(options, data), Discriminator(options, data)))


def smile_wgan(options: SmileNetworks, data: DataSpec) -> FromNoise:
    """Return model 1: the same generator, and a critic of 4x4 convolutions without biases."""
    return FromNoise(options, lambda: _drawn(Generator(options, data), Critic(options, data)))


class Generator(nn.Module):
    """Turns noise [N, Z] into images [N, C, H, W] in [-1, 1]; for 128 px 2048@4, 1024@8, ... 128@64, 3@128."""

    def __init__(self, options: SmileNetworks, data: DataSpec) -> None:
        super().__init__()
        size_px, doublings = first_map(data.size_px)
        widths = [options.width * 2**level for level in reversed(range(doublings))]
        self._first = (size_px, size_px, widths[0])
        self.project = nn.Linear(options.noise_length, widths[0] * size_px**2)
        self.normalise = _normalised(widths[0], nn.ReLU())
        self.levels = nn.Sequential(
            *(nn.Sequential(double(*pair), _normalised(pair[1], nn.ReLU())) for pair in pairwise(widths))
        )
        self.draw = double(widths[-1], data.channels)

    def forward(self, noise: Tensor) -> Tensor:
        """Return one image a row of `noise`."""
        first = self.project(noise).unflatten(1, self._first).permute(0, 3, 1, 2)
        return torch.tanh(self.draw(self.levels(self.normalise(first))))


class Discriminator(nn.Module):
    """Judges images [N, C, H, W]; for 128 px 64@64, 128@32, 256@16, 512@8, 1024@4; the first is not normalised."""

    def __init__(self, options: SmileNetworks, data: DataSpec) -> None:
        super().__init__()
        size_px, halvings = first_map(data.size_px)
        widths = [options.discriminator_width * 2**level for level in range(halvings)]
        self.see = nn.Sequential(halve(data.channels, widths[0]), nn.LeakyReLU(_SLOPE))
        self.levels = nn.Sequential(
            *(nn.Sequential(halve(*pair), _normalised(pair[1], nn.LeakyReLU(_SLOPE))) for pair in pairwise(widths))
        )
        self.reality = nn.Linear(widths[-1] * size_px**2, 1)

    def forward(self, images: Tensor) -> Verdict:
        """Return the logits [N] of being real, and the features below them."""
        features = self.levels(self.see(images)).permute(0, 2, 3, 1).flatten(1)
        return Verdict(logits=self.reality(features)[:, 0], features=features)


class Critic(nn.Module):
    """Judges patches of images [N, C, H, W], 2x2 of them for 128 px; the first and the last map are not normalised."""

    def __init__(self, options: SmileNetworks, data: DataSpec) -> None:
        super().__init__()
        _, halvings = first_map(data.size_px)
        widths = [options.discriminator_width * 2**level for level in range(halvings)]
        self.see = nn.Sequential(_halve_without_bias(data.channels, widths[0]), nn.LeakyReLU(_SLOPE))
        self.levels = nn.Sequential(
            *(
                nn.Sequential(_halve_without_bias(*pair), _normalised(pair[1], nn.LeakyReLU(_SLOPE)))
                for pair in pairwise(widths)
            )
        )
        self.reality = _halve_without_bias(widths[-1], 1)

    def forward(self, images: Tensor) -> Verdict:
        """Return the logits [N, 1, h, w] of patches, and the features below them."""
        features = self.levels(self.see(images))
        return Verdict(logits=self.reality(features), features=features)


def halve(channels_in: int, channels_out: int) -> nn.Sequential:
    """Return a 5x5 convolution with stride 2 and TensorFlow's "SAME" padding of even sides: 1 before, 2 after."""
    return nn.Sequential(nn.ZeroPad2d((1, 2, 1, 2)), nn.Conv2d(channels_in, channels_out, kernel_size=5, stride=2))


def double(channels_in: int, channels_out: int) -> nn.Sequential:
    """Return the transpose of `halve`: of what the kernels reach, 1 is cut off before and 2 after."""
    transposed = nn.ConvTranspose2d(channels_in, channels_out, kernel_size=5, stride=2, padding=1)
    return nn.Sequential(transposed, nn.ZeroPad2d((0, -1, 0, -1)))


def _drawn(generator: nn.Module, discriminator: nn.Module) -> tuple[nn.Module, nn.Module]:
    for network in (generator, discriminator):
        network.apply(draw_cut_normal)
    return generator, discriminator


def _halve_without_bias(channels_in: int, channels_out: int) -> nn.Conv2d:
    return nn.Conv2d(channels_in, channels_out, kernel_size=4, stride=2, padding=1, bias=False)


def _normalised(channels: int, activation: nn.Module) -> nn.Sequential:
    return nn.Sequential(nn.BatchNorm2d(channels), activation)
