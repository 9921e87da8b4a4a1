"""Tiny images of every form, without files: what the kit tries components on, and a data set of them for recipes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import torch
from pydantic import Field

from ganlab.contracts import Component, DataSpec, ImageSet, LabelKind
from ganlab.hookspecs import hookimpl
from ganlab.options import DatasetOptions

LABEL_NAMES: dict[str, tuple[str, ...]] = {
    "classes": ("anger", "happy", "neutral"),
    "attributes": ("Eyeglasses", "Male", "Smiling", "Young"),
    "none": (),
}
SIZES_PX = (8, 16, 32, 48, 64, 128)


def data_spec(label_kind: LabelKind = "classes", channels: int = 1, size_px: int = 16) -> DataSpec:
    """Return what tiny images look like."""
    return DataSpec(size_px=size_px, channels=channels, label_kind=label_kind, label_names=LABEL_NAMES[label_kind])


def forms() -> Iterator[DataSpec]:
    """Yield labelled, attributed and unlabelled data, gray and colour, the small sizes first."""
    kinds: tuple[LabelKind, ...] = ("classes", "attributes", "none")
    for label_kind in kinds:
        for channels in (1, 3):
            for size_px in SIZES_PX:
                yield data_spec(label_kind, channels, size_px)


def pairs() -> Iterator[DataSpec]:
    """Yield data of two classes only, gray and colour, the small sizes first: for what translates between two domains."""
    for data in forms():
        if data.label_kind == "classes":
            yield replace(data, label_names=data.label_names[:2])


def describe(data: DataSpec) -> str:
    """Return "gray images of 16 px with classes"."""
    kind = "two classes" if data.label_kind == "classes" and data.labels == 2 else data.label_kind
    labels = "without labels" if kind == "none" else f"with {kind}"
    return f"{'gray' if data.channels == 1 else 'colour'} images of {data.size_px} px {labels}"


def images(data: DataSpec, count: int = 12, seed: int = 0) -> ImageSet:
    """Return noisy patterns, uint8 [count, C, H, W], one for each label; classes [count], attributes 0/1 [count, K]."""
    generator = torch.Generator().manual_seed(seed)
    pattern = torch.linspace(0, 160, data.size_px)
    noise = torch.rand(count, data.channels, data.size_px, data.size_px, generator=generator) * 60
    classes = torch.arange(count) % max(data.labels, 1)
    bright = (classes.view(-1, 1, 1, 1) + 1) / max(data.labels, 1)
    pixels = (pattern * bright + noise).clamp(0, 255).to(torch.uint8)
    labels = None
    if data.label_kind == "classes":
        labels = classes
    elif data.label_kind == "attributes":
        labels = (torch.rand(count, data.labels, generator=generator) < 0.5).to(torch.uint8)
        labels[torch.arange(count), classes] = 1
    return ImageSet(images=pixels, labels=labels, identities=torch.arange(count) + 1000 * seed)


class TinyOptions(DatasetOptions):
    """Tiny images; `kind` says how they are labelled."""

    kind: LabelKind = Field("classes", description="how the images are labelled")
    count: int = Field(24, ge=4, description="training images; half as many are for testing")

    def data_spec(self) -> DataSpec:
        """Return what the images look like."""
        return replace(data_spec(self.kind, self.channels or 1, self.size_px or 16), test_seen=self.split != "train")


class Tiny:
    """A data set of tiny images."""

    def __init__(self, options: TinyOptions) -> None:
        self._options = options

    def sources(self) -> list[Path]:
        """Return no file: nothing is read."""
        return []

    def read(self) -> Mapping[str, ImageSet]:
        """Return different images in both splits."""
        spec, count = self._options.data_spec(), self._options.count
        return {"train": images(spec, count), "test": images(spec, count // 2, seed=1)}


@hookimpl
def ganlab_datasets() -> list[Component]:
    """Offer the data set; the kit loads this module as a plugin of its own."""
    return [Component("tiny", Tiny, TinyOptions, summary="tiny images of every form")]
