"""Frozen records of tensors that share their first axis: take some rows, or change every tensor alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from torch import Tensor

Record = TypeVar("Record")


def changed(record: Record, change: Callable[[Tensor], Tensor]) -> Record:
    """Return a tensor, or a dataclass of tensors and dataclasses, with `change` applied to every tensor."""

    def visit(value: Any) -> Any:
        if isinstance(value, Tensor):
            return change(value)
        return type(value)(**{name: visit(field) for name, field in vars(value).items()})

    done: Record = visit(record)
    return done


def rows_of(record: Record, rows: slice | Tensor) -> Record:
    """Return the rows of a record, in their order."""
    return changed(record, lambda tensor: tensor[rows])
