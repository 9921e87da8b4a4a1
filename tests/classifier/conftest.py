"""Data and models to score, small enough for a second."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor

from ganlab import DataSpec


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def telling() -> Callable[..., Any]:
    """Return `telling(logits, names, kind)`: a model that says these logits, whatever it is shown."""

    def make(logits: Tensor, names: tuple[str, ...], kind: Any = "classes") -> Any:
        data = DataSpec(size_px=16, channels=1, label_kind=kind, label_names=names)
        return SimpleNamespace(data=data, makes=frozenset({"classify"}), classify=lambda images: logits)

    return make
