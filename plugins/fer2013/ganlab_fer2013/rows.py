"""Lines of fer2013.csv -> arrays, every row checked; a damaged row is named with its line."""

from __future__ import annotations

import csv
import gzip
import lzma
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from ganlab import DataError
from ganlab_fer2013.options import EXPRESSIONS
from ganlab_fer2013.pixels import pixels_of, pixels_of_each, shown

COLUMNS = ("emotion", "pixels", "Usage")
USAGES = ("Training", "PublicTest", "PrivateTest")
CEILING_BYTES = 1 << 30  # of the text, decompressed; the contest's file has 302 MB
LINE_BYTES = 1 << 17  # of one row; those of the contest have at most 9,240

_BATCH_ROWS = 16  # parsed at once: what numpy makes of them stays in the processor's cache
_NAMED_FAULTS = 5  # the others are counted
_MOST_FAULTS = 100_000  # of more than there are rows in the contest's file, the rest is not looked at
_AROUND = b' \t\r\n"'
_LABELS = {str(label).encode(): label for label in range(len(EXPRESSIONS))}
_USAGES = {name.encode(): usage for usage, name in enumerate(USAGES)}


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Rows of the file, in its order."""

    pixels: NDArray[np.uint8]  # [N, 2304]
    labels: NDArray[np.uint8]  # [N], indices of EXPRESSIONS
    usages: NDArray[np.uint8]  # [N], indices of USAGES
    lines: NDArray[np.int64]  # [N], numbers of their lines, from 1


def read_rows(path: Path) -> Rows:
    """Return all rows; raises DataError that names the first damaged ones and counts them all."""
    lines = _lines(path)
    columns, width = _columns(path, next(lines, (1, b""))[1])
    parts: list[Rows] = []
    faults = _Faults()
    room = np.empty((6, 1 << 18), np.uint8)  # more than the rows of a batch have bytes
    while batch := list(islice(lines, _BATCH_ROWS)):
        rows, found = _parse(batch, columns, width, room)
        parts.append(rows)
        faults.add(found)
        if faults.count > _MOST_FAULTS:
            break
    if faults.count:
        raise faults.error(path)
    if not any(len(rows.labels) for rows in parts):
        raise DataError(f"{path}: no rows after the first line")
    return Rows(
        pixels=np.concatenate([rows.pixels for rows in parts]),
        labels=np.concatenate([rows.labels for rows in parts]),
        usages=np.concatenate([rows.usages for rows in parts]),
        lines=np.concatenate([rows.lines for rows in parts]),
    )


def _parse(
    batch: Sequence[tuple[int, bytes]], columns: Sequence[int], width: int, room: NDArray[np.uint8]
) -> tuple[Rows, dict[int, list[str]]]:
    """Return the rows of some numbered lines, and line -> what is wrong there."""
    numbers, texts = [], []
    labels, usages = bytearray(), bytearray()
    faults: dict[int, list[str]] = {}
    for number, line in batch:
        fields = _split(line)
        if len(fields) != width:
            if not line.strip():
                continue
            fields = _unquoted(line)  # a comma within quotes
            if len(fields) != width:
                faults[number] = [f"{len(fields)} columns instead of {width}"]
                continue
        label, text, usage = (fields[column].strip(_AROUND) for column in columns)
        if label not in _LABELS:
            faults.setdefault(number, []).append(f"emotion {shown(label)} is not 0 to {len(EXPRESSIONS) - 1}")
        if usage not in _USAGES:
            faults.setdefault(number, []).append(f"Usage {shown(usage)} is not {', '.join(USAGES[:-1])} or {USAGES[-1]}")
        numbers.append(number)
        texts.append(text)
        labels.append(_LABELS.get(label, 0))
        usages.append(_USAGES.get(usage, 0))
    pixels = pixels_of(texts, room)
    if pixels is None:
        pixels, found = pixels_of_each(texts)
        for number, wrong in zip(numbers, found, strict=True):
            if wrong:
                faults.setdefault(number, []).extend(wrong)
    rows = Rows(
        pixels=pixels,
        labels=np.frombuffer(labels, np.uint8),
        usages=np.frombuffer(usages, np.uint8),
        lines=np.array(numbers, np.int64),
    )
    return rows, faults


@dataclass
class _Faults:
    """The first damaged rows, and how many there are."""

    named: list[tuple[int, str]] = field(default_factory=list)  # line, what is wrong there
    count: int = 0

    def add(self, found: dict[int, list[str]]) -> None:
        """Count more of them, from lines further down."""
        self.count += len(found)
        for line in sorted(found)[: _NAMED_FAULTS - len(self.named)]:
            self.named.append((line, "; ".join(found[line])))

    def error(self, path: Path) -> DataError:
        """Return what to raise, one line a row."""
        advice = "Nothing of the file is used; get it again."
        if self.count == 1:
            line, what = self.named[0]
            return DataError(f"{path}, line {line}: {what}. {advice}")
        count = f"{self.count}" if self.count <= _MOST_FAULTS else f"at least {self.count}"
        lines = [f"{path}: {count} damaged rows. {advice}", *(f"  line {line}: {what}" for line, what in self.named)]
        if self.count > len(self.named):
            lines.append(f"  and {self.count - len(self.named)} more")
        return DataError("\n".join(lines))


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield the lines of a plain, gzip or xz file, numbered from 1, up to the ceiling."""
    number = size = 0
    try:
        with _opened(path) as stream:
            while line := stream.readline(LINE_BYTES):
                number += 1
                size += len(line)
                if size > CEILING_BYTES:
                    raise DataError(f"{path}: more than {CEILING_BYTES >> 20} MiB of text; the contest's file has 288 MiB")
                if len(line) == LINE_BYTES:
                    raise DataError(f"{path}, line {number}: longer than {LINE_BYTES >> 10} KiB, so no row of FER2013")
                yield number, line
    except EOFError:
        raise DataError(f"{path}: truncated: the compressed data end in line {number + 1}. Get the file again.") from None
    except (gzip.BadGzipFile, zlib.error, lzma.LZMAError) as error:
        raise DataError(f"{path}: damaged after line {number}: {error}. Get the file again.") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from None


