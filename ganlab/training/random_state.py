"""The default generators of the CPU and the run's device <-> tensors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor


@contextmanager
def kept_random_state(device: torch.device) -> Iterator[None]:
    """Put the random state back after the block: pictures and scores move nothing of a run."""
    state = random_state(device)
    try:
        yield
    finally:
        set_random_state(state, device)


def random_state(device: torch.device) -> dict[str, Tensor]:
    """Return the default generators' states on the CPU and on `device`."""
    state = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        state["device"] = torch.cuda.get_rng_state(device)
    elif device.type == "mps":
        state["device"] = torch.mps.get_rng_state()
    return state


def set_random_state(state: Mapping[str, Tensor], device: torch.device) -> None:
    """Put the default generators back; a run moved to another kind of device draws anew there."""
    torch.set_rng_state(state["cpu"].clone())
    if "device" not in state:
        return
    if device.type == "cuda":
        torch.cuda.set_rng_state(state["device"].clone(), device)
    elif device.type == "mps":
        torch.mps.set_rng_state(state["device"].clone())
