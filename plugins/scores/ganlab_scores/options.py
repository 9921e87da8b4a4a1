"""The options of the scores. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field

from ganlab import ModelName, Options


class ConditionalOptions(Options):
    """Who judges, and which images."""

    judge: ModelName = Field(
        None, description="a classifier of the same labels, trained on real images: a run, a checkpoint, NAME@ALIAS"
    )
    images: int | None = Field(
        2_000, ge=4, description="images made, and at most so many real ones; None: as many as there are test images"
    )
    seed: int = Field(0, ge=0, lt=2**31, description="of the choice of real images, and of what is made")

    SMALL: ClassVar[Mapping[str, Any]] = {"images": 12}


class JudgedDistanceOptions(ConditionalOptions):
    """Whose features, and of which images."""

    images: int | None = Field(
        None, ge=4, description="images made, and at most so many real ones; None: as many as there are test images"
    )
    seeds: int = Field(1, ge=1, le=100, description="sets of images made, each by a seed; of two or more an interval is told")


class DiversityOptions(Options):
    """How many outputs of how many labels."""

    conditions: int = Field(100, ge=1, description="rows of labels, of real images drawn by the seed")
    outputs: int = Field(10, ge=2, le=1_000, description="images made for each; every two of them are compared")
    seed: int = Field(0, ge=0, lt=2**31, description="of the labels, and of what is made")

    SMALL: ClassVar[Mapping[str, Any]] = {"conditions": 3, "outputs": 3}


class MemorisationOptions(Options):
    """Which images."""

    images: int | None = Field(1_000, ge=4, description="images made; None: as many as there are training images")
    seed: int = Field(0, ge=0, lt=2**31, description="of the labels, of what is made, and of the training images")
    training_images: int = Field(
        50_000, ge=2, description="training images, drawn by the seed, among which the nearest is looked for"
    )

    SMALL: ClassVar[Mapping[str, Any]] = {"images": 12}
