"""Options of CelebA: which part of each picture, which pictures, which labels. Imports no torch."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Literal

from pydantic import Field, field_validator

from ganlab import DatasetOptions, DataSpec

ATTRIBUTES = (
    *("5_o_Clock_Shadow", "Arched_Eyebrows", "Attractive", "Bags_Under_Eyes", "Bald", "Bangs", "Big_Lips", "Big_Nose"),
    *("Black_Hair", "Blond_Hair", "Blurry", "Brown_Hair", "Bushy_Eyebrows", "Chubby", "Double_Chin", "Eyeglasses"),
    *("Goatee", "Gray_Hair", "Heavy_Makeup", "High_Cheekbones", "Male", "Mouth_Slightly_Open", "Mustache"),
    *("Narrow_Eyes", "No_Beard", "Oval_Face", "Pale_Skin", "Pointy_Nose", "Receding_Hairline", "Rosy_Cheeks"),
    *("Sideburns", "Smiling", "Straight_Hair", "Wavy_Hair", "Wearing_Earrings", "Wearing_Hat", "Wearing_Lipstick"),
    *("Wearing_Necklace", "Wearing_Necktie", "Young"),
)  # in the order of list_attr_celeba.txt
TRAIN_COUNT = 180_000  # of seed "Generate Faces with Specific Attributes": the first so many train, the others test

Crop = Literal["centre_160", "centre_178", "smile", "ae_acgan", "full"]
SIZES_PX: dict[Crop, int] = {"centre_160": 64, "centre_178": 64, "smile": 128, "ae_acgan": 64, "full": 64}


class CelebAOptions(DatasetOptions):
    """Where the files are, what is cut out of each picture of 178 x 218, and which pictures are trained on."""

    labels: str = Field("attributes", description='"attributes" (40), the name of one, which makes two classes, or "none"')
    path: str | None = Field(
        None,
        description="the folder that holds img_align_celeba, or img_align_celeba.zip, and the tables; "
        "None: GANLAB_DATA/celeba, else ./datasets/celeba",
    )
    crop: Crop = Field(
        "centre_160",
        description="the square that is resized to size_px (bilinear, antialiased): the middle 160 or 178; smile: 128 from "
        "row 55, column 35; ae_acgan: rows 59-186, columns 24-151, every second pixel of them; full: all, made square",
    )
    partition: Literal["official", "first", "all"] = Field(
        "official",
        description="official: train and validation against test, no person in both; first: the first train_count images "
        "train, the others test, some people are in both; all: every image trains, the official test images too",
    )
    train_count: int | None = Field(
        None, ge=1, description=f'with partition = "first": how many images train; None: {TRAIN_COUNT:,}'
    )

    @field_validator("labels")
    @classmethod
    def _known(cls, labels: str) -> str:
        known = ("attributes", "none", *ATTRIBUTES)
        if labels in known:
            return labels
        by_lower_case = {name.lower(): name for name in known}
        near = get_close_matches(labels.lower(), by_lower_case, n=1, cutoff=0.6)
        hint = f"did you mean {by_lower_case[near[0]]!r}? " if near else ""
        raise ValueError(f'CelebA has no label {labels!r}; {hint}say "attributes", one of the 40 names, or "none"')

    def data_spec(self) -> DataSpec:
        """Return what the images look like."""
        if self.train_count is not None and self.partition != "first":
            raise ValueError(f'train_count = {self.train_count} needs partition = "first", not "{self.partition}"')
        if self.partition == "all" and self.split == "all":
            raise ValueError('partition = "all" and split = "all" would train on each test image twice; drop one')
        names = {"attributes": ATTRIBUTES, "none": ()}
        kind: Literal["classes", "attributes", "none"] = "classes"
        if self.labels in ("attributes", "none"):
            kind = "attributes" if self.labels == "attributes" else "none"
        return DataSpec(
            size_px=self.size_px or SIZES_PX[self.crop],
            channels=self.channels or 3,
            label_kind=kind,
            label_names=names.get(self.labels, (f"not {self.labels}", self.labels)),
            test_seen=self.partition == "all" or self.split != "train",
        )
