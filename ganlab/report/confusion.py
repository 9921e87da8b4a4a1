"""The confusion table of a score -> a picture: a row for each class asked, a column for each seen, shares in the cells."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ganlab.errors import RunError
from ganlab.report.curves import write_figure
from ganlab.runs.directory import Run
from ganlab.runs.scores import Entry

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_CELL_INCHES = 0.55
_NUMBERS_UP_TO = 30  # classes; of more the cells are coloured only, and smaller
_MOST_INCHES = 20.0  # of a side of the table
_LETTER_INCHES = 0.085
_HEAD_INCHES, _FOOT_INCHES, _BAR_INCHES, _LINE_INCHES = 0.75, 0.35, 1.1, 0.2
_DARK = 0.5  # from that share on, a number is white


def draw_confusion(run: Run, entry: Entry) -> Path | None:
    """Write the picture of an entry of scores.json into the run's folder `scores`; return its path, None without a table.

    A score of the same step by another protocol draws over it: what was measured by what stands in the picture.
    """
    table = entry.get("details", {}).get("confusion")
    if not _is_table(table):
        return None
    asked, seen = list(table), list(dict.fromkeys(name for row in table.values() for name in row))
    shares = np.array([[row.get(name, 0.0) for name in seen] for row in table.values()])
    cell = min(_CELL_INCHES, _MOST_INCHES / max(len(asked), len(seen)))
    left = 0.55 + _LETTER_INCHES * max(map(len, asked))
    below = _FOOT_INCHES + _LETTER_INCHES * max(map(len, seen))
    lines = _lines(run, entry)
    wide = max(left + cell * len(seen) + _BAR_INCHES, _LETTER_INCHES * max(map(len, lines)) + 0.2)
    high = below + cell * len(asked) + _HEAD_INCHES + _LINE_INCHES * (len(lines) - 1)

    def paint(figure: Figure) -> None:
        axes = figure.add_axes((left / wide, below / high, cell * len(seen) / wide, cell * len(asked) / high))
        image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
        axes.set_xticks(range(len(seen)), seen, rotation=90)
        axes.set_yticks(range(len(asked)), asked)
        axes.tick_params(length=0)
        axes.set(xlabel="seen", ylabel="asked")
        if max(len(asked), len(seen)) <= _NUMBERS_UP_TO:
            _write_shares(axes, shares)
        bar = figure.add_axes(((left + cell * len(seen) + 0.2) / wide, below / high, 0.15 / wide, cell * len(asked) / high))
        figure.colorbar(image, cax=bar).set_label("share of the row")
        for index, line in enumerate(lines):
            weight = "normal" if index else "bold"
            figure.text(0.1 / wide, 1 - (0.3 + _LINE_INCHES * index) / high, line, weight=weight)

    path = run.score_pictures / f"step-{entry['step']:08}-{entry['evaluator']}-confusion.png"
    try:
        path.parent.mkdir(exist_ok=True)
        write_figure(path, (wide, high), paint)
    except OSError as error:
        raise RunError(f"{path}: cannot be written ({error.strerror}); the scores are kept in {run.scores}") from None
    return path


def _write_shares(axes: Any, shares: NDArray[np.float64]) -> None:
    for (row, column), share in np.ndenumerate(shares):
        if share:  # a zero is an empty cell
            colour = "white" if share > _DARK else "black"
            axes.text(column, row, f"{share:.2f}", ha="center", va="center", color=colour, fontsize=8)


def _lines(run: Run, entry: Entry) -> list[str]:
    """Return whose scores these are, and by what they were measured."""
    card = entry["protocol"]
    judge = card.get("models", {}).get("judge", {}).get("name")
    made = card.get("facts", {}).get("made_images")
    facts = [
        *([] if made is None else [f"{made:,} images"]),
        f"split {card['split']}",
        f"{card['weights']} weights",
        *([] if judge is None else [f"judge {judge.rpartition('/')[2]}"]),
    ]
    return [f"{run.path.absolute().name}, step {entry['step']:,}: {entry['evaluator']}", ", ".join(facts)]


def _is_table(table: object) -> bool:
    """Return whether an evaluator's `confusion` is classes of classes of shares; another's may be anything."""
    return (
        isinstance(table, Mapping)
        and bool(table)
        and all(isinstance(row, Mapping) and row for row in table.values())
        and all(isinstance(share, int | float) for row in table.values() for share in row.values())
    )
