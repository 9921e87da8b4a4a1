"""Shipped recipes at published size on torch's device "meta": shapes without values, so 120 million weights cost nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ganlab import Batch
from ganlab.losses import wrap
from ganlab.plugins import load_plugins
from ganlab.recipe import find_recipe, load_recipe
from ganlab.registry import Registry
from ganlab.resolve import _loss, _objective, _whose_noise, build_networks
from ganlab.spec import Spec, make_spec

META = torch.device("meta")


@pytest.fixture(scope="session")
def built() -> Callable[[str], Built]:
    """Return `built(name)`: a shipped recipe, checked and built once."""
    registry, known = Registry(load_plugins()), dict[str, Built]()

    def of(name: str) -> Built:
        if name not in known:
            known[name] = Built(make_spec(load_recipe(find_recipe(name)), registry))
        return known[name]

    return of


class Built:
    """A recipe, its networks without values, and what a step does with them."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec

    @cached_property
    def networks(self) -> dict[str, nn.Module]:
        with META:
            self._architecture, nets = build_networks(self.spec)
        return nets

    @cached_property
    def objective(self) -> Any:
        losses = {name: (loss.family, _loss(loss)) for name, loss in self.spec.losses.items()}
        terms = {name: wrap(family, loss) if family == "penalty" else Term(loss) for name, (family, loss) in losses.items()}
        return _objective(self.spec, nn.ModuleDict(terms))

    @property
    def weights(self) -> dict[str, int]:
        """Return network -> how many weights it has."""
        return {name: sum(weight.numel() for weight in net.parameters()) for name, net in self.networks.items()}

    def phase(self, index: int) -> Any:
        return self.objective.phase(index) if hasattr(self.objective, "phase") else None

    def updates(self, phase: Any) -> tuple[str, ...]:
        """Return the updates of a step, a line each: who moves, after which networks have seen how many images."""
        taken, seen = [], list[str]()
        hooks = [
            net.register_forward_hook(lambda _, given, __, name=name: seen.append(f"{name} {_count(given[0])}"))
            for name, net in self.networks.items()
        ]
        noise = _whose_noise(self.spec, self._architecture)
        for update in self.objective.step(MetaStep(self.spec, noise, self.networks, phase)):
            assert self.spec.term_weights is None or set(update.terms) <= set(self.spec.term_weights)
            taken.append(f"{update.player}: {', '.join(seen)}")
            seen.clear()
        for hook in hooks:
            hook.remove()
        return tuple(taken)


class MetaStep:
    """A step whose images, labels and noise have shapes and no values."""

    device = META

    def __init__(self, spec: Spec, noise: Any, nets: Mapping[str, nn.Module], phase: Any) -> None:
        self.nets, self.phase = nets, phase
        self._spec, self._noise = spec, noise

    def batch(self, count: int | None = None, of: int | None = None) -> Batch:
        data, count = self._spec.data, count or self._spec.training.batch_images
        images = torch.empty(count, data.channels, data.size_px, data.size_px, device=META)
        return Batch(images=images, labels=self.labels(count))

    def labels(self, count: int) -> Tensor:
        return torch.empty(count, self._spec.data.labels, device=META)

    def noise(self, count: int) -> Tensor:
        noise: Tensor = self._noise.noise(count, META)
        return noise

    def log(self, **measures: Tensor) -> None:
        assert all(measure.dim() == 0 for measure in measures.values())


class Term(nn.Module):
    """Stands for what wraps a loss of any family but a penalty, whose value nobody looks at: "meta" knows no autocast."""

    def __init__(self, loss: Any) -> None:
        super().__init__()
        self.loss = loss

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        assert a.shape == b.shape
        return a.mean()

    def discriminator(self, real: Tensor, fake: Tensor, *, pooled: bool = False) -> Tensor:
        return real.mean() + fake.mean()

    def generator(self, fake: Tensor, real: Callable[[], Tensor]) -> Tensor:
        return fake.mean()

    def real(self, logits: Tensor) -> Tensor:
        return logits.mean()

    def fake(self, logits: Tensor) -> Tensor:
        return logits.mean()

    def mixed(self, logits: Tensor, is_real: Tensor) -> Tensor:
        torch.broadcast_shapes(logits.shape, is_real.shape)
        assert len(logits) == len(is_real)
        return logits.mean()


def _count(given: Any) -> int:
    """Return how many images a network is given: tensors, or a list of them (latents)."""
    return len(given if isinstance(given, Tensor) else given[0])
