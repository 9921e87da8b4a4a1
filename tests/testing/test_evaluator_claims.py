"""The kit's claims of evaluators: each finds the evaluator that breaks it, and says so; a right one breaks none."""

import random
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from ganlab import Component, DataError, DatasetOptions, DataSpec, ImageSet, Model, ModelName, hookimpl
from ganlab.testing import Finding, cases, findings
from ganlab.testing.evaluator import claims
from ganlab.testing.evaluator.counting import CountingModel

Score = Callable[[Model, ImageSet], Any]


class Generated:
    """The brightness of as many images as it is told to make: an evaluator without a fault."""

    def __init__(self, images: int = 32) -> None:
        self.images = images

    def score(self, model: Model, test: ImageSet) -> dict[str, float]:
        if "generate" not in model.makes:
            raise ValueError("the model generates nothing")
        made = model.generate(torch.eye(model.data.labels)[torch.arange(self.images) % model.data.labels], 0)
        return {"brightness": float(made.float().mean()), "images": len(made)}


class Photos:
    """A data set of an evaluator's own."""

    def __init__(self, options: DatasetOptions) -> None:
        pass

    def sources(self) -> list[Any]:
        return []

    def read(self) -> dict[str, ImageSet]:
        images = torch.arange(60 * 64).view(60, 1, 8, 8) % 251
        return {split: ImageSet(images=images.to(torch.uint8), labels=torch.arange(60) % 2) for split in ("train", "test")}


class AbsentPhotos(Photos):
    def sources(self) -> list[Any]:
        raise DataError("The photos are not here.\nGet them.")


class PhotosOptions(DatasetOptions):
    def data_spec(self) -> DataSpec:
        return DataSpec(size_px=8, channels=1, label_kind="classes", label_names=("day", "night"))


def scored_by(score: Score) -> type:
    """Return an evaluator that scores by a function."""

    class Scorer:
        def score(self, model: Model, test: ImageSet) -> Any:
            return score(model, test)

    return Scorer


def check(evaluator: type | Score, dataset: type | None = None) -> list[Finding]:
    """Return what the kit finds of an evaluator, in a plugin that may have a data set too."""
    target = evaluator if isinstance(evaluator, type) else scored_by(evaluator)

    @hookimpl
    def ganlab_evaluators() -> list[Component]:
        return [Component("scorer", target)]

    @hookimpl
    def ganlab_datasets() -> list[Component]:
        return [Component("photos", dataset, PhotosOptions)] if dataset else []

    module = ModuleType(Path(__file__).stem)  # "where" points into it
    module.ganlab_evaluators = ganlab_evaluators  # type: ignore[attr-defined]
    module.ganlab_datasets = ganlab_datasets  # type: ignore[attr-defined]
    about_scorer = [case for case in cases(module) if case.about == "evaluator scorer"]
    return list(findings(about_scorer))


def by_claim(found: list[Finding], verdict: str) -> dict[str, str]:
    return {finding.case.claim.__name__: finding.why for finding in found if finding.verdict == verdict}


def broken(evaluator: type | Score, dataset: type | None = None) -> dict[str, str]:
    return by_claim(check(evaluator, dataset), "broken")


def test_a_right_evaluator_holds_in_every_claim() -> None:
    found = check(Generated)
    assert {finding.verdict for finding in found} == {"holds"}
    assert by_claim(found, "holds") == {
        "scores_a_model": "",
        "scores_the_same_twice": "",
        "moves_no_random_number": "",
        "leaves_the_test_images": "",
        "takes_any_number": "131 images",
        "counts_exactly": "images = 7",
        "refuses_a_model_that_cannot": "needs generate",
        "explains_without_images": "none beyond its options",
        "says_what_is_best": "says nothing",
        "tells_details_as_json": "tells none",
    }


class Judged:
    """An evaluator that names a model, and gets one that classifies what is scored."""

    def __init__(self, judge: ModelName) -> None:
        self.judge: Any = judge

    def score(self, model: Model, test: ImageSet) -> dict[str, float]:
        assert self.judge.data == model.data
        assert self.judge.makes == {"classify"}
        assert len(self.judge.features(test.images)) == len(self.judge.classify(test.images)) == len(test.images)
        return {"n": len(test.images)}

    def details(self, model: Model, test: ImageSet) -> dict[str, Any]:
        return {"judge": [self.judge.name, len(self.judge.digest)]}


