"""A network -> the same network with layers whose largest singular value is 1, or nearly so."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations

_LAYERS = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)


def spectral_norm(network: nn.Module) -> nn.Module:
    """Divide the weight of each convolution and linear layer by its largest singular value (Miyato et al., 2018, Eq. 8).

    It is torch's parametrization: a layer holds its weight as `parametrizations.weight.original`, and two vectors that each
    forward in training moves by one power iteration; they are saved with the weights. Call it once, where the architecture
    builds the network. Returns `network`; raises ValueError if it has no such layer.
    """
    layers = [layer for layer in network.modules() if isinstance(layer, _LAYERS)]
    if not layers:
        raise ValueError(f"{type(network).__name__} has no convolution and no linear layer")
    for layer in layers:
        parametrizations.spectral_norm(layer)
        chain: Any = layer.parametrizations["weight"]  # type: ignore[index]  # torch types it as any module
        chain[-1] = _InFullPrecision(chain[-1])
    return network


class _InFullPrecision(nn.Module):
    """Runs a parametrization without autocast, which on a GPU would make its products meet in two dtypes."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, weight: Tensor) -> Tensor:
        with torch.autocast(weight.device.type, enabled=False):
            normalised: Tensor = self.inner(weight)
        return normalised

    def right_inverse(self, weight: Tensor) -> Tensor:
        return weight  # as torch's own: what is assigned to the layer's weight is the weight to normalise
