"""The asked label is seen as often as the judge sees it in real images, or by chance, or not at all; and who may judge."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from ganlab_scores.conditional import Conditional
from ganlab_scores.judging import accuracies

from ganlab import DataError, DataSpec


def test_real_images_get_the_judges_own_accuracy(noisy_faces: Any, judge: Any, generator: Callable[..., Any]) -> None:
    real = noisy_faces.real(300)
    evaluator, model = Conditional(judge, None, 0), generator(lambda labels: real.images)
    own = evaluator.protocol(model, real)["judge_on_real_images"]
    assert 0.5 < own["accuracy"] < 0.95
    assert dict(evaluator.score(model, real)) == own


def test_permuted_labels_are_seen_by_chance(faces: Any, judge: Any, generator: Callable[..., Any]) -> None:
    real = faces.real(600)
    order = torch.randperm(600, generator=torch.Generator().manual_seed(3))
    scores = Conditional(judge, None, 0).score(generator(lambda labels: real.images[order]), real)
    assert scores["macro_accuracy"] == pytest.approx(1 / 3, abs=0.06)


def test_a_generator_that_draws_one_class_is_right_in_that_one(faces: Any, judge: Any, generator: Callable[..., Any]) -> None:
    real = faces.real(9)
    model = generator(lambda labels: faces.draw(torch.ones(len(labels))))
    evaluator = Conditional(judge, 30, 0)
    scores = evaluator.score(model, real)
    assert scores == {
        "accuracy": pytest.approx(1 / 3),
        "macro_accuracy": pytest.approx(1 / 3),
        "accuracy_dark": 0.0,
        "accuracy_gray": 1.0,
        "accuracy_bright": 0.0,
    }
    only_gray = {"dark": 0.0, "gray": 1.0, "bright": 0.0}
    assert evaluator.details(model, real) == {"confusion": dict.fromkeys(CLASSES, only_gray)}


def test_a_translator_is_asked_for_the_labels_of_other_photos(faces: Any, judge: Any, translator: Callable[..., Any]) -> None:
    real = faces.real(30)
    evaluator = Conditional(judge, None, 0)
    obedient = translator(lambda photos, labels: faces.draw(labels.argmax(1)))
    assert evaluator.score(obedient, real)["accuracy"] == 1
    idle = translator(lambda photos, labels: photos)
    assert evaluator.score(idle, real)["accuracy"] < 0.6


def test_classes_are_counted_by_images_and_by_classes() -> None:
    logits = torch.eye(3)[[0, 0, 0, 1, 1]]
    asked = torch.eye(3)[[0, 0, 0, 0, 1]]
    assert accuracies(logits, asked, CLASSES, "classes") == {
        "accuracy": 0.8,
        "macro_accuracy": 0.875,  # of 3/4 and 1; nobody asked for bright
        "accuracy_dark": 0.75,
        "accuracy_gray": 1.0,
    }


def test_attributes_have_accuracy_and_f1_each() -> None:
    logits = torch.tensor([[1.0, -1, -1], [1, -1, -1], [-1, 1, -1], [1, 1, -1]])
    asked = torch.tensor([[1.0, 1, 0], [0, 1, 0], [0, 1, 0], [1, 1, 0]])
    assert accuracies(logits, asked, ("Smiling", "v1.2", "Bald"), "attributes") == {
        "accuracy": pytest.approx((0.75 + 0.5 + 1) / 3),
        "balanced_accuracy": 0.75,  # of Smiling only: (2/2 + 1/2) / 2
        "f1": pytest.approx((0.8 + 2 / 3) / 2),  # nobody asked for Bald nor saw it
        "accuracy_Smiling": 0.75,
        "accuracy_v1_2": 0.5,
        "accuracy_Bald": 1.0,
        "f1_Smiling": 0.8,
        "f1_v1_2": pytest.approx(2 / 3),
    }


def test_a_judge_may_know_more_labels_in_another_order(faces: Any, judge_that: Callable[..., Any]) -> None:
    class Reordered:
        data = DataSpec(size_px=16, channels=1, label_kind="classes", label_names=("bright", "odd", "gray", "dark"))
        makes, name, digest = frozenset({"classify"}), "judge", "0"

        def classify(self, images: torch.Tensor) -> torch.Tensor:
            known = judge_that().classify(images)
            return torch.stack([known[:, 2], torch.full((len(images),), 1e6), known[:, 1], known[:, 0]], 1)

    from ganlab_scores.judging import seen

    real = faces.real(30)
    assert torch.equal(seen(Reordered(), real.images, CLASSES).argmax(1), real.labels.argmax(1))  # type: ignore[arg-type]


def test_without_a_judge_the_error_says_how_to_train_one(faces: Any, generator: Callable[..., Any]) -> None:
    with pytest.raises(
        DataError, match=r"^names no judge: .*`ganlab run judge_synthetic`, then name its run in the option judge"
    ) as told:
        Conditional(None, None, 0).protocol(generator(lambda labels: None), faces.real(9))
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"makes": frozenset({"generate", "classify"})}, "is no judge: it can generate too, so a generator taught it"),
        ({"makes": frozenset({"generate"})}, "the judge judge@1 does not classify: it can generate"),
        ({"test_seen": True}, "the judge judge@1 was trained on its test images too"),
        ({"size_px": 8, "channels": 3}, "it has size_px 8 instead of 16, channels 3 instead of 1$"),
        ({"label_names": ("dark", "pale", "bright")}, "it has no label gray$"),
        ({"label_kind": "attributes"}, "it has labels of the kind attributes instead of classes$"),
    ],
)
def test_who_is_no_independent_judge_of_the_model_is_refused(
    changes: dict[str, Any], reason: str, faces: Any, judge_that: Callable[..., Any], generator: Callable[..., Any]
) -> None:
    evaluator = Conditional(judge_that(**changes), None, 0)
    with pytest.raises(ValueError, match=reason):
        evaluator.protocol(generator(lambda labels: None), faces.real(9))
    with pytest.raises(ValueError, match=reason):
        evaluator.score(generator(lambda labels: None), faces.real(9))


CLASSES = ("dark", "gray", "bright")
