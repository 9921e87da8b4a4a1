"""One training step: the objective's generator, driven from update to update."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from ganlab.contracts import Batch, Update
from ganlab.errors import PluginError
from ganlab.resolve import Parts


class TrainingStep:
    """What step code may use (`ganlab.Step`)."""

    def __init__(self, parts: Parts, phase: Any, *, batch_images: int, flip: bool) -> None:
        self._parts, self._batch_images, self._flip = parts, batch_images, flip
        self._phase = phase
        self.measures: list[tuple[str, Tensor]] = []

    @property
    def nets(self) -> Mapping[str, nn.Module]:
        """Return the networks by role name."""
        return self._parts.nets

    @property
    def phase(self) -> Any:
        """Return the objective's phase of this step."""
        return self._phase

    @property
    def device(self) -> torch.device:
        """Return the run's device."""
        return self._parts.device

    def batch(self, count: int | None = None, of: int | None = None) -> Batch:
        """Return fresh training images: `count` of them (the recipe's batch), all `of` one class."""
        data = self._parts.data
        return data.bank.batch(data.draws.rows(count or self._batch_images, of), flip=self._flip)

    def labels(self, count: int) -> Tensor:
        """Return the labels of random training images, [count, K]."""
        data = self._parts.data
        return data.bank.label_rows(data.draws.label_rows(count))

    def noise(self, count: int) -> Tensor:
        """Return noise as the architecture defines it, [count, Z]."""
        noise: Tensor = self._parts.noise.noise(count, self._parts.device)
        return noise

    def log(self, **measures: Tensor) -> None:
        """Record scalars that are not descended."""
        self.measures.extend((name, value.detach()) for name, value in measures.items())


def run_step(parts: Parts, s: TrainingStep) -> list[tuple[str, Tensor]]:
    """Run one step, descending each update before the next line of the objective; return its raw terms and measures."""
    recorded: list[tuple[str, Tensor]] = []
    updates = parts.objective.step(s)
    try:
        while (update := _next_update(updates, parts)) is not None:
            descend(parts, update)
            recorded.extend((name, term.detach()) for name, term in update.terms.items())
            del update  # its graph keeps the activations alive
    finally:
        if isinstance(updates, Generator):  # left open inside a `with`, it would keep the process in its mode
            updates.close()
    if not recorded:
        raise PluginError(f"{type(parts.objective).__name__}.step yielded no Update")
    if parts.averaged is not None:
        average(parts)
    return recorded + s.measures


def descend(parts: Parts, update: Update) -> None:
    """Move the weights of one player down the weighted sum of its terms."""
    weights = parts.weights.get(update.player)
    if weights is None:
        raise PluginError(f"the objective yields an update of {update.player!r}; its players are {', '.join(parts.players)}")
    total = _weighted_sum(update.terms, parts.term_weights)
    total.backward(inputs=weights)
    optimizer = parts.optimizers[update.player]
    optimizer.step()
    # Fused optimizers leave the version counters alone: a graph built before would be descended silently with new weights.
    torch.autograd.graph.increment_version(weights)
    # Else a later segment would meet the cast copies of the weights as they were.
    torch.clear_autocast_cache()
    optimizer.zero_grad(set_to_none=True)


def average(parts: Parts) -> None:
    """Move the averaged weights towards the weights of this step; buffers are copied."""
    assert parts.averaged is not None
    with torch.no_grad():
        for name, averaged in parts.averaged.items():
            net = parts.nets[name]
            torch._foreach_lerp_(list(averaged.parameters()), list(net.parameters()), 1 - parts.averaging_decay)
            for mine, theirs in zip(averaged.buffers(), net.buffers(), strict=True):
                mine.copy_(theirs)


def _weighted_sum(terms: Mapping[str, Tensor], weights: Mapping[str, float] | None) -> Tensor:
    if not terms:
        raise PluginError("the objective yields an update without terms")
    if weights is None:
        return torch.stack(list(terms.values())).sum()
    total: Tensor | None = None
    for name, term in terms.items():
        if name not in weights:
            raise PluginError(f"the objective yields a term {name!r} that its weights do not declare: {', '.join(weights)}")
        weighted = term if weights[name] == 1 else term * weights[name]
        total = weighted if total is None else total + weighted
    assert total is not None
    return total


def _next_update(updates: Iterator[Update], parts: Parts) -> Update | None:
    """Run the objective to its next update, under autocast of its own."""
    with _autocast(parts), torch.enable_grad():
        update = next(updates, None)
        if not torch.is_grad_enabled():
            raise PluginError("the objective yields inside `with torch.no_grad()`; end the block before the yield")
    return update


def _autocast(parts: Parts) -> contextlib.AbstractContextManager[Any]:
    if parts.autocast is None:
        return contextlib.nullcontext()
    return torch.autocast(parts.device.type, parts.autocast)
