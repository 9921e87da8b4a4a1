"""The options of the scores. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field

from ganlab import Options


class SamplingOptions(Options):
    """Which images are compared."""

    images: int | None = Field(
        10_000, ge=4, description="images made, and at most so many real ones; None: as many as there are test images"
    )
    seed: int = Field(0, ge=0, lt=2**31, description="of the choice of real images and of the first set of made ones")
    seeds: int = Field(1, ge=1, le=100, description="sets of images made, each by a seed; of two or more an interval is told")
    batch_images: int = Field(64, ge=1, description="images that the feature network sees at once")

    SMALL: ClassVar[Mapping[str, Any]] = {"images": 8}


class InceptionOptions(SamplingOptions):
    """Which images are compared, by which Inception."""

    weights: str | None = Field(
        None, description="file of Inception's weights, or its folder; None: GANLAB_FID_WEIGHTS, else weights in GANLAB_HOME"
    )
    allow_unknown_weights: bool = Field(
        False, description="open a file of unknown digest, which may execute code, and name the scores otherwise"
    )


class ClassOptions(Options):
    """Which images of a class are compared."""

    images_of_class: int = Field(
        1_000, ge=2, description="made and real images of a class; fewer if there are no more real ones"
    )
    seed: int = Field(0, ge=0, lt=2**31, description="of the choice of real images, and of what is made")
    batch_images: int = Field(64, ge=1, description="images that the feature network sees at once")

    SMALL: ClassVar[Mapping[str, Any]] = {"images_of_class": 4}


class InceptionClassOptions(ClassOptions):
    """Which images of a class are compared, by which Inception."""

    weights: str | None = Field(
        None, description="file of Inception's weights, or its folder; None: GANLAB_FID_WEIGHTS, else weights in GANLAB_HOME"
    )
    allow_unknown_weights: bool = Field(
        False, description="open a file of unknown digest, which may execute code, and name the scores otherwise"
    )


class NeighbourOptions(InceptionOptions):
    """Which images are compared, and how many neighbours a ball reaches to."""

    k: int = Field(5, ge=1, description="neighbours; published precision and recall use 3, density and coverage 5")
