"""Options -> the scores class_fid, class_kid and class_rfd: a distance for each class, and their mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, ClassVar

from torch import Tensor

from ganlab import ImageSet, Model
from ganlab.scores import (
    RandomFeatures,
    Sampling,
    class_card,
    class_scores,
    frechet_distance_of_features,
    kernel_distance,
)
from ganlab_clean_fid.evaluators import InceptionScore


class ClassRandomFeatureScore:
    """The Frechet distances of random features, class by class."""

    best_is: ClassVar[Mapping[str, str]] = {"class_rfd": "lowest"}

    def __init__(self, images_of_class: int, seed: int, batch_images: int) -> None:
        self._sampling = Sampling(images=images_of_class, seed=seed, batch_images=batch_images)

    def protocol(self, model: Model, test: ImageSet) -> Mapping[str, Any]:
        """Return what the scores rest on; raises `ValueError` where images or classes are missing."""
        return class_card(model, test, RandomFeatures(device=model.device), self._sampling)

    def score(self, model: Model, test: ImageSet) -> Mapping[str, float]:
        """Return `class_rfd_CLASS` for each class, and their mean `class_rfd`."""
        extractor = RandomFeatures(device=model.device)
        return class_scores(model, test, extractor, self._sampling, name="class_rfd", distance=frechet_distance_of_features)


def class_fid(
    images_of_class: int, seed: int, batch_images: int, weights: str | None, allow_unknown_weights: bool
) -> InceptionScore:
    """Return the evaluator whose scores are `class_fid_CLASS` for each class, and their mean `class_fid`."""
    sampling = Sampling(images=images_of_class, seed=seed, batch_images=batch_images)
    return _by_class("class_fid", frechet_distance_of_features, sampling, weights, allow_unknown_weights)


def class_kid(
    images_of_class: int, seed: int, batch_images: int, weights: str | None, allow_unknown_weights: bool
) -> InceptionScore:
    """Return the evaluator whose scores are `class_kid_CLASS` for each class, and their mean `class_kid`."""
    sampling = Sampling(images=images_of_class, seed=seed, batch_images=batch_images)
    return _by_class("class_kid", kernel_distance, sampling, weights, allow_unknown_weights)


def _by_class(
    name: str,
    distance: Callable[[Tensor, Tensor], float],
    sampling: Sampling,
    weights: str | None,
    allow_unknown_weights: bool,
) -> InceptionScore:
    measure = partial(class_scores, name=name, distance=distance)
    return InceptionScore(
        measure,
        sampling,
        weights,
        allow_unknown_weights,
        best_is={name: "lowest"},
        is_frechet=distance is frechet_distance_of_features,
        card=class_card,
    )
