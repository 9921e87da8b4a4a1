"""Real images -> their features and statistics, kept on disk by content, so that each is computed once.

The key is the SHA-256 of the images' own pixels, in their order, and of the extractor's name, weights and preprocessing:
one pixel changed is another key, and no name of a data set is in it. A file is whole or absent, holds nothing pickled, and
is checked when read; a damaged one is made anew.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganlab.errors import DeviceError
from ganlab.files import explained, replacing
from ganlab.home import home
from ganlab.scores.extractors import FeatureExtractor
from ganlab.scores.features import BATCH_IMAGES, features_of, tell_features
from ganlab.scores.frechet import frechet_distance_of_features, with_root
from ganlab.scores.images import digest_of
from ganlab.scores.moments import Moments, moments_of

_FORMAT = 1  # of the files and of the path from pixels to features; another number, another key


@dataclass(frozen=True, kw_only=True)
class Statistics:
    """What scores need to know of real images."""

    moments: Moments  # with the root of the covariance if it is not singular
    floor: float  # Frechet distance of one random half from the other: what chance alone gives at that number
    floor_images: int  # in a half


def reference_key(images: Tensor, extractor: FeatureExtractor, *, batch_images: int = BATCH_IMAGES) -> dict[str, object]:
    """Return what decides the features of real images, in words and digests."""
    return {
        "format": _FORMAT,
        "images": digest_of(images),
        "extractor": extractor.name,
        "extractor_digest": extractor.digest,
        "preprocessing": extractor.preprocessing,
        "batch_images": batch_images,
    }


def real_features(images: Tensor, extractor: FeatureExtractor, *, batch_images: int = BATCH_IMAGES) -> Tensor:
    """Return the features [N, D] of uint8 real images [N, C, H, W], from disk if they were computed before."""
    key = reference_key(images, extractor, batch_images=batch_images)

    def make() -> dict[str, Tensor]:
        return {"features": features_of(images, extractor, batch_images=batch_images)}

    features = _kept(_file(key, "features"), key, make)["features"]
    tell_features("real", images, extractor, features)
    return features


def real_statistics(images: Tensor, extractor: FeatureExtractor, *, batch_images: int = BATCH_IMAGES) -> Statistics:
    """Return moments and noise floor of uint8 real images, N at least 4, from disk if they were computed before."""
    if len(images) < 4:
        raise ValueError(f"{len(images)} real images: two halves of at least 2 are needed to tell what chance gives")
    key = reference_key(images, extractor, batch_images=batch_images)

    def make() -> dict[str, Tensor]:
        features = real_features(images, extractor, batch_images=batch_images)
        moments = moments_of(features)
        if moments.count > len(moments.mean):  # else the covariance is singular, and there are quicker ways
            moments = with_root(moments)
        floor = torch.tensor(frechet_distance_of_features(*halves(features)), dtype=torch.float64)
        root = {} if moments.root is None else {"root": moments.root}
        return {"mean": moments.mean, "covariance": moments.covariance, "floor": floor, **root}

    held = _kept(_file(key, "statistics"), key, make)
    return Statistics(
        moments=Moments(count=len(images), mean=held["mean"], covariance=held["covariance"], root=held.get("root")),
        floor=float(held["floor"]),
        floor_images=len(images) // 2,
    )


def halves(features: Tensor, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Return two random disjoint halves of features [N, D], equally long; of an odd number one is left out."""
    order = torch.randperm(len(features), generator=torch.Generator().manual_seed(seed))
    half = len(features) // 2
    return features[order[:half]], features[order[half : 2 * half]]


def references_folder() -> Path:
    """Return where features and statistics of real images are kept; deleting it costs time only."""
    return home() / "references"


def _file(key: Mapping[str, object], what: str) -> Path:
    digest = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()
    return references_folder() / f"{digest[:32]}.{what}.npz"


def _kept(path: Path, key: Mapping[str, object], make: Callable[[], dict[str, Tensor]]) -> dict[str, Tensor]:
    """Return what `path` holds under `key`; where it is absent or damaged, what `make` computes, then kept there."""
    words = json.dumps(key, sort_keys=True)
    held = _read(path, words)
    if held is None:
        held = make()
        arrays: dict[str, Any] = {name: tensor.numpy() for name, tensor in held.items()}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise explained(error, path.parent) from error
        with replacing(path) as file:
            np.savez(file, key=np.array(words), **arrays)
    return held


def _read(path: Path, words: str) -> dict[str, Tensor] | None:
    """Return the tensors of a file whose sums of bytes are right and whose key is `words`; else nothing."""
    try:
        with path.open("rb") as content, np.load(content, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}  # zipfile checks each member's CRC-32
    except FileNotFoundError:
        return None
    except (OSError, ValueError, EOFError, KeyError, RuntimeError, zipfile.BadZipFile) as error:
        if isinstance(error, PermissionError):
            raise DeviceError(f"{path}: cannot be read: {error.strerror}. Mend its permissions, or delete it.") from error
        return None
    if str(arrays.pop("key", "")) != words:
        return None
    tensors = {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in arrays.items()}
    return tensors if all(bool(tensor.isfinite().all()) for tensor in tensors.values()) else None
