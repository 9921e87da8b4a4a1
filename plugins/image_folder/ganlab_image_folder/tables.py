"""A CSV file -> the class, or the attributes, of each image that it lists; every line is checked."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

CEILING_BYTES = 1 << 28

_FILE_COLUMNS = ("file", "filename", "image", "image_id")
_LABEL_COLUMNS = ("label", "class")
_BITS = {"0": 0, "-1": 0, "1": 1}
_MOST_FAULTS = 1000  # of one table, after which the rest of it is not looked at


@dataclass(frozen=True, kw_only=True)
class Table:
    """What a table says."""

    attributes: tuple[str, ...]  # empty: one class for each image
    rows: Mapping[str, str | tuple[int, ...]]  # image, below the folder -> its class, or 0/1 for each attribute


def read_table(path: Path, faults: list[str]) -> Table:
    """Return the table; what is wrong with it is added to `faults`, a line each."""
    nothing = Table(attributes=(), rows={})
    try:
        if path.stat().st_size > CEILING_BYTES:
            faults.append(f"{path.name}: has more than {CEILING_BYTES >> 20} MiB")
            return nothing
        text = path.read_bytes().decode("utf-8-sig")
        lines = [[field.strip() for field in row] for row in csv.reader(io.StringIO(text, newline=""), strict=True)]
    except OSError as error:
        faults.append(f"{path.name}: cannot be read: {error.strerror}")
        return nothing
    except (UnicodeDecodeError, csv.Error) as error:
        faults.append(f"{path.name}: no CSV file in UTF-8: {error}")
        return nothing
    header = lines[0] if lines else []
    if len(header) < 2 or header[0].lower() not in _FILE_COLUMNS:
        faults.append(f"{path.name}: its first line must be file,label or file and a name for each attribute, not {header[:4]}")
        return nothing
    attributes = () if len(header) == 2 and header[1].lower() in _LABEL_COLUMNS else tuple(header[1:])
    if len(set(attributes)) < len(attributes) or not all(attributes or ("label",)):
        faults.append(f"{path.name}, line 1: an attribute is named twice, or not at all")
        return nothing
    return Table(attributes=attributes, rows=_rows(path.name, lines[1:], attributes, faults))


def _rows(
    table: str, lines: Sequence[Sequence[str]], attributes: Sequence[str], faults: list[str]
) -> dict[str, str | tuple[int, ...]]:
    rows: dict[str, str | tuple[int, ...]] = {}
    zeros: dict[str, int] = {}  # how the absence of an attribute is written -> the first row that does
    begun = len(faults)
    for number, fields in enumerate(lines, start=2):
        if not any(fields):
            continue
        if len(faults) - begun >= _MOST_FAULTS:
            break
        if fault := _fault(fields, attributes, rows):
            faults.append(f"{table}, row {number}: {fault}")
            continue
        if not attributes:
            rows[_name(fields[0])] = fields[1]
            continue
        for value in {"0", "-1"}.intersection(fields[1:]):
            zeros.setdefault(value, number)
        rows[_name(fields[0])] = tuple(_BITS[field] for field in fields[1:])
    if len(zeros) == 2:
        where = " and ".join(f"{value} in row {row}" for value, row in sorted(zeros.items()))
        faults.append(f"{table}: writes what an image is not in two ways, {where}; use 0 and 1, or -1 and 1")
    return rows


def _fault(fields: Sequence[str], attributes: Sequence[str], rows: Mapping[str, object]) -> str | None:
    width = 1 + max(len(attributes), 1)
    if len(fields) != width:
        return f"{len(fields)} columns instead of {width}"
    name = _name(fields[0])
    if not name or name.startswith("/") or ".." in name.split("/"):
        return f"{fields[0][:60]!a} is no file below the folder"
    if name in rows:
        return f"{name!a} is listed a second time"
    if not attributes:
        return None if fields[1] else f"{name!a} has no label"
    wrong = [value for value in fields[1:] if value not in _BITS]
    return f"{wrong[0][:24]!a} is not 0 or 1, or -1 or 1" if wrong else None


def _name(field: str) -> str:
    return field.replace("\\", "/").removeprefix("./")
