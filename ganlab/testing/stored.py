"""Named tensors -> the same, written to a checkpoint's file and read again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from torch import Tensor

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
