"""`dataset.classes`: the options of a data set -> what its images look like, and its images, of the named classes alone.

Importing this module imports no torch.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ganlab.contracts import DataSpec, ImageSet
from ganlab.errors import DataError
from ganlab.options import DatasetOptions
from ganlab.registry import did_you_mean, near_names
from ganlab.spec_faults import Faults

if TYPE_CHECKING:
    from torch import Tensor

    from ganlab.data.cache import CachedImages


def data_of(faults: Faults, options: DatasetOptions) -> DataSpec | None:
    """Return what the images look like, with the chosen classes only; remember what is wrong, and return None."""
    try:
        whole = options.data_spec()
    except ValueError as error:
        faults.add(("dataset",), str(error))
        return None
    if options.classes is None:
        return whole
    if reason := _fault(whole, options.classes):
        faults.add(("dataset", "classes"), reason)
        return None
    return replace(whole, label_names=options.classes)


def keep_classes(images: CachedImages, options: DatasetOptions) -> CachedImages:
    """Return, of everything that a data set reads, the images of `options.classes`, labelled in their order.

    Raises `DataError` for a split without any. Where only some of the classes are kept, their images lie in memory.
    """
    if options.classes is None:
        return images
    names = options.data_spec().label_names
    chosen = [names.index(name) for name in options.classes]
    splits = {split: _of_classes(each, chosen, len(names)) for split, each in images.splits.items()}
    for split, kept in splits.items():
        if not len(kept.images):
            raise DataError(f"dataset.classes: the split {split} has no image of {' or '.join(options.classes)}")
    content = json.dumps([images.fingerprint, options.classes])
    return replace(images, splits=splits, fingerprint=hashlib.sha256(content.encode()).hexdigest())


def _fault(whole: DataSpec, classes: Sequence[str]) -> str | None:
    if whole.label_kind == "none":
        return "these data have no labels, so there is no class to choose"
    if whole.label_kind != "classes":
        return f'the labels are {whole.label_kind}, not classes; say dataset.labels = "{whole.label_names[0]}" for two classes'
    known = f"; classes are {', '.join(whole.label_names)}"
    if not classes:
        return f"names no class{known}"
    unknown = [name for name in classes if name not in whole.label_names]
    if unknown:
        return f"no class is called {unknown[0]!r}{did_you_mean(near_names(unknown[0], whole.label_names)) or known}"
    twice = [name for index, name in enumerate(classes) if name in classes[:index]]
    return f"{twice[0]!r} is there twice; name each class once" if twice else None


def _of_classes(images: ImageSet, chosen: Sequence[int], count: int) -> ImageSet:
    """Return the images whose class is one of `chosen`, of `count` classes, with its place there as their label."""
    import torch

    labels: Tensor = images.labels.argmax(1) if images.labels.dim() == 2 else images.labels
    places = torch.full((count,), -1)
    places[torch.tensor(chosen)] = torch.arange(len(chosen))
    places = places[labels]
    if bool((places >= 0).all()):  # another order only: the images stay memory-mapped
        return replace(images, labels=places)
    rows = (places >= 0).nonzero()[:, 0]
    return ImageSet(
        images=images.images[rows],
        labels=places[rows],
        identities=None if images.identities is None else images.identities[rows],
        names=None if images.names is None else [images.names[row] for row in rows.tolist()],
    )
