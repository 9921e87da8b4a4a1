"""How Keras starts the weights of a layer, which is not how torch does."""

from __future__ import annotations

import torch
from torch import nn


@torch.no_grad()
def draw_as_keras(layer: nn.Module) -> None:
    """Draw Glorot uniform weights and zero biases; the vectors of an embedding from [-0.05, 0.05). Others stay as they are.

    One layer only: `network.apply(draw_as_keras)` draws all layers of a network.
    """
    if isinstance(layer, nn.Embedding):
        nn.init.uniform_(layer.weight, -0.05, 0.05)
    elif isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
        nn.init.xavier_uniform_(layer.weight)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
