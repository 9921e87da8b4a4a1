"""A comparison -> one picture: a panel for each term, measure and score that runs share, and rows of their samples below.

The only door to matplotlib, and `write_figure` the way in for other pictures. No window, no settings of the user's: the
picture is the same everywhere.
"""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure, SubFigure
from matplotlib.ticker import EngFormatter, MaxNLocator
from numpy.typing import NDArray

from ganlab.files import write_bytes_atomic
from ganlab.report.compared_run import NO_TERMS, ComparedRun
from ganlab.report.comparison import Comparison, ScoreRow
from ganlab.report.comparison_text import cell, number
from ganlab.report.pictures import top_rows
from ganlab.report.tables import Column, smoothed

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe and Ito (2008): told apart by colour-blind readers too. More runs than colours go round again, dashed.
_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#000000")
_DASHES = ("-", "--", ":")
_STYLE: dict[Any, Any] = {"font.size": 9, "axes.spines.top": False, "axes.spines.right": False, "text.parse_math": False}
_WIDTH_INCHES = 15.0
_PANEL_INCHES = 2.3
_PANELS_ACROSS = 4
_SAMPLES_ACROSS = 2
_CAPTION_INCHES = 0.4
_LINE_INCHES = 0.2  # of the facts at the top
_LETTERS_AN_INCH = 13
_FACTS_SHOWN = 14  # keys of the recipes; the table has all
_SCORES_SHOWN = 4  # of each evaluator, the first ones; the table has all
_WATCHING = (  # keys that change no weight; they stand last, before them the options that not every run has
    *("log_every_steps", "sample_every_steps", "checkpoint_every_steps", "checkpoint_every_minutes"),
    *("keep_checkpoints", "evaluate_every_steps", "best", "best_is"),
)
_ROWS_SHOWN = 3  # of each sample picture
_ROWS_UNSMOOTHED = 60  # of a log; a longer one is smoothed, its rows faint behind
_LOG_SCALE_FROM = 30.0  # how many times its median a positive curve must reach to be drawn on a logarithmic axis


@dataclass(frozen=True, kw_only=True)
class Curve:
    """One run's line in one panel."""

    run: int
    images: Column
    values: Column


def draw(comparison: Comparison, path: Path) -> None:
    """Write the picture as a PNG; a run without a log or samples has no line, or no rows, in it."""
    panels = {**shared_terms(comparison), **scores_over_time(comparison)}
    facts = _facts(comparison)
    grids = [(i, run.sample[0], top_rows(run.sample[1], _ROWS_SHOWN)) for i, run in enumerate(comparison.runs) if run.sample]
    across = min(len(grids), _SAMPLES_ACROSS)
    tallest = max((pixels.shape[0] / pixels.shape[1] for _, _, pixels in grids), default=0.0)
    heights = [_LINE_INCHES * (len(facts) + 2)]
    heights += [_PANEL_INCHES * math.ceil(len(panels) / _PANELS_ACROSS) + _CAPTION_INCHES] if panels else []
    heights += [(tallest * _WIDTH_INCHES / across + _CAPTION_INCHES) * math.ceil(len(grids) / across)] if grids else []

    def paint(figure: Figure) -> None:
        places = iter(figure.subfigures(len(heights), 1, height_ratios=heights, squeeze=False).flat)
        _head(next(places), comparison.runs, facts)
        if panels:
            _panels(next(places), panels)
        if grids:
            _samples(next(places), grids, across, comparison.runs)

    write_figure(path, (_WIDTH_INCHES, sum(heights)), paint)


