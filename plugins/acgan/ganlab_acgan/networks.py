"""The generator and discriminator of the AC-GAN with attributes."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganlab import DataSpec, Verdict
from ganlab.layers import draw_as_keras
from ganlab.options import halvings
from ganlab_acgan.options import AcGanNetworks

_SLOPE = 0.2  # of every LeakyReLU
_LAST_PX = 4  # the discriminator halves images until they are so small


class AcGan:
    """Makes images from noise and labels, and reads labels from images."""

    def __init__(self, options: AcGanNetworks, data: DataSpec) -> None:
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

    def classify(self, nets: Mapping[str, nn.Module], images: Tensor) -> Tensor:
        """Return the logits [N, K] of the labels of `images` [N, C, H, W]."""
        logits: Tensor = nets["discriminator"](images).classes
        return logits


class Generator(nn.Module):
    """Turns noise [N, Z] and labels [N, K] into images [N, C, H, W] in [-1, 1]: 8, 16, 32, 64 px."""

    def __init__(self, options: AcGanNetworks, data: DataSpec) -> None:
        super().__init__()
        start_px, start_width, width = options.start_px, options.start_width, options.width
        is_joined = options.label_input == "joined"
        inputs = options.noise + (data.labels if is_joined else 0)
        self.first = nn.Linear(inputs, start_width * start_px**2)
        self.unfold = nn.Unflatten(1, (start_width, start_px, start_px))
        self.label_map = None if is_joined else LabelMap(data.labels, options.embedding, start_px)
        widths = [start_width + (0 if is_joined else 1)] + [width] * halvings(data.size_px, start_px, "start_px")
        self.doublings = nn.ModuleList(
            _doubling(before, after, batch_norm=options.batch_norm) for before, after in pairwise(widths)
        )
        self.last = nn.Conv2d(width, data.channels, 3, padding=1)

    def forward(self, noise: Tensor, labels: Tensor) -> Tensor:
        """Return the images."""
        told = noise if self.label_map else torch.cat([noise, labels], 1)
        x = self.unfold(F.leaky_relu(self.first(told), _SLOPE))
        if self.label_map:
            x = torch.cat([x, self.label_map(labels)], 1)
        for doubling in self.doublings:
            x = doubling(x)
        return torch.tanh(self.last(x))


class LabelMap(nn.Module):
    """Turns labels [N, K] into one map [N, 1, size, size]; by it alone the published generator did not hear its labels."""

    def __init__(self, labels: int, embedding: int, size_px: int) -> None:
        super().__init__()
        # As Keras' embedding of 0 and 1: all labels share two rows. Which label it is, only the next layer knows.
        self.answers = nn.Embedding(2, embedding)
        self.draw = nn.Linear(labels * embedding, size_px**2)
        self.unfold = nn.Unflatten(1, (1, size_px, size_px))

    def forward(self, labels: Tensor) -> Tensor:
        """Return the map; labels between 0 and 1 give vectors in between."""
        no, yes = self.answers.weight
        drawn: Tensor = self.unfold(self.draw(torch.lerp(no, yes, labels[:, :, None]).flatten(1)))
        return drawn


class Discriminator(nn.Module):
    """Judges images [N, C, H, W]: are they real, and which labels do they have."""

    def __init__(self, options: AcGanNetworks, data: DataSpec) -> None:
        super().__init__()
        width, size_px, inputs = options.width, data.size_px, data.channels
        self.halvings = nn.ModuleList()
        while size_px > _LAST_PX and size_px % 2 == 0:
            self.halvings.append(nn.Conv2d(inputs, width, 3, stride=2))
            inputs, size_px = width, size_px // 2
        features = width * size_px**2
        self.dropout = nn.Dropout(options.dropout)
        self.reality, self.classes = nn.Linear(features, 1), nn.Linear(features, data.labels)

    def forward(self, images: Tensor) -> Verdict:
        """Return the logits of being real [N] and of the labels [N, K], and the features below both."""
        x = images
        for halving in self.halvings:
            x = F.leaky_relu(halving(F.pad(x, (0, 1, 0, 1))), _SLOPE)  # "same" of an even side pads its end only
        features = x.flatten(1)
        kept = self.dropout(features)
        return Verdict(logits=self.reality(kept)[:, 0], classes=self.classes(kept), features=features)


def _doubling(inputs: int, outputs: int, *, batch_norm: bool) -> nn.Sequential:
    # Keras' momentum of 0.99 is 0.01 here.
    norm = nn.BatchNorm2d(outputs, eps=1e-3, momentum=0.01) if batch_norm else nn.Identity()
    return nn.Sequential(nn.ConvTranspose2d(inputs, outputs, 4, 2, 1), norm, nn.LeakyReLU(_SLOPE))
