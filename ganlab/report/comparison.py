"""Several runs -> what differs in their recipes, how far they trained, their scores by protocol, and what makes them unlike."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ganlab.errors import UsageError
from ganlab.recipe_diff import differing
from ganlab.recipe_text import Key
from ganlab.report.best import Best, best_of, bounds_of
from ganlab.report.compared_run import ComparedRun, Scored, read_run
from ganlab.runs.scores import decides, unlike_keys

_BUDGET_TOLERANCE = 0.01  # of the images seen


@dataclass(frozen=True)
class At:
    """A value and the step after which it was found."""

    value: float
    step: int


@dataclass(frozen=True, kw_only=True)
class ScoreOfRun:
    """How one score of one run went."""

    last: At
    lowest: At
    highest: At
    count: int  # how often it was taken


@dataclass(frozen=True, kw_only=True)
class ScoreRow:
    """One score by one protocol; runs that were scored by another have a row of their own."""

    evaluator: str  # the name of its section in the recipe
    score: str
    protocol: str  # a letter
    of_runs: tuple[ScoreOfRun | None, ...]
    best: Best | None  # of the last values; None: the evaluator does not say what is best, or there is nothing to choose


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Runs beside each other; every tuple has one place a run."""

    runs: tuple[ComparedRun, ...]
    recipes: Mapping[Key, tuple[Any, ...]]  # of the keys that differ; None: absent
    protocols: Mapping[str, Mapping[str, Any]]  # letter -> card
    scores: tuple[ScoreRow, ...]
    final: Mapping[str, tuple[float | None, ...]]  # the newest value of each term and measure
    warnings: tuple[str, ...]

    def label(self, row: ScoreRow) -> str:
        """Return the name of a score, with its protocol where its evaluator has several."""
        protocols = {other.protocol for other in self.scores if other.evaluator == row.evaluator}
        return f"{row.evaluator}.{row.score}" + (f" [{row.protocol}]" if len(protocols) > 1 else "")

    def points(self, row: ScoreRow, run: ComparedRun) -> list[At]:
        """Return the value of a score after each step that the run was scored at by that protocol."""
        wanted = decides(row.evaluator, self.protocols[row.protocol])
        return _points([entry for entry in run.scores if _protocol_of(entry) == wanted], row.score)


def compare(references: Sequence[str]) -> Comparison:
    """Return the comparison of two runs or more."""
    if len(references) < 2:
        raise UsageError("name two runs or more; `ganlab compare --help` explains")
    runs = _told_apart([read_run(reference) for reference in references], references)
    cards = _cards(runs)
    scores = tuple(_score_rows(runs, cards))
    names = {name: None for run in runs for name in run.final}
    return Comparison(
        runs=runs,
        recipes=differing([run.recipe for run in runs]),
        protocols={letter: entry.protocol for letter, entry in cards.items()},
        scores=scores,
        final={name: tuple(run.final.get(name) for run in runs) for name in names},
        warnings=(*_unlike_data(runs), *_unlike_budgets(runs), *_unlike_protocols(runs, cards), *_unlike_code(runs)),
    )


def _protocol_of(entry: Scored) -> str:
    return decides(entry.evaluator, entry.protocol)


def _told_apart(runs: Sequence[ComparedRun], references: Sequence[str]) -> tuple[ComparedRun, ...]:
    """Return the runs with names that are all unlike."""
    names = [run.name for run in runs]
    told = [
        replace(run, name=reference) if names.count(run.name) > 1 else run
        for run, reference in zip(runs, references, strict=True)
    ]
    twice = [run.name for index, run in enumerate(told) if run.name in [other.name for other in told[:index]]]
    if twice:
        raise UsageError(f"{twice[0]}: is named twice")
    return tuple(told)


def _cards(runs: Sequence[ComparedRun]) -> dict[str, Scored]:
    """Return letter -> the first score by each protocol, in the order of the runs."""
    found: dict[str, Scored] = {}
    for entry in (entry for run in runs for entry in run.scores):
        found.setdefault(_protocol_of(entry), entry)
    return {_letter(index): entry for index, entry in enumerate(found.values())}


