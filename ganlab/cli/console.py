"""Puts text before a person or a pipe: results on standard output, all else on standard error.

Text is never markup. Control characters are replaced. On a terminal tables and progress are drawn by rich, which this
module alone imports, and only then; elsewhere they are plain lines.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import textwrap
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TextIO

from ganlab.errors import DeviceError

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live

# Control characters but line break and tab; what turns the direction of writing; halves of characters.
_UNFIT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def result(text: str) -> None:
    """Print what a command was asked for."""
    try:
        _print(text, sys.stdout)
    except BrokenPipeError:
        raise  # whoever read it has left: no fault
    except OSError as fault:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains at its end
        raise DeviceError(f"standard output: cannot be written ({fault.strerror}); make room, or write elsewhere") from None


def progress(text: str) -> None:
    """Print what a person wants to know meanwhile."""
    _print(text, sys.stderr)


def error(text: str) -> None:
    """Print why a command failed; lines after the first are indented."""
    lines = text.splitlines() or [""]
    _print("\n".join([f"ganlab: error: {lines[0]}", *(f"  {line}" for line in lines[1:])]), sys.stderr)


def table(rows: Sequence[Sequence[str]], headers: Sequence[str], *, whole: int = 0) -> None:
    """Print rows under headers: drawn on a terminal, aligned plain text elsewhere.

    On a terminal too narrow for the rows, cells go on in the next line; those of the first `whole` columns never do.
    """
    cells = [[clean(cell).replace("\n", " ") for cell in row] for row in rows]
    if _is_terminal(sys.stdout):
        from rich.box import SIMPLE_HEAD
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        drawn = Table(box=SIMPLE_HEAD, pad_edge=False)
        for number, header in enumerate(headers):
            drawn.add_column(header, no_wrap=number < whole, overflow="fold")
        for texts in cells:
            drawn.add_row(*(Text(text) for text in texts))
        Console(highlight=False).print(drawn)
        return
    widths = [max(map(len, column)) for column in zip(headers, *cells, strict=True)]
    for row in (headers, *cells):
        result("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def facts(named: Sequence[tuple[str, str]]) -> None:
    """Print each name and, in a column beside it, its text; on a terminal a long text goes on below itself."""
    width = max((len(name) for name, _ in named), default=0) + 2
    for name, text in named:
        wrapped = textwrap.wrap(clean(text), max(columns() - width, 20), break_on_hyphens=False)
        result(("\n" + " " * width).join([name.ljust(width) + (wrapped[0] if wrapped else ""), *wrapped[1:]]).rstrip())


def columns() -> int:
    """Return how many characters a line of the result has room for; in a pipe or a file, any number."""
    return shutil.get_terminal_size().columns if _is_terminal(sys.stdout) else sys.maxsize


def clean(text: str) -> str:
    """Return `text` with each control character replaced, so that it can do nothing to a terminal."""
    return _UNFIT.sub("\N{REPLACEMENT CHARACTER}", text)


class TrainingDisplay:
    """Shows how far training is, on standard error: live on a terminal, else a plain line every few seconds."""

    def __init__(
        self,
        title: str,
        total_steps: int,
        start_step: int,
        facts: Mapping[str, str],
        line_every_seconds: float = 10.0,
        unit: str = "step",
    ) -> None:
        self.total_steps = total_steps  # may change
        self._unit = unit
        self._step = start_step
        self._line_every_seconds = line_every_seconds
        self._values: Mapping[str, float] = {}
        self._images_per_second = 0.0
        self._marks = [(time.monotonic(), start_step)]  # when which step was reached: the last twenty intervals
        self._printed: int | None = None  # step of the newest plain line
        progress(f"{title}: {', '.join(f'{name} {value}' for name, value in facts.items())}")
        self._live = self._started_live() if _is_terminal(sys.stderr) else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def update(self, step: int, values: Mapping[str, float], images_per_second: float) -> None:
        """Take what is known after `step`; cheap enough for every step."""
        self._step, self._values, self._images_per_second = step, values, images_per_second
        now = time.monotonic()
        if now - self._marks[-1][0] < self._line_every_seconds:
            return
        self._marks = [*self._marks[-20:], (now, step)]
        if self._live is None:
            self._print_line()

    def message(self, text: str) -> None:
        """Print a line that stays, above the live display."""
        if self._live is None:
            progress(text)
        else:
            from rich.text import Text

            self._live.console.print(Text(clean(text)))

    def close(self) -> None:
        """Show the last state and give the terminal back; may be called twice."""
        if self._live is not None:
            self._live.stop()
        elif self._printed != self._step:
            self._print_line()

    def _print_line(self) -> None:
        self._printed = self._step
        progress(f"{self._unit} {self._step}/{self.total_steps}  {self._state()}")

    def _state(self) -> str:
        facts = [f"{100 * self._step / max(self.total_steps, 1):.0f} %"]
        if self._images_per_second:
            facts.append(f"{self._images_per_second:.0f} images/s")
        if left := self._seconds_left():
            facts.append(f"{duration(left)} left")
        facts += [f"{name} {value:.4g}" for name, value in self._values.items()]
        return "  ".join(facts)

    def _seconds_left(self) -> float | None:
        begun, first = self._marks[0]
        done = self._step - first
        seconds = time.monotonic() - begun
        if done <= 0 or seconds < 1:
            return None
        return seconds / done * max(self.total_steps - self._step, 0)

    def _started_live(self) -> Live:
        from rich.console import Console
        from rich.live import Live

        live = Live(
            get_renderable=self._drawn,
            console=Console(stderr=True, highlight=False),
            refresh_per_second=2,
            redirect_stdout=_is_terminal(sys.stdout),  # a result that goes to a file stays a result
        )
        live.start()
        return live

    def _drawn(self) -> RenderableType:
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        row = Table.grid(padding=(0, 1))
        bar = ProgressBar(total=max(self.total_steps, 1), completed=self._step, width=30)
        row.add_row(Text(f"{self._unit} {self._step}/{self.total_steps}"), bar)
        return Group(row, Text(clean(self._state())))


def duration(seconds: float) -> str:
    """Return a time as people read it: 0:07, 12:30, 1:02:03."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _is_terminal(stream: Any) -> bool:
    return stream is not None and stream.isatty() and os.environ.get("TERM") != "dumb"


def _print(text: str, stream: TextIO | None) -> None:
    if stream is None:  # a program without a console
        return
    encoding = stream.encoding or "utf-8"
    stream.write(clean(text).encode(encoding, "replace").decode(encoding) + "\n")
    stream.flush()
