"""Steps -> which networks each descent moves, and which the lines between two descents."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from ganlab.contracts import Update
from ganlab.resolve import Parts
from ganlab.testing.kit import Broken


class Moves:
    """Watches the weights around each segment of a step; raises `Broken` for a network that should have stayed."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._trained = {network for networks in parts.players.values() for network in networks}
        self._player: str | None = None  # whose update was the last
        self._now = self._state()

    @contextmanager
    def segment(self) -> Iterator[None]:
        """Check what the descent before this segment moved, then what the segment itself moves."""
        self._check(f"the update of {self._player} moves")
        yield
        self._check(
            f"the lines after the update of {self._player} move" if self._player else "the lines before any update move"
        )

    def yielded(self, update: Update) -> None:
        """Remember whose networks may move now."""
        self._player = update.player

    def _check(self, what: str) -> None:
        before, self._now = self._now, self._state()
        allowed = self._parts.players[self._player] if self._player else ()
        for network, tensors in self._now.items():
            if network in allowed:
                continue
            moved = [name for name, tensor in tensors.items() if not torch.equal(tensor, before[network][name])]
            if moved:
                owners = [player for player, networks in self._parts.players.items() if network in networks]
                whose = f"of the player {' and '.join(owners)}" if owners else "which no player moves"
                raise Broken(f"{what} {network} ({moved[0]}), {whose}")

    def _state(self) -> dict[str, dict[str, Tensor]]:
        """Return copies of the weights, and of the buffers of frozen networks: those of others batch norm moves."""
        return {
            network: {
                name: value.detach().clone()
                for name, value in (*net.named_parameters(), *(() if network in self._trained else net.named_buffers()))
            }
            for network, net in self._parts.nets.items()
        }
