"""The encoder, generator and discriminator of AE-AC-GAN."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganlab import DataSpec, Verdict
from ganlab_ae_acgan.options import HALVINGS, AeAcGanNetworks

_KERNEL_DEVIATION = 0.01  # of the convolutions' first weights
_PIXELS = ((0, 0), (0, 1), (1, 0), (1, 1))  # of a block: down, right
_ACTIVATIONS: Mapping[str, Callable[[Tensor], Tensor]] = {
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "linear": lambda values: values,
}


class AeAcGan:
    """Makes images from noise and labels; with the noise that the encoder finds in an image, changes its labels."""

    def __init__(self, options: AeAcGanNetworks, data: DataSpec) -> None:
        self._options, self._data = options, data

    def networks(self) -> dict[str, nn.Module]:
        """Return the three networks, freshly drawn."""
        options, data = self._options, self._data
        nets: dict[str, nn.Module] = {
            "encoder": Encoder(options, data),
            "generator": Generator(options, data),
            "discriminator": Discriminator(options, data),
        }
        for net in nets.values():
            net.apply(_draw)
        return nets

    def noise(self, count: int, device: torch.device) -> Tensor:
        """Return the noise of training, [count, Z]."""
        draw = torch.randn if self._options.noise == "normal" else torch.rand
        return draw(count, self._options.noise_length, device=device)

    def generate(self, nets: Mapping[str, nn.Module], noise: Tensor, labels: Tensor) -> Tensor:
        """Return one image a row of `noise` [N, Z] and `labels` [N, K], [N, C, H, W] in [-1, 1]."""
        if self._options.noise == "normal" and self._options.sampling_noise == "uniform":
            noise = torch.special.ndtr(noise)  # the share of N(0, 1) below it is U(0, 1)
        images: Tensor = nets["generator"](noise, labels)
        return images

    def translate(self, nets: Mapping[str, nn.Module], images: Tensor, labels: Tensor) -> Tensor:
        """Return `images` [N, C, H, W] made anew from the noise that the encoder finds in them, with `labels` [N, K]."""
        _, noise = nets["encoder"](images)
        translated: Tensor = nets["generator"](noise, labels)
        return translated


class Trunk(nn.Sequential):
    """Turns images [N, C, H, W] into features [N, 4 * depth]: three convolutions of stride 2 and a dense layer."""

    def __init__(self, options: AeAcGanNetworks, data: DataSpec) -> None:
        depth, side = options.depth, data.size_px // 2**HALVINGS
        super().__init__(
            InputNoise(options.input_noise),
            nn.Conv2d(data.channels, depth, kernel_size=4, stride=2, padding=1),
            *_activation(options),  # never normalised
            nn.Conv2d(depth, 2 * depth, kernel_size=4, stride=2, padding=1),
            *_normed(options, nn.BatchNorm2d, 2 * depth),
            nn.Conv2d(2 * depth, 4 * depth, kernel_size=4, stride=2, padding=1),
            *_normed(options, nn.BatchNorm2d, 4 * depth),
            nn.Flatten(),
            nn.Linear(4 * depth * side**2, 4 * depth),
            *_normed(options, nn.BatchNorm1d, 4 * depth),
        )


class Encoder(nn.Module):
    """Reads labels and noise from images, as the generator takes them."""

    def __init__(self, options: AeAcGanNetworks, data: DataSpec) -> None:
        super().__init__()
        self.trunk = Trunk(options, data)
        self.labels = nn.Linear(4 * options.depth, data.labels)
        self.noise = nn.Linear(4 * options.depth, options.noise_length)
        self.activation = _ACTIVATIONS[options.encoder_noise]
        # Labels are in [0, 1] for every network; to a generator of range -1/1 these are tanh(logits).
        self.steepness = 2.0 if options.label_range == "-1/1" else 1.0

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return labels [N, K] in [0, 1] and noise [N, Z] for images [N, C, H, W]; labels in fp32."""
        features = self.trunk(images)
        return torch.sigmoid(self.steepness * self.labels(features).float()), self.activation(self.noise(features))


