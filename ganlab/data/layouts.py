"""Images and labels -> the files of a published data set."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from ganlab.contracts import DataSpec, ImageSet
from ganlab.data.celeba_layout import CELEBA_ATTRIBUTES, EXPORTED, write_celeba
from ganlab.files import replacing

FER2013_EXPRESSIONS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")  # 0 to 6


@dataclass(frozen=True, kw_only=True)
class Layout:
    """How a published data set is written."""

    file: str  # or folder, below the one that the user names
    dataset: str  # the data set that reads it
    size_px: int
    channels: int
    labels: str  # the option `labels` that it needs
    recipe: str  # one that trains on it
    check: Callable[[DataSpec], str | None]  # what does not fit, if anything
    write: Callable[[Path, Mapping[str, ImageSet], DataSpec], dict[str, int]]  # returns part -> rows written
    marker: str | None = None  # a file in a folder that says that ganlab wrote it; no other folder is overwritten


def _fer2013_fault(spec: DataSpec) -> str | None:
    if spec.label_kind == "classes" and set(spec.label_names) == set(FER2013_EXPRESSIONS):
        return None
    return f"each image must be one of {', '.join(FER2013_EXPRESSIONS)}; its labels are {_named(spec)}"


def _celeba_fault(spec: DataSpec) -> str | None:
    if spec.label_kind == "attributes" and set(spec.label_names) == set(CELEBA_ATTRIBUTES):
        return None
    return f"each image must have CelebA's {len(CELEBA_ATTRIBUTES)} attributes; its labels are {_named(spec)}"


def _named(spec: DataSpec) -> str:
    return ", ".join(spec.label_names[:8]) + (", ..." if spec.labels > 8 else "") or "none"


def _write_fer2013(file: Path, splits: Mapping[str, ImageSet], spec: DataSpec) -> dict[str, int]:
    """Write emotion,pixels,Usage: the training images, then the test images in two halves."""
    half = (len(splits["test"].images) + 1) // 2
    parts = {
        "Training": ("train", slice(None)),
        "PublicTest": ("test", slice(half)),
        "PrivateTest": ("test", slice(half, None)),
    }
    with replacing(file) as stream:
        stream.write(b"emotion,pixels,Usage\n")
        for usage, (split, part) in parts.items():
            for row in _fer2013_rows(splits[split].images[part], splits[split].labels[part], spec):
                stream.write(f"{row},{usage}\n".encode())
    return {usage: len(splits[split].images[part]) for usage, (split, part) in parts.items()}


def _fer2013_rows(images: Tensor, labels: Tensor, spec: DataSpec) -> Iterator[str]:
    numbers = [str(FER2013_EXPRESSIONS.index(name)) for name in spec.label_names]
    value = [str(pixel) for pixel in range(256)]
    classes = labels if labels.dim() == 1 else labels.argmax(1)
    for image, label in zip(images.flatten(1), classes.tolist(), strict=True):
        yield f"{numbers[label]},{' '.join(map(value.__getitem__, image.tolist()))}"


LAYOUTS = {
    "fer2013": Layout(
        file="fer2013.csv",
        dataset="fer2013",
        size_px=48,
        channels=1,
        labels="expression",
        recipe="quickstart",
        check=_fer2013_fault,
        write=_write_fer2013,
    ),
    "celeba": Layout(
        file="celeba",
        dataset="celeba",
        size_px=128,
        channels=3,
        labels="attributes",
        recipe="dcgan_base",
        check=_celeba_fault,
        write=write_celeba,
        marker=EXPORTED,
    ),
}
