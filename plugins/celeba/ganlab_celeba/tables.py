"""Lines of CelebA's tables -> arrays, every line checked; a wrong one is named with its number."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ganlab import DataError
from ganlab_celeba.options import ATTRIBUTES

CEILING_BYTES = 1 << 28  # of one table; the largest of the official ones has 26 MB

_BATCH_LINES = 4096
_NAMED_FAULTS = 10  # of all tables together; the others are counted
_MOST_FAULTS = 1000  # of one table, after which the rest of it is not looked at


class Faults:
    """What is wrong with the tables, collected before any of it is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def add(self, line: str) -> bool:
        """Take a fault; return whether more are wanted."""
        self.lines.append(line)
        return len(self.lines) < _MOST_FAULTS

    def raise_any(self, place: Path, advice: str) -> None:
        """Raise DataError with the first faults and the number of all, if there are any."""
        if not self.lines:
            return
        count = f"{len(self.lines)} fault{'' if len(self.lines) == 1 else 's'}"
        if len(self.lines) >= _MOST_FAULTS:
            count = f"at least {count}"
        named = [f"  {line}" for line in self.lines[:_NAMED_FAULTS]]
        if len(self.lines) > _NAMED_FAULTS:
            named.append(f"  and {len(self.lines) - _NAMED_FAULTS} more")
        raise DataError("\n".join([f"{place}: {count}. {advice}", *named]))


def image_names(path: Path) -> list[str]:
    """Return the first column of a table, in its order, unchecked."""
    begin = _first_row(path, lines := _lines(path))
    separator = b"," if path.suffix == ".csv" else None
    return [line.split(separator, 1)[0].decode("utf-8", "replace") for line in lines[begin:] if line.strip()]


def read_attributes(path: Path, faults: Faults) -> NDArray[np.uint8]:
    """Return 0/1 [N, 40], a row for each line of list_attr_celeba."""
    lines = _lines(path)
    begin = _first_row(path, lines)
    if not _has_header(path, lines, faults):
        return np.zeros((0, len(ATTRIBUTES)), np.uint8)
    values = _values(path, lines, begin, len(ATTRIBUTES), (b"-1", b"1"), faults)
    if path.suffix != ".csv" and lines[0].strip() != str(len(values)).encode():
        rows = f"{len(values)} row{'' if len(values) == 1 else 's'}"
        faults.add(f"{path.name}, line 1: says {_shown(lines[0])} images, and {rows} follow: truncated, or changed")
    found: NDArray[np.uint8] = (values == 1).astype(np.uint8)
    return found


def read_partition(path: Path, names: Sequence[str], faults: Faults) -> NDArray[np.int64]:
    """Return 0 (train), 1 (validation) or 2 (test) for each of `names`."""
    return _for_each(path, names, faults, (b"0", b"1", b"2"))


def read_identities(path: Path, names: Sequence[str], faults: Faults) -> NDArray[np.int64]:
    """Return the number of the person for each of `names`."""
    return _for_each(path, names, faults, None)


def _for_each(path: Path, names: Sequence[str], faults: Faults, allowed: Sequence[bytes] | None) -> NDArray[np.int64]:
    """Return the second column of a table in the order of `names`."""
    before = len(faults.lines)
    lines = _lines(path)
    values = _values(path, lines, _first_row(path, lines), 1, allowed, faults)[:, 0]
    listed = image_names(path)
    if listed == list(names):
        return values
    if len(faults.lines) > before:  # rows that could not be read are missing for that reason
        return np.zeros(len(names), np.int64)
    of_name = dict(zip(listed, values.tolist(), strict=True))
    missing = [name for name in names if name not in of_name]
    known = set(names)
    tell(faults, [f"{path.name}: has no line for {name}" for name in missing])
    tell(faults, [f"{path.name}: has a line for {name}, which is not among the images" for name in listed if name not in known])
    if len(of_name) < len(listed):
        faults.add(f"{path.name}: names {len(listed) - len(of_name)} images twice")
    return np.array([of_name.get(name, 0) for name in names], np.int64)


def tell(faults: Faults, lines: Sequence[str]) -> None:
    """Add faults until no more are wanted."""
    for line in lines:
        if not faults.add(line):
            return


