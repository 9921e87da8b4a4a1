"""The claims of an evaluator: named, finite numbers that depend on the model and the test images alone."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import torch
from pydantic import ValidationError

from ganlab.contracts import DataSpec, ImageSet
from ganlab.data.bank import one_hot
from ganlab.errors import DataError, DeviceError, GanlabError
from ganlab.registry import in_one_line, with_article
from ganlab.testing import tiny
from ganlab.testing.dataset.reading import first_reading
from ganlab.testing.evaluator.counting import MAKES, CountingModel
from ganlab.testing.kit import Broken, Claim, NotApplicable, Subject, told_elsewhere
from ganlab.testing.surroundings import random_numbers

_TEST_IMAGES = 24
_ODD_IMAGES = 131  # no batch divides a prime
_ASKED_IMAGES = 7  # of an evaluator that can be told how many
_LONG_SECONDS = 10.0


def claims(subject: Subject) -> Iterable[Claim]:
    """Return the claims."""
    return (
        scores_a_model,
        scores_the_same_twice,
        moves_no_random_number,
        leaves_the_test_images,
        takes_any_number,
        counts_exactly,
        refuses_a_model_that_cannot,
    )


def scores_a_model(subject: Subject) -> str | None:
    """Gives a model named, finite scores."""
    trial = first_trial(subject)
    if fault := _fault(trial.scores):
        raise Broken(fault)
    return f"takes {trial.seconds:.0f} s with its SMALL settings" if trial.seconds > _LONG_SECONDS else None


def scores_the_same_twice(subject: Subject) -> None:
    """Gives the same scores twice.

    Whatever the random numbers before.
    """
    trial = _sound(subject)
    with random_numbers(2):
        again = trial.score(subject)
    if fault := _fault(again):
        raise Broken(f"scoring twice, {fault}")
    if trial.scores.keys() != again.keys():
        raise Broken(f"the scores {', '.join(trial.scores)} became {', '.join(again)} for the same input")
    for name, value in trial.scores.items():
        if float(value) != float(again[name]):
            raise Broken(f"the score {name!r} is {float(value)!r} and then {float(again[name])!r} for the same input")


def moves_no_random_number(subject: Subject) -> None:
    """Moves no random numbers but its own.

    The global ones are the run's.
    """
    trial = _sound(subject)
    with random_numbers(3) as moved:
        trial.score(subject)
        names = moved()
    if names:
        raise Broken(f"scoring moves the random numbers of {' and '.join(names)}; use a generator of your own")


def leaves_the_test_images(subject: Subject) -> None:
    """Leaves the test images as they are.

    The next evaluator gets the same.
    """
    trial = _sound(subject)
    given = _first_images(trial.test, len(trial.test.images))
    trial.score(subject, test=given)
    for part, values in vars(trial.test).items():
        if values is not None and not torch.equal(values, getattr(given, part)):
            raise Broken(f"score() changes the {part} of the test images")


def takes_any_number(subject: Subject) -> str:
    """Takes any number of test images.

    Also one that no batch divides.
    """
    trial = _sound(subject)
    test = _tiny_test(trial.data, _ODD_IMAGES) if trial.is_tiny else trial.test
    test = _first_images(test, _largest_prime(len(test.images)))
    scores = trial.score(subject, test=test)  # what it raises is the fault
    if fault := _fault(scores):
        raise Broken(f"of {len(test.images)} test images, {fault}")
    return f"{len(test.images)} images"


def counts_exactly(subject: Subject) -> str:
    """Uses exactly as many images as it says."""
    trial = _sound(subject)
    model, changes = CountingModel(trial.data), _fewer_images(subject)
    scores = trial.score(subject, model=model, **changes)
    asked = getattr(subject.options(**changes), "images", None)
    made = model.asked["generate"] or model.asked["translate"] or model.asked["classify"]
    if asked is not None and made != asked:
        raise Broken(f"with images = {asked} the model is asked for {made}")
    named = [name for name in ("images", "n") if name in scores]
    for name in named:
        if float(scores[name]) not in (made, len(trial.test.images)):
            told = f"the model is asked for {made} images, {len(trial.test.images)} test images are given"
            raise Broken(f"the score {name!r} is {float(scores[name]):g}; {told}")
    if asked is None and not named:
        raise NotApplicable("it has neither an option `images` nor a score `images` or `n`")
    return f"images = {asked}" if asked is not None else f"the score {named[0]!r}"


def refuses_a_model_that_cannot(subject: Subject) -> str | None:
    """Says what is missing of a model that cannot make what it needs."""
    trial = _sound(subject)
    needed = sorted(trial.asked)
    for makes in (frozenset(), *(MAKES - {what} for what in needed)):
        lacks = " or ".join(sorted(MAKES - makes))
        try:
            trial.score(subject, model=CountingModel(trial.data, makes))
        except (ValueError, GanlabError) as refusal:
            if not str(refusal).strip():
                raise Broken(f"of a model that cannot {lacks}, it raises {type(refusal).__name__} without a word") from None
        except Exception as error:
            advice = "; ask model.makes first and raise ValueError with what is missing"
            raise Broken(f"of a model that cannot {lacks}, it raises {in_one_line(error)}{advice}") from None
    return f"needs {' and '.join(needed)}" if needed else "asks nothing of the model"


# One trial, on the first data that the evaluator takes


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
        given = test or _first_images(self.test, len(self.test.images))
        return subject.build(**changes).score(model or CountingModel(self.data), given)


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
        yield Trial(data=data, test=_tiny_test(data, _TEST_IMAGES), is_tiny=True)
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


def _sound(subject: Subject) -> Trial:
    """Return the first trial if its scores are scores, which `scores_a_model` tells."""
    with told_elsewhere("it gives no scores"):
        trial = first_trial(subject)
        if fault := _fault(trial.scores):
            raise Broken(fault)
    return trial


def _fault(scores: Any) -> str | None:
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


def _fewer_images(subject: Subject) -> dict[str, Any]:
    """Return the change of options that asks for few images; nothing if they do not accept one."""
    if "images" not in type(subject.options()).model_fields:
        return {}
    try:
        subject.options(images=_ASKED_IMAGES)
    except ValidationError:
        return {}
    return {"images": _ASKED_IMAGES}


def _tiny_test(data: DataSpec, count: int) -> ImageSet:
    return _labelled(tiny.images(data, count, seed=1), data)


def _labelled(test: ImageSet, data: DataSpec) -> ImageSet:
    """Return the test images as a run hands them to an evaluator: labels 0/1 [N, K]."""
    return replace(test, labels=one_hot(test.labels, data.labels, len(test.images)))


def _first_images(test: ImageSet, count: int) -> ImageSet:
    """Return a copy of the first images."""
    return ImageSet(**{part: None if values is None else values[:count].clone() for part, values in vars(test).items()})


def _largest_prime(most: int) -> int:
    return next(n for n in range(most, 0, -1) if all(n % d for d in range(2, n)))
