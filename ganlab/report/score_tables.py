"""Scores of checkpoints -> a table for each evaluator and protocol, the best of each marked; rows for CSV and JSON.

Scores by unlike protocols never share a table. One checkpoint is called better than another only where the intervals of
the two, over seeds of sampling, do not touch.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ganlab.report.best import Best, best_of, bounds_of
from ganlab.runs.scores import Entry, decides, unlike_keys

_MOST_COLUMNS = 8
_NOTHING = "-"


@dataclass(frozen=True, kw_only=True)
class ScoreLine:
    """One entry of scores.json, and whose it is."""

    run: str
    checkpoint: str  # its folder
    entry: Entry


@dataclass(frozen=True, kw_only=True)
class ScoreTable:
    """What one evaluator found by one protocol."""

    letter: str  # of the protocol
    evaluator: str
    card: Mapping[str, Any]  # its protocol, and the fingerprint of the data
    lines: tuple[ScoreLine, ...]
    best: Mapping[str, Best]  # of the scores of which is known what is best; {}: one line has no rival

    @property
    def scores(self) -> list[str]:
        """Return the names of all scores, in the evaluator's order."""
        return list(dict.fromkeys(score for line in self.lines for score in line.entry["scores"]))


def score_tables(lines: Sequence[ScoreLine]) -> list[ScoreTable]:
    """Return a table for each evaluator and protocol, in the order of the lines."""
    groups: dict[str, list[ScoreLine]] = {}
    for line in lines:
        groups.setdefault(decides(line.entry["evaluator"], _card(line)), []).append(line)
    ordered = sorted(groups.values(), key=lambda group: [line.entry["evaluator"] for line in lines].index(_evaluator(group)))
    return [
        ScoreTable(
            letter=_letter(index), evaluator=_evaluator(group), card=_card(group[0]), lines=tuple(group), best=_best(group)
        )
        for index, group in enumerate(ordered)
    ]


def unlike(tables: Sequence[ScoreTable]) -> list[str]:
    """Return a line for each evaluator that scored by several protocols: which, and what is not the same in them."""
    told = []
    for evaluator in dict.fromkeys(table.evaluator for table in tables):
        own = [table for table in tables if table.evaluator == evaluator]
        if len(own) > 1:
            letters = " and ".join(table.letter for table in own)
            keys = ", ".join(unlike_keys([table.card for table in own]))
            told.append(f"{evaluator}: scored by unlike protocols, not to be compared: {letters}; unlike are {keys}")
    return told


def cells(table: ScoreTable) -> tuple[list[str], list[list[str]], str]:
    """Return headers, rows and what a person should know besides; of many scores the first that matter."""
    scores = table.scores
    if len(scores) > _MOST_COLUMNS:
        ranked = [score for score in scores if any(score in line.entry.get("best_is", {}) for line in table.lines)]
        scores = (ranked or scores)[:_MOST_COLUMNS]
    names = labels(table.lines)
    rows = []
    for index, (name, line) in enumerate(zip(names, table.lines, strict=True)):
        marked = [number(line.entry["scores"].get(s)) + (" *" if _is_best(table, s, index) else "") for s in scores]
        rows.append([name, *marked])
    left = len(table.scores) - len(scores)
    notes = [f"{left} more scores in --json, --csv and scores.json"] if left else []
    notes += [_verdict(table, names, score) for score in scores if score in table.best]
    return ["checkpoint", *scores], rows, "\n".join(notes)


def heading(table: ScoreTable) -> str:
    """Return the evaluator and what its protocol says, in a line."""
    card = table.card
    facts = card.get("facts", {})
    told = [
        *(f"{name} {value}" for name, value in card.get("options", {}).items()),
        f"split {card['split']}" + (", which was trained on" if card.get("test_split_was_trained_on") else ""),
        f"{card['weights']} weights",
        *(f"{name.replace('_', ' ')} {facts[name]}" for name in ("real_images", "made_images") if name in facts),
    ]
    return f"{table.evaluator} [{table.letter}]: {', '.join(told)}"


