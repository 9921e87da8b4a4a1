"""A data set -> one picture of it: a column for each label, with how many images have it."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from ganlab.data.inspection import DataSet
from ganlab.report.pictures import write_grid

ROWS = 8
MOST_COLUMNS = 40  # further labels are not drawn
_UNLABELLED_COLUMNS = 8


def write_contact_sheet(path: Path, data: DataSet, split: str = "train") -> None:
    """Write a PNG of the first images of each label in a split; a place without an image is white."""
    images, counts = data.splits[split].images, data.counts()[split]
    if data.spec.labels:
        shown = range(min(data.spec.labels, MOST_COLUMNS))
        columns = [data.rows_of(split, label)[:ROWS] for label in shown]
        captions = [f"{data.spec.label_names[label]} {counts[label]:,}" for label in shown]
    else:
        columns = [
            list(range(len(images)))[column : ROWS * _UNLABELLED_COLUMNS : _UNLABELLED_COLUMNS]
            for column in range(_UNLABELLED_COLUMNS)
        ]
        captions = [""] * len(columns)
    write_grid(path, _grid(images, columns), captions)


def _grid(images: Tensor, columns: list[list[int]]) -> Tensor:
    """Return uint8 [rows, columns, C, H, W]."""
    rows = max(1, *map(len, columns))
    grid = torch.full((rows, len(columns), *images.shape[1:]), 255, dtype=torch.uint8)
    for column, chosen in enumerate(columns):
        grid[: len(chosen), column] = images[chosen]
    return grid
