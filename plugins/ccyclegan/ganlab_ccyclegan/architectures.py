"""The networks of CCycleGAN's other experiments, put together: T1 to T16 and C1, T17, T4, C2."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganlab import DataSpec
from ganlab_ccyclegan.architecture_options import DomainNetworks, ResnetClassifierNetworks, T17Networks, UnetNetworks
from ganlab_ccyclegan.resnet import Resnet
from ganlab_ccyclegan.unet import Decoder, Encoder, Generator
from ganlab_ccyclegan.unet_discriminators import Patches, TwoHeads, discriminator
from ganlab_ccyclegan.unet_layers import keras_linear

_HIDDEN = 1024  # units between a ResNet's features and the classes


class UnetPair:
    """Changes the class of a photo by one U-Net that is told the label (T1 to T16 without T4, C1)."""

    def __init__(self, options: UnetNetworks, data: DataSpec) -> None:
        self._options, self._data = options, data

    def networks(self) -> dict[str, nn.Module]:
        """Return generator and discriminator, freshly drawn."""
        options, data = self._options, self._data
        generator = Generator(
            data.channels, data.size_px, data.labels, options.width, label_at=options.label_at, deep=options.deep
        )
        return {"generator": generator, "discriminator": discriminator(options, data)}

    def load_pretrained(self, nets: Mapping[str, nn.Module]) -> dict[str, str]:
        """Load the weights that a new run starts from; return the SHA-256 of their file by the option that names it."""
        if self._options.pretrained is None:
            return {}
        return {"pretrained": _resnet(nets["discriminator"]).load(Path(self._options.pretrained))}

    def translate(self, nets: Mapping[str, nn.Module], images: Tensor, labels: Tensor) -> Tensor:
        """Return `images` [N, C, H, W] with the class of `labels` [N, K], in [-1, 1]."""
        return cast(Tensor, nets["generator"](images, labels))

    def classify(self, nets: Mapping[str, nn.Module], images: Tensor) -> Tensor:
        """Return logits [N, K]: how well the discriminator finds that each label fits, or what it takes the class for."""
        count, judge = self._data.labels, nets["discriminator"]
        if self._options.discriminator == "classes":
            return cast(Tensor, judge(images).classes)[:, :count]
        every = torch.eye(count, device=images.device).repeat(len(images), 1)
        logits: Tensor = judge(images.repeat_interleave(count, 0), every).logits
        return logits.flatten(1).mean(1).view(-1, count) if logits.dim() > 1 else logits.view(-1, count)


class T17:
    """Changes the class of a photo by an encoder and a decoder that is told the label (T17)."""

    def __init__(self, options: T17Networks, data: DataSpec) -> None:
        self._options, self._data = options, data

    def networks(self) -> dict[str, nn.Module]:
        """Return the three networks, freshly drawn."""
        options, data = self._options, self._data
        return {
            "encoder": Encoder(data.channels, options.width),
            "decoder": Decoder(data.channels, data.size_px, data.labels, options.width),
            "discriminator": TwoHeads(data, options.discriminator_width, options.hidden),
        }

    def translate(self, nets: Mapping[str, nn.Module], images: Tensor, labels: Tensor) -> Tensor:
        """Return `images` [N, C, H, W] with the class of `labels` [N, K], in [-1, 1]."""
        return cast(Tensor, nets["decoder"](nets["encoder"](images), labels))


class Domains:
    """Translates between two classes, each way by a generator of its own (T4; CycleGAN, Zhu et al., 2017)."""

    def __init__(self, options: DomainNetworks, data: DataSpec) -> None:
        self._options, self._data = options, data

    def networks(self) -> dict[str, nn.Module]:
        """Return the four networks, freshly drawn."""
        options, data = self._options, self._data

        def generator() -> nn.Module:
            return Generator(data.channels, data.size_px, data.labels, options.width, label_at=None)

        def judge() -> nn.Module:
            return Patches(data.channels, options.discriminator_width)

        return {
            "generator_ab": generator(),
            "generator_ba": generator(),
            "discriminator_a": judge(),
            "discriminator_b": judge(),
        }

    def translate(self, nets: Mapping[str, nn.Module], images: Tensor, labels: Tensor) -> Tensor:
        """Return `images` [N, C, H, W] by the generator that makes the class of `labels` [N, 2], in [-1, 1]."""
        is_to_b = (labels[:, 1] > labels[:, 0])[:, None, None, None]
        return torch.where(is_to_b, nets["generator_ab"](images), nets["generator_ba"](images))


class ResnetClassifier:
    """Tells the class of a face by a ResNet (C2)."""

    def __init__(self, options: ResnetClassifierNetworks, data: DataSpec) -> None:
        self._options, self._data = options, data

    def networks(self) -> dict[str, nn.Module]:
        """Return the classifier, freshly drawn."""
        return {"classifier": Classifier(self._options.backbone, self._data.labels)}

    def load_pretrained(self, nets: Mapping[str, nn.Module]) -> dict[str, str]:
        """Load the weights that a new run starts from; return the SHA-256 of their file by the option that names it."""
        if self._options.pretrained is None:
            return {}
        return {"pretrained": _resnet(nets["classifier"]).load(Path(self._options.pretrained))}

    def classify(self, nets: Mapping[str, nn.Module], images: Tensor) -> Tensor:
        """Return logits [N, K]."""
        return cast(Tensor, nets["classifier"](images))


class Classifier(nn.Module):
    """Turns images [N, C, H, W] into logits of the classes: a ResNet and two dense layers."""

    def __init__(self, backbone: str, labels: int) -> None:
        super().__init__()
        self.resnet = Resnet(backbone)
        self.inner, self.outer = keras_linear(self.resnet.features, _HIDDEN), keras_linear(_HIDDEN, labels)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits [N, K] for images [N, C, H, W] in [-1, 1]."""
        return cast(Tensor, self.outer(F.relu(self.inner(self.resnet(images)))))


def _resnet(net: Any) -> Resnet:
    resnet = net.resnet
    assert isinstance(resnet, Resnet)
    return resnet