class Generator(nn.Module):
    """Turns noise and labels into images: a dense layer and three transposed convolutions."""

    def __init__(self, options: AeAcGanNetworks, data: DataSpec) -> None:
        super().__init__()
        depth, side = options.depth, data.size_px // 2**HALVINGS
        inner = 4 * depth * side**2
        self.is_signed = options.label_range == "-1/1"
        self.layers = nn.Sequential(
            nn.Linear(data.labels + options.noise_length, inner),
            *_normed(options, nn.BatchNorm1d, inner),
            nn.Unflatten(1, (4 * depth, side, side)),
            nn.ConvTranspose2d(4 * depth, 4 * depth, kernel_size=4, stride=2, padding=1),
            *_normed(options, nn.BatchNorm2d, 4 * depth),
            nn.ConvTranspose2d(4 * depth, 2 * depth, kernel_size=4, stride=2, padding=1),
            *_normed(options, nn.BatchNorm2d, 2 * depth),
            nn.ConvTranspose2d(2 * depth, depth, kernel_size=4, stride=2, padding=1),
            *_normed(options, nn.BatchNorm2d, depth),
            OutputConvolution(depth, data.channels),
            nn.Tanh(),
        )

    def forward(self, noise: Tensor, labels: Tensor) -> Tensor:
        """Return images [N, C, H, W] in [-1, 1] for noise [N, Z] and labels [N, K] in [0, 1]."""
        told = 2 * labels - 1 if self.is_signed else labels
        images: Tensor = self.layers(torch.cat([told.to(noise.dtype), noise], 1))
        return images


class OutputConvolution(nn.Conv2d):
    """An 8x8 convolution that keeps the size, computed for 2x2 pixels at once; the numbers are the same.

    It has so few channels that, forward and backward, it is 1.6 times as fast so on a CPU: the kernel is shifted to each
    of the four pixels, and their outputs are channels.
    """

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__(channels_in, channels_out, kernel_size=8)

    def forward(self, x: Tensor) -> Tensor:
        """Turn [N, C, H, W] into [N, channels_out, H, W]; H and W are even."""
        assert self.bias is not None
        shifted = torch.stack([F.pad(self.weight, (right, 1 - right, down, 1 - down)) for down, right in _PIXELS], 1)
        x = F.pad(x, (3, 4, 3, 4))  # "same" of an even kernel: one more on the far side
        return F.pixel_shuffle(F.conv2d(x, shifted.flatten(0, 1), self.bias.repeat_interleave(len(_PIXELS)), stride=2), 2)


class Discriminator(nn.Module):
    """Judges images: are they real, and which labels do they have."""

    def __init__(self, options: AeAcGanNetworks, data: DataSpec) -> None:
        super().__init__()
        self.trunk = Trunk(options, data)
        self.reality = nn.Linear(4 * options.depth, 1)
        self.classes = nn.Linear(4 * options.depth, data.labels)

    def forward(self, images: Tensor) -> Verdict:
        """Return the logits [N] of being real and of the labels [N, K], and the features below both."""
        features = self.trunk(images)
        return Verdict(logits=self.reality(features)[:, 0], classes=self.classes(features), features=features)


class InputNoise(nn.Module):
    """Adds normal noise of a standard deviation to images, in training only."""

    def __init__(self, deviation: float) -> None:
        super().__init__()
        self.deviation = deviation

    def forward(self, images: Tensor) -> Tensor:
        """Return images of the same shape."""
        if not self.training or not self.deviation:
            return images
        return images + self.deviation * torch.randn_like(images)


def _activation(options: AeAcGanNetworks) -> list[nn.Module]:
    layers: list[nn.Module] = [nn.LeakyReLU(options.slope)]
    return [*layers, nn.Dropout(options.dropout)] if options.dropout else layers


def _normed(options: AeAcGanNetworks, norm: type[nn.BatchNorm1d | nn.BatchNorm2d], channels: int) -> list[nn.Module]:
    # Momentum 0.99 and epsilon of Keras; PyTorch's momentum is the share of the new.
    layers: list[nn.Module] = [norm(channels, eps=1e-3, momentum=0.01)] if options.batch_norm else []
    return [*layers, *_activation(options)]


@torch.no_grad()
def _draw(layer: nn.Module) -> None:
    """Draw kernels from N(0, 0.01), dense layers as Glorot does; all biases are 0."""
    if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(layer.weight, std=_KERNEL_DEVIATION)
    elif isinstance(layer, nn.Linear):
        nn.init.xavier_uniform_(layer.weight)
    else:
        return
    assert layer.bias is not None
    nn.init.zeros_(layer.bias)