def _values(
    path: Path, lines: Sequence[bytes], begin: int, columns: int, allowed: Sequence[bytes] | None, faults: Faults
) -> NDArray[np.int64]:
    """Return the numbers behind each name, [N, columns]; a line with a fault gives zeros."""
    separator = b"," if path.suffix == ".csv" else None
    parse = _parser(allowed)
    parts: list[NDArray[np.int64]] = []
    for number, batch in _batches(lines, begin):
        fields = [line.split(separator) for line in batch]
        if all(len(row) == columns + 1 for row in fields) and (found := parse([row[1:] for row in fields])) is not None:
            parts.append(found)
            continue
        for offset, row in enumerate(fields):  # a line of them is wrong
            if not b"".join(row).strip():
                continue
            good = parse([row[1:]]) if len(row) == columns + 1 else None
            parts.append(np.zeros((1, columns), np.int64) if good is None else good)
            if good is None and not faults.add(f"{path.name}, line {number + offset}: {_fault(row, columns, allowed)}"):
                return np.concatenate(parts)
    return np.concatenate(parts) if parts else np.zeros((0, columns), np.int64)


def _parser(allowed: Sequence[bytes] | None) -> Callable[[Sequence[Sequence[bytes]]], NDArray[np.int64] | None]:
    """Return what turns fields of rows into numbers, or into None if one of them is not allowed."""
    numbers = {text: int(text) for text in allowed or ()}

    def parse(rows: Sequence[Sequence[bytes]]) -> NDArray[np.int64] | None:
        try:
            if allowed is None:
                if not all(text.isdigit() and len(text) < 10 for row in rows for text in row):
                    return None
                return np.array([[int(text) for text in row] for row in rows], np.int64)
            return np.array([[numbers[text.strip()] for text in row] for row in rows], np.int64)
        except KeyError:
            return None

    return parse


def _fault(row: Sequence[bytes], columns: int, allowed: Sequence[bytes] | None) -> str:
    if len(row) != columns + 1:
        return f"{len(row)} columns instead of {columns + 1}"
    expected = " or ".join(text.decode() for text in allowed) if allowed else "a number"
    wrong = next(
        text for text in row[1:] if (text.strip() not in allowed if allowed else not text.isdigit() or len(text) >= 10)
    )
    return f"{_shown(wrong)} is not {expected}"


def _has_header(path: Path, lines: Sequence[bytes], faults: Faults) -> bool:
    """Check the names of the columns."""
    is_csv = path.suffix == ".csv"
    if len(lines) < (1 if is_csv else 2):
        faults.add(f"{path.name}: has {len(lines)} lines, so no rows")
        return False
    header = lines[0].split(b",")[1:] if is_csv else lines[1].split()
    names = [name.strip().decode("utf-8", "replace") for name in header]
    if names == list(ATTRIBUTES):
        return True
    line = 1 if is_csv else 2
    wrong = [(mine, its) for mine, its in zip(ATTRIBUTES, names, strict=False) if mine != its]
    what = f"{len(names)} names instead of {len(ATTRIBUTES)}"
    if len(names) == len(ATTRIBUTES):
        what = f"{wrong[0][1][:40]!a} stands where {wrong[0][0]} should"
    faults.add(f"{path.name}, line {line}: not the names of CelebA's attributes: {what}")
    return False


def _first_row(path: Path, lines: Sequence[bytes]) -> int:
    """Return which line is the first row: behind the header of a CSV, behind count and header of the attributes."""
    if path.suffix == ".csv":
        return 1
    return 2 if path.name.startswith("list_attr") else 0


def _batches(lines: Sequence[bytes], begin: int) -> Iterator[tuple[int, Sequence[bytes]]]:
    """Yield the number, from 1, of the first of some lines, and them."""
    for first in range(begin, len(lines), _BATCH_LINES):
        yield first + 1, lines[first : first + _BATCH_LINES]


def _lines(path: Path) -> list[bytes]:
    """Return the lines of a table, without a byte order mark and without empty ones at the end."""
    try:
        if path.stat().st_size > CEILING_BYTES:
            raise DataError(f"{path}: more than {CEILING_BYTES >> 20} MiB; CelebA's tables have 26 at most")
        text = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from None
    return text.removeprefix(b"\xef\xbb\xbf").rstrip().splitlines()


def _shown(text: bytes) -> str:
    """Return the beginning of a piece of a foreign file, quoted, safe to print."""
    quoted = ascii(text.strip()[:24].decode("utf-8", "replace"))
    return quoted if len(text.strip()) <= 24 else f"{quoted}..."
