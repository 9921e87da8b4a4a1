"""Random numbers that are a hash of (seed, stream, index, name): the same for any subset, order or number of rows."""

from __future__ import annotations

import zlib

import torch
from torch import Tensor

# splitmix64 (Steele, Lea and Flood, 2014), in the wrapping int64 arithmetic of torch.
_GOLDEN = 0x9E3779B97F4A7C15
_FIRST = 0xBF58476D1CE4E5B9
_SECOND = 0x94D049BB133111EB


class Draws:
    """Draws one number a row; each has a name of its own, so that a new one changes none of the others."""

    def __init__(self, seed: int, stream: str, index: Tensor) -> None:
        """Take the rows' numbers `index`, int64 [N]."""
        start = _signed(seed * _GOLDEN + zlib.crc32(stream.encode()))
        self._keys = _mix(_mix(index.long() + start) + _signed(_GOLDEN))

    def words(self, name: str) -> Tensor:
        """Return 64 random bits a row, int64 [N]."""
        return _mix(self._keys + _signed(zlib.crc32(name.encode()) * _GOLDEN))

    def uniform(self, name: str, low: float = 0.0, high: float = 1.0) -> Tensor:
        """Return [N] evenly in [low, high)."""
        return _unit(self.words(name)) * (high - low) + low

    def normal(self, name: str, deviation: float, limit: float = 2.2) -> Tensor:
        """Return [N] around 0, cut off at `limit` deviations."""
        return _bell(self.words(name)).clamp(-limit, limit) * deviation

    def claim(self, name: str, probability: float | Tensor) -> Tensor:
        """Return 1.0 with the probability (one number, or one a row), else 0.0, [N]."""
        return (_unit(self.words(name)) < probability).float()

    def colour(self, name: str, low: float, high: float) -> Tensor:
        """Return red, green and blue, each evenly in [low, high), [N, 3]."""
        return torch.stack([self.uniform(f"{name} {part}", low, high) for part in "rgb"], 1)


def lattice(seed: int, stream: str, fields: int, size: int) -> Tensor:
    """Return noise of mean 0 and deviation 1, [fields, size, size], the same at every call."""
    return _bell(Draws(seed, stream, torch.arange(fields * size * size)).words("")).view(fields, size, size)


def _unit(words: Tensor) -> Tensor:
    return ((words >> 40) & 0xFFFFFF).float() * 2.0**-24


def _bell(words: Tensor) -> Tensor:
    """Return the standardised sum of four 16-bit numbers: nearly normal, and exact on every machine."""
    low, high = words & 0xFFFF0000FFFF, (words >> 16) & 0xFFFF0000FFFF
    pairs = low + high
    total = (pairs & 0xFFFFFFFF) + (pairs >> 32)
    return total.float().mul_(2.0**-16).sub_(2.0).mul_(3.0**0.5)


def _mix(words: Tensor) -> Tensor:
    words = (words ^ _shifted(words, 30)) * _signed(_FIRST)
    words = (words ^ _shifted(words, 27)) * _signed(_SECOND)
    return words ^ _shifted(words, 31)


def _shifted(words: Tensor, bits: int) -> Tensor:
    """Return the words moved right, zeros coming in from the left."""
    return (words >> bits) & ((1 << (64 - bits)) - 1)


def _signed(value: int) -> int:
    return (value + 2**63) % 2**64 - 2**63
