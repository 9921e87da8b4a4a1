"""A model, a few labels, many outputs of each -> how far those lie apart, beside real images of one label.

A generator that has collapsed draws one face for all noise; a translator that has, one face for all photos.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from ganlab import ImageSet, Model
from ganlab.scores import RandomFeatures, digest_of, features_of


class Diversity:
    """Asks for `outputs` images of each of `conditions` rows of labels: of as many noises, or of as many photos."""

    best_is: Mapping[str, str] = {"diversity": "highest"}

    def __init__(self, conditions: int, outputs: int, seed: int) -> None:
        self._conditions, self._outputs, self._seed = conditions, outputs, seed

    def protocol(self, model: Model, test: ImageSet) -> Mapping[str, Any]:
        """Return what is compared; raises `ValueError` for a model that makes no images and for a single test image."""
        return {
            "made_by": _making(model, test),
            "made_images": self._conditions * self._outputs,
            "real_images": "pairs of one class" if model.data.label_kind == "classes" else "any pairs",
            "real_digest": digest_of(test.images),
            "features": f"{RandomFeatures.name} {RandomFeatures().digest[:8]}",
            "torch": str(torch.__version__),
        }

    def score(self, model: Model, test: ImageSet) -> Mapping[str, float]:
        """Return mean distances of every two outputs for one row of labels, over the rows: 0 if all outputs are alike.

        `pixel_distance` is the root mean square difference in gray levels, `feature_distance` that of random features; each
        also `_of_real_images`, of as many of one class (of attributes, of any). `diversity` is `feature_distance` over that
        of real images: about 1 for a good model.
        """
        real = self._real(model, test)
        made = self._made(model, test)
        scores = {}
        for name, distance in (("pixel_distance", _pixels), ("feature_distance", _features)):
            scores[name], scores[f"{name}_of_real_images"] = _mean_distance(distance, made), _mean_distance(distance, real)
        if not scores["feature_distance_of_real_images"]:
            raise ValueError("the real images are all alike: there is nothing to compare diversity with")
        return {"diversity": scores["feature_distance"] / scores["feature_distance_of_real_images"], **scores}

    def _made(self, model: Model, test: ImageSet) -> list[Tensor]:
        """Return the outputs for each row of labels, uint8 [outputs, C, H, W]."""
        rows = self._drawn(len(test.images), self._conditions)
        labels = test.labels[rows].repeat_interleave(self._outputs, 0)
        if _making(model, test) == "generate":
            made = model.generate(labels, self._seed)
        else:
            photos = self._drawn(len(test.images), len(labels))
            made = model.translate(test.images[photos], labels)
        return list(made.split(self._outputs))

    def _real(self, model: Model, test: ImageSet) -> list[Tensor]:
        """Return sets of real images: for each row of labels as many of its class, without the classes that have one image."""
        sets = []
        for row in self._drawn(len(test.images), self._conditions).tolist():
            alike = torch.arange(len(test.images))
            if model.data.label_kind == "classes":
                alike = (test.labels == test.labels[row]).all(1).nonzero()[:, 0]
            order = torch.randperm(len(alike), generator=torch.Generator().manual_seed(self._seed + row))
            sets.append(test.images[alike[order[: self._outputs]]])
        enough = [images for images in sets if len(images) > 1]
        if not enough:
            raise ValueError("no class has two test images: there is nothing to compare diversity with")
        return enough

    def _drawn(self, count: int, wanted: int) -> Tensor:
        """Return `wanted` rows of `count`, each once before any comes twice."""
        order = torch.randperm(count, generator=torch.Generator().manual_seed(self._seed))
        drawn: Tensor = order[torch.arange(wanted) % count]
        return drawn


def _making(model: Model, test: ImageSet) -> str:
    """Return how the model makes images; raises `ValueError` if it makes none, or there is nothing to compare."""
    making = next((way for way in ("generate", "translate") if way in model.makes), None)
    if making is None:
        raise ValueError(f"the model makes no images: it can {' and '.join(sorted(model.makes)) or 'do nothing'}")
    if len(test.images) < 2:
        raise ValueError(f"{len(test.images)} test image: at least 2 are compared")
    return making


def _pixels(images: Tensor) -> Tensor:
    """Return rows whose distances are root mean square differences in gray levels, [N, C H W]."""
    values: Tensor = images.flatten(1).double()
    rows: Tensor = values / values.shape[1] ** 0.5
    return rows


def _features(images: Tensor) -> Tensor:
    return features_of(images, RandomFeatures()).double()


def _mean_distance(rows_of: Any, sets: list[Tensor]) -> float:
    """Return the mean over sets of the mean distance of every two images of one."""
    sizes = [len(images) for images in sets]
    rows = rows_of(torch.cat(sets)).split(sizes)
    return float(torch.stack([torch.pdist(each).mean() for each in rows]).mean())
