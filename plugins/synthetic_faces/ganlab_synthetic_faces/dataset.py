"""The data set: draws its training and test images when a run asks for them; no two splits share a person."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from ganlab import ImageSet
from ganlab_synthetic_faces.names import ATTRIBUTES, EXPRESSIONS
from ganlab_synthetic_faces.options import SyntheticFacesOptions
from ganlab_synthetic_faces.rendering import render
from ganlab_synthetic_faces.sampling import Faces, faces
from ganlab_synthetic_faces.traits import attributes


class SyntheticFaces:
    """Drawn faces whose person, scene and expression are known."""

    def __init__(self, options: SyntheticFacesOptions) -> None:
        self._options = options

    def sources(self) -> list[Path]:
        """Return no file: nothing is read."""
        return []

    def read(self) -> dict[str, ImageSet]:
        """Return the splits "train" and "test"; `options.split` and `options.images` choose among them later."""
        options = self._options
        return {"train": self._drawn("train", options.identities), "test": self._drawn("test", options.test_identities)}

    def _drawn(self, split: str, identities: int) -> ImageSet:
        options, spec = self._options, self._options.data_spec()
        drawn = faces(
            options.seed,
            torch.arange(identities * len(EXPRESSIONS)),
            level=options.level,
            split=split,
            labels=options.labels,
            identities=identities,
        )
        images = render(drawn.identity, drawn.scene, drawn.expression, spec.size_px, spec.channels)
        return ImageSet(images=images, labels=_labels(drawn, options.labels), identities=drawn.persons)


def _labels(drawn: Faces, labels: str) -> Tensor:
    """Return class indices, int64 [N], or attributes, 0/1 uint8 [N, 40]."""
    if labels == "expression":
        return drawn.labels
    columns = attributes(drawn.identity, drawn.expression)
    return columns if labels == "attributes" else columns[:, ATTRIBUTES.index(labels)].long()
