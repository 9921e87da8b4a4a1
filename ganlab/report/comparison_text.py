"""A comparison -> rows of text under the names of its runs, Markdown, rows for CSV and JSON."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ganlab.recipe_text import toml_value
from ganlab.report.compared_run import ComparedRun, Scored
from ganlab.report.comparison import At, Comparison, ScoreOfRun, ScoreRow

Rows = list[tuple[str, ...]]  # the name of each row, and a cell for each run
_NOTHING = "-"


def sections(comparison: Comparison) -> dict[str, Rows]:
    """Return heading -> rows; a section without rows is left out."""
    runs = comparison.runs
    recipe = [(".".join(key), *map(cell, values)) for key, values in comparison.recipes.items()]
    training = [(name, *map(tell, runs)) for name, tell in _TRAINING.items()]
    scores = [(comparison.label(row), *map(_score, row.of_runs)) for row in comparison.scores]
    best = [("training.best", *map(_best, runs))] if any(run.recipe.get("training", {}).get("best") for run in runs) else []
    several = any(of_run and of_run.count > 1 for row in comparison.scores for of_run in row.of_runs)
    how = "last (lowest at its step; highest at its step)" if several else "last"
    found = {
        "what differs in the recipes": recipe,
        "training": training,
        f"scores: {how}": [*best, *scores],
        "best of the last scores": [row for score in comparison.scores for row in _verdicts(comparison, score)],
        "log: the last row": [(name, *map(number, values)) for name, values in comparison.final.items()],
    }
    return {heading: rows for heading, rows in found.items() if rows}


def markdown(comparison: Comparison, picture: str | None) -> str:
    """Return a page with every table, the warnings and the protocols; `picture` is the name of the picture's file."""
    names = [run.name for run in comparison.runs]
    lines = [f"# {' against '.join(names)}", ""]
    lines += [f"- `{run.name}`: {run.title or 'a recipe without a header'}" for run in comparison.runs]
    lines += ["", *(f"- **Unlike:** {warning}." for warning in comparison.warnings)] if comparison.warnings else []
    lines += ["", f"![curves and samples]({picture})"] if picture else []
    for heading, rows in sections(comparison).items():
        lines += ["", f"## {heading[0].upper()}{heading[1:]}", ""]
        lines += [_line(("", *names)), "|---" + "|---:" * len(names) + "|", *map(_line, rows)]
    if comparison.protocols:
        lines += ["", "## Protocols of the scores", ""]
        lines += [f"- {letter}: {_card(card)}" for letter, card in comparison.protocols.items()]
    return "\n".join(lines) + "\n"


def csv_rows(comparison: Comparison) -> list[dict[str, object]]:
    """Return one row a run; the name of a column begins with `recipe.`, `score.` or `log.` where it is no fact of training."""
    rows: list[dict[str, object]] = []
    for index, run in enumerate(comparison.runs):
        row: dict[str, object] = {"run": run.name, **_facts(run)}
        recipe = {f"recipe.{'.'.join(key)}": values[index] for key, values in comparison.recipes.items()}
        row |= {name: cell(value) if isinstance(value, list) else value for name, value in recipe.items()}
        for score in comparison.scores:
            of_run, name = score.of_runs[index], f"score.{comparison.label(score)}"
            row |= {f"{name}.{which}": None if at is None else at.value for which, at in _points(of_run).items()}
            row |= {f"{name}.{which}_step": None if at is None else at.step for which, at in _points(of_run).items()}
        rows.append(row | {f"log.{name}": values[index] for name, values in comparison.final.items()})
    return rows


def as_json(comparison: Comparison) -> dict[str, Any]:
    """Return everything that the comparison tells, as JSON holds it."""
    runs = comparison.runs
    scores = [
        {
            "evaluator": row.evaluator,
            "score": row.score,
            "protocol": row.protocol,
            "best": _best_as_json(comparison, row),
            "runs": {
                run.name: {which: at and {"value": _finite(at.value), "step": at.step} for which, at in _points(of_run).items()}
                for run, of_run in zip(runs, row.of_runs, strict=True)
                if of_run is not None
            },
        }
        for row in comparison.scores
    ]
    return {
        "runs": [{"run": run.name, "path": str(run.path), "title": run.title, **_facts(run)} for run in runs],
        "recipes": {".".join(key): _by_run(runs, values) for key, values in comparison.recipes.items()},
        "scores": scores,
        "protocols": dict(comparison.protocols),
        "log": {name: _by_run(runs, map(_finite, values)) for name, values in comparison.final.items()},
        "warnings": list(comparison.warnings),
    }


