"""A few label rows of a run's data -> labels.json, so that its model can be asked for likely attributes without the data."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from torch import Tensor

from ganlab.contracts import DataSpec, ImageSet
from ganlab.errors import RunError
from ganlab.files import write_text_atomic
from ganlab.runs.directory import Run

FILE = "labels.json"
_ROWS = 64  # of the test images, whose first ones stand in the run's pictures


def keep_labels(run: Run, data: DataSpec, test: ImageSet) -> None:
    """Write the attributes of the first test images, once; of other labels nothing need be kept."""
    path = run.path / FILE
    if data.label_kind != "attributes" or path.exists():
        return
    rows = torch.as_tensor(test.labels)[:_ROWS].to(torch.int64).tolist()
    lines = ",\n".join(f"  {json.dumps(row, separators=(',', ':'))}" for row in rows)
    write_text_atomic(path, f'{{"names": {json.dumps(list(data.label_names))},\n"rows": [\n{lines}\n]}}\n')


def kept_labels(folder: Path, data: DataSpec) -> Tensor | None:
    """Return the rows, float [N, K], that the run in `folder` kept; None if it kept none."""
    path = folder / FILE
    try:
        content = json.loads(path.read_bytes())
        rows = torch.tensor(content["rows"], dtype=torch.float32)
        if tuple(content["names"]) != data.label_names or rows.shape != (len(rows), data.labels) or not len(rows):
            raise ValueError(f"its names are not the recipe's {data.labels} attributes")
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunError(f"{path}: cannot be read ({error}); delete it, and the data set is asked instead") from None
    return rows
