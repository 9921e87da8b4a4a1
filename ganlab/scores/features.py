"""Images and an extractor -> features, each image once, however many scores ask.

Features are remembered by the content of the images and the extractor: those of the last sets in memory, those of real
images on disk too, in `GANLAB_HOME`. Nothing goes by the name of a data set or a run.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache

import torch
from torch import Tensor

from ganlab.scores.extractors import FeatureExtractor
from ganlab.scores.images import check_pixels, digest_of
from ganlab.scores.moments import check_features

BATCH_IMAGES = 64
_REMEMBERED_BYTES = 2**30

Progress = Callable[[str, int, int], None]  # who is at work: an extractor, the model; images done, images in all
Receiver = Callable[[str, str, FeatureExtractor, Tensor], None]  # "real" or "made", the images' digest, whose, features
_progress: ContextVar[Progress | None] = ContextVar("progress", default=None)
_receiver: ContextVar[Receiver | None] = ContextVar("receiver", default=None)


@contextmanager
def told_of_progress(listener: Progress) -> Iterator[None]:
    """Tell `listener` after each batch, inside the block, how far the extraction of features is."""
    token = _progress.set(listener)
    try:
        yield
    finally:
        _progress.reset(token)


def tell_progress(what: str, done: int, total: int) -> None:
    """Tell whoever listens how many of `total` images something that takes long has done."""
    listener = _progress.get()
    if listener is not None:
        listener(what, done, total)


@contextmanager
def told_of_features(receiver: Receiver) -> Iterator[None]:
    """Hand `receiver` the features of each set of images that a score is computed from, inside the block."""
    token = _receiver.set(receiver)
    try:
        yield
    finally:
        _receiver.reset(token)


def tell_features(kind: str, images: Tensor, extractor: FeatureExtractor, features: Tensor) -> None:
    """Hand features of "real" or "made" images to whoever wants them."""
    receiver = _receiver.get()
    if receiver is not None:
        receiver(kind, digest_of(images), extractor, features)


def features_of(images: Tensor, extractor: FeatureExtractor, *, batch_images: int = BATCH_IMAGES) -> Tensor:
    """Return the features [N, D], float32 on the CPU, of uint8 images [N, C, H, W].

    Computed once for the same images and extractor while they are among the last ones. Raises `ValueError` for an
    extractor that gives another number of features than it got images, other types, or values that are not finite.
    """
    check_pixels(images)
    memory = _memory()
    key = f"{features_key(images, extractor)} {batch_images}"  # the size of a batch moves the last bits
    if key not in memory:
        memory[key] = extract(images, extractor, batch_images=batch_images)
        while len(memory) > 1 and sum(features.nbytes for features in memory.values()) > _REMEMBERED_BYTES:
            memory.popitem(last=False)
    memory.move_to_end(key)
    return memory[key].clone()


def features_key(images: Tensor, extractor: FeatureExtractor) -> str:
    """Return what tells these features from any others."""
    return f"{digest_of(images)} {extractor.name} {extractor.digest} {extractor.preprocessing}"


def extract(images: Tensor, extractor: FeatureExtractor, *, batch_images: int = BATCH_IMAGES) -> Tensor:
    """Return features as `features_of` does, computed anew."""
    parts = []
    for begin in range(0, len(images), batch_images):
        batch = images[begin : begin + batch_images]
        part = extractor(batch)
        if len(part) != len(batch):
            raise ValueError(f"the extractor {extractor.name} gave {len(part)} features for {len(batch)} images")
        check_features(part)
        parts.append(part.float().cpu())
        tell_progress(extractor.name, begin + len(batch), len(images))
    if not parts:
        raise ValueError(f"the extractor {extractor.name} was given no image")
    return torch.cat(parts)


@lru_cache(maxsize=1)
def _memory() -> OrderedDict[str, Tensor]:
    """Return the features of the last sets of images; it changes when a thing is computed, never what."""
    return OrderedDict()
