"""A translator that returns the photo, one that paints another face, and one that does its task."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from ganlab_scores.translation import Translation, targets_of
from torch import Tensor

from ganlab import ImageSet

STEP = 60


def test_the_photo_itself_keeps_everything_shows_no_target_and_alarms(
    noisy_faces: Any, judge: Any, translator: Callable[..., Any]
) -> None:
    real, idle = noisy_faces.real(60), translator(lambda photos, labels: photos)
    evaluator = Translation(judge, None, 0)
    scores = evaluator.score(idle, real)
    assert scores["ssim"] == pytest.approx(1, abs=1e-12)
    assert (scores["feature_distance_ratio"], scores["difference"], scores["reconstruction_error"]) == (0, 0, 0)
    assert scores["unchanged"] == 1
    assert scores["source_seen"] == pytest.approx(evaluator.protocol(idle, real)["judge_on_real_images"]["accuracy"], abs=0.1)
    assert scores["target_accuracy"] <= 1 - scores["source_seen"]
    alarm = "100% of the translations equal their photo: the model returns its input"
    assert evaluator.details(idle, real)["alarm"] == alarm


def test_a_step_of_brightness_shows_every_target_and_keeps_the_face(
    faces: Any, judge: Any, translator: Callable[..., Any]
) -> None:
    """Moving the level alone leaves the noise, which is the face here, as it is."""

    def move(photos: Tensor, labels: Tensor) -> Tensor:
        own = judge.classify(photos).argmax(1)
        return (photos.int() + STEP * (labels.argmax(1) - own).view(-1, 1, 1, 1)).clamp(0, 255).to(torch.uint8)

    real, right = faces.real(60), translator(move)
    other = translator(lambda photos, labels: faces.draw(labels.argmax(1), seed=7))
    evaluator = Translation(judge, None, 0)
    kept, painted = evaluator.score(right, real), evaluator.score(other, real)
    for scores in (kept, painted):
        assert (scores["target_accuracy"], scores["source_seen"], scores["unchanged"]) == (1, 0, 0)
        assert scores["target_macro_accuracy"] == scores["target_accuracy_gray"] == 1
    assert kept["reconstruction_error"] == 0 < 5 < painted["reconstruction_error"]
    assert painted["ssim"] < 0.2 < 0.5 < kept["ssim"]
    assert evaluator.details(right, real) == {"confusion": {a: {b: float(a == b) for b in NAMES} for a in NAMES}}


def test_a_difference_within_rounding_is_no_change(faces: Any, judge: Any, translator: Callable[..., Any]) -> None:
    by_one = translator(lambda photos, labels: photos + (torch.arange(16) % 2).to(torch.uint8))
    scores = Translation(judge, 30, 0).score(by_one, faces.real(30))
    assert (scores["difference"], scores["unchanged"]) == (0.5, 1)


def test_of_attributes_one_is_turned_over_and_judged(faces: Any, judge_that: Callable[..., Any], translator: Any) -> None:
    judge = judge_that(label_kind="attributes", label_names=("Bright", "Odd"))
    real = faces.real(30)
    real = ImageSet(images=real.images, labels=torch.stack([real.labels[:, 2], torch.zeros(30)], 1))
    model = translator(lambda photos, labels: faces.draw(2 * labels[:, 0]), judge.data)  # knows nothing of Odd
    scores = Translation(judge, None, 0).score(model, real)
    assert scores["target_accuracy_Bright"] == 1
    assert scores["target_accuracy_Odd"] == pytest.approx(1 / 3, abs=0.25)  # the judge sees it in all that is bright
    assert "confusion" not in Translation(judge, None, 0).details(model, real)


def test_every_change_comes_equally_often_whatever_the_order_of_the_photos() -> None:
    own = torch.eye(7)[torch.arange(700) % 7]  # of each person all seven, in turn
    targets = targets_of(own, "classes", 0)
    pairs = own.T @ targets
    assert torch.equal(targets.sum(1), torch.ones(700))
    assert int((own == targets).all(1).sum()) == 100
    assert pairs.min() > 3
    own = (torch.rand(50, 4, generator=torch.Generator().manual_seed(0)) < 0.5).float()
    turned = (targets_of(own, "attributes", 1) != own).sum(0)
    assert turned.tolist() == [10, 10, 10, 10]
    assert int((targets_of(own, "attributes", 1) == own).all(1).sum()) == 10


@pytest.mark.parametrize(
    ("changes", "reason"),
    [({"size_px": 8}, "needs images of 11 px or more, not 8"), ({"label_names": ("dark",)}, "knows one class only, dark")],
)
def test_what_cannot_be_compared_is_refused_before_anything_is_made(
    changes: dict[str, Any], reason: str, faces: Any, judge_that: Callable[..., Any], translator: Callable[..., Any]
) -> None:
    data = replace(faces.data, **changes)
    model = translator(lambda photos, labels: None, data)
    with pytest.raises(ValueError, match=reason):
        Translation(judge_that(**changes), None, 0).protocol(model, faces.real(9))


def test_a_generator_is_refused(faces: Any, judge: Any, generator: Callable[..., Any]) -> None:
    with pytest.raises(ValueError, match=r"^the model translates no image$"):
        Translation(judge, None, 0).score(generator(lambda labels: None), faces.real(9))


NAMES = ("dark", "gray", "bright")
