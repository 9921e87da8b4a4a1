"""A model and test images -> a distance for each class: does what was asked for look like that class, rather than any?

For a translator the protocol of CCycleGAN's T27: for each class, random test images of any class, moved to it, against test
images of it (there 1,000 and 1,000). For a generator images asked as the class. Both sides hold equally many, since the
distances of few images are larger; so a class is compared with others only where their numbers are told.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ganlab.contracts import ImageSet, Model
from ganlab.scores.comparing import Sampling, making
from ganlab.scores.extractors import FeatureExtractor
from ganlab.scores.features import features_of, tell_features
from ganlab.scores.images import digest_of

_FEWEST_IMAGES = 2


def class_scores(
    model: Model,
    test: ImageSet,
    extractor: FeatureExtractor,
    sampling: Sampling,
    *,
    name: str,
    distance: Callable[[Tensor, Tensor], float],
) -> dict[str, float]:
    """Return `name`_CLASS for each class, and their mean by `name`; `sampling.images` counts those of one class."""
    rows = _rows_of_classes(model, test, sampling)
    labels = torch.eye(model.data.labels).repeat_interleave(torch.tensor([len(its) for its in rows]), 0)
    if making(model) == "generate":
        made = model.generate(labels, sampling.seed)
    else:
        made = model.translate(test.images[_any_rows(rows, len(test.images), sampling.seed)], labels)
    found = []
    for kind, images in (("real", test.images[torch.cat(rows)]), ("made", made)):
        features = features_of(images, extractor, batch_images=sampling.batch_images)
        tell_features(kind, images, extractor, features)
        found.append(features.split([len(its) for its in rows]))
    pairs = zip(model.data.label_names, *found, strict=True)
    each = {label.replace(".", "_"): distance(*sides) for label, *sides in pairs}
    return {name: sum(each.values()) / len(each), **{f"{name}_{label}": value for label, value in each.items()}}


def class_card(model: Model, test: ImageSet, extractor: FeatureExtractor, sampling: Sampling) -> dict[str, Any]:
    """Return what those scores rest on, before anything is made.

    Raises `ValueError` for a model that makes no images, for labels that are no classes, and for a class with one test image.
    """
    rows = _rows_of_classes(model, test, sampling)
    every = torch.cat(rows)
    is_generator = making(model) == "generate"
    return {
        "extractor": extractor.name,
        "extractor_digest": extractor.digest,
        "preprocessing": extractor.preprocessing,
        "real_images": len(every),
        "real_digest": digest_of(test.images[every]),
        "made_images": len(every),
        "made_by": making(model),
        "made_of": "noise" if is_generator else "random test images of any class",
        "images_of_class": {label: len(its) for label, its in zip(model.data.label_names, rows, strict=True)},
        "seeds": [sampling.seed],
        "torch": str(torch.__version__),
        "notes": [],
    }


def _rows_of_classes(model: Model, test: ImageSet, sampling: Sampling) -> list[Tensor]:
    """Return for each class which test images of it are compared: all, or a choice by the seed, in their order."""
    making(model)
    if model.data.label_kind != "classes":
        raise ValueError(f"the labels of the model are {model.data.label_kind}; distances of classes need classes")
    classes = test.labels.argmax(1)
    found = []
    for index, label in enumerate(model.data.label_names):
        rows = (classes == index).nonzero()[:, 0]
        if len(rows) < _FEWEST_IMAGES:
            raise ValueError(f"the class {label} has {len(rows)} test images; at least {_FEWEST_IMAGES} are compared")
        order = torch.randperm(len(rows), generator=torch.Generator().manual_seed(sampling.seed))
        found.append(rows[order[: sampling.images]].sort().values)
    return found


def _any_rows(rows: list[Tensor], count: int, seed: int) -> Tensor:
    """Return for each class as many random test images of any class, [sum], none twice unless there are too few."""
    draws = torch.Generator().manual_seed(seed)
    drawn = [torch.randperm(count, generator=draws)[torch.arange(len(its)) % count] for its in rows]
    return torch.cat(drawn)
