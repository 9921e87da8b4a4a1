"""The distance of a judge's features is the Frechet distance, named by the judge."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from ganlab_scores.judged_distance import JudgedDistance

from ganlab.scores import frechet_distance_of_features


def test_it_is_the_frechet_distance_of_what_the_judge_reads(faces: Any, judge: Any, generator: Callable[..., Any]) -> None:
    real, made = faces.real(60), faces.draw(torch.arange(60) % 2, seed=4)
    evaluator = JudgedDistance(judge, None, 0, 1)
    scores = evaluator.score(generator(lambda labels: made), real)
    expected = frechet_distance_of_features(judge.features(real.images), judge.features(made))
    assert scores.keys() == {"fd_classifier_01234567", "floor"}
    assert scores["fd_classifier_01234567"] == pytest.approx(expected, rel=1e-6)
    assert scores["fd_classifier_01234567"] > 2 * scores["floor"] > 0
    assert evaluator.best_is == {"fd_classifier_01234567": "lowest"}


def test_two_judges_never_share_a_name(faces: Any, judge_that: Callable[..., Any], generator: Callable[..., Any]) -> None:
    model, real = generator(lambda labels: faces.draw(labels.argmax(1))), faces.real(30)
    names = [set(JudgedDistance(judge_that(digest=d), None, 0, 1).score(model, real)) for d in ("a" * 64, "b" * 64)]
    assert names[0] & names[1] == {"floor"}
    card = JudgedDistance(judge_that(digest="a" * 64), None, 0, 1).protocol(model, real)
    assert (card["extractor"], card["extractor_digest"]) == ("classifier", "a" * 64)
