"""How the GANs of TensorFlow 1 start the weights of a layer."""

from __future__ import annotations

import torch
from torch import Tensor, nn

_DEVIATION = 0.02  # of all weights around 0, and of the scales of batch normalisation around 1


@torch.no_grad()
def draw_cut_normal(layer: nn.Module) -> None:
    """Draw weights from N(0, 0.02) cut at two deviations, zero biases, scales of batch normalisation from N(1, 0.02).

    Others stay as they are. One layer only: `network.apply(draw_cut_normal)` draws all layers of a network.
    """
    if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
        _fill(layer.weight)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
    elif isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d):
        nn.init.normal_(layer.weight, 1.0, _DEVIATION)


def _fill(weight: Tensor) -> None:
    # What lies outside is drawn again, as `tf.truncated_normal` does. `nn.init.trunc_normal_` gives the same distribution
    # in six times the time, and SMiLE's GAN has 90 million weights.
    nn.init.normal_(weight, 0.0, _DEVIATION)
    if weight.is_meta:
        return
    values = weight.view(-1)
    outside = (values.abs() > 2 * _DEVIATION).nonzero()[:, 0]
    while len(outside):
        values[outside] = redrawn = torch.randn(len(outside), device=weight.device) * _DEVIATION
        outside = outside[redrawn.abs() > 2 * _DEVIATION]
