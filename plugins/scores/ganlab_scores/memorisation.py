"""A generator and the images it was trained on -> how many of its outputs are copies, or nearly."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from ganlab import ImageSet, Model
from ganlab.scores import (
    RandomFeatures,
    Sampling,
    features_of,
    made_images,
    nearest_distances,
    real_features,
    real_images,
    sampling_card,
)

_PERCENT = 1.0  # of the training images lie as near to another one that is no copy


class Memorisation:
    """Compares distances to the nearest training image: those of outputs, and those of training images to each other."""

    split = "train"
    best_is: Mapping[str, str] = {"memorised": "lowest"}

    def __init__(self, images: int | None, seed: int, training_images: int) -> None:
        self._sampling = Sampling(images=images, seed=seed)
        self._training = Sampling(images=training_images, seed=seed)

    def protocol(self, model: Model, test: ImageSet) -> Mapping[str, Any]:
        """Return what is compared; `test` are training images. Raises `ValueError` for a model that does not generate."""
        if "generate" not in model.makes:
            raise ValueError("the model generates no images; a translation is near to its own photo, so it tells nothing")
        return {
            **sampling_card(model, test, self._sampling),
            "training_images": len(test.images),
            "searched_images": min(len(test.images), self._training.images or 0),
            "near": f"as the nearest {_PERCENT:g} % of training images are to another one that is no copy",
            "features": f"{RandomFeatures.name} {RandomFeatures().digest[:8]}",
        }

    def score(self, model: Model, test: ImageSet) -> Mapping[str, float]:
        """Return `memorised`, the share of outputs that are near a training image, by chance about 0.01, and medians.

        `distance_ratio` is the median distance of outputs to their nearest training image, over that of training images: 0
        for copies, about 1 for images as new as one training image is beside the others. Training images with a copy among
        the others say nothing of either.
        """
        self.protocol(model, test)
        searched = real_features(real_images(test, self._training).images, RandomFeatures())
        asked = real_images(test, self._sampling)
        made = features_of(made_images(model, asked, self._sampling, self._sampling.seed), RandomFeatures())
        outputs = nearest_distances(made, searched)
        training = nearest_distances(self._drawn(searched), searched, skipped=1)  # itself
        training = training[training > 0]  # a set with copies among its own would call nothing near but copies
        if not len(training):
            raise ValueError("each of the training images has a copy among them: nothing can be said of memorised ones")
        ordinary = float(training.median())
        near = training.double().quantile(_PERCENT / 100)
        return {
            "memorised": float((outputs <= near).double().mean()),
            "distance_ratio": float(outputs.median()) / ordinary,
        }

    def _drawn(self, searched: Tensor) -> Tensor:
        """Return as many of the features as there are outputs, or all."""
        order = torch.randperm(len(searched), generator=torch.Generator().manual_seed(self._sampling.seed))
        return searched[order[: self._sampling.images]]
