"""C1's scores against models whose answers are known."""

from dataclasses import dataclass, field, replace

import pytest
import torch
from ganlab_ccyclegan.matching_scores import MatchingScores, area_under_curve
from torch import Tensor

from ganlab import DataSpec, ImageSet

DATA = DataSpec(size_px=4, channels=1, label_kind="classes", label_names=("a", "b", "c", "d"))


@dataclass
class Told:
    """A model that gives the logits it is told."""

    logits: Tensor
    data: DataSpec = DATA
    makes: frozenset[str] = field(default_factory=lambda: frozenset({"classify"}))

    def classify(self, images: Tensor) -> Tensor:
        return self.logits

    def generate(self, labels: Tensor, seed: int) -> Tensor:
        raise AssertionError("nothing is generated")

    def translate(self, images: Tensor, labels: Tensor) -> Tensor:
        raise AssertionError("nothing is translated")


def some_images(count: int = 400) -> ImageSet:
    labels = torch.eye(4)[torch.arange(count) % 4]
    return ImageSet(images=torch.zeros(count, 1, 4, 4, dtype=torch.uint8), labels=labels)


def test_a_model_that_knows_every_label_is_right_about_all_pairs() -> None:
    test = some_images()
    scores = MatchingScores().score(Told(test.labels * 10 - 5), test)
    assert (scores["accuracy"], scores["auc"], scores["class_accuracy"]) == (1, 1, 1)
    assert scores["log_loss"] == pytest.approx(0.006715, abs=1e-6)  # ln(1 + e^-5)


def test_a_model_that_knows_nothing_is_at_chance() -> None:
    test = some_images()
    scores = MatchingScores().score(Told(torch.zeros(400, 4)), test)
    assert (scores["accuracy"], scores["auc"], scores["class_accuracy"]) == (0.5, 0.5, 0.25)
    assert scores["log_loss"] == pytest.approx(0.693147, abs=1e-6)


def test_chance_of_pairs_is_not_chance_of_classes() -> None:
    """A model that confuses each class with the next one is right about most pairs, and never about the class."""
    test = some_images()
    scores = MatchingScores().score(Told(test.labels + test.labels.roll(1, 1) * 2 - 0.5), test)
    assert scores["class_accuracy"] == 0
    assert scores["accuracy"] == pytest.approx(5 / 6, abs=0.03)


def test_wrong_labels_are_drawn_from_all_others_by_the_seed() -> None:
    test = some_images()
    logits = torch.randn(400, 4, generator=torch.Generator().manual_seed(0))
    first, again, other = (MatchingScores(seed).score(Told(logits), test)["accuracy"] for seed in (0, 0, 1))
    assert first == again != other


def test_the_area_counts_pairs_and_half_of_ties() -> None:
    draw = torch.Generator().manual_seed(0)
    positive, negative = (
        torch.randint(0, 6, (50,), generator=draw).double(),
        torch.randint(0, 5, (30,), generator=draw).double(),
    )
    difference = positive[:, None] - negative
    expected = ((difference > 0).double() + (difference == 0).double() / 2).mean().item()
    assert area_under_curve(positive, negative) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (Told(torch.zeros(1, 4), makes=frozenset({"translate"})), "does not tell which label fits"),
        (Told(torch.zeros(1, 4), data=replace(DATA, label_kind="attributes")), "an image has no wrong label"),
    ],
)
def test_a_model_without_answers_is_refused(model: Told, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        MatchingScores().score(model, some_images())
