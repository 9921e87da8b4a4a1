"""A model, test images and an extractor -> scores that compare the two sets, and the card that says how.

For evaluators: each is a few lines about its extractor and its options, and calls one function here. The real images are
all of the test images, or `images` of them; the model makes as many (or `images`), of the same labels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ganlab.contracts import ImageSet, Model
from ganlab.scores.extractors import FeatureExtractor
from ganlab.scores.features import BATCH_IMAGES, features_of, tell_features
from ganlab.scores.frechet import frechet_distance, frechet_distance_of_features
from ganlab.scores.images import digest_of
from ganlab.scores.kernel import disjoint_kernel_distance, kernel_distance
from ganlab.scores.moments import moments_of
from ganlab.scores.neighbours import compare_neighbours
from ganlab.scores.reference import halves, real_features, real_statistics
from ganlab.scores.uncertainty import interval

FEWEST_IMAGES = 4  # two halves of two
_BLOCKS = 10  # of a standard error


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """Which images are compared."""

    images: int | None  # how many are made; None: as many as there are test images
    seed: int  # of the choice of real images and of the first set of made ones
    seeds: int = 1  # sets that are made, by `seed`, `seed` + 1, ...; of two or more an interval is told
    batch_images: int = BATCH_IMAGES  # that the extractor sees at once


def frechet_scores(
    model: Model, test: ImageSet, extractor: FeatureExtractor, sampling: Sampling, *, name: str
) -> dict[str, float]:
    """Return the Frechet distance by `name` and its `floor`: one real half from the other.

    Of several seeds it is their mean, with the ends of its interval: `name`_low and `name`_high.
    """
    real = real_images(test, sampling)
    device = _device_of_sums(model)
    reference = real_statistics(real.images, extractor, batch_images=sampling.batch_images)
    moments = reference.moments.to(device)

    def distance(made: Tensor) -> float:
        if max(len(made), moments.count) < made.shape[1]:  # both singular: the quick way, which is exact
            return frechet_distance_of_features(
                real_features(real.images, extractor, batch_images=sampling.batch_images).to(device), made
            )
        return frechet_distance(moments, moments_of(made))

    values = [distance(made) for made in _made_features(model, real, extractor, sampling, device)]
    return {**_over_seeds(name, values), "floor": reference.floor}


def kernel_scores(
    model: Model, test: ImageSet, extractor: FeatureExtractor, sampling: Sampling, *, name: str
) -> dict[str, float]:
    """Return the kernel distance by `name`, its `floor`, its `standard_error` (of 10 blocks, by the first seed), and of
    several seeds the ends of its interval. With fewer images than blocks of two need there is no standard error."""
    real = real_images(test, sampling)
    device = _device_of_sums(model)
    features = real_features(real.images, extractor, batch_images=sampling.batch_images).to(device)
    values, scores = [], {}
    for made in _made_features(model, real, extractor, sampling, device):
        values.append(kernel_distance(features, made))
        if len(values) == 1 and min(len(features), len(made)) >= 2 * _BLOCKS:
            error = disjoint_kernel_distance(features, made, blocks=_BLOCKS, seed=sampling.seed).standard_error
            assert error is not None
            scores["standard_error"] = error
    return {**_over_seeds(name, values), **scores, "floor": kernel_distance(*halves(features))}


def neighbour_scores(
    model: Model, test: ImageSet, extractor: FeatureExtractor, sampling: Sampling, *, k: int
) -> dict[str, float]:
    """Return `precision`, `recall`, `density` and `coverage` with `k` neighbours; over several seeds their means."""
    real = real_images(test, sampling)
    features = real_features(real.images, extractor, batch_images=sampling.batch_images)
    made = _made_features(model, real, extractor, sampling, torch.device("cpu"))
    each = [vars(compare_neighbours(features, generated, k)) for generated in made]
    return {score: sum(scores[score] for scores in each) / len(each) for score in each[0]}


def protocol_card(model: Model, test: ImageSet, extractor: FeatureExtractor, sampling: Sampling) -> dict[str, Any]:
    """Return what the scores of these functions rest on, before anything is made; raises what `sampling_card` raises."""
    notes = []
    if making(model) == "translate":
        notes.append("made from the compared images themselves: a model that changes nothing comes below the floor")
    return {
        "extractor": extractor.name,
        "extractor_digest": extractor.digest,
        "preprocessing": extractor.preprocessing,
        **sampling_card(model, test, sampling),
        "notes": notes,
    }


def sampling_card(model: Model, test: ImageSet, sampling: Sampling) -> dict[str, Any]:
    """Return which images `real_images` and `made_images` give, in numbers and digests.

    Raises `ValueError`, in a line, for a model that makes no images and for too few images.
    """
    way = making(model)
    real = _chosen_rows(len(test.images), sampling)
    made = sampling.images or len(real)
    if min(len(real), made) < FEWEST_IMAGES:
        raise ValueError(f"{len(real)} test images and {made} made ones: at least {FEWEST_IMAGES} of each are compared")
    return {
        "real_images": len(real),
        "real_digest": digest_of(test.images[real]),
        "made_images": made,
        "made_by": way,
        "labels": "those of the real images" if model.data.labels else "none",
        "seeds": list(_seeds(sampling)),
        "torch": str(torch.__version__),
    }


def real_images(test: ImageSet, sampling: Sampling) -> ImageSet:
    """Return the test images that are compared, with labels 0/1 [N, K]: all, or a choice by the seed, in their order."""
    rows = _chosen_rows(len(test.images), sampling)
    if len(rows) == len(test.images):
        return test
    identities = None if test.identities is None else test.identities[rows]
    return ImageSet(images=test.images[rows], labels=test.labels[rows], identities=identities)


def made_images(model: Model, real: ImageSet, sampling: Sampling, seed: int) -> Tensor:
    """Return images that the model makes, uint8 [N, C, H, W], with the labels of the real ones, in turn.

    Of a model that translates, each real image moved to the labels of another, drawn by the seed: so that the labels that
    are asked for are distributed as those of the real images.
    """
    labels = asked_labels(model, real, sampling, seed)
    if making(model) == "generate":
        made = model.generate(labels, seed)
    else:
        made = model.translate(real.images[torch.arange(len(labels)) % len(real.images)], labels)
    if len(made) != len(labels):
        raise ValueError(f"the model made {len(made)} images of {len(labels)}")
    return made


def asked_labels(model: Model, real: ImageSet, sampling: Sampling, seed: int) -> Tensor:
    """Return the labels 0/1 [N, K] that `made_images` asks the model for, image by image."""
    count = sampling.images or len(real.images)
    rows = torch.arange(count) % len(real.images)
    if making(model) == "translate":
        rows = rows[torch.randperm(count, generator=torch.Generator().manual_seed(seed))]
    labels: Tensor = real.labels[rows]
    return labels


def _made_features(
    model: Model, real: ImageSet, extractor: FeatureExtractor, sampling: Sampling, device: torch.device
) -> Sequence[Tensor]:
    """Return the features of each seed's images, on `device`."""
    found = []
    for seed in _seeds(sampling):
        made = made_images(model, real, sampling, seed)
        features = features_of(made, extractor, batch_images=sampling.batch_images)
        tell_features("made", made, extractor, features)
        found.append(features.to(device))
    return found


def making(model: Model) -> str:
    """Return how the model makes images; raises `ValueError` if it makes none."""
    for way in ("generate", "translate"):
        if way in model.makes:
            return way
    raise ValueError(f"the model makes no images: it can {' and '.join(sorted(model.makes)) or 'do nothing'}")


def _chosen_rows(count: int, sampling: Sampling) -> Tensor:
    if sampling.images is None or sampling.images >= count:
        return torch.arange(count)
    return torch.randperm(count, generator=torch.Generator().manual_seed(sampling.seed))[: sampling.images].sort().values


def _seeds(sampling: Sampling) -> range:
    return range(sampling.seed, sampling.seed + sampling.seeds)


def _over_seeds(name: str, values: Sequence[float]) -> dict[str, float]:
    if len(values) == 1:
        return {name: values[0]}
    found = interval(values)
    return {name: found.mean, f"{name}_low": found.low, f"{name}_high": found.high}


def _device_of_sums(model: Model) -> torch.device:
    """Return where to add up in float64: the model's GPU, else the CPU; Apple's has no float64."""
    return model.device if model.device.type == "cuda" else torch.device("cpu")
