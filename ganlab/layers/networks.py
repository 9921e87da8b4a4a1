"""Whole networks: clipped, or run as in inference."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


@torch.no_grad()
def clip(network: nn.Module, limit: float) -> None:
    """Move every weight of `network` into [-limit, limit] (WGAN; Arjovsky et al., 2017)."""
    weights: list[Tensor] = list(network.parameters())
    torch._foreach_clamp_min_(weights, -limit)
    torch._foreach_clamp_max_(weights, limit)
    torch.autograd.graph.increment_version(weights)


@contextmanager
def inference(network: nn.Module) -> Iterator[nn.Module]:
    """Run `network` without gradients, with stored batch statistics and without dropout; end the block before a yield."""
    was_training = network.training
    network.eval()
    try:
        with torch.no_grad():
            yield network
    finally:
        network.train(was_training)
