"""Two sets of features -> their Frechet distance (Dowson and Landau, 1982), in float64 and real from end to end.

|m1 - m2|^2 + tr C1 + tr C2 - 2 tr (C1 C2)^(1/2), where the last trace is the sum of the roots of the eigenvalues of
R' C2 R, with R R' = C1: a symmetric matrix, so that no complex number and no general matrix root is ever needed, and
singular covariances are no special case. With Inception's features it is the FID (Heusel et al., 2017).
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from ganlab.scores.moments import Moments, check_features, moments_of


def frechet_distance(reference: Moments, other: Moments) -> float:
    """Return the squared distance of two Gaussians of these moments; quicker where the reference's root is known."""
    if len(reference.mean) != len(other.mean):
        raise ValueError(
            f"features of {len(reference.mean)} and of {len(other.mean)} values cannot be compared; "
            "they come from two extractors"
        )
    root = covariance_root(reference.covariance) if reference.root is None else reference.root
    inner = root.T @ other.covariance @ root
    roots = torch.linalg.eigvalsh((inner + inner.T) / 2).clamp_(min=0).sqrt_().sum()
    traces = reference.covariance.trace() + other.covariance.trace()
    return _distance(reference.mean, other.mean, traces, roots)


def frechet_distance_of_features(reference: Tensor, other: Tensor) -> float:
    """Return the distance of features [N, D] and [M, D]; exact and quickest of all where N and M are below D."""
    check_features(reference, other)
    if min(len(reference), len(other)) < 2:
        raise ValueError(f"{len(reference)} and {len(other)} features: each side needs at least 2")
    if max(len(reference), len(other)) >= reference.shape[1]:
        return frechet_distance(moments_of(reference), moments_of(other))
    # The root of C1 C2 has the singular values of the product of the centred features, a matrix of N by M.
    means, centred = [], []
    for features in (reference.double(), other.double()):
        means.append(features.mean(0))
        centred.append((features - means[-1]) / (len(features) - 1) ** 0.5)
    traces = centred[0].square().sum() + centred[1].square().sum()
    return _distance(means[0], means[1], traces, torch.linalg.svdvals(centred[0] @ centred[1].T).sum())


def with_root(moments: Moments) -> Moments:
    """Return moments that keep the root of their covariance: half the work of every later distance."""
    return moments if moments.root is not None else replace(moments, root=covariance_root(moments.covariance))


def covariance_root(covariance: Tensor) -> Tensor:
    """Return R [D, D] with R R' = `covariance`, by its eigenvalues; those that rounding made negative count as 0."""
    values, vectors = torch.linalg.eigh(covariance)
    root: Tensor = vectors * values.clamp(min=0).sqrt()
    return root


def _distance(mean: Tensor, other: Tensor, traces: Tensor, roots: Tensor) -> float:
    """Return the distance, which only rounding can make negative: then 0."""
    return max(0.0, float((mean - other).square().sum() + traces - 2 * roots))