def _letter(index: int) -> str:
    """Return A, B, ... Z, A1, B1, ..."""
    return chr(ord("A") + index % 26) + (str(index // 26) if index >= 26 else "")


def _score_rows(runs: Sequence[ComparedRun], cards: Mapping[str, Scored]) -> Iterable[ScoreRow]:
    """Yield the rows by evaluator, those of one score by unlike protocols together."""
    entries = {
        letter: [[entry for entry in run.scores if _protocol_of(entry) == _protocol_of(first)] for run in runs]
        for letter, first in cards.items()
    }
    for section in dict.fromkeys(first.evaluator for first in cards.values()):
        letters = [letter for letter, first in cards.items() if first.evaluator == section]
        scores = {score: None for letter in letters for of_run in entries[letter] for entry in of_run for score in entry.values}
        for score, letter in ((score, letter) for score in scores for letter in letters):
            of_runs = tuple(_of_run(each, score) for each in entries[letter])
            if any(of_runs):
                best = _best(entries[letter], score)
                yield ScoreRow(evaluator=section, score=score, protocol=letter, of_runs=of_runs, best=best)


def _best(of_runs: Sequence[Sequence[Scored]], score: str) -> Best | None:
    """Return the run whose last value of a score is best, if the evaluator says what is best."""
    last = [next((entry for entry in reversed(each) if entry.values.get(score) is not None), None) for each in of_runs]
    which = next((entry.best_is[score] for entry in last if entry and score in entry.best_is), None)
    if which is None:
        return None
    values = [entry.values[score] if entry else None for entry in last]
    return best_of(values, [bounds_of(entry.values, score) if entry else None for entry in last], which)


def _of_run(entries: Sequence[Scored], score: str) -> ScoreOfRun | None:
    found = _points(entries, score)
    if not found:
        return None
    by_value = sorted((at for at in found if not math.isnan(at.value)), key=lambda at: at.value) or found
    return ScoreOfRun(last=found[-1], lowest=by_value[0], highest=by_value[-1], count=len(found))


def _points(entries: Sequence[Scored], score: str) -> list[At]:
    return [At(entry.values[score], entry.step) for entry in entries if entry.values.get(score) is not None]


# What makes runs unlike, beside what their recipes mean to compare: a line each.


def _unlike_data(runs: Sequence[ComparedRun]) -> list[str]:
    groups = _groups({run.name: run.data_fingerprint for run in runs if run.data_fingerprint})
    told = [f"{', '.join(names)} ({fingerprint[:12]})" for fingerprint, names in groups.items()]
    reason = "scores that read the test images were not measured on the same ones"
    return [f"the data are not the same: {' and '.join(told)}; {reason}"] if len(told) > 1 else []


def _unlike_budgets(runs: Sequence[ComparedRun]) -> list[str]:
    images = [run.images for run in runs]
    if max(images) - min(images) <= _BUDGET_TOLERANCE * max(images):
        return []
    return [f"the runs have seen unlike many images: {', '.join(f'{run.name} {run.images:,}' for run in runs)}"]


def _unlike_protocols(runs: Sequence[ComparedRun], cards: Mapping[str, Scored]) -> list[str]:
    lines = []
    for section in dict.fromkeys(first.evaluator for first in cards.values()):
        firsts = {letter: first for letter, first in cards.items() if first.evaluator == section}
        by = {
            letter: [run.name for run in runs if any(_protocol_of(entry) == _protocol_of(first) for entry in run.scores)]
            for letter, first in firsts.items()
        }
        told = [f"{letter} ({', '.join(names)})" for letter, names in by.items()]
        unlike = unlike_keys([first.protocol for first in firsts.values()])
        if len(told) > 1:
            lines.append(f"{section} scored by unlike protocols, {' and '.join(told)}; unlike are {', '.join(unlike)}")
    return lines


def _unlike_code(runs: Sequence[ComparedRun]) -> list[str]:
    changed: dict[str, list[str]] = {}  # which runs are alike -> components
    records = {run.name: run.recipe.get("components", {}) for run in runs}
    for component in {name: None for record in records.values() for name in record}:
        own = {name: record[component] for name, record in records.items() if component in record}
        groups = _groups({name: f"{record.get('version')} {record.get('source')}" for name, record in own.items()})
        if len(groups) > 1:
            changed.setdefault(" and ".join(", ".join(names) for names in groups.values()), []).append(component)
    return [f"the code of {', '.join(components)} is not the same for {told}" for told, components in changed.items()]


def _groups(values: Mapping[str, str | None]) -> dict[str, list[str]]:
    """Return value -> the names that have it."""
    groups: dict[str, list[str]] = {}
    for name, value in values.items():
        groups.setdefault(str(value), []).append(name)
    return groups
