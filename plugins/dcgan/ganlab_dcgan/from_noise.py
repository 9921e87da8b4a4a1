"""A generator and a discriminator -> an architecture that makes images from noise, without labels."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from ganlab.layers import spectral_norm
from ganlab_dcgan.options import DcganNetworks, FaceMlpNetworks, SmileNetworks


class FromNoise:
    """What the architectures of this plugin have in common: all but the two networks."""

    def __init__(
        self,
        options: FaceMlpNetworks | DcganNetworks | SmileNetworks,
        draw: Callable[[], tuple[nn.Module, nn.Module]],
    ) -> None:
        self._options, self._draw = options, draw  # `draw` returns a generator and a discriminator, freshly drawn

    def networks(self) -> dict[str, nn.Module]:
        """Return the two networks, freshly drawn."""
        generator, discriminator = self._draw()
        if self._options.spectral_norm:
            discriminator = spectral_norm(discriminator)
        return {"generator": generator, "discriminator": discriminator}

    def noise(self, count: int, device: torch.device) -> Tensor:
        """Return noise [count, Z]: normal N(0, 1), or uniform in [-1, 1)."""
        shape = (count, self._options.noise_length)
        if self._options.noise == "normal":
            return torch.randn(shape, device=device)
        return torch.rand(shape, device=device) * 2 - 1

    def generate(self, nets: Mapping[str, nn.Module], noise: Tensor, labels: Tensor) -> Tensor:
        """Return one image a row of `noise` [N, Z], [N, C, H, W] in [-1, 1]; the labels say only how many."""
        images: Tensor = nets["generator"](noise)
        return images
