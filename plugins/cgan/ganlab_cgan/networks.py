"""The generator and discriminator of the cGAN, each with an embedding of the labels."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganlab import DataSpec, Verdict
from ganlab.layers import draw_as_keras
from ganlab.options import halvings
from ganlab_cgan.options import CGanNetworks

_SLOPE = 0.2  # of every LeakyReLU


class CGan:
    """Makes images from noise and labels."""

    def __init__(self, options: CGanNetworks, data: DataSpec) -> None:
        self._options, self._data = options, data

    def networks(self) -> dict[str, nn.Module]:
        """Return both networks, freshly drawn as Keras draws them."""
        nets: dict[str, nn.Module] = {
            "generator": Generator(self._options, self._data),
            "discriminator": Discriminator(self._options, self._data),
        }
        for net in nets.values():
            net.apply(draw_as_keras)
        return nets

    def noise(self, count: int, device: torch.device) -> Tensor:
        """Return normal noise, [count, Z]."""
        return torch.randn(count, self._options.noise, device=device)

    def generate(self, nets: Mapping[str, nn.Module], noise: Tensor, labels: Tensor) -> Tensor:
        """Return the images of `noise` [N, Z] and `labels` [N, K], in [-1, 1]."""
        images: Tensor = nets["generator"](noise, labels)
        return images


class Generator(nn.Module):
    """Turns noise [N, Z] and labels [N, K] into images [N, C, H, W] in [-1, 1]: 4, 8, ... 64 px."""

    def __init__(self, options: CGanNetworks, data: DataSpec) -> None:
        super().__init__()
        start_px, width = options.start_px, options.width
        self.labels = LabelMaps(options, data.labels, start_px)
        self.noise = nn.Linear(options.noise, width * start_px**2)
        self.unfold = nn.Unflatten(1, (width, start_px, start_px))
        inputs = [width + self.labels.maps] + [width] * (halvings(data.size_px, start_px, "start_px") - 1)
        self.doublings = nn.ModuleList(nn.ConvTranspose2d(each, width, 4, 2, 1) for each in inputs)
        self.last = nn.Conv2d(width, data.channels, 3, padding=1)

    def forward(self, noise: Tensor, labels: Tensor) -> Tensor:
        """Return the images."""
        x = torch.cat([self.unfold(F.leaky_relu(self.noise(noise), _SLOPE)), self.labels(labels)], 1)
        for doubling in self.doublings:
            x = F.leaky_relu(doubling(x), _SLOPE)
        return torch.tanh(self.last(x))


class Discriminator(nn.Module):
    """Judges images [N, C, H, W] with labels [N, K]: are they real, and are these their labels."""

    def __init__(self, options: CGanNetworks, data: DataSpec) -> None:
        super().__init__()
        width, levels = options.width, halvings(data.size_px, options.start_px, "start_px")
        self.labels = LabelMaps(options, data.labels, data.size_px)
        inputs = [data.channels + self.labels.maps] + [width] * (levels - 1)
        self.halvings = nn.ModuleList(nn.Conv2d(each, width, 3, stride=2) for each in inputs)
        self.dropout = nn.Dropout(options.dropout)
        self.reality = nn.Linear(width * options.start_px**2, 1)

    def forward(self, images: Tensor, labels: Tensor) -> Verdict:
        """Return the logits [N] of being real and of these labels."""
        x = torch.cat([images, self.labels(labels)], 1)
        for halving in self.halvings:
            x = F.leaky_relu(halving(F.pad(x, (0, 1, 0, 1))), _SLOPE)  # "same" of an even side pads its end only
        return Verdict(logits=self.reality(self.dropout(x.flatten(1)))[:, 0])


class LabelMaps(nn.Module):
    """Turns labels [N, K] into maps [N, 1 or K, size, size] by a vector for "yes" and one for "no"."""

    def __init__(self, options: CGanNetworks, labels: int, size_px: int) -> None:
        super().__init__()
        is_single = options.label_map == "single"
        self.maps = 1 if is_single else labels
        # As Keras' embedding of 0 and 1: all labels share two rows. Which label it is, only the next layer knows.
        self.answers = nn.Embedding(2, options.embedding)
        self.draw = nn.Linear(options.embedding * (labels if is_single else 1), size_px**2)
        self.unfold = nn.Unflatten(2, (size_px, size_px))

    def forward(self, labels: Tensor) -> Tensor:
        """Return the maps; labels between 0 and 1 give vectors in between."""
        no, yes = self.answers.weight
        vectors = torch.lerp(no, yes, labels[:, :, None])
        maps: Tensor = self.unfold(self.draw(vectors.view(len(labels), self.maps, -1)))
        return maps
