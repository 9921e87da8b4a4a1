"""Rows -> a CSV file that only grows; at resume it is cut back to what the checkpoint had seen."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ganlab.errors import DeviceError, RunError
from ganlab.files import write_text_atomic


class Table:
    """A CSV file with named columns; a new column rewrites it once, leaving old rows empty there."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.columns: list[str] = []
        self.rows = 0

    def append(self, row: Mapping[str, float]) -> None:
        """Add one row and hand it to the operating system."""
        new = [name for name in row if name not in self.columns]
        if new:
            kept = self._read(self.rows)
            self.columns += new
            self._write(kept)
        try:
            with self.path.open("a", newline="", encoding="utf-8") as file:
                file.write(_line(_text(row[name]) if name in row else "" for name in self.columns))
        except OSError as error:
            raise DeviceError(
                f"{self.path}: cannot be written ({error.strerror}); make room, then resume from the newest checkpoint"
            ) from None
        self.rows += 1

    def sync(self) -> None:
        """Make the rows last through a power cut, before a checkpoint counts on them."""
        if self.rows:
            with self.path.open("rb+") as file:
                os.fsync(file.fileno())

    def state(self) -> dict[str, Any]:
        """Return what `cut` needs to come back to now."""
        return {"columns": list(self.columns), "rows": self.rows}

    def cut(self, state: Mapping[str, Any]) -> None:
        """Drop rows and columns that came after `state`; raises `RunError` if rows are missing."""
        kept = self._read(state["rows"])
        if len(kept) < state["rows"]:
            raise RunError(f"{self.path}: {len(kept)} whole rows, and the checkpoint had seen {state['rows']}: damaged")
        self.columns, self.rows = list(state["columns"]), state["rows"]
        if self.columns:
            self._write(kept)
        else:
            self.path.unlink(missing_ok=True)

    def _read(self, rows: int) -> list[dict[str, str]]:
        """Return the first `rows` rows that are whole; a line cut off by a kill is not."""
        if not rows or not self.path.exists():
            return []
        text = self.path.read_text(encoding="utf-8")
        whole = text[: text.rfind("\n") + 1]
        return list(csv.DictReader(io.StringIO(whole)))[:rows]

    def _write(self, rows: Sequence[Mapping[str, str]]) -> None:
        lines = [_line(self.columns), *(_line(row.get(name) or "" for name in self.columns) for row in rows)]
        write_text_atomic(self.path, "".join(lines))


def _line(cells: Any) -> str:
    return ",".join(cells) + "\n"


def _text(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.9g}"
