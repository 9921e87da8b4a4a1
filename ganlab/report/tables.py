"""CSV files of runs -> columns of numbers, and columns -> a CSV file. The only door to pandas."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd  # type: ignore[import-untyped]

from ganlab.errors import RunError
from ganlab.files import write_text_atomic

Column = np.ndarray[Any, np.dtype[np.float64]]


def read_columns(path: Path, last_step: int | None = None) -> dict[str, Column]:
    """Return column -> numbers [rows] of a run's table up to `last_step`, nan where a cell is empty; {} if there is no file.

    A last line that a kill cut off is left out. Raises `RunError` for a file that is no such table.
    """
    try:
        text = path.read_text(encoding="utf-8")
        table = pd.read_csv(io.StringIO(text[: text.rfind("\n") + 1]), dtype=np.float64)
        table = table if last_step is None else table[table["step"] <= last_step]
        return {str(name): table[name].to_numpy() for name in ("step", *table.columns.drop("step"))}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError) as error:  # ValueError: of the library's parser, and of what is no number
        raise RunError(f"{path}: cannot be read as a run's table ({type(error).__name__}: {str(error).strip()})") from None


def smoothed(values: Column, rows: int) -> Column:
    """Return the mean of each value and its neighbours, `rows` together; of fewer at both ends, and none of nan."""
    mean: Column = pd.Series(values).rolling(rows, center=True, min_periods=1).mean().to_numpy()
    return mean


def write_csv(path: Path, rows: Sequence[Mapping[str, object]]) -> None:
    """Write one line a row under the names of all columns; a cell that a row lacks is empty."""
    write_text_atomic(path, pd.DataFrame(rows).to_csv(index=False, lineterminator="\n"))
