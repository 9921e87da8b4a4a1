"""What a component keeps: where a checkpoint finds it, where none does, and whether it comes back the same."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ganlab.tensors import read_tensors, write_tensors
from ganlab.testing.kit import Broken


def stored(state: Mapping[str, Any]) -> dict[str, Tensor]:
    """Return `state` as a checkpoint gives it back; raises `Broken` for what no checkpoint can hold."""
    for name, value in state.items():
        if not isinstance(value, Tensor):
            raise Broken(f"its state holds {name}, a {type(value).__name__}: a checkpoint holds tensors only")
    with TemporaryDirectory(prefix="ganlab-check-") as folder:
        file = Path(folder) / "state.safetensors"
        try:
            write_tensors(file, state)
        except AssertionError as error:
            raise Broken(f"its state cannot be stored: {error}") from None
        # The file is mapped into memory: what is read must not lie in it when the folder goes.
        return {name: value.clone() for name, value in read_tensors(file)[0].items()}


def plain_attributes(thing: object) -> dict[str, str]:
    """Return the attributes of a loss or an objective that no state_dict holds, as text."""
    own = set(vars(nn.Module())) if isinstance(thing, nn.Module) else set()
    return {name: repr(value) for name, value in getattr(thing, "__dict__", {}).items() if name not in own}


def changed_attributes(thing: object, before: Mapping[str, str]) -> list[str]:
    """Return the names of the plain attributes that are not as they were."""
    return [name for name, value in plain_attributes(thing).items() if before.get(name) != value]


def kept_in_vain(attributes: list[str]) -> str:
    """Return what is wrong with keeping something in plain attributes."""
    return f"it keeps {', '.join(attributes)} in plain attributes, which no checkpoint holds"


def same_bits(one: Any, other: Any) -> bool:
    """Return whether two arrays, or tensors on the CPU, are of one type and shape and equal to the bit; or both None."""
    if one is None or other is None:
        return one is other
    return _bits(one) == _bits(other)


def _bits(values: Any) -> tuple[str, tuple[int, ...], bytes]:
    if isinstance(values, Tensor):  # numpy knows no bfloat16
        return str(values.dtype), tuple(values.shape), values.detach().flatten().view(torch.uint8).numpy().tobytes()
    array = np.asarray(values)
    return str(array.dtype), array.shape, array.tobytes()