def _opened(path: Path) -> BinaryIO | gzip.GzipFile | lzma.LZMAFile:
    """Open a file as plain text, compressed or not; its first bytes tell which."""
    with path.open("rb") as raw:
        start = raw.read(6)
    if start.startswith(b"\x1f\x8b"):
        return gzip.open(path, "rb")
    if start.startswith(b"\xfd7zXZ\x00"):
        return lzma.open(path, "rb")
    return path.open("rb", buffering=1 << 18)


def _columns(path: Path, header: bytes) -> tuple[list[int], int]:
    """Return where emotion, pixels and Usage stand in a row, and how many columns it has."""
    names = [name.strip().lower() for name in _unquoted(header.removeprefix(b"\xef\xbb\xbf"))]
    try:
        return [names.index(column.lower().encode()) for column in COLUMNS], len(names)
    except ValueError:
        raise DataError(
            f"{path}: not the FER2013 file: its first line is {shown(header.rstrip())}, not {','.join(COLUMNS)}"
        ) from None


def _split(line: bytes) -> list[bytes]:
    """Return `line.split(b",")`, six times as fast for fields of thousands of bytes: find() looks at many at once."""
    fields = []
    begin = 0
    while (end := line.find(b",", begin)) >= 0:
        fields.append(line[begin:end])
        begin = end + 1
    return [*fields, line[begin:]]


def _unquoted(line: bytes) -> list[bytes]:
    """Return the fields of a line, some of which may be quoted."""
    try:
        return [field.encode("latin-1") for field in next(csv.reader([line.decode("latin-1")]), [])]
    except csv.Error:  # a NUL
        return line.split(b",")
