"""FID and KID of each class have their names only with the published weights."""

from pathlib import Path
from typing import Any

import pytest
import torch
from ganlab_clean_fid.classes import class_fid, class_kid
from ganlab_clean_fid.extractor import InceptionFeatures
from ganlab_clean_fid.weights import find_weights

from ganlab import ImageSet
from ganlab.scores import frechet_distance_of_features, kernel_distance


def test_published_weights_give_each_class_its_fid_and_kid(
    published: Path, model: Any, test_images: ImageSet, make_pictures: Any
) -> None:
    look = InceptionFeatures(find_weights(str(published), allow_unknown=False), torch.device("cpu"))
    real, made = look(test_images.images), look(make_pictures(12, 3))
    for make, name, distance in (
        (class_fid, "class_fid", frechet_distance_of_features),
        (class_kid, "class_kid", kernel_distance),
    ):
        scores = make(1000, 3, 64, str(published), False).score(model, test_images)
        assert scores.keys() == {name, f"{name}_a", f"{name}_b"}
        assert scores[f"{name}_a"] == pytest.approx(distance(real[0::2], made[:6]), rel=1e-5)
        assert scores[f"{name}_b"] == pytest.approx(distance(real[1::2], made[6:]), rel=1e-5)
        assert scores[name] == pytest.approx((scores[f"{name}_a"] + scores[f"{name}_b"]) / 2)


def test_unknown_weights_give_other_names(script: Path, model: Any, test_images: ImageSet) -> None:
    tail = f"_custom_{find_weights(str(script), allow_unknown=True).sha256[:8]}"
    for make, name in ((class_fid, "class_frechet"), (class_kid, "class_kernel")):
        evaluator = make(1000, 0, 64, str(script), True)
        assert evaluator.score(model, test_images).keys() == {f"{name}{tail}", f"{name}_a{tail}", f"{name}_b{tail}"}
        assert evaluator.best_is == {f"{name}{tail}": "lowest"}


def test_the_card_tells_how_many_images_each_class_has_and_warns_of_few(
    published: Path, model: Any, test_images: ImageSet
) -> None:
    card = class_fid(5, 0, 64, str(published), False).protocol(model, test_images)
    assert (card["images_of_class"], card["made_images"], card["made_of"]) == ({"a": 5, "b": 5}, 10, "noise")
    (note,) = card["notes"]
    assert note.startswith("5 images for 2048 values")
    assert model.made == 0
