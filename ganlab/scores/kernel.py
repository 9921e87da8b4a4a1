"""Two sets of features -> the kernel distance of Binkowski et al. (2018): with Inception's features the KID.

The unbiased estimate of the squared maximum mean discrepancy under k(x, y) = (x.y / D + 1)^3: over features of one
distribution its mean is 0 at any number of images, so it may be negative and is never clipped.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ganlab.scores.moments import check_features

_TILE_ROWS = 2048


@dataclass(frozen=True, kw_only=True)
class BlockedDistance:
    """Kernel distances of parts of two sets."""

    mean: float
    std: float  # from part to part; of parts that overlap this is no error of the mean
    standard_error: float | None  # of the mean; None where parts overlap


def kernel_distance(one: Tensor, other: Tensor) -> float:
    """Return the unbiased distance of features [N, D] and [M, D], N and M at least 2, from all pairs, in float64."""
    check_features(one, other)
    n, m = len(one), len(other)
    if min(n, m) < 2:
        raise ValueError(f"{n} and {m} features: the unbiased distance needs at least 2 on each side")
    one, other = one.double(), other.double()
    return (
        _sum_of_kernels(one, one, is_same=True) / (n * (n - 1))
        + _sum_of_kernels(other, other, is_same=True) / (m * (m - 1))
        - 2 * _sum_of_kernels(one, other) / (n * m)
    )


def subset_kernel_distance(
    one: Tensor, other: Tensor, *, subsets: int = 100, subset_rows: int = 1000, seed: int = 0
) -> BlockedDistance:
    """Return the published protocol: distances of random subsets, which overlap, without replacement inside one.

    Raises `ValueError` for sets that hold fewer rows than a subset.
    """
    smallest = min(len(one), len(other))
    if not 2 <= subset_rows <= smallest or subsets < 1:
        raise ValueError(f"{subsets} subsets of {subset_rows} rows cannot be drawn from {smallest} features")
    draws = torch.Generator().manual_seed(seed)
    values = torch.tensor(
        [
            kernel_distance(*(side[torch.randperm(len(side), generator=draws)[:subset_rows].to(side.device)] for side in pair))
            for pair in [(one, other)] * subsets
        ],
        dtype=torch.float64,
    )
    return BlockedDistance(mean=float(values.mean()), std=float(values.std(correction=0)), standard_error=None)


def disjoint_kernel_distance(one: Tensor, other: Tensor, *, blocks: int = 10, seed: int = 0) -> BlockedDistance:
    """Return distances of shuffled disjoint blocks of both sets; these are independent, so their mean has an error.

    Raises `ValueError` for fewer than two blocks, or blocks of fewer than two rows.
    """
    smallest = min(len(one), len(other))
    if blocks < 2 or smallest < 2 * blocks:
        raise ValueError(
            f"{smallest} features cannot be cut into {blocks} blocks of at least 2; a standard error needs 2 blocks"
        )
    draws = torch.Generator().manual_seed(seed)
    sides = [side[torch.randperm(len(side), generator=draws).to(side.device)].tensor_split(blocks) for side in (one, other)]
    values = torch.tensor([kernel_distance(*pair) for pair in zip(*sides, strict=True)], dtype=torch.float64)
    std = float(values.std())
    return BlockedDistance(mean=float(values.mean()), std=std, standard_error=std / blocks**0.5)


def _sum_of_kernels(one: Tensor, other: Tensor, *, is_same: bool = False) -> float:
    """Return the sum over all pairs; of one set with itself, over pairs of different rows. A tile at a time."""
    total = 0.0
    for index, rows in enumerate(one.split(_TILE_ROWS)):
        for beside, columns in enumerate(other.split(_TILE_ROWS)):
            if is_same and beside < index:  # the kernel is symmetric: that tile was counted twice
                continue
            kernels = (rows @ columns.T / one.shape[1] + 1).pow_(3)
            if is_same and beside == index:
                kernels.fill_diagonal_(0)
            total += float(kernels.sum()) * (2 if is_same and beside > index else 1)
    return total
