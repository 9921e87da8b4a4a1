"""A translator and a judge -> is the target seen, is the rest of the photo kept, and did anything change at all?

Each question can be answered well by a model that fails another: one that returns the photo keeps everything, and one
that paints the same happy face over all photos shows every target.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ganlab import ImageSet, Model, NamedModel
from ganlab.scores import RandomFeatures, Sampling, features_of, real_images, sampling_card
from ganlab_scores.judging import accuracies, confusion, fitting_judge, judge_card, seen
from ganlab_scores.similarity import WINDOW_PX, structural_similarity

_SAME_LEVELS = 1.0  # of 255: a mean difference below that is what rounding makes
_ALARM = 0.5  # of the translations equal their photo


class Translation:
    """Moves each photo to one label: another than its own, or, of one photo in K (attributes: K + 1), its own."""

    best_is: Mapping[str, str] = {
        "target_accuracy": "highest",
        "target_macro_accuracy": "highest",
        "ssim": "highest",
        "feature_distance_ratio": "lowest",
        "reconstruction_error": "lowest",
        "source_seen": "lowest",
        "unchanged": "lowest",
    }

    def __init__(self, judge: NamedModel | None, images: int | None, seed: int) -> None:
        self._judge, self._sampling = judge, Sampling(images=images, seed=seed)

    def protocol(self, model: Model, test: ImageSet) -> Mapping[str, Any]:
        """Return the judge's own scores on the photos too; raises `DataError` without judge, `ValueError` for misfits."""
        judge = self._checked(model, test)
        photos = real_images(test, self._sampling)
        facts = sampling_card(model, test, self._sampling)
        facts["labels"] = "each photo's own with one change, drawn by the seed; of one photo in every so many its own"
        facts["similarity"] = f"Gaussian windows of {WINDOW_PX} px, standard deviation 1.5, range 255"
        facts["features"] = f"{RandomFeatures.name} {RandomFeatures().digest[:8]}"
        return {**facts, **judge_card(judge, photos, model)}

    def score(self, model: Model, test: ImageSet) -> Mapping[str, float]:
        """Return `target_` accuracies, and how photos and translations compare; translations to the own label count apart.

        `source_seen` is the share of translations whose own class the judge still sees: of a model that changes too little.
        `ssim` is the structural similarity, at most 1, and `feature_distance_ratio` the distance in random features, over
        that of the photo to another one, drawn by the seed: 0 for the photo itself, 1 for a stranger. `unchanged` is the
        share of translations that differ from their photo by less than one gray level in the mean.
        `reconstruction_error` is the mean absolute difference, in gray levels, of photos moved to their own label.
        """
        tried = self._tried(model, test)
        logits, moved = self._seen(model, tried), ~tried.is_own
        photos, made = tried.photos[moved], tried.made[moved]
        names, kind = model.data.label_names, model.data.label_kind
        scores = {f"target_{key}": value for key, value in _targets(logits, tried, names, kind).items()}
        if kind == "classes":
            scores["source_seen"] = accuracies(logits[moved], tried.own[moved], names, kind)["accuracy"]
        difference = _difference(tried.photos, tried.made)
        scores["ssim"] = float(structural_similarity(photos, made).mean())
        scores["feature_distance_ratio"] = self._distance_ratio(photos, made)
        scores["difference"] = float(difference[moved].mean())
        scores["unchanged"] = float((difference[moved] < _SAME_LEVELS).double().mean())
        scores["reconstruction_error"] = float(difference[tried.is_own].mean())
        return scores

    def details(self, model: Model, test: ImageSet) -> Mapping[str, Any]:
        """Return the confusion of target classes, and an `alarm` where outputs equal their photos."""
        tried = self._tried(model, test)
        moved, found = ~tried.is_own, {}
        if model.data.label_kind == "classes":
            logits = self._seen(model, tried)[moved]
            found["confusion"] = confusion(logits, tried.targets[moved], model.data.label_names)
        unchanged = float((_difference(tried.photos, tried.made)[moved] < _SAME_LEVELS).double().mean())
        if unchanged > _ALARM:
            return {**found, "alarm": f"{unchanged:.0%} of the translations equal their photo: the model returns its input"}
        return found

    def _checked(self, model: Model, test: ImageSet) -> NamedModel:
        """Return the judge; raises as `protocol` does."""
        if "translate" not in model.makes:
            raise ValueError("the model translates no image")
        judge = fitting_judge(self._judge, model)
        if model.data.label_kind == "classes" and model.data.labels < 2:
            raise ValueError(f"the model knows one class only, {model.data.label_names[0]}: there is nothing to move to")
        if model.data.size_px < WINDOW_PX:
            raise ValueError(f"structural similarity needs images of {WINDOW_PX} px or more, not {model.data.size_px}")
        sampling_card(model, test, self._sampling)  # refuses too few images
        return judge

    def _seen(self, model: Model, tried: _Tried) -> Tensor:
        assert self._judge is not None
        return seen(self._judge, tried.made, model.data.label_names)

    def _tried(self, model: Model, test: ImageSet) -> _Tried:
        self._checked(model, test)
        real = real_images(test, self._sampling)
        rows = torch.arange(self._sampling.images or len(real.images)) % len(real.images)
        photos, own = real.images[rows], real.labels[rows]
        targets = targets_of(own, model.data.label_kind, self._sampling.seed)
        made = model.translate(photos, targets)
        return _Tried(photos=photos, own=own, targets=targets, made=made, is_own=(own == targets).all(1))

    def _distance_ratio(self, photos: Tensor, made: Tensor) -> float:
        extractor = RandomFeatures()
        here, there = features_of(photos, extractor).double(), features_of(made, extractor).double()
        others = _deranged(len(photos), self._sampling.seed)
        strangers = float((here - here[others]).norm(dim=1).mean())
        if not strangers:
            raise ValueError("the photos are all alike: nothing can be said of whether a face is kept")
        return float((here - there).norm(dim=1).mean()) / strangers


