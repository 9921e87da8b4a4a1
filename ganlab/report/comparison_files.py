"""A comparison -> comparison.md, comparison.csv and comparison.png in a folder."""

from __future__ import annotations

from pathlib import Path

from ganlab.errors import DeviceError
from ganlab.files import write_text_atomic
from ganlab.report.comparison import Comparison
from ganlab.report.comparison_text import csv_rows, markdown
from ganlab.report.curves import draw
from ganlab.report.tables import write_csv

_STEM = "comparison"


def write_comparison(comparison: Comparison, folder: Path) -> list[Path]:
    """Write the three files, over those of an earlier comparison, and return their paths."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DeviceError(f"--out {folder}: cannot be made ({error.strerror})") from None
    page, table, picture = (folder / f"{_STEM}.{suffix}" for suffix in ("md", "csv", "png"))
    draw(comparison, picture)
    write_csv(table, csv_rows(comparison))
    write_text_atomic(page, markdown(comparison, picture.name))
    return [page, table, picture]
