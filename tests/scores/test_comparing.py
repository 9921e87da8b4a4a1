"""What an evaluator of a few lines gets: equal labels, exact numbers, a floor, an interval, and a card that says so."""

import json
from types import ModuleType

import pytest
import torch

from ganlab.scores import (
    Sampling,
    frechet_distance_of_features,
    frechet_scores,
    kernel_distance,
    kernel_scores,
    made_images,
    neighbour_scores,
    protocol_card,
    real_images,
)
from ganlab.scores.features import _memory

ALL = Sampling(images=None, seed=0)


@pytest.fixture(autouse=True)
def _forget() -> None:
    _memory().clear()


def test_scores_are_the_distances_of_the_features(fakes: ModuleType) -> None:
    model, test, extractor = fakes.NoiseModel(level=100), fakes.real(40), fakes.CountingExtractor()
    made, features = extractor(fakes.noise(40, 0, 100)), extractor(test.images)
    frechet = frechet_scores(model, test, extractor, ALL, name="fd")
    assert frechet.keys() == {"fd", "floor"}
    assert frechet["fd"] == pytest.approx(frechet_distance_of_features(features, made))
    assert frechet["fd"] > 100 * frechet["floor"] > 0
    kernel = kernel_scores(model, test, extractor, ALL, name="kd")
    assert kernel.keys() == {"kd", "standard_error", "floor"}
    assert kernel["kd"] == pytest.approx(kernel_distance(features, made))
    assert neighbour_scores(model, test, extractor, ALL, k=2).keys() == {"precision", "recall", "density", "coverage"}


def test_few_images_of_many_values_are_scored_the_same(fakes: ModuleType) -> None:
    model, extractor = fakes.NoiseModel(level=100), fakes.CountingExtractor()
    few = frechet_scores(model, fakes.real(4), extractor, ALL, name="fd")["fd"]  # 4 images, 4 values
    made, features = extractor(fakes.noise(4, 0, 100)), extractor(fakes.real(4).images)
    assert few == pytest.approx(frechet_distance_of_features(features, made), rel=1e-9)


def test_made_images_have_the_labels_of_the_real_ones_in_turn(fakes: ModuleType) -> None:
    model, test = fakes.NoiseModel(), fakes.real(5)
    made_images(model, test, Sampling(images=12, seed=0), 0)
    assert torch.equal(model.asked[0], test.labels[torch.arange(12) % 5])


def test_a_translator_moves_real_images_to_labels_with_the_frequencies_of_the_real_ones(fakes: ModuleType) -> None:
    model, test = fakes.NoiseModel(makes="translate"), fakes.real(30)
    first, again, other = (made_images(model, test, ALL, seed) for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(model.asked[0].sum(0), test.labels.sum(0))
    assert not torch.equal(model.asked[0], test.labels)


def test_fewer_images_are_a_choice_by_the_seed_that_keeps_labels_with_images(fakes: ModuleType) -> None:
    test = fakes.real(30)
    chosen = real_images(test, Sampling(images=10, seed=3))
    rows = [int((test.images == image).flatten(1).all(1).nonzero()) for image in chosen.images]
    assert rows == sorted(set(rows)) != list(range(10))
    assert torch.equal(chosen.labels, test.labels[rows])
    assert torch.equal(real_images(test, Sampling(images=10, seed=3)).images, chosen.images)
    assert not torch.equal(real_images(test, Sampling(images=10, seed=4)).images, chosen.images)
    assert real_images(test, Sampling(images=50, seed=0)) is test


def test_several_seeds_give_an_interval_about_their_mean(fakes: ModuleType) -> None:
    test, extractor = fakes.real(40), fakes.CountingExtractor()
    each = [
        frechet_scores(fakes.NoiseModel(), test, extractor, Sampling(images=None, seed=seed), name="fd")["fd"]
        for seed in (5, 6, 7)
    ]
    found = frechet_scores(fakes.NoiseModel(), test, extractor, Sampling(images=None, seed=5, seeds=3), name="fd")
    assert found["fd"] == pytest.approx(sum(each) / 3)
    assert found["fd_low"] < min(each)
    assert found["fd_high"] > max(each)
    assert kernel_scores(fakes.NoiseModel(), test, extractor, Sampling(images=None, seed=5, seeds=3), name="kd").keys() == {
        *("kd", "kd_low", "kd_high", "standard_error", "floor")
    }


def test_three_scores_look_at_each_image_once(fakes: ModuleType) -> None:
    model, test, extractor = fakes.NoiseModel(), fakes.real(40), fakes.CountingExtractor()
    frechet_scores(model, test, extractor, ALL, name="fd")
    kernel_scores(model, test, extractor, ALL, name="kd")
    neighbour_scores(model, test, extractor, ALL, k=3)
    assert extractor.images == 80


def test_the_card_says_what_was_compared_before_anything_is_made(fakes: ModuleType) -> None:
    model, test, extractor = fakes.NoiseModel(), fakes.real(40), fakes.CountingExtractor()
    card = protocol_card(model, test, extractor, Sampling(images=30, seed=7, seeds=2))
    assert json.loads(json.dumps(card)) == card
    assert model.asked == []
    assert extractor.images == 0
    assert {key: card[key] for key in card if key not in ("real_digest", "torch")} == {
        "extractor": "quarters",
        "extractor_digest": "0",
        "preprocessing": "none",
        "real_images": 30,
        "made_images": 30,
        "made_by": "generate",
        "labels": "those of the real images",
        "seeds": [7, 8],
        "notes": [],
    }
    (note,) = protocol_card(fakes.NoiseModel(makes="translate"), test, extractor, ALL)["notes"]
    assert note.startswith("made from the compared images themselves")
    test.images[:, 0, 0, 0] ^= 1
    assert protocol_card(model, test, extractor, Sampling(images=30, seed=7))["real_digest"] != card["real_digest"]


def test_models_and_numbers_that_cannot_be_compared_are_refused(fakes: ModuleType) -> None:
    extractor = fakes.CountingExtractor()
    with pytest.raises(ValueError, match=r"^the model makes no images: it can classify$"):
        protocol_card(fakes.NoiseModel(makes="classify"), fakes.real(9), extractor, ALL)
    with pytest.raises(ValueError, match=r"^3 test images and 3 made ones: at least 4 of each are compared$"):
        protocol_card(fakes.NoiseModel(), fakes.real(3), extractor, ALL)
    short = fakes.NoiseModel()
    short.generate = lambda labels, seed: fakes.noise(len(labels) - 1, seed)
    with pytest.raises(ValueError, match=r"^the model made 8 images of 9$"):
        frechet_scores(short, fakes.real(9), extractor, ALL, name="fd")