def test_an_evaluator_that_names_a_model_gets_one() -> None:
    found = check(Judged)
    assert {finding.verdict for finding in found} == {"holds"}
    assert by_claim(found, "holds")["tells_details_as_json"] == "judge"


def test_details_that_json_cannot_hold_are_found() -> None:
    for details, why in (
        ({"a": torch.zeros(1)}, "details() returned what JSON cannot hold: Object of type Tensor is not JSON serializable"),
        ([1], "details() returned a list, not a mapping of names to what was found"),
    ):
        telling = type("Telling", (Generated,), {"details": lambda self, model, test, told=details: told})
        assert broken(telling) == {"tells_details_as_json": why}


def test_claims_are_told_in_words() -> None:
    assert [str(finding.case) for finding in check(Generated)][::6] == [
        "evaluator scorer: Gives a model named, finite scores",
        "evaluator scorer: Says what is missing of a model that cannot make what it needs",
    ]


def test_an_evaluator_of_test_images_alone_is_told_so() -> None:
    found = check(lambda model, test: {"mean": test.images.float().mean(), "n": len(test.images)})
    assert by_claim(found, "broken") == {}
    assert by_claim(found, "holds")["refuses_a_model_that_cannot"] == "asks nothing of the model"
    assert by_claim(found, "holds")["counts_exactly"] == "the score 'n'"


@pytest.mark.parametrize(
    ("scores", "why"),
    [
        ({"a": float("nan")}, "the score 'a' is nan"),
        ({"a": 1.0, "b": torch.tensor(torch.inf)}, "the score 'b' is inf"),
        ({"a": torch.zeros(3)}, "the score 'a' is a Tensor, not a number"),
        ({"a": None}, "the score 'a' is a NoneType, not a number"),
        ({"fid.5k": 1.0}, "a score is called 'fid.5k'; a name is text without dots, since EVALUATOR.SCORE names it"),
        ({"": 1.0}, "a score is called ''; a name is text without dots, since EVALUATOR.SCORE names it"),
        ({3: 1.0}, "a score is called 3; a name is text without dots, since EVALUATOR.SCORE names it"),
        ({}, "score() returned no score"),
        (0.5, "score() returned a float, not a mapping of names to numbers"),
    ],
)
def test_what_is_no_score_is_found_by_one_claim(scores: object, why: str) -> None:
    found = check(lambda model, test: scores)
    assert by_claim(found, "broken") == {"scores_a_model": why}
    assert set(by_claim(found, "not applicable").values()) == {f"it gives no scores ({why})"}


def test_a_long_time_is_a_remark(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "_LONG_SECONDS", 0.02)

    def slow(model: Model, test: ImageSet) -> dict[str, float]:
        time.sleep(0.03)
        return {"a": 1.0}

    assert by_claim(check(slow), "holds")["scores_a_model"] == "takes 0 s with its SMALL settings"


@pytest.mark.parametrize(
    ("draw", "names"),
    [
        (lambda: torch.rand(1).item(), "torch"),
        (lambda: float(np.random.rand()), "numpy"),
        (random.random, "Python's random"),
    ],
)
def test_scores_must_not_depend_on_global_random_numbers(draw: Callable[[], float], names: str) -> None:
    found = broken(lambda model, test: {"a": draw()})
    assert list(found) == ["scores_the_same_twice", "moves_no_random_number"]
    assert found["scores_the_same_twice"].startswith("the score 'a' is 0.")
    assert found["scores_the_same_twice"].endswith(" for the same input")
    assert found["moves_no_random_number"] == (f"scoring moves the random numbers of {names}; use a generator of your own")


def test_scores_that_come_and_go_are_found() -> None:
    calls: list[int] = []

    def score(model: Model, test: ImageSet) -> dict[str, float]:
        calls.append(1)
        return {"a": 1.0, **({"b": 2.0} if len(calls) == 1 else {})}

    assert broken(score) == {"scores_the_same_twice": "the scores a, b became a for the same input"}


@pytest.mark.parametrize(
    ("change", "part"),
    [
        (lambda test: test.images.mul_(2), "images"),
        (lambda test: test.labels.zero_(), "labels"),
        (lambda test: test.identities.add_(1), "identities"),
    ],
)
def test_changed_test_images_are_found(change: Callable[[ImageSet], Tensor], part: str) -> None:
    def score(model: Model, test: ImageSet) -> dict[str, float]:
        change(test)
        return {"a": 1.0}

    assert broken(score) == {"leaves_the_test_images": f"score() changes the {part} of the test images"}


