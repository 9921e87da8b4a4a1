"""The claims of an evaluator: named, finite numbers that depend on the model and the test images alone."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from pydantic import ValidationError

from ganlab.errors import GanlabError
from ganlab.registry import in_one_line, with_article
from ganlab.testing.evaluator.counting import MAKES, CountingModel
from ganlab.testing.evaluator.trial import fault_of, first_images, first_trial, sound_trial, tiny_test
from ganlab.testing.kit import Broken, Claim, NotApplicable, Subject
from ganlab.testing.surroundings import random_numbers

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
        explains_without_images,
        tells_details_as_json,
        says_what_is_best,
    )


def scores_a_model(subject: Subject) -> str | None:
    """Gives a model named, finite scores."""
    trial = first_trial(subject)
    if fault := fault_of(trial.scores):
        raise Broken(fault)
    return f"takes {trial.seconds:.0f} s with its SMALL settings" if trial.seconds > _LONG_SECONDS else None


def scores_the_same_twice(subject: Subject) -> None:
    """Gives the same scores twice.

    Whatever the random numbers before.
    """
    trial = sound_trial(subject)
    with random_numbers(2):
        again = trial.score(subject)
    if fault := fault_of(again):
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
    trial = sound_trial(subject)
    with random_numbers(3) as moved:
        trial.score(subject)
        names = moved()
    if names:
        raise Broken(f"scoring moves the random numbers of {' and '.join(names)}; use a generator of your own")


def leaves_the_test_images(subject: Subject) -> None:
    """Leaves the test images as they are.

    The next evaluator gets the same.
    """
    trial = sound_trial(subject)
    given = first_images(trial.test, len(trial.test.images))
    trial.score(subject, test=given)
    for part, values in vars(trial.test).items():
        if values is not None and not torch.equal(values, getattr(given, part)):
            raise Broken(f"score() changes the {part} of the test images")


def takes_any_number(subject: Subject) -> str:
    """Takes any number of test images.

    Also one that no batch divides.
    """
    trial = sound_trial(subject)
    test = tiny_test(trial.data, _ODD_IMAGES) if trial.is_tiny else trial.test
    test = first_images(test, _largest_prime(len(test.images)))
    scores = trial.score(subject, test=test)  # what it raises is the fault
    if fault := fault_of(scores):
        raise Broken(f"of {len(test.images)} test images, {fault}")
    return f"{len(test.images)} images"


def counts_exactly(subject: Subject) -> str:
    """Uses exactly as many images as it says."""
    trial = sound_trial(subject)
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
    trial = sound_trial(subject)
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


def explains_without_images(subject: Subject) -> str:
    """Gives facts for its protocol card before any image is made."""
    trial = sound_trial(subject)
    if not hasattr(trial.build(subject), "protocol"):
        return "none beyond its options"
    model = CountingModel(trial.data)
    cards = []
    for _ in range(2):
        facts = trial.build(subject).protocol(model, first_images(trial.test, len(trial.test.images)))
        if not isinstance(facts, Mapping):
            raise Broken(f"protocol() returned {with_article(type(facts).__name__)}, not a mapping of names to facts")
        try:
            cards.append(json.dumps(dict(facts), allow_nan=False))
        except (TypeError, ValueError) as error:
            raise Broken(f"protocol() returned what JSON cannot hold: {error}") from None
    if model.asked:
        raise Broken(f"protocol() asks the model to {' and '.join(sorted(model.asked))}; leave that to score()")
    if cards[0] != cards[1]:
        raise Broken("protocol() returned other facts for the same model and test images")
    return f"{len(json.loads(cards[0]))} facts"


def says_what_is_best(subject: Subject) -> str:
    """Says of its own scores whether the lowest or the highest is best, if it says so."""
    trial = sound_trial(subject)
    evaluator = trial.build(subject)
    scores = evaluator.score(CountingModel(trial.data), first_images(trial.test, len(trial.test.images)))
    told = getattr(evaluator, "best_is", {})
    if not isinstance(told, Mapping):
        raise Broken(f"best_is is {with_article(type(told).__name__)}, not a mapping of scores to lowest or highest")
    for name, which in told.items():
        if which not in ("lowest", "highest"):
            raise Broken(f"best_is says {which!r} of {name!r}; a score is best when lowest or highest")
    known = [name for name in told if name in scores]  # of other data it may tell other scores
    if told and not known:
        raise Broken(f"best_is speaks of {', '.join(map(str, told))}; the scores are {', '.join(scores)}")
    return f"of {', '.join(known)}" if told else "says nothing"


def tells_details_as_json(subject: Subject) -> str:
    """Tells what it finds beyond numbers as JSON has it, if it tells any."""
    trial = sound_trial(subject)
    built = trial.build(subject)
    if not hasattr(built, "details"):
        return "tells none"
    told = built.details(CountingModel(trial.data), first_images(trial.test, len(trial.test.images)))
    if not isinstance(told, Mapping):
        raise Broken(f"details() returned {with_article(type(told).__name__)}, not a mapping of names to what was found")
    try:
        json.dumps(dict(told), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise Broken(f"details() returned what JSON cannot hold: {error}") from None
    return ", ".join(told) or "nothing here"


def _fewer_images(subject: Subject) -> dict[str, Any]:
    """Return the change of options that asks for few images; nothing if they do not accept one."""
    if "images" not in type(subject.options()).model_fields:
        return {}
    try:
        subject.options(images=_ASKED_IMAGES)
    except ValidationError:
        return {}
    return {"images": _ASKED_IMAGES}


def _largest_prime(most: int) -> int:
    return next(n for n in range(most, 0, -1) if all(n % d for d in range(2, n)))
