"""The options of the data set. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, ClassVar, Literal

from pydantic import Field, field_validator

from ganlab import DatasetOptions, DataSpec
from ganlab_synthetic_faces.names import ATTRIBUTES, EXPRESSIONS, IDENTITIES_PER_SPLIT, LARGEST_PX, SMALLEST_PX


class SyntheticFacesOptions(DatasetOptions):
    """Faces to draw: 48 px, gray, with their expressions, unless said otherwise."""

    level: Literal["easy", "default", "hard"] = Field(
        "default", description="how hard expressions are to read: their strength, their noise and the pose"
    )
    seed: int = Field(0, ge=0, lt=2**32, description="which people and pictures are drawn")
    identities: int = Field(
        2_000, ge=1, le=IDENTITIES_PER_SPLIT, description="people in the training images; each is drawn seven times"
    )
    test_identities: int = Field(
        200, ge=1, le=IDENTITIES_PER_SPLIT, description="other people, in the test images; each is drawn seven times"
    )

    SMALL: ClassVar[Mapping[str, Any]] = {"identities": 6, "test_identities": 3, "size_px": 16}

    @field_validator("size_px")
    @classmethod
    def _drawable(cls, size_px: int | None) -> int | None:
        if size_px is not None and not SMALLEST_PX <= size_px <= LARGEST_PX:
            raise ValueError(f"faces are drawn from {SMALLEST_PX} to {LARGEST_PX} pixels, not {size_px}")
        return size_px

    @field_validator("labels")
    @classmethod
    def _known(cls, labels: str) -> str:
        known = ("expression", "attributes", *ATTRIBUTES)
        if labels in known:
            return labels
        by_lower_case = {name.lower(): name for name in known}
        near = get_close_matches(labels.lower(), by_lower_case, n=1, cutoff=0.5)
        hint = f"Did you mean {by_lower_case[near[0]]!r}? " if near else ""
        raise ValueError(f"no label is called {labels!r}. {hint}Say expression, attributes or one of CelebA's 40 names")

    def data_spec(self) -> DataSpec:
        """Return what the images look like."""
        kind: Literal["classes", "attributes"] = "attributes" if self.labels == "attributes" else "classes"
        names = {"expression": EXPRESSIONS, "attributes": ATTRIBUTES}
        return DataSpec(
            size_px=self.size_px or 48,
            channels=self.channels or 1,
            label_kind=kind,
            label_names=names.get(self.labels, (f"not {self.labels}", self.labels)),
            test_seen=self.split != "train",
        )