def cell(value: Any) -> str:
    """Return a value of a recipe as it is written there."""
    return _NOTHING if value is None else toml_value(value)


def _best_as_json(comparison: Comparison, row: ScoreRow) -> dict[str, Any] | None:
    if row.best is None:
        return None
    names = [run.name for run in comparison.runs]
    rivals = None if row.best.rivals is None else [names[rival] for rival in row.best.rivals]
    return {"best_is": row.best.which, "run": names[row.best.index], "not_apart_from": rivals}


def _facts(run: ComparedRun) -> dict[str, Any]:
    return {
        "steps": run.step,
        "epochs": run.epoch,
        "images": run.images,
        "seconds": run.seconds,
        "device": run.device,
        "data_fingerprint": run.data_fingerprint,
    }


_TRAINING: Mapping[str, Callable[[ComparedRun], str]] = {
    "steps": lambda run: f"{run.step:,}",
    "epochs": lambda run: f"{run.epoch:.4g}",
    "images": lambda run: f"{run.images:,}",
    "seconds, by the clock": lambda run: _NOTHING if run.seconds is None else f"{run.seconds:,.0f}",
    "device": lambda run: run.device or _NOTHING,
}


def _by_run(runs: Sequence[ComparedRun], values: Any) -> dict[str, Any]:
    return {run.name: value for run, value in zip(runs, values, strict=True)}


def _points(of_run: ScoreOfRun | None) -> dict[str, At | None]:
    if of_run is None:
        return dict.fromkeys(("last", "lowest", "highest"))
    return {"last": of_run.last, "lowest": of_run.lowest, "highest": of_run.highest}


def _best(run: ComparedRun) -> str:
    """Return the best value of the score that the run itself chose as its measure."""
    training = run.recipe.get("training", {})
    evaluator, _, score = str(training.get("best") or "").partition(".")
    found = [
        (entry.values[score], entry.step)
        for entry in run.scores
        if entry.evaluator == evaluator and score in entry.values and _is_by_recipe(run, entry)
    ]
    if not found:
        return _NOTHING
    value, step = (max if training.get("best_is", "highest") == "highest" else min)(found, key=lambda at: at[0])
    return f"{evaluator}.{score} {number(value)} at {step:,}"


def _verdicts(comparison: Comparison, row: ScoreRow) -> Rows:
    """Return a row that marks the run with the best value: as better only if its interval is apart from all others."""
    if row.best is None:
        return []
    if row.best.rivals is None:
        said = f"{row.best.which}; no intervals"
    else:
        said = f"{row.best.which}; its interval touches others" if row.best.rivals else "best; its interval is apart"
    cells = (said if index == row.best.index else _NOTHING for index in range(len(comparison.runs)))
    return [(comparison.label(row), *cells)]


def _is_by_recipe(run: ComparedRun, entry: Scored) -> bool:
    """Return whether a score was measured with the recipe's own options, as those are that training watches."""
    own = run.recipe.get("evaluation", {}).get(entry.evaluator, {})
    return all(own.get(option, value) == value for option, value in entry.protocol.get("options", {}).items())


def _score(of_run: ScoreOfRun | None) -> str:
    if of_run is None:
        return _NOTHING
    if of_run.lowest.value == of_run.highest.value:
        return number(of_run.last.value)
    return f"{number(of_run.last.value)} ({_at(of_run.lowest)}; {_at(of_run.highest)})"


def _at(at: At) -> str:
    return f"{number(at.value)} at {at.step:,}"


def number(value: float | None) -> str:
    """Return a value with four digits."""
    return _NOTHING if value is None else f"{value:.4g}"


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None  # JSON has no other numbers


def _card(card: Mapping[str, Any]) -> str:
    """Return a protocol in one line."""
    told = {key: value for key, value in card.items() if key not in ("evaluator", "version", "options")}
    inner = {key: value for facts in told.values() if isinstance(facts, Mapping) for key, value in facts.items()}
    facts = {**{key: value for key, value in told.items() if not isinstance(value, Mapping)}, **inner}
    options = ", ".join(f"{key} {value}" for key, value in card.get("options", {}).items())
    version = f"{card.get('evaluator')}, version {card.get('version')}" + (f" ({options})" if options else "")
    rest = ", ".join(f"{key.replace('_', ' ')} {_brief(value)}" for key, value in facts.items())
    return f"{version}; {rest}"


def _brief(value: Any) -> str:
    """Return a digest by its first digits, and anything else as it is."""
    return str(value)[:12] if re.fullmatch(r"[0-9a-f]{32,}", str(value)) else str(value)


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"
