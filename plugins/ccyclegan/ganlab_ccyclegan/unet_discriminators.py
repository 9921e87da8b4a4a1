"""The discriminators of CCycleGAN T1 to T17 and C1: an image, with its label or without -> a `Verdict`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganlab import DataSpec, Verdict
from ganlab_ccyclegan.architecture_options import DiscriminatorName, UnetNetworks, smallest_px
from ganlab_ccyclegan.resnet import Resnet
from ganlab_ccyclegan.unet import widths
from ganlab_ccyclegan.unet_layers import SLOPE, Keep, LabelMap, LabelTable, keras_linear, levels

_DENSE, _DROPPED = 128, 0.4  # of the head of T3
_TOLD, _JUDGING = 100, 1024  # a label's vector beside a ResNet, and the layer that takes both


def discriminator(options: UnetNetworks, data: DataSpec) -> nn.Module:
    """Return the discriminator that the options name, freshly drawn."""
    return _BUILDERS[options.discriminator](options, data)


class Trunk(nn.Module):
    """Turns images [N, C, H, W] into features [N, 8 width, H / 16, W / 16]."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.levels = levels(channels, widths(width), first_normalised=False)
        self.channels = widths(width)[-1]

    def forward(self, images: Tensor) -> Tensor:
        """Return the features."""
        x = images
        for level in self.levels:
            x = level(x)
        return x


class LabelAtImage(nn.Module):
    """Judges images times a map of the label: patches, or (`dense`) one logit that a dense head makes of them."""

    def __init__(self, data: DataSpec, width: int, *, dense: bool) -> None:
        super().__init__()
        self.told = LabelMap(data.labels, data.channels, data.size_px)
        self.patches = Patches(data.channels, width)
        self.head = DenseHead(smallest_px(data.size_px)) if dense else None

    def forward(self, images: Tensor, labels: Tensor) -> Verdict:
        """Return logits of patches [N, 1, H / 16, W / 16]; with the dense head [N]."""
        patches = self.patches(images * self.told(labels)).logits
        return Verdict(logits=patches if self.head is None else self.head(patches))


class Patches(nn.Module):
    """Judges images [N, C, H, W] alone, by patches (T4)."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.trunk = Trunk(channels, width)
        self.last = Keep(self.trunk.channels, 1)

    def forward(self, images: Tensor) -> Verdict:
        """Return logits of patches [N, 1, H / 16, W / 16]."""
        return Verdict(logits=self.last(self.trunk(images)))


class DenseHead(nn.Module):
    """Turns patches into one logit an image (T3): the same dense layer for each patch, dropout, one for all of them."""

    def __init__(self, patches_px: int) -> None:
        super().__init__()
        self.each = keras_linear(1, _DENSE)
        self.all = keras_linear(_DENSE * patches_px**2, 1)
        self.dropout = nn.Dropout(_DROPPED)

    def forward(self, patches: Tensor) -> Tensor:
        """Turn [N, 1, H, W] into [N]."""
        x = F.leaky_relu(self.each(patches.permute(0, 2, 3, 1)), SLOPE)
        return cast(Tensor, self.all(self.dropout(x).flatten(1)))[:, 0]


class LabelAtPatches(nn.Module):
    """Judges images alone, by patches, and multiplies each with a number that the label chooses for it (T14)."""

    def __init__(self, data: DataSpec, width: int) -> None:
        super().__init__()
        self.patches = Patches(data.channels, width)
        self.told = LabelMap(data.labels, 1, smallest_px(data.size_px))

    def forward(self, images: Tensor, labels: Tensor) -> Verdict:
        """Return logits of patches [N, 1, H / 16, W / 16]."""
        return Verdict(logits=self.patches(images).logits * self.told(labels))


class ClassesOfPatches(nn.Module):
    """Judges images by patches, and tells their class; a class more than the data have, the last, is that of fakes (T9)."""

    def __init__(self, data: DataSpec, width: int) -> None:
        super().__init__()
        self.trunk = Trunk(data.channels, width)
        self.last = Keep(self.trunk.channels, 1)
        self.classes = keras_linear(self.trunk.channels * smallest_px(data.size_px) ** 2, data.labels + 1)

    def forward(self, images: Tensor) -> Verdict:
        """Return logits of patches [N, 1, H / 16, W / 16], and of the classes [N, K + 1]."""
        features = self.trunk(images)
        return Verdict(logits=self.last(features), classes=self.classes(features.flatten(1)))


class BesideResnet(nn.Module):
    """Judges an image, by a ResNet's features, and a label together (T6, C1)."""

    def __init__(self, data: DataSpec, backbone: str) -> None:
        super().__init__()
        self.resnet = Resnet(backbone)
        self.told = LabelTable(data.labels, _TOLD)
        self.inner = keras_linear(self.resnet.features + _TOLD, _JUDGING)
        self.outer = keras_linear(_JUDGING, 1)

    def forward(self, images: Tensor, labels: Tensor) -> Verdict:
        """Return logits [N] for images [N, C, H, W] and labels [N, K]."""
        features = self.resnet(images)
        both = torch.cat([features, self.told(labels).to(features.dtype)], 1)
        return Verdict(logits=self.outer(F.relu(self.inner(both)))[:, 0])


class TwoHeads(nn.Module):
    """Judges images, and tells their class: two dense heads on the features of the trunk (T17)."""

    def __init__(self, data: DataSpec, width: int, hidden: int) -> None:
        super().__init__()
        self.trunk = Trunk(data.channels, width)
        features = self.trunk.channels * smallest_px(data.size_px) ** 2
        self.reality = _head(features, hidden, 1)
        self.classes = _head(features, hidden, data.labels)

    def forward(self, images: Tensor) -> Verdict:
        """Return the logits [N] of being real, of the classes [N, K], and the features below both."""
        features = self.trunk(images).flatten(1)
        return Verdict(logits=self.reality(features)[:, 0], classes=self.classes(features), features=features)


_BUILDERS: Mapping[DiscriminatorName, Callable[[UnetNetworks, DataSpec], nn.Module]] = {
    "label_at_image": lambda options, data: LabelAtImage(data, options.discriminator_width, dense=False),
    "label_at_image_dense": lambda options, data: LabelAtImage(data, options.discriminator_width, dense=True),
    "label_at_patches": lambda options, data: LabelAtPatches(data, options.discriminator_width),
    "classes": lambda options, data: ClassesOfPatches(data, options.discriminator_width),
    "resnet": lambda options, data: BesideResnet(data, options.backbone),
}


def _head(features: int, hidden: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(keras_linear(features, hidden), nn.LeakyReLU(SLOPE), keras_linear(hidden, outputs))
