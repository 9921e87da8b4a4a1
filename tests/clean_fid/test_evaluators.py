"""The scores have their names only with the published weights, and a card that says what they rest on."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from ganlab_clean_fid.evaluators import RandomFeatureScore, fid, kid, prdc
from ganlab_clean_fid.extractor import InceptionFeatures
from ganlab_clean_fid.weights import find_weights
from torch import Tensor
from torch.nn import functional as F

from ganlab import ImageSet
from ganlab.scores import RandomFeatures, frechet_distance_of_features, kernel_distance

CPU = torch.device("cpu")


def test_published_weights_give_fid_kid_and_neighbours(
    published: Path, model: Any, test_images: ImageSet, make_pictures: Callable[..., Tensor]
) -> None:
    extractor = InceptionFeatures(find_weights(str(published), allow_unknown=False), CPU)
    real, made = extractor(test_images.images), extractor(make_pictures(12, 0))
    scores = fid(None, 0, 1, 64, str(published), False).score(model, test_images)
    assert scores.keys() == {"fid", "floor"}
    assert scores["fid"] == pytest.approx(frechet_distance_of_features(real, made), rel=1e-6)
    scores = kid(None, 0, 1, 64, str(published), False).score(model, test_images)
    assert scores.keys() == {"kid", "floor"}  # twelve images have no standard error of ten blocks
    assert scores["kid"] == pytest.approx(kernel_distance(real, made), rel=1e-6)
    scores = prdc(None, 0, 1, 64, str(published), False, 3).score(model, test_images)
    assert scores.keys() == {"precision", "recall", "density", "coverage"}


def test_unknown_weights_give_no_fid_and_no_kid(script: Path, model: Any, test_images: ImageSet) -> None:
    found = find_weights(str(script), allow_unknown=True)
    tail = f"_custom_{found.sha256[:8]}"
    for make, name in ((fid, "frechet"), (kid, "kernel")):
        evaluator = make(None, 0, 1, 64, str(script), True)
        assert evaluator.score(model, test_images).keys() == {f"{name}{tail}", f"floor{tail}"}
        assert evaluator.protocol(model, test_images)["weights"] == "unknown"


def test_the_card_names_the_file_by_its_digest_and_warns_of_few_images(
    published: Path, model: Any, test_images: ImageSet
) -> None:
    card = fid(8, 5, 2, 64, str(published), False).protocol(model, test_images)
    assert model.made == 0
    assert card["extractor"] == "inception"
    assert card["extractor_digest"] == find_weights(str(published), allow_unknown=False).sha256
    assert card["weights"] == "published"
    assert "antialiased bicubic to 299 px" in card["preprocessing"]
    assert (card["real_images"], card["made_images"], card["seeds"]) == (8, 8, [5, 6])
    assert card["notes"] == ["8 images for 2048 values: Frechet distances are biased upwards; compare equal numbers only"]


def test_a_model_that_makes_no_images_is_refused_before_weights_are_used(
    published: Path, model_that: Callable[[str], Any], test_images: ImageSet
) -> None:
    with pytest.raises(ValueError, match=r"^the model makes no images: it can classify$"):
        fid(None, 0, 1, 64, str(published), False).score(model_that("classify"), test_images)
    with pytest.raises(ValueError, match=r"^the model makes no images: it can classify$"):
        RandomFeatureScore(None, 0, 1, 64).protocol(model_that("classify"), test_images)


def test_more_neighbours_than_images_are_refused_before_any_is_made(published: Path, model: Any, test_images: ImageSet) -> None:
    with pytest.raises(ValueError, match=r"^k = 12 neighbours of 12 images; lower k, or compare more images$"):
        prdc(None, 0, 1, 64, str(published), False, 12).protocol(model, test_images)
    assert model.made == 0


def test_fid_and_kid_of_one_model_look_at_each_image_once(
    published: Path, model: Any, test_images: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    look = InceptionFeatures.__call__

    def counted(self: InceptionFeatures, images: Tensor) -> Tensor:
        seen.append(len(images))
        return look(self, images)

    monkeypatch.setattr(InceptionFeatures, "__call__", counted)
    for make in (fid, kid):
        make(None, 0, 1, 64, str(published), False).score(model, test_images)
    assert seen == [12, 12]


def test_random_features_need_no_weights(model: Any, test_images: ImageSet, make_pictures: Callable[..., Tensor]) -> None:
    extractor = RandomFeatures()
    scores = RandomFeatureScore(None, 0, 1, 64).score(model, test_images)
    assert scores.keys() == {"rfd", "floor"}
    expected = frechet_distance_of_features(extractor(test_images.images), extractor(make_pictures(12, 0)))
    assert scores["rfd"] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("seed", [0, 1])
def test_random_features_order_corruptions_of_drawn_faces_as_people_do(seed: int) -> None:
    from ganlab_synthetic_faces import faces, render

    drawn = faces(seed, torch.arange(300), level="default", identities=300)
    images = render(drawn.identity, drawn.scene, drawn.expression, 48, 1)
    real, other = images[:150], images[150:]
    blurred = [
        F.avg_pool2d(F.pad(other.float(), (r, r, r, r), mode="reflect"), 2 * r + 1, 1).round().to(torch.uint8) for r in (1, 2)
    ]
    noise = torch.randint(0, 256, other.shape, generator=torch.Generator().manual_seed(seed), dtype=torch.uint8)
    collapsed = other[:5].repeat(30, 1, 1, 1)
    extractor = RandomFeatures()
    reference = extractor(real)
    distances = [frechet_distance_of_features(reference, extractor(changed)) for changed in (other, *blurred, collapsed, noise)]
    assert distances == sorted(distances), distances
    assert frechet_distance_of_features(reference, reference) < 1e-6