def csv_rows(tables: Sequence[ScoreTable]) -> list[dict[str, object]]:
    """Return one row a score: what stands in one column never mixes protocols, since `protocol` tells them apart."""
    return [
        {
            "run": line.run,
            "step": line.entry["step"],
            "evaluator": table.evaluator,
            "score": score,
            "value": value,
            "is_best": _is_best(table, score, index) if score in table.best else None,
            "protocol": table.letter,
            "options": ", ".join(f"{name}={given}" for name, given in table.card.get("options", {}).items()),
            "split": table.card["split"],
            "weights": table.card["weights"],
            "data_fingerprint": line.entry.get("data_fingerprint"),
            "checkpoint": line.checkpoint,
        }
        for table in tables
        for index, line in enumerate(table.lines)
        for score, value in line.entry["scores"].items()
    ]


def as_json(tables: Sequence[ScoreTable]) -> dict[str, Any]:
    """Return everything that the tables tell, as JSON holds it."""
    return {
        "scores": [
            {
                "run": line.run,
                "checkpoint": line.checkpoint,
                "step": line.entry["step"],
                "evaluator": table.evaluator,
                "protocol": table.letter,
                "scores": {name: value if math.isfinite(value) else None for name, value in line.entry["scores"].items()},
                "best_in": [score for score in table.best if _is_best(table, score, index)],
            }
            for table in tables
            for index, line in enumerate(table.lines)
        ],
        "best": [
            {
                "evaluator": table.evaluator,
                "protocol": table.letter,
                "score": score,
                "best_is": best.which,
                "checkpoint": table.lines[best.index].checkpoint,
                "not_apart_from": None if best.rivals is None else [table.lines[rival].checkpoint for rival in best.rivals],
            }
            for table in tables
            for score, best in table.best.items()
        ],
        "protocols": {table.letter: dict(table.card) for table in tables},
        "warnings": unlike(tables),
    }


def labels(lines: Sequence[ScoreLine]) -> list[str]:
    """Return what to call each line: by its step alone if there is one run."""
    if len({line.run for line in lines}) == 1:
        return [f"step {line.entry['step']:,}" for line in lines]
    return [f"{line.run} step {line.entry['step']:,}" for line in lines]


def number(value: float | None) -> str:
    """Return a value with four digits."""
    return _NOTHING if value is None else f"{value:.4g}"


def _evaluator(group: Sequence[ScoreLine]) -> str:
    return str(group[0].entry["evaluator"])


def _card(line: ScoreLine) -> dict[str, Any]:
    return {**line.entry["protocol"], "data_fingerprint": line.entry.get("data_fingerprint")}


def _best(lines: Sequence[ScoreLine]) -> dict[str, Best]:
    """Return the best line of each score that says what is best, where there are two lines or more."""
    ranks = {score: which for line in lines for score, which in line.entry.get("best_is", {}).items()}
    every = [line.entry["scores"] for line in lines]
    found = {
        score: best_of([scores.get(score) for scores in every], [bounds_of(scores, score) for scores in every], which)
        for score, which in ranks.items()
    }
    return {score: best for score, best in found.items() if best is not None}


def _is_best(table: ScoreTable, score: str, line: int) -> bool:
    return score in table.best and table.best[score].index == line


def _verdict(table: ScoreTable, names: Sequence[str], score: str) -> str:
    """Return what may be said of the best value: that it is better, or only that it is the lowest."""
    best = table.best[score]
    name = names[best.index]
    if best.rivals is None:
        way = "; --seeds 3 makes some" if "seeds" in table.card.get("options", {}) else ""
        return f"* {score}: {best.which} at {name}, whether by more than chance is unknown without intervals{way}"
    if best.rivals:
        told = ", ".join(names[rival] for rival in best.rivals)
        return f"* {score}: {best.which} at {name}, but no better by more than chance than {told}: their intervals touch"
    return f"* {score}: best at {name}; its interval is apart from all others"


def _letter(index: int) -> str:
    """Return A, B, ... Z, A1, B1, ..."""
    return chr(ord("A") + index % 26) + (str(index // 26) if index >= 26 else "")
