"""Options -> the scores fid, kid, prdc and rfd: which features, which distance, and by which name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, ClassVar, Protocol

from ganlab import ImageSet, Model
from ganlab.scores import (
    FeatureExtractor,
    RandomFeatures,
    Sampling,
    frechet_scores,
    kernel_scores,
    neighbour_scores,
    protocol_card,
)
from ganlab_clean_fid.extractor import FEATURES, InceptionFeatures
from ganlab_clean_fid.weights import find_weights


class Measure(Protocol):
    """How far made images are from real ones."""

    def __call__(
        self, model: Model, test: ImageSet, extractor: FeatureExtractor, sampling: Sampling
    ) -> Mapping[str, float]: ...


# What a score is called that was measured by an Inception that nobody published.
_OTHER_NAMES = {"class_fid": "class_frechet", "class_kid": "class_kernel", "fid": "frechet", "kid": "kernel"}


class InceptionScore:
    """A measure of Inception's features; the weights are looked for when a model is there to score, not before."""

    def __init__(
        self,
        measure: Measure,
        sampling: Sampling,
        weights: str | None,
        allow_unknown_weights: bool,
        *,
        best_is: Mapping[str, str],
        is_frechet: bool = False,  # larger for few images
        neighbours: int = 0,  # each side must hold more images than that
        card: Callable[[Model, ImageSet, FeatureExtractor, Sampling], dict[str, Any]] = protocol_card,
    ) -> None:
        self.best_is = best_is  # once unknown weights have scored, by the names of these scores
        self._published, self._is_frechet = best_is, is_frechet
        self._measure, self._sampling, self._neighbours = measure, sampling, neighbours
        self._weights, self._allows_unknown, self._card = weights, allow_unknown_weights, card

    def protocol(self, model: Model, test: ImageSet) -> Mapping[str, Any]:
        """Return what the scores rest on; raises `DataError` where weights are missing, `ValueError` where images are."""
        extractor = self._extractor(model)
        card = self._card(model, test, extractor, self._sampling)
        card["weights"] = "published" if extractor.weights.is_published else "unknown"
        fewest = min(card["real_images"], card["made_images"], *card.get("images_of_class", {}).values())
        if fewest <= self._neighbours:
            raise ValueError(f"k = {self._neighbours} neighbours of {fewest} images; lower k, or compare more images")
        if self._is_frechet and fewest <= FEATURES:
            few = f"{fewest} images for {FEATURES} values: Frechet distances are biased upwards; compare equal numbers only"
            card["notes"].append(few)
        return card

    def score(self, model: Model, test: ImageSet) -> Mapping[str, float]:
        """Return the measure's scores; of unknown weights by names that no published score has."""
        self.protocol(model, test)
        extractor = self._extractor(model)
        scores = self._measure(model, test, extractor, self._sampling)
        if extractor.weights.is_published:
            self.best_is = self._published
            return scores
        self.best_is = {_renamed(name, extractor.digest): which for name, which in self._published.items()}
        return {_renamed(name, extractor.digest): value for name, value in scores.items()}

    def _extractor(self, model: Model) -> InceptionFeatures:
        return InceptionFeatures(find_weights(self._weights, allow_unknown=self._allows_unknown), model.device)


def _renamed(name: str, digest: str) -> str:
    """Return what a score by unknown weights is called, `_low` and `_high` of an interval at the end."""
    end = next((end for end in ("_low", "_high") if name.endswith(end)), "")
    base = name.removesuffix(end)
    old = next((old for old in _OTHER_NAMES if base == old or base.startswith(f"{old}_")), "")
    return f"{_OTHER_NAMES.get(old, '')}{base.removeprefix(old)}_custom_{digest[:8]}{end}"


class RandomFeatureScore:
    """The Frechet distance of random features: no file is needed, and no figure of a paper can be compared with it."""

    best_is: ClassVar[Mapping[str, str]] = {"rfd": "lowest"}

    def __init__(self, images: int | None, seed: int, seeds: int, batch_images: int) -> None:
        self._sampling = Sampling(images=images, seed=seed, seeds=seeds, batch_images=batch_images)

    def protocol(self, model: Model, test: ImageSet) -> Mapping[str, Any]:
        """Return what the score rests on; raises `ValueError` for a model that makes no images and for too few images."""
        return protocol_card(model, test, RandomFeatures(device=model.device), self._sampling)

    def score(self, model: Model, test: ImageSet) -> Mapping[str, float]:
        """Return `rfd`, `floor`, and of several seeds the ends of an interval."""
        self.protocol(model, test)
        return frechet_scores(model, test, RandomFeatures(device=model.device), self._sampling, name="rfd")


def fid(
    images: int | None, seed: int, seeds: int, batch_images: int, weights: str | None, allow_unknown_weights: bool
) -> InceptionScore:
    """Return the evaluator whose scores are `fid`, `floor`, and of several seeds the ends of an interval."""
    sampling = Sampling(images=images, seed=seed, seeds=seeds, batch_images=batch_images)
    measure = partial(frechet_scores, name="fid")
    return InceptionScore(measure, sampling, weights, allow_unknown_weights, best_is={"fid": "lowest"}, is_frechet=True)


def kid(
    images: int | None, seed: int, seeds: int, batch_images: int, weights: str | None, allow_unknown_weights: bool
) -> InceptionScore:
    """Return the evaluator whose scores are `kid`, `standard_error`, `floor`, and of several seeds the ends of an interval."""
    sampling = Sampling(images=images, seed=seed, seeds=seeds, batch_images=batch_images)
    return InceptionScore(
        partial(kernel_scores, name="kid"), sampling, weights, allow_unknown_weights, best_is={"kid": "lowest"}
    )


def prdc(
    images: int | None, seed: int, seeds: int, batch_images: int, weights: str | None, allow_unknown_weights: bool, k: int
) -> InceptionScore:
    """Return the evaluator whose scores are `precision`, `recall`, `density` and `coverage`."""
    sampling = Sampling(images=images, seed=seed, seeds=seeds, batch_images=batch_images)
    best_is = dict.fromkeys(("precision", "recall", "density", "coverage"), "highest")
    measure = partial(neighbour_scores, k=k)
    return InceptionScore(measure, sampling, weights, allow_unknown_weights, best_is=best_is, neighbours=k)
