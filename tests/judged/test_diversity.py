"""Alike outputs have no diversity, real images that of real images; a copy of a training image is found, a new one is not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from ganlab_scores.diversity import Diversity
from ganlab_scores.memorisation import Memorisation
from torch import Tensor

from ganlab.scores import RandomFeatures, nearest_distances


def test_alike_outputs_have_no_diversity(faces: Any, generator: Callable[..., Any], translator: Callable[..., Any]) -> None:
    real = faces.real(60)
    for model in (
        generator(lambda labels: faces.draw(torch.zeros(1)).expand(len(labels), -1, -1, -1)),
        translator(lambda photos, labels: faces.draw(torch.arange(3))[labels.argmax(1)]),
    ):
        scores = Diversity(5, 4, 0).score(model, real)
        assert (scores["diversity"], scores["pixel_distance"], scores["feature_distance"]) == (0, 0, 0)
        assert scores["pixel_distance_of_real_images"] > 10


def test_images_like_the_real_ones_are_as_diverse(noisy_faces: Any, generator: Callable[..., Any]) -> None:
    scores = Diversity(60, 8, 0).score(generator(lambda labels: noisy_faces.draw(labels.argmax(1), 5)), noisy_faces.real(300))
    assert scores["diversity"] == pytest.approx(1, abs=0.1)


def test_pixel_distance_is_in_gray_levels(faces: Any, generator: Callable[..., Any]) -> None:
    def flat(labels: Tensor) -> Tensor:
        levels = torch.tensor([10, 20, 50]).repeat(len(labels) // 3)
        return levels.view(-1, 1, 1, 1).expand(-1, 1, 16, 16).to(torch.uint8)

    scores = Diversity(2, 3, 0).score(generator(flat), faces.real(30))
    assert scores["pixel_distance"] == pytest.approx((10 + 30 + 40) / 3)


def test_copies_of_training_images_are_found(noisy_faces: Any, generator: Callable[..., Any]) -> None:
    training = noisy_faces.real(400)
    scores = Memorisation(100, 0, 400).score(generator(lambda labels: training.images[: len(labels)]), training)
    assert scores == {"memorised": 1.0, "distance_ratio": 0.0}


def test_new_images_are_as_far_from_training_images_as_these_from_each_other(
    noisy_faces: Any, generator: Callable[..., Any]
) -> None:
    training = noisy_faces.real(400)
    model = generator(lambda labels: noisy_faces.draw(labels.argmax(1), seed=9))
    scores = Memorisation(300, 0, 50_000).score(model, training)
    assert scores["memorised"] < 0.05
    assert scores["distance_ratio"] == pytest.approx(1, abs=0.15)


def test_half_copies_count_half(noisy_faces: Any, generator: Callable[..., Any]) -> None:
    training = noisy_faces.real(400)

    def half(labels: Tensor) -> Tensor:
        made = noisy_faces.draw(labels.argmax(1), seed=9)
        return torch.cat([training.images[:50], made[50:]])

    assert Memorisation(100, 0, 400).score(generator(half), training)["memorised"] == pytest.approx(0.5, abs=0.03)


def test_copies_among_the_training_images_hide_no_near_copy(noisy_faces: Any, generator: Callable[..., Any]) -> None:
    training = noisy_faces.real(400)
    doubled = replace(training, images=torch.cat([training.images[:380], training.images[:20]]))

    def nearly(labels: Tensor) -> Tensor:
        made = doubled.images[: len(labels)].clone()
        made[:, 0, 0, 0] ^= 1
        return made

    scores = Memorisation(100, 0, 400).score(generator(nearly), doubled)
    assert scores["memorised"] == 1
    assert 0 < scores["distance_ratio"] < 0.1
    alike = replace(training, images=training.images[:1].expand(400, -1, -1, -1))
    with pytest.raises(ValueError, match=r"^each of the training images has a copy among them"):
        Memorisation(100, 0, 400).score(generator(nearly), alike)


def test_the_second_nearest_of_a_set_among_itself_is_the_nearest_other() -> None:
    rows = torch.tensor([[0.0], [1.0], [4.0]])
    assert nearest_distances(rows, rows).tolist() == [0, 0, 0]
    assert nearest_distances(rows, rows, skipped=1).tolist() == pytest.approx([1, 1, 3])


def test_memorisation_is_asked_of_generators_and_gets_training_images(faces: Any, translator: Callable[..., Any]) -> None:
    assert Memorisation.split == "train"
    with pytest.raises(ValueError, match=r"^the model generates no images; a translation is near to its own photo"):
        Memorisation(9, 0, 9).protocol(translator(lambda photos, labels: photos), faces.real(9))


def test_the_card_of_memorisation_says_how_many_images_were_searched(faces: Any, generator: Callable[..., Any]) -> None:
    card = Memorisation(9, 0, 20).protocol(generator(lambda labels: None), faces.real(30))
    assert (card["training_images"], card["searched_images"], card["made_images"]) == (30, 20, 9)
    assert RandomFeatures().digest[:8] in card["features"]
