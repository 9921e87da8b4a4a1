"""Features in batches -> their mean and covariance, in float64, however far from zero they lie."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Moments:
    """What a Frechet distance needs to know of N features of D values each; float64."""

    count: int  # N
    mean: Tensor  # [D]
    covariance: Tensor  # [D, D], divided by N - 1
    root: Tensor | None = None  # [D, D], root @ root.T is the covariance; None: not computed yet

    def to(self, device: torch.device) -> Moments:
        """Return the same on `device`."""
        root = None if self.root is None else self.root.to(device)
        return Moments(count=self.count, mean=self.mean.to(device), covariance=self.covariance.to(device), root=root)


class RunningMoments:
    """Adds up features that come in batches, as float64 sums of their distances from the first batch's mean.

    Sums of squares about zero lose the digits of a mean that is large beside the spread: of features with mean 100 and
    standard deviation 0.2 float32 sums are a third wrong, and float64 ones keep nine digits.
    """

    def __init__(self) -> None:
        self.count = 0
        self._shift = self._sum = self._products = torch.zeros(0, dtype=torch.float64)

    def add(self, features: Tensor) -> None:
        """Take in features [N, D] of any floating type; raises `ValueError` for another D or a value that is not finite."""
        check_features(features)
        if not len(features):
            return
        values = features.double()
        if not self.count:
            width = values.shape[1]
            self._shift = values.mean(0)
            self._sum = values.new_zeros(width)
            self._products = values.new_zeros(width, width)
        _check_widths(values.shape[1], len(self._shift))
        values = values - self._shift
        self.count += len(values)
        self._sum += values.sum(0)
        self._products.addmm_(values.T, values)

    def merge(self, other: RunningMoments) -> None:
        """Take in what another process added up (Chan, Golub and LeVeque, 1979)."""
        if not other.count:
            return
        if not self.count:
            self.count = other.count
            self._shift, self._sum, self._products = other._shift, other._sum.clone(), other._products.clone()
            return
        _check_widths(len(other._shift), len(self._shift))
        count = self.count + other.count
        distance = other._mean() - self._mean()
        scatter = self._scatter() + other._scatter() + torch.outer(distance, distance) * (self.count * other.count / count)
        mean = self._mean() + distance * (other.count / count)
        self.count, self._shift, self._sum, self._products = count, mean, torch.zeros_like(mean), scatter

    def moments(self) -> Moments:
        """Return mean and unbiased covariance; raises `ValueError` for fewer than two features."""
        if self.count < 2:
            raise ValueError(f"{self.count} features have no covariance; at least 2 are needed")
        return Moments(count=self.count, mean=self._mean(), covariance=self._scatter() / (self.count - 1))

    def _mean(self) -> Tensor:
        return self._shift + self._sum / self.count

    def _scatter(self) -> Tensor:
        """Return the sum of the squared distances from the mean, [D, D]."""
        return self._products - torch.outer(self._sum, self._sum) / self.count


def moments_of(features: Tensor, batch_rows: int = 4096) -> Moments:
    """Return mean and covariance of features [N, D], N at least 2."""
    running = RunningMoments()
    for part in features.split(batch_rows):
        running.add(part)
    return running.moments()


def check_features(*sets: Tensor) -> None:
    """Raise `ValueError` for anything but finite floating [N, D] with one D."""
    for features in sets:
        if features.dim() != 2 or not features.is_floating_point():
            raise ValueError(f"features are floating [N, D], not {features.dtype} {list(features.shape)}")
        if not bool(features.isfinite().all()):
            raise ValueError(f"{int((~features.isfinite()).any(1).sum())} of {len(features)} features are not finite")
        _check_widths(features.shape[1], sets[0].shape[1])


def _check_widths(one: int, other: int) -> None:
    if one != other:
        raise ValueError(f"features of {one} and of {other} values cannot be compared; they come from two extractors")
