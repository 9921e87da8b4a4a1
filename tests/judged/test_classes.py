"""Distances of classes: equal numbers on both sides, zero for the class itself, larger where labels are swapped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from ganlab_clean_fid.classes import ClassRandomFeatureScore
from torch import Tensor

from ganlab import ImageSet
from ganlab.evaluation.feature_files import kept_features
from ganlab.scores import RandomFeatures, frechet_distance_of_features
from ganlab.scores.features import tell_features

NAMES = ("dark", "gray", "bright")


def test_each_class_is_compared_with_its_own_images(faces: Any, generator: Callable[..., Any]) -> None:
    real, made = faces.real(60), faces.draw(torch.arange(60) // 20, seed=4)
    scores = ClassRandomFeatureScore(1000, 0, 64).score(generator(lambda labels: made), real)
    look = RandomFeatures()
    for index, name in enumerate(NAMES):
        own = real.images[torch.arange(60) % 3 == index]
        expected = frechet_distance_of_features(look(own), look(made[20 * index : 20 * index + 20]))
        assert scores[f"class_rfd_{name}"] == pytest.approx(expected, rel=1e-4)
    assert scores["class_rfd"] == pytest.approx(sum(scores[f"class_rfd_{name}"] for name in NAMES) / 3)


def test_the_real_images_are_at_distance_zero_and_swapped_labels_further(faces: Any, generator: Callable[..., Any]) -> None:
    real, evaluator = faces.real(60), ClassRandomFeatureScore(1000, 0, 64)
    by_class = torch.cat([real.images[torch.arange(60) % 3 == index] for index in range(3)])
    right = evaluator.score(generator(lambda labels: by_class), real)
    swapped = evaluator.score(generator(lambda labels: by_class.roll(20, 0)), real)
    assert max(right.values()) < 1e-5
    assert min(swapped[f"class_rfd_{name}"] for name in NAMES) > 0.1


def test_a_translator_moves_random_photos_of_any_class_to_each(faces: Any, translator: Callable[..., Any]) -> None:
    asked: list[tuple[Tensor, Tensor]] = []

    def paint(photos: Tensor, labels: Tensor) -> Tensor:
        asked.append((photos, labels))
        return photos

    real = faces.real(61)  # 21 of dark, 20 of the others
    evaluator, model = ClassRandomFeatureScore(20, 0, 64), translator(paint)
    assert evaluator.protocol(model, real)["images_of_class"] == dict.fromkeys(NAMES, 20)
    assert not asked
    scores = evaluator.score(model, real)
    ((photos, labels),) = asked
    assert labels.argmax(1).tolist() == [0] * 20 + [1] * 20 + [2] * 20
    levels = photos.float().mean((1, 2, 3))
    for part in levels.split(20):
        assert {round(float(level - 40) / 60) for level in part} == {0, 1, 2}
    assert scores["class_rfd"] > 0.1


def test_the_smaller_class_has_fewer_images_on_both_sides(faces: Any, generator: Callable[..., Any]) -> None:
    real = faces.real(60)
    few = ImageSet(images=real.images[:41], labels=torch.cat([real.labels[:38], torch.eye(3)[[2, 2, 2]]]))
    asked: list[Tensor] = []

    def paint(labels: Tensor) -> Tensor:
        asked.append(labels)
        return faces.draw(labels.argmax(1))

    evaluator, model = ClassRandomFeatureScore(14, 0, 64), generator(paint)
    assert evaluator.protocol(model, few)["images_of_class"] == {"dark": 13, "gray": 13, "bright": 14}
    evaluator.score(model, few)
    assert asked[0].sum(0).tolist() == [13, 13, 14]


def test_attributes_and_a_class_of_one_image_are_refused(faces: Any, generator: Callable[..., Any]) -> None:
    model, evaluator = generator(lambda labels: None), ClassRandomFeatureScore(9, 0, 64)
    with pytest.raises(ValueError, match=r"^the class bright has 1 test images; at least 2 are compared$"):
        evaluator.protocol(model, faces.real(5))
    model.data = replace(model.data, label_kind="attributes")
    with pytest.raises(ValueError, match=r"^the labels of the model are attributes; distances of classes need classes$"):
        evaluator.protocol(model, faces.real(9))


def test_the_features_of_classes_can_be_kept_and_those_of_other_weights_stand_apart(
    faces: Any, generator: Callable[..., Any], tmp_path: Path
) -> None:
    real, made = faces.real(12), faces.draw(torch.arange(12) // 4, seed=4)
    with kept_features(tmp_path, "run"):
        ClassRandomFeatureScore(1000, 0, 64).score(generator(lambda labels: made), real)
        tell_features("made", made, RandomFeatures(seed=1), RandomFeatures(seed=1)(made))
    names = sorted(path.name for path in tmp_path.iterdir())
    assert [name.partition("-random-")[0] for name in names] == ["real", "run", "run"]
    expected = {RandomFeatures(seed=seed).digest[:8]: RandomFeatures(seed=seed)(made) for seed in (0, 1)}
    for name in names[1:]:
        with np.load(tmp_path / name) as held:
            assert np.allclose(held["features"], expected[name.split("-")[2]], atol=1e-5)
