"""Options of a folder of images: where it lies, what labels them, which are kept for testing. Imports no torch."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field, field_validator

from ganlab import DatasetOptions, DataSpec

KINDS: dict[str, Literal["classes", "attributes", "none"]] = {
    "classes": "classes",
    "expression": "classes",  # what published recipes call the one class of an image
    "attributes": "attributes",
    "none": "none",
}
SIZE_PX, CHANNELS = 64, 3


class ImageFolderOptions(DatasetOptions):
    """Where the images are, what labels them, and which of them are kept for testing."""

    labels: str = Field(
        "classes",
        description='"classes" (or "expression"): one for each image, its folder or in the table; "attributes": the columns '
        'of the table, or the name of one, which makes two classes; or "none"',
    )
    path: str | None = Field(
        None, description="the folder of the images; None: GANLAB_DATA/image_folder, else ./datasets/image_folder"
    )
    labels_file: str | None = Field(
        None,
        description="the table in the folder, a CSV file with the columns file,label or file and one for each attribute (0 and "
        "1, or -1 and 1); None: labels.csv or attributes.csv, else the class of an image is its sub-folder",
    )
    label_names: tuple[str, ...] = Field(
        (), description="the classes, or the attributes, in order; empty: those that are found, sorted or as in the table"
    )
    test_share: float = Field(
        0.2,
        gt=0,
        lt=1,
        description="share of the images to test on, drawn by content; not used if there are train and test folders",
    )
    seed: int = Field(0, ge=0, lt=2**32, description="of that draw, and of the order of the images")

    SMALL: ClassVar = {"size_px": 16}

    @field_validator("label_names")
    @classmethod
    def _distinct(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(names)) < len(names) or not all(name.strip() for name in names):
            raise ValueError("each name must be there once, and none may be empty")
        return names

    def found(self) -> Self:
        """Return the options with the names of the labels, which only the folder knows."""
        if self.label_names or KINDS.get(self.labels, "attribute") not in ("classes", "attributes"):
            return self
        from ganlab_image_folder.files import find

        return self.model_copy(update={"label_names": find(self).label_names})

    def data_spec(self) -> DataSpec:
        """Return what the images look like."""
        kind, names = KINDS.get(self.labels, "classes"), self.label_names
        if self.labels not in KINDS:
            names = (f"not {self.labels}", self.labels)
        elif kind == "none":
            names = ()
        if self.label_names and (self.labels not in KINDS or kind == "none"):
            raise ValueError(f'label_names goes with labels = "classes" or "attributes", not "{self.labels}"')
        if kind != "none" and not names:
            raise ValueError(f'labels = "{self.labels}" are named in the folder only, which was not looked at; set label_names')
        return DataSpec(
            size_px=self.size_px or SIZE_PX,
            channels=self.channels or CHANNELS,
            label_kind=kind,
            label_names=names,
            test_seen=self.split != "train",
        )
