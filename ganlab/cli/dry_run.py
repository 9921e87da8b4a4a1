"""`ganlab run --dry-run`: what would be trained."""

from __future__ import annotations

import torch

from ganlab.cli.console import progress, result
from ganlab.recipe import dump_recipe
from ganlab.resolve import build_networks, choose_device
from ganlab.spec import Spec
from ganlab.spec_resolved import resolved


def show(spec: Spec, device: str) -> None:
    """Print the resolved recipe, the networks with their parameter counts and the memory that they take in training."""
    chosen = choose_device(device)
    _, nets = build_networks(spec)
    for line in (*spec.recipe.notices, *spec.notices):
        progress(line)
    result(dump_recipe(resolved(spec), spec.recipe.header).rstrip())
    result("")
    trained = {network for networks in spec.players.values() for network in networks}
    counts = {name: sum(weight.numel() for weight in net.parameters()) for name, net in nets.items()}
    for name, count in counts.items():
        result(f"# {name}: {count:,} parameters{'' if name in trained else ', frozen'}")
    weights = 4 * sum(counts.values())
    moved = 4 * sum(counts[network] for networks in spec.players.values() for network in networks)
    averaged = 4 * sum(counts[name] for name in trained) if spec.training.averaging_decay else 0
    total = weights + 3 * moved + averaged
    result(f"# {sum(counts.values()):,} parameters in all")
    result(f"# memory: {total / 2**20:,.0f} MiB for weights, gradients, moments{' and averages' if averaged else ''};")
    result(f"# images and activations come on top. Device: {_named(chosen)}")


def _named(device: torch.device) -> str:
    return f"{device} ({torch.cuda.get_device_name(device)})" if device.type == "cuda" else str(device)
