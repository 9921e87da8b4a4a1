"""An evaluator -> its scores of a model, on the first data that it takes: what every claim about it begins with."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from ganlab.contracts import DataSpec, ImageSet
from ganlab.data.bank import one_hot
from ganlab.errors import DataError, DeviceError, GanlabError
from ganlab.registry import with_article
from ganlab.testing import tiny
from ganlab.testing.dataset.reading import first_reading
from ganlab.testing.evaluator.counting import CountingModel
from ganlab.testing.kit import Broken, NotApplicable, Subject, told_elsewhere
from ganlab.testing.surroundings import random_numbers

_TEST_IMAGES = 24


@dataclass(frozen=True, kw_only=True, eq=False)
class Trial:
    """Data that an evaluator takes, and what it said of a model of them."""

    data: DataSpec
    test: ImageSet  # labels 0/1 [N, K]
    is_tiny: bool
    asked: frozenset[str] = frozenset()  # of "generate", "translate", "classify"
    scores: Any = None
    seconds: float = 0.0

    def score(
        self, subject: Subject, *, model: CountingModel | None = None, test: ImageSet | None = None, **changes: Any
    ) -> Any:
        """Return the scores of a model, by an evaluator that is built anew."""
        given = test or first_images(self.test, len(self.test.images))
        return self.build(subject, **changes).score(model or CountingModel(self.data), given)

    def build(self, subject: Subject, **changes: Any) -> Any:
        """Return the evaluator; what its options name is a model that classifies the same data."""
        return subject.build(model=CountingModel(self.data, frozenset({"classify"})), **changes)


@lru_cache(maxsize=1)  # the claims about one evaluator share its first trial
def first_trial(subject: Subject) -> Trial:
    """Return the trial on the first data that the evaluator takes; raises Broken if it takes none of those that are here."""
    subject.options()  # what is wrong with SMALL is no matter of data
    reasons: list[str] = []
    absent: list[str] = []
    for trial in _trials(subject, absent):
        model = CountingModel(trial.data)
        start = time.perf_counter()
        try:
            with random_numbers(1):
                scores = trial.score(subject, model=model)
        except (DataError, DeviceError) as error:
            raise NotApplicable(str(error).partition("\n")[0]) from None
        except (ValueError, GanlabError) as refusal:
            reasons.append(str(refusal).partition("\n")[0])
            continue
        return replace(trial, asked=frozenset(model.asked), scores=scores, seconds=time.perf_counter() - start)
    if absent:
        raise NotApplicable(f"the data that it is made for are absent: {absent[0]}")
    raise Broken(f"refuses tiny images of every form and the data sets of its own plugin: {reasons[-1]}")


def _trials(subject: Subject, absent: list[str]) -> Iterator[Trial]:
    """Yield tiny data of every form, then the plugin's own data sets; put down in `absent` why one is not here."""
    for data in tiny.forms():
        yield Trial(data=data, test=tiny_test(data, _TEST_IMAGES), is_tiny=True)
    for registered in subject.record.components:
        if registered.kind != "dataset":
            continue
        try:
            with told_elsewhere(f"{registered.name} cannot be read"):
                reading = first_reading(subject.beside(registered))
                test = reading.cached().splits["test"]
        except NotApplicable as why:
            absent.append(str(why))
            continue
        yield Trial(data=reading.promised, test=_labelled(test, reading.promised), is_tiny=False)


def sound_trial(subject: Subject) -> Trial:
    """Return the first trial if its scores are scores, which `scores_a_model` tells."""
    with told_elsewhere("it gives no scores"):
        trial = first_trial(subject)
        if fault := fault_of(trial.scores):
            raise Broken(fault)
    return trial


def fault_of(scores: Any) -> str | None:
    """Return what is wrong with scores; None if nothing is."""
    if not isinstance(scores, Mapping):
        return f"score() returned {with_article(type(scores).__name__)}, not a mapping of names to numbers"
    if not scores:
        return "score() returned no score"
    for name, value in scores.items():
        if not isinstance(name, str) or not name.strip() or "." in name:
            return f"a score is called {name!r}; a name is text without dots, since EVALUATOR.SCORE names it"
        try:
            number = float(value)
        except (TypeError, ValueError, RuntimeError):
            return f"the score {name!r} is {with_article(type(value).__name__)}, not a number"
        if not math.isfinite(number):
            return f"the score {name!r} is {number}"
    return None


def tiny_test(data: DataSpec, count: int) -> ImageSet:
    return _labelled(tiny.images(data, count, seed=1), data)


def _labelled(test: ImageSet, data: DataSpec) -> ImageSet:
    """Return the test images as a run hands them to an evaluator: labels 0/1 [N, K]."""
    return replace(test, labels=one_hot(test.labels, data.labels, len(test.images)))


def first_images(test: ImageSet, count: int) -> ImageSet:
    """Return a copy of the first images."""
    return ImageSet(**{part: None if values is None else values[:count].clone() for part, values in vars(test).items()})
