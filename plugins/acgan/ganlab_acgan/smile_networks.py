"""The generator and discriminator of SMiLE's AC-GAN."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganlab import DataSpec, Verdict
from ganlab.layers import draw_cut_normal
from ganlab.options import halvings
from ganlab_acgan.smile_options import SmileAcGanNetworks

_SLOPE = 0.2  # of every LeakyReLU


class SmileAcGan:
    """Makes images from noise that the label gates, and reads labels from images."""

    def __init__(self, options: SmileAcGanNetworks, data: DataSpec) -> None:
        self._options, self._data = options, data

    def networks(self) -> dict[str, nn.Module]:
        """Return both networks, freshly drawn as published."""
        options, data = self._options, self._data
        # 64, 128, ... 1024 channels for 128 px and a width of 32.
        levels = halvings(data.size_px, options.start_px, "start_px")
        widths = [options.width << level for level in range(1, levels + 1)]
        nets: dict[str, nn.Module] = {
            "generator": Generator(options, data, widths),
            "discriminator": Discriminator(options, data, widths),
        }
        for net in nets.values():
            net.apply(draw_cut_normal)
        return nets

    def noise(self, count: int, device: torch.device) -> Tensor:
        """Return noise from [-1, 1), [count, Z]."""
        return torch.rand(count, self._options.noise, device=device) * 2 - 1

    def generate(self, nets: Mapping[str, nn.Module], noise: Tensor, labels: Tensor) -> Tensor:
        """Return the images of `noise` [N, Z] and `labels` [N, K], in [-1, 1]."""
        images: Tensor = nets["generator"](noise, labels)
        return images

    def classify(self, nets: Mapping[str, nn.Module], images: Tensor) -> Tensor:
        """Return the logits [N, K] of the labels of `images` [N, C, H, W]."""
        logits: Tensor = nets["discriminator"](images).classes
        return logits


class Generator(nn.Module):
    """Turns noise [N, Z] and labels [N, K] into images [N, C, H, W] in [-1, 1]: 4, 8, ... 128 px."""

    def __init__(self, options: SmileAcGanNetworks, data: DataSpec, widths: list[int]) -> None:
        super().__init__()
        # With two classes, batch normalisation drives each of the gate's units to 1 for one class and -1 for the other,
        # so that after its ReLU the label lets some of the noise through and stops the rest.
        # Where training brings a unit's two weights together it shuts for both, and stays shut: on drawn faces, most did.
        self.gate = nn.Sequential(nn.Linear(data.labels, options.noise), nn.BatchNorm1d(options.noise), nn.ReLU())
        channels = [2 * width for width in reversed(widths)]
        self.first = nn.Linear(options.noise, channels[0] * options.start_px**2)
        self.unfold = nn.Unflatten(1, (channels[0], options.start_px, options.start_px))
        self.norms = nn.ModuleList(map(nn.BatchNorm2d, channels))
        self.doublings = nn.ModuleList(
            nn.ConvTranspose2d(before, after, 4, 2, 1) for before, after in pairwise([*channels, data.channels])
        )

    def forward(self, noise: Tensor, labels: Tensor) -> Tensor:
        """Return the images; in training their labels differ and there are two or more of them."""
        x = self.unfold(self.first(self.gate(labels) * noise))
        for norm, doubling in zip(self.norms, self.doublings, strict=True):
            x = doubling(F.relu(norm(x)))
        return torch.tanh(x)


class Discriminator(nn.Module):
    """Judges images [N, C, H, W]: are they real, and which labels do they have."""

    def __init__(self, options: SmileAcGanNetworks, data: DataSpec, widths: list[int]) -> None:
        super().__init__()
        channels = [data.channels, *widths]
        self.halvings = nn.ModuleList(nn.Conv2d(before, after, 4, 2, 1) for before, after in pairwise(channels))
        self.norms = nn.ModuleList([nn.Identity(), *map(nn.BatchNorm2d, widths[1:])])
        features = widths[-1] * options.start_px**2
        self.reality, self.classes = nn.Linear(features, 1), nn.Linear(features, data.labels)

    def forward(self, images: Tensor) -> Verdict:
        """Return the logits of being real [N] and of the labels [N, K], and the features that matching compares."""
        x = images
        for halving, norm in zip(self.halvings, self.norms, strict=True):
            x = F.leaky_relu(norm(halving(x)), _SLOPE)
        features = x.flatten(1)
        return Verdict(logits=self.reality(features)[:, 0], classes=self.classes(features), features=features)
