"""What a recipe may say of a classifier: its network, its training, its scores. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field

from ganlab import ArchitectureOptions, DataSpec, Family, LossName, ObjectiveOptions, Options
from ganlab.options import Augmentation

SMALLEST_PX = 16
LAST_PX = 6  # images are halved until their side is this or less


def check_labels(name: str, data: DataSpec) -> None:
    """Raise ValueError for data without labels to tell apart."""
    if data.labels == 0:
        raise ValueError(f'the data have no labels; {name} needs classes or attributes, such as dataset.labels = "expression"')
    if data.label_kind == "classes" and data.labels < 2:
        raise ValueError(f"there is one class only, {data.label_names[0]}; {name} needs two to tell apart")


class FaceCnnOptions(ArchitectureOptions):
    """The size of the network."""

    width: int = Field(32, ge=4, le=256, description="channels after the first halving; each next one doubles them, up to 8 x")
    depth: int = Field(1, ge=0, le=4, description="3x3 convolutions after each halving")
    dropout: float = Field(0.3, ge=0, lt=1, description="share of the last features that is left out while training")

    SMALL: ClassVar[Mapping[str, Any]] = {"width": 4}

    def roles(self, data: DataSpec) -> dict[str, str]:
        """Return what the network takes and gives."""
        check_labels("face_cnn", data)
        if data.size_px < SMALLEST_PX:
            raise ValueError(f"face_cnn needs images of {SMALLEST_PX} px or more, not {data.size_px}")
        return {"classifier": "images -> classes"}

    def makes(self) -> frozenset[str]:
        """Return that the network classifies."""
        return frozenset({"classify"})


class ClassificationOptions(ObjectiveOptions):
    """Supervised training of one network."""

    classification: Annotated[LossName, Family("classification")] = Field(
        "categorical", description='"categorical" for classes, "binary" for attributes'
    )
    augment: tuple[Augmentation, ...] = Field((), description="how training images are changed, beside training.flip")

    def players(self) -> dict[str, tuple[str, ...]]:
        """Return the one player."""
        return {"classifier": ("classifier",)}

    def needs(self) -> dict[str, str]:
        """Return the one network."""
        return {"classifier": "images -> classes"}


class AccuracyOptions(Options):
    """There is nothing to choose: every test image counts once."""