def test_whole_batches_only_are_found() -> None:
    def in_threes(model: Model, test: ImageSet) -> dict[str, float]:
        return {"a": float(test.images.view(-1, 3, *test.images.shape[1:]).float().mean())}

    def divided(model: Model, test: ImageSet) -> dict[str, float]:
        return {"a": float("nan") if len(test.images) % 2 else 1.0}

    (found,) = [finding for finding in check(in_threes) if finding.verdict == "broken"]
    assert found.case.claim.__name__ == "takes_any_number"
    assert found.why.startswith("raises RuntimeError: shape '[-1, 3, 1, 8, 8]' is invalid")
    assert found.where == f"{__file__}:{in_threes.__code__.co_firstlineno + 1}"
    assert broken(divided) == {"takes_any_number": "of 131 test images, the score 'a' is nan"}


def test_another_number_of_images_is_found() -> None:
    class Rounds(Generated):
        def score(self, model: Model, test: ImageSet) -> dict[str, float]:
            return Generated(-(-self.images // 4) * 4).score(model, test)

    class Tells(Generated):
        def score(self, model: Model, test: ImageSet) -> dict[str, float]:
            return {**super().score(model, test), "images": 50_000}

    assert broken(Rounds) == {"counts_exactly": "with images = 7 the model is asked for 8"}
    assert broken(Tells) == {
        "counts_exactly": "the score 'images' is 50000; the model is asked for 7 images, 24 test images are given"
    }


def test_a_model_that_cannot_must_be_refused_in_words() -> None:
    def careless(model: Model, test: ImageSet) -> dict[str, float]:
        return {"a": float(model.translate(test.images, test.labels).float().mean())}

    def silent(model: Model, test: ImageSet) -> dict[str, float]:
        if "classify" not in model.makes:
            raise ValueError
        return {"a": float(model.classify(test.images).mean())}

    def either(model: Model, test: ImageSet) -> dict[str, float]:
        if "translate" in model.makes:
            return careless(model, test)
        if "generate" in model.makes:
            return {"a": float(model.generate(test.labels, 0).float().mean())}
        raise ValueError("the model makes no images")

    assert broken(careless) == {
        "refuses_a_model_that_cannot": "of a model that cannot classify or generate or translate, it raises AttributeError: "
        "the model was asked to translate, which is not among what it makes; "
        "ask model.makes first and raise ValueError with what is missing"
    }
    assert broken(silent) == {
        "refuses_a_model_that_cannot": "of a model that cannot classify or generate or translate, "
        "it raises ValueError without a word"
    }
    assert broken(either) == {}


# On which data


def of_two_classes(model: Model, test: ImageSet) -> dict[str, float]:
    """Score models of the photos only."""
    if model.data.label_names != ("day", "night"):
        raise ValueError(f"photos only, not {', '.join(model.data.label_names) or 'unlabelled images'}")
    assert test.labels.shape == (len(test.images), 2)  # as a run hands them over
    return {"n": len(test.images)}


def of_attributes(model: Model, test: ImageSet) -> dict[str, float]:
    """Score models of colour images with attributes only."""
    if model.data.label_kind != "attributes" or model.data.channels != 3:
        raise ValueError("colour images with attributes only")
    return {"n": len(test.images)}


def test_the_first_data_that_fit_are_taken() -> None:
    assert by_claim(check(of_attributes), "holds")["takes_any_number"] == "131 images"
    found = check(of_two_classes, Photos)
    assert by_claim(found, "broken") == {}
    assert by_claim(found, "holds")["takes_any_number"] == "59 images"  # the largest prime up to its 60


def test_an_evaluator_that_refuses_all_data_is_broken() -> None:
    found = check(of_two_classes)
    why = "refuses tiny images of every form and the data sets of its own plugin: photos only, not unlabelled images"
    assert by_claim(found, "broken") == {"scores_a_model": why}
    assert set(by_claim(found, "not applicable").values()) == {f"it gives no scores ({why})"}


def test_absent_data_are_told_and_break_nothing() -> None:
    def without_weights(model: Model, test: ImageSet) -> dict[str, float]:
        raise DataError("inception.pt is not here; looked for it in /weights.\nGet it.")

    found = check(of_two_classes, AbsentPhotos)
    assert {(f.verdict, f.why) for f in found} == {
        ("not applicable", "the data that it is made for are absent: The photos are not here.")
    }
    assert {(f.verdict, f.why) for f in check(without_weights)} == {
        ("not applicable", "inception.pt is not here; looked for it in /weights.")
    }


def test_a_crash_is_told_once_with_its_line() -> None:
    def crashes(model: Model, test: ImageSet) -> dict[str, float]:
        return {"a": test.scores}  # type: ignore[attr-defined]

    found = check(crashes)
    assert by_claim(found, "broken") == {"scores_a_model": "raises AttributeError: 'ImageSet' object has no attribute 'scores'"}
    assert found[0].where == f"{__file__}:{crashes.__code__.co_firstlineno + 1}"


def explained_by(explain: Callable[[Model, ImageSet], Any]) -> type:
    """Return an evaluator without a fault, but for what it says of itself."""
    return type("Explained", (Generated,), {"protocol": lambda self, model, test: explain(model, test)})


def test_facts_of_an_evaluator_are_counted() -> None:
    found = check(explained_by(lambda model, test: {"test_images": len(test.images), "extractor": "sha256"}))
    assert {finding.verdict for finding in found} == {"holds"}
    assert by_claim(found, "holds")["explains_without_images"] == "2 facts"


@pytest.mark.parametrize(
    ("explain", "why"),
    [
        (lambda model, test: "facts", "protocol() returned a str, not a mapping of names to facts"),
        (lambda model, test: {"mean": torch.zeros(1)}, "protocol() returned what JSON cannot hold: "),
        (lambda model, test: {"mean": float("nan")}, "protocol() returned what JSON cannot hold: "),
        (
            lambda model, test: {"made": len(model.generate(torch.eye(model.data.labels), 0))},
            "protocol() asks the model to generate; leave that to score()",
        ),
        (
            lambda model, test: {"now": time.perf_counter()},
            "protocol() returned other facts for the same model and test images",
        ),
    ],
)
def test_facts_that_cost_or_cannot_be_kept_are_told(explain: Callable[[Model, ImageSet], Any], why: str) -> None:
    found = broken(explained_by(explain))
    assert list(found) == ["explains_without_images"]
    assert found["explains_without_images"].startswith(why)


def test_an_evaluator_may_say_which_of_its_scores_is_best() -> None:
    found = check(type("Ranked", (Generated,), {"best_is": {"brightness": "lowest"}}))
    assert {finding.verdict for finding in found} == {"holds"}
    assert by_claim(found, "holds")["says_what_is_best"] == "of brightness"


@pytest.mark.parametrize(
    ("best_is", "why"),
    [
        ("lowest", "best_is is a str, not a mapping of scores to lowest or highest"),
        ({"brightness": "lower"}, "best_is says 'lower' of 'brightness'; a score is best when lowest or highest"),
        ({"median": "lowest"}, "best_is speaks of median; the scores are "),
    ],
)
def test_what_is_best_is_said_of_scores_that_there_are(best_is: object, why: str) -> None:
    found = broken(type("Ranked", (Generated,), {"best_is": best_is}))
    assert list(found) == ["says_what_is_best"]
    assert found["says_what_is_best"].startswith(why)


# The model


def test_the_model_depends_on_its_arguments_alone() -> None:
    data = DataSpec(size_px=8, channels=3, label_kind="classes", label_names=("a", "b", "c"))
    labels = torch.eye(3)
    model, other = CountingModel(data), CountingModel(data)
    state = torch.get_rng_state()
    made = model.generate(labels, 5)
    assert torch.equal(made, other.generate(labels, 5))
    assert not torch.equal(made, model.generate(labels, 6))
    assert (made.dtype, tuple(made.shape)) == (torch.uint8, (3, 3, 8, 8))
    assert made.float().mean((1, 2, 3)).diff().min() > 30  # later labels are brighter
    moved = model.translate(made, labels.flip(0))
    assert torch.equal(moved, other.translate(made, labels.flip(0)))
    assert model.classify(moved).shape == (3, 3)
    assert torch.equal(state, torch.get_rng_state())
    assert dict(model.asked) == {"generate": 6, "translate": 3, "classify": 3}


def test_the_model_refuses_images_of_another_form() -> None:
    model = CountingModel(DataSpec(size_px=8, channels=1))
    with pytest.raises(ValueError, match=r"^the model translates uint8 \[2, 1, 8, 8\], not torch.float32 \[2, 1, 8, 8\]$"):
        model.translate(torch.zeros(2, 1, 8, 8), torch.zeros(2, 0))
