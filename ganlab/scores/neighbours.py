"""Real and generated features -> how much of each lies near the other: quality apart from diversity.

Precision and recall as Kynkaanniemi et al. (2019), density and coverage as Naeem et al. (2020). The ball of a feature
reaches to its k-th neighbour among its own set, itself not counted; the rim belongs to the ball.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ganlab.scores.moments import check_features

_TILE_ROWS = 2048
_ROUNDING = 1e-12  # of a squared length, by which a^2 + b^2 - 2ab may miss: 2048 products of float64, and to spare


@dataclass(frozen=True, kw_only=True)
class Neighbours:
    """Shares in [0, 1], but for the density, which may exceed 1."""

    precision: float  # of generated images inside some ball of a real one
    recall: float  # of real images inside some ball of a generated one
    density: float  # in how many real balls a generated image lies, over k; 1 for one distribution
    coverage: float  # of real balls that hold a generated image


def compare_neighbours(real: Tensor, generated: Tensor, k: int) -> Neighbours:
    """Return the four scores of features [N, D] and [M, D]; raises `ValueError` unless N and M exceed k.

    In float64; at most a tile of the distances is in memory.
    """
    check_features(real, generated)
    if not 1 <= k < min(len(real), len(generated)):
        raise ValueError(
            f"k = {k} neighbours of {len(real)} real and {len(generated)} generated features; k is at least 1 and less"
        )
    centre = real.double().mean(0)
    real, generated = real.double() - centre, generated.double() - centre  # far from zero digits would be lost
    real_radii, generated_radii = _radii(real, k), _radii(generated, k)
    balls_of_generated = torch.zeros(len(generated), dtype=torch.int64, device=real.device)
    is_recalled, is_covered = [], []
    for rows, radii in zip(real.split(_TILE_ROWS), real_radii.split(_TILE_ROWS), strict=True):
        squares = _squares(rows, generated)
        is_inside = squares <= radii[:, None]
        balls_of_generated += is_inside.sum(0)
        is_covered.append(is_inside.any(1))
        is_recalled.append((squares <= generated_radii).any(1))
    return Neighbours(
        precision=_share(balls_of_generated > 0),
        recall=_share(torch.cat(is_recalled)),
        density=float(balls_of_generated.double().mean() / k),
        coverage=_share(torch.cat(is_covered)),
    )


def nearest_distances(features: Tensor, among: Tensor, *, skipped: int = 0) -> Tensor:
    """Return the distance of each of `features` [N, D] to the nearest of `among` [M, D], [N]: has it been memorised?

    With `skipped` 1 the second nearest counts, as for features that are among the others themselves. M exceeds `skipped`.
    """
    check_features(features, among)
    centre = among.double().mean(0)
    features, among = features.double() - centre, among.double() - centre
    tiles = (_squares(rows, among) for rows in features.split(_TILE_ROWS))
    return torch.cat([squares.kthvalue(skipped + 1, dim=1).values for squares in tiles]).sqrt()


def _radii(features: Tensor, k: int) -> Tensor:
    """Return each row's squared distance to its k-th neighbour, [N]; the row itself, at 0, is the smallest of k + 1."""
    nearest = [_squares(rows, features).kthvalue(k + 1, dim=1).values for rows in features.split(_TILE_ROWS)]
    return torch.cat(nearest) * (1 + _ROUNDING)


def _squares(one: Tensor, other: Tensor) -> Tensor:
    """Return squared distances [N, M]; 0 where float64 sums cannot tell two rows apart, as of equal ones."""
    lengths = one.square().sum(1)[:, None] + other.square().sum(1)
    squares = torch.addmm(lengths, one, other.T, alpha=-2)
    return squares.where(squares > _ROUNDING * lengths, 0)


def _share(which: Tensor) -> float:
    return float(which.double().mean())
