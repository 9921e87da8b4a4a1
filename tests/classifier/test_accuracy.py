"""The evaluator, against scores worked out by hand."""

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from ganlab_classifier.accuracy import Accuracy
from torch import Tensor

from ganlab import ImageSet

Telling = Callable[..., Any]


def test_set(labels: Tensor) -> ImageSet:
    return ImageSet(images=torch.zeros(len(labels), 1, 16, 16, dtype=torch.uint8), labels=labels)


test_set.__test__ = False  # type: ignore[attr-defined]  # a helper


def test_classes_count_alike_in_the_macro_accuracy(telling: Telling) -> None:
    # Four happy faces, three of them told right; one sad face, told wrong; nobody is angry.
    logits = torch.tensor([[2.0, 0, 0], [1.0, 0, 0], [3.0, 0, 0], [0.0, 1, 0], [1.0, 0, 0]])
    labels = torch.tensor([[1.0, 0, 0]] * 4 + [[0.0, 1, 0]])
    scores = Accuracy().score(telling(logits, ("happy", "sad", "angry")), test_set(labels))
    assert dict(scores) == pytest.approx(
        {"accuracy": 0.6, "macro_accuracy": 0.375, "accuracy_happy": 0.75, "accuracy_sad": 0.0, "log_loss": scores["log_loss"]}
    )


def test_the_log_loss_of_classes_is_that_of_the_softmax(telling: Telling) -> None:
    shares = torch.tensor([[0.5, 0.25, 0.25], [0.1, 0.1, 0.8]])
    labels = torch.tensor([[1.0, 0, 0], [0.0, 1, 0]])
    scores = Accuracy().score(telling(shares.log() + 7.0, ("a", "b", "c")), test_set(labels))
    assert scores["log_loss"] == pytest.approx((math.log(2) + math.log(10)) / 2, rel=1e-6)


def test_attributes_are_right_one_by_one(telling: Telling) -> None:
    logits = torch.tensor([[1.0, -1], [1.0, -2], [-1.0, -1], [1.0, 3]])
    labels = torch.tensor([[1.0, 0], [0.0, 0], [0.0, 0], [0.0, 0]])
    scores = Accuracy().score(telling(logits, ("Smiling", "Bald"), "attributes"), test_set(labels))
    # Smiling: the one who smiles is told, of three others one; Bald: nobody is, so there is nothing to balance.
    assert {name: scores[name] for name in ("accuracy", "accuracy_Smiling", "accuracy_Bald", "balanced_accuracy")} == (
        pytest.approx({"accuracy": 0.625, "accuracy_Smiling": 0.5, "accuracy_Bald": 0.75, "balanced_accuracy": (1 + 1 / 3) / 2})
    )


def test_the_log_loss_of_attributes_is_that_of_sigmoids(telling: Telling) -> None:
    logits = torch.tensor([[math.log(4.0), 0.0]])  # sigmoids of 0.8 and 0.5
    scores = Accuracy().score(telling(logits, ("x", "y"), "attributes"), test_set(torch.tensor([[0.0, 1.0]])))
    assert scores["log_loss"] == pytest.approx((math.log(5) + math.log(2)) / 2, rel=1e-6)


def test_chance_is_one_in_k_however_uneven_the_classes_are(telling: Telling) -> None:
    labels = torch.eye(7)[torch.tensor([3] * 600 + [0, 1, 2, 4, 5, 6] * 50)]
    always = torch.eye(7)[3].expand(len(labels), 7)
    scores = Accuracy().score(telling(always, tuple("abcdefg")), test_set(labels))
    assert (scores["accuracy"], scores["macro_accuracy"]) == pytest.approx((2 / 3, 1 / 7))


def test_a_model_that_cannot_classify_is_told_so(telling: Telling) -> None:
    model = telling(torch.zeros(1, 2), ("a", "b"))
    model.makes = frozenset({"generate"})
    with pytest.raises(ValueError, match="the model classifies no image"):
        Accuracy().score(model, test_set(torch.zeros(1, 2)))
    with pytest.raises(ValueError, match="the data have no labels"):
        Accuracy().score(telling(torch.zeros(1, 0), (), "none"), test_set(torch.zeros(1, 0)))