def write_figure(path: Path, size_inches: tuple[float, float], paint: Callable[[Figure], None]) -> None:
    """Write what `paint` draws on an empty figure (width, height) as a PNG that is whole or absent."""
    with mpl.rc_context({**mpl.rcParamsDefault, **_STYLE}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font")  # of a name in a script that the font lacks
        figure = Figure(figsize=size_inches, dpi=110)
        paint(figure)
        drawn = io.BytesIO()
        figure.savefig(drawn, format="png", metadata={"Software": None})
    write_bytes_atomic(path, drawn.getvalue())


def shared_terms(comparison: Comparison) -> dict[str, list[Curve]]:
    """Return the curves of each term and measure that two runs or more have logged."""
    names = {name: None for run in comparison.runs for name in run.log if name not in NO_TERMS}
    found = {name: [c for i, run in enumerate(comparison.runs) if (c := _curve(i, run, name)) is not None] for name in names}
    return {name: curves for name, curves in found.items() if len(curves) > 1}


def scores_over_time(comparison: Comparison) -> dict[str, list[Curve]]:
    """Return the curves of the first scores of each evaluator that two runs or more took repeatedly, by one protocol."""
    shown = [row for row in _first_scores(comparison) if any(of_run and of_run.count > 1 for of_run in row.of_runs)]
    scored = {row: [i for i, of_run in enumerate(row.of_runs) if of_run] for row in shown}
    return {
        comparison.label(row): [_score_curve(index, comparison.runs[index], comparison, row) for index in runs]
        for row, runs in scored.items()
        if len(runs) > 1
    }


def _first_scores(comparison: Comparison) -> list[ScoreRow]:
    shown: list[ScoreRow] = []
    for row in comparison.scores:
        of_evaluator = {other.score: None for other in shown if other.evaluator == row.evaluator}
        if row.score in of_evaluator or len(of_evaluator) < _SCORES_SHOWN:
            shown.append(row)
    return shown


def _curve(index: int, run: ComparedRun, name: str) -> Curve | None:
    values = run.log.get(name)
    if values is None or not np.isfinite(values).any():
        return None
    known = np.isfinite(values)
    return Curve(run=index, images=run.log["images"][known], values=values[known])


def _score_curve(index: int, run: ComparedRun, comparison: Comparison, row: ScoreRow) -> Curve:
    points = comparison.points(row, run)
    steps, values = np.array([at.step for at in points], dtype=float), np.array([at.value for at in points], dtype=float)
    images = steps * (run.images / run.step if run.step else 0.0)
    if len(run.log.get("step", ())):  # what a step draws may vary
        images = np.interp(steps, [0.0, *run.log["step"], run.step], [0.0, *run.log["images"], run.images])
    return Curve(run=index, images=images, values=values)


def _facts(comparison: Comparison) -> list[tuple[str, ...]]:
    """Return the lines at the top, a name and a text for each run: what differs in the recipes, the training, scores."""
    by_weight = sorted(comparison.recipes.items(), key=lambda item: (item[0][-1] in _WATCHING, None in item[1]))
    recipes = [(".".join(key), *map(cell, values)) for key, values in by_weight]
    shown = recipes if len(recipes) <= _FACTS_SHOWN else recipes[: _FACTS_SHOWN - 1]
    left = [(f"and {len(recipes) - len(shown)} more keys", *[""] * len(comparison.runs))] if len(shown) < len(recipes) else []
    images = [f"{run.images:,}" + ("" if run.seconds is None else f" in {run.seconds:,.0f} s") for run in comparison.runs]
    scores = [
        (comparison.label(row), *(number(None if each is None else each.last.value) for each in row.of_runs))
        for row in _first_scores(comparison)
    ]
    return [*shown, *left, ("images seen", *images), *scores]


def _head(figure: SubFigure, runs: Sequence[ComparedRun], facts: Sequence[tuple[str, ...]]) -> None:
    """Draw the names of the runs in their colours, and below them the facts."""
    axes = figure.subplots()
    figure.subplots_adjust(left=0.005, right=1, bottom=0, top=1)
    axes.set(xlim=(0, _WIDTH_INCHES), ylim=(len(facts) + 1.2, -0.4))
    axes.axis("off")
    first = min(4.0, _WIDTH_INCHES / 3)
    width = (_WIDTH_INCHES - first) / max(len(runs), 3)
    letters = int(width * _LETTERS_AN_INCH)
    for index, run in enumerate(runs):
        left, colour = first + index * width, _colour(index)
        axes.plot([left, left + 0.9 * width], [-0.1, -0.1], color=colour, linestyle=_dash(index), linewidth=3)
        axes.text(left, 0.5, _clipped(run.name, int(0.85 * letters)), color=colour, fontsize=11, weight="bold", va="center")
    for line, (name, *cells) in enumerate(facts, start=1):
        axes.text(0, line + 0.5, name, va="center", color="#444444")
        for index, text in enumerate(cells):
            axes.text(first + index * width, line + 0.5, _clipped(text, letters), va="center")


def _clipped(text: str, letters: int) -> str:
    return text if len(text) <= letters else text[: max(letters - 3, 1)] + "..."


def _panels(figure: SubFigure, panels: Mapping[str, list[Curve]]) -> None:
    rows = math.ceil(len(panels) / _PANELS_ACROSS)
    last = max(curve.images[-1] for curves in panels.values() for curve in curves if len(curve.images))
    places = iter(figure.subplots(rows, _PANELS_ACROSS, squeeze=False).flat)
    high = figure.bbox.height / figure.get_dpi()
    figure.subplots_adjust(
        *(0.6 / _WIDTH_INCHES, 0.55 / high, 1 - 0.1 / _WIDTH_INCHES, 1 - 0.3 / high), wspace=0.22, hspace=0.42
    )
    for (name, curves), axes in zip(panels.items(), places, strict=False):
        for curve in curves:
            _line(axes, curve)
        axes.set_title(name, fontsize=10)
        axes.set_xlim(0, last * 1.02)
        axes.xaxis.set_major_formatter(EngFormatter(sep=""))
        axes.xaxis.set_major_locator(MaxNLocator(5))
        axes.grid(alpha=0.25)
        if is_steep(curves):
            axes.set_yscale("log")
    for axes in places:
        axes.axis("off")
    figure.text(0.5, 0.1 / high, "images seen in training", ha="center")


def _line(axes: Axes, curve: Curve) -> None:
    colour, dash = _colour(curve.run), _dash(curve.run)
    values = curve.values
    if len(values) > _ROWS_UNSMOOTHED:
        axes.plot(curve.images, values, color=colour, linewidth=0.6, alpha=0.25)
        values = smoothed(values, len(values) // 30)
    axes.plot(curve.images, values, color=colour, linestyle=dash, linewidth=1.6, marker="o" if len(values) < 12 else "", ms=4)


def is_steep(curves: Sequence[Curve]) -> bool:
    """Return whether positive curves fall, or rise, so far that only a logarithmic axis shows their ends."""
    values = np.concatenate([curve.values for curve in curves])
    return bool(len(values) and values.min() > 0 and values.max() > _LOG_SCALE_FROM * np.median(values))


def _samples(
    figure: SubFigure, grids: Sequence[tuple[int, int, NDArray[np.uint8]]], across: int, runs: Sequence[ComparedRun]
) -> None:
    rows, high = math.ceil(len(grids) / across), figure.bbox.height / figure.get_dpi()
    places = iter(figure.subplots(rows, across, squeeze=False, subplot_kw={"anchor": "NW"}).flat)
    gap = _CAPTION_INCHES / (high / rows - _CAPTION_INCHES)  # in heights of a picture
    figure.subplots_adjust(left=0.005, right=0.995, bottom=0, top=1 - _CAPTION_INCHES / high, wspace=0.02, hspace=gap)
    for (index, step, pixels), axes in zip(grids, places, strict=False):
        axes.imshow(pixels, interpolation="antialiased")
        axes.set_title(f"{runs[index].name}, step {step:,}", color=_colour(index), fontsize=11, loc="left", weight="bold")
        axes.axis("off")
    for axes in places:
        axes.axis("off")


def _colour(index: int) -> str:
    return _COLOURS[index % len(_COLOURS)]


def _dash(index: int) -> str:
    return _DASHES[index // len(_COLOURS) % len(_DASHES)]