@dataclass(frozen=True, kw_only=True)
class _Tried:
    """Photos, and what became of them."""

    photos: Tensor  # uint8 [N, C, H, W]
    own: Tensor  # labels 0/1 [N, K]
    targets: Tensor  # labels 0/1 [N, K]
    made: Tensor  # uint8 [N, C, H, W]
    is_own: Tensor  # bool [N]


def targets_of(own: Tensor, kind: str, seed: int) -> Tensor:
    """Return a target for each row of labels `own` [N, K]: every change, and none, as often as any other, in random order.

    Changes of classes are the K - 1 other ones; of attributes, one of the K turned over. Of four images at least one has a
    change and one has none.
    """
    count, labels = own.shape
    changes = labels if kind == "classes" else labels + 1
    change = torch.arange(count) % changes
    change = change[torch.randperm(count, generator=torch.Generator().manual_seed(seed))]
    if kind == "classes":
        targets: Tensor = torch.eye(labels)[(own.argmax(1) + change) % labels]
        return targets
    turned = torch.eye(labels + 1)[change][:, 1:]
    return (own - turned).abs()


def _targets(logits: Tensor, tried: _Tried, names: tuple[str, ...], kind: str) -> dict[str, float]:
    """Return accuracies of what moved: of attributes, of the one that was turned over."""
    moved = ~tried.is_own
    if kind == "classes":
        return accuracies(logits[moved], tried.targets[moved], names, kind)
    turned = (tried.own != tried.targets)[moved]
    is_right = ((logits > 0) == tried.targets.bool())[moved]
    each = {
        name: float(right[here].double().mean())
        for name, right, here in zip(names, is_right.T, turned.T, strict=True)
        if here.any()
    }
    return {
        "accuracy": float(is_right[turned].double().mean()),
        "macro_accuracy": sum(each.values()) / len(each),
        **{f"accuracy_{name.replace('.', '_')}": value for name, value in each.items()},
    }


def _difference(one: Tensor, other: Tensor) -> Tensor:
    """Return the mean absolute difference of each pair, in gray levels, float64 [N]."""
    parts = zip(one.split(1024), other.split(1024), strict=True)
    return torch.cat([(a.double() - b.double()).abs().mean((1, 2, 3)) for a, b in parts])


def _deranged(count: int, seed: int) -> Tensor:
    """Return for each of `count` images another one; with a single image, itself."""
    order = torch.randperm(count, generator=torch.Generator().manual_seed(seed))
    others = torch.empty_like(order)
    others[order] = order.roll(1)
    return others
