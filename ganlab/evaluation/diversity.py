"""A picture of what a model makes -> how far its images are apart, as shares of how far real images are apart.

It costs no more than the picture: the mean absolute difference of pixels sees one face for every noise, one face for every
photo, and a translator that gives one answer to every label. A few faces in turn it does not see; `recall` and `coverage` do.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ganlab.contracts import DataSpec, ImageSet, Model
from ganlab.data.bank import one_hot
from ganlab.errors import DataError
from ganlab.report.pictures import kinds_of_pictures, make_grid

DIVERSITY, TRANSLATION_DIVERSITY, CHANGE = "watch_diversity", "watch_translation_diversity", "watch_change"
_ROWS = 8  # noises, or photos of different people
_REAL_IMAGES = 128


def diversity_of(model: Model, test: ImageSet, real: float) -> dict[str, float]:
    """Return what the model's pictures show, always of the same noise, photos and labels; `real` is `real_difference`.

    `watch_diversity` is of images from noise that were asked for one label, `watch_translation_diversity` of translations
    of different photos to one label, `watch_change` of translations of one photo to different labels; where there is but one
    translation, of photo and translation.
    """
    found = {}
    for kind in kinds_of_pictures(model.makes):
        grid = make_grid(model, test, kind, rows=_ROWS)[0].float()
        if kind == "generate":
            found[DIVERSITY] = mean_difference(grid, 0) / real
            continue
        made = grid[:, 1:]
        found[TRANSLATION_DIVERSITY] = mean_difference(made, 0) / real
        found[CHANGE] = mean_difference(made if made.shape[1] > 1 else grid, 1) / real
    return found


def real_difference(test: ImageSet, data: DataSpec) -> float:
    """Return the mean difference, in gray levels, of two test images: of one class where there are classes."""
    count = len(test.images)
    chosen = torch.randperm(count, generator=torch.Generator().manual_seed(0))[:_REAL_IMAGES].sort().values
    images = torch.as_tensor(test.images[chosen]).float()
    groups = [images]
    if data.label_kind == "classes":
        classes = one_hot(test.labels, data.labels, count)[chosen].argmax(1)
        groups = [images[classes == k] for k in range(data.labels)]
        groups = [group for group in groups if len(group) > 1] or [images]
    pairs = sum(len(group) for group in groups)
    difference = sum(len(group) * mean_difference(group[:, None], 0, reach=1) for group in groups) / pairs
    if difference == 0:
        raise DataError(f"training.watch: the {count} test images are all alike; there is no difference to compare with")
    return float(difference)


def mean_difference(grid: Tensor, along: int, reach: int | None = None) -> float:
    """Return the mean absolute difference of any two images of `grid` [R, L, C, H, W] that are apart in `along` only.

    With a `reach` only of those that are so few places apart, in a ring.
    """
    places = grid.shape[along]
    apart = range(1, min(places, (reach or places) + 1))
    sums = [float((grid - grid.roll(by, along)).abs().mean(dtype=torch.float64)) for by in apart]
    return sum(sums) / max(len(sums), 1)
