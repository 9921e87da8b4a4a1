"""A promise and a split that a data set has read -> what is wrong with them, in words; None if nothing is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

import numpy as np

from ganlab.contracts import DataSpec, ImageSet
from ganlab.registry import with_article

_SHOWN = 5  # names in one line


def spec_fault(spec: object) -> str | None:
    """Return what is wrong with a promise."""
    if not isinstance(spec, DataSpec):
        return f"{with_article(type(spec).__name__)}, not a ganlab.DataSpec"
    if not isinstance(spec.size_px, int) or spec.size_px < 1:
        return f"size_px = {spec.size_px!r}, not a number of pixels"
    if spec.channels not in (1, 3):
        return f"channels = {spec.channels!r}, neither 1 (gray) nor 3 (colour)"
    if spec.label_kind not in ("classes", "attributes", "none"):
        return f'label_kind = {spec.label_kind!r}, none of "classes", "attributes" and "none"'
    if (spec.label_kind == "none") != (spec.labels == 0):
        return f'label_kind = "{spec.label_kind}" and names {spec.labels} labels'
    wrong = [name for name in spec.label_names if not isinstance(name, str) or not name.strip()]
    if wrong:
        return f"a label is called {wrong[0]!r}"
    twice = [name for name, count in Counter(spec.label_names).items() if count > 1]
    return f"two labels are called {twice[0]!r}" if twice else None


def splits_fault(splits: Mapping[str, object]) -> str | None:
    """Return what is wrong with the splits as a whole: those that must be there, each with images."""
    missing = [split for split in ("train", "test") if split not in splits]
    if missing:
        return f"read() gives the splits {', '.join(splits) or 'none'}; {' and '.join(missing)} must be there"
    for split, images in splits.items():
        if not isinstance(images, ImageSet):
            return f"split {split}: {with_article(type(images).__name__)}, not a ganlab.ImageSet"
        if images.images is None:
            return f"split {split}: {image_fault(images)}"
        if not len(images.images):
            return f"split {split}: holds no image"
    return None


def image_fault(images: ImageSet) -> str | None:
    """Return what is wrong with the images of a split."""
    pixels = _array(images.images)
    if pixels is None:
        return f"images are {with_article(type(images.images).__name__)}, not a numpy array or a torch tensor on the CPU"
    if pixels.dtype != np.uint8 or pixels.ndim != 4 or pixels.shape[1] not in (1, 3):
        return f"images are {_what(pixels)}, not uint8 [N, 1 or 3, H, W]"
    if pixels.shape[2] != pixels.shape[3]:
        return f"images are {_what(pixels)}, not square"
    if pixels.max() <= 1:
        return f"the brightest pixel is {pixels.max()}; uint8 images go from 0 to 255, not to 1"
    return None


def label_fault(images: ImageSet, promised: DataSpec) -> str | None:
    """Return what is wrong with the labels of a split; labels that nobody promised are ganlab's to ignore."""
    count, kinds = promised.labels, promised.label_kind
    if kinds == "none":
        return None
    if images.labels is None:
        return f"has no labels; data_spec() promises {count} {kinds}"
    labels, number = _array(images.labels), len(images.images)
    if labels is None:
        return f"labels are {with_article(type(images.labels).__name__)}, not a numpy array or a torch tensor on the CPU"
    form = f"[{number}] or [{number}, {count}]" if kinds == "classes" else f"[{number}, {count}]"
    if labels.shape not in {(number,), (number, count)} or (labels.ndim == 1 and kinds == "attributes"):
        return f"labels are {_what(labels)}, not {form}: {number} images, {count} {kinds}"
    if labels.ndim == 2:
        if not np.isin(labels, (0, 1)).all():
            return f"labels hold {labels[~np.isin(labels, (0, 1))][0]}, not 0 or 1 only"
        classes = labels.astype(np.int64).sum(1)
        if kinds == "classes" and (classes != 1).any():
            row = int((classes != 1).argmax())
            return f"image {row} is of {classes[row]} classes, not of one"
        return None
    if not np.issubdtype(labels.dtype, np.integer):
        return f"labels are {_what(labels)}, not class indices"
    if labels.min() < 0 or labels.max() >= count:
        return f"labels go from {labels.min()} to {labels.max()}; data_spec() names {count} classes, 0 to {count - 1}"
    return None


def label_remark(images: ImageSet, promised: DataSpec) -> str | None:
    """Return which of the promised labels no image has, or that labels are there which nobody promised."""
    if promised.label_kind == "none":
        return "labels are read, and data_spec() says that there are none" if images.labels is not None else None
    labels = np.asarray(images.labels)
    found = np.flatnonzero(labels.any(axis=0)) if labels.ndim == 2 else np.unique(labels)
    never = [name for index, name in enumerate(promised.label_names) if index not in found]
    if not never:
        return None
    more = f" and {len(never) - _SHOWN} more" if len(never) > _SHOWN else ""
    return f"no image is labelled {', '.join(never[:_SHOWN])}{more}"


def identity_fault(images: ImageSet) -> str | None:
    """Return what is wrong with the identities of a split."""
    if images.identities is None:
        return None
    identities, number = _array(images.identities), len(images.images)
    if identities is None or identities.shape != (number,) or not np.issubdtype(identities.dtype, np.integer):
        what = with_article(type(images.identities).__name__) if identities is None else _what(identities)
        return f"identities are {what}, not int64 [{number}]"
    return None


def name_fault(images: ImageSet) -> str | None:
    """Return what is wrong with the names of the images of a split."""
    if images.names is None:
        return None
    if len(images.names) != len(images.images):
        return f"{len(images.names)} names for {len(images.images)} images"
    wrong = [name for name in images.names if not isinstance(name, str) or not name.strip()]
    if wrong:
        return f"an image is called {wrong[0]!r}"
    twice = [name for name, count in Counter(images.names).items() if count > 1]
    return f"two images are called {twice[0]!r}" if twice else None


def digests(images: ImageSet) -> list[bytes]:
    """Return what tells the images of a split apart, one by one."""
    return [blake2b(np.ascontiguousarray(image).tobytes(), digest_size=16).digest() for image in np.asarray(images.images)]


def _array(values: Any) -> Any:
    """Return a numpy view of an array or tensor; None for anything else."""
    if not hasattr(values, "dtype") or not hasattr(values, "shape"):
        return None
    try:
        return np.asarray(values)
    except (TypeError, ValueError, RuntimeError):  # on another device, or of a type that numpy does not know
        return None


def _what(array: Any) -> str:
    return f"{array.dtype} {list(array.shape)}"
