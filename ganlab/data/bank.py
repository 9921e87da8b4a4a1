"""A split of images in one uint8 tensor -> batches on the device, normalised and mirrored there; no worker processes."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ganlab.contracts import Batch, ImageSet
from ganlab.errors import DataError


@dataclass(frozen=True, kw_only=True)
class Bank:
    """Images and labels to draw from; memory-mapped on the CPU, or on the device when they fit."""

    images: Tensor  # uint8 [N, C, H, W]
    labels: Tensor  # float32 [N, K] on the run's device
    device: torch.device  # of the run

    def __len__(self) -> int:
        return len(self.images)

    def batch(self, rows: Tensor, *, flip: bool) -> Batch:
        """Return the images at `rows` [n], int64 on the CPU, in [-1, 1]; `flip`: each mirrored with probability 1/2."""
        here = self._moved(rows)
        images = self.images.index_select(0, here if self.images.device == self.device else rows)
        images = images.to(self.device)
        images = images.to(torch.float32, memory_format=torch.channels_last).div_(127.5).sub_(1)
        if flip:
            mirrored = torch.rand(len(images), 1, 1, 1, device=self.device) < 0.5
            images = torch.where(mirrored, images.flip(3), images)
        return Batch(images=images, labels=self.labels.index_select(0, here))

    def label_rows(self, rows: Tensor) -> Tensor:
        """Return the labels at `rows` [n], int64 on the CPU, [n, K]."""
        return self.labels.index_select(0, self._moved(rows))

    def _moved(self, rows: Tensor) -> Tensor:
        """Return `rows` on the device; from pinned memory, so that the host does not wait for a GPU."""
        if self.device.type == "cuda":
            return rows.pin_memory().to(self.device, non_blocking=True)
        return rows.to(self.device)


def make_bank(images: ImageSet, labels: int, device: torch.device) -> Bank:
    """Return a bank of `images` with K = `labels`, on the device if they take at most half of its free memory."""
    pixels = images.images
    if device.type == "cuda" and pixels.nbytes <= torch.cuda.mem_get_info(device)[0] / 2:
        pixels = pixels.to(device)
    return Bank(images=pixels, labels=one_hot(images.labels, labels, len(pixels)).to(device), device=device)


def one_hot(labels: Tensor | None, count: int, images: int) -> Tensor:
    """Return labels as float32 [N, K] from class indices [N], 0/1 [N, K] or none at all (K = 0)."""
    if labels is None or count == 0:
        return torch.zeros(images, 0)
    if labels.dim() == 2:
        return labels.float()
    return torch.zeros(images, count).scatter_(1, labels.long()[:, None], 1.0)


def select(splits: dict[str, ImageSet], split: str, images: int | None) -> ImageSet:
    """Return the images to train on: one split or all, the first `images` of them."""
    if split == "all":
        chosen = _joined(splits["train"], splits["test"])
    elif split in splits:
        chosen = splits[split]
    else:
        raise DataError(f"dataset.split: the data set has no split {split!r}; it has {', '.join(splits)}")
    if images is None or images >= len(chosen.images):
        return chosen
    return ImageSet(
        images=chosen.images[:images],
        labels=None if chosen.labels is None else chosen.labels[:images],
        identities=None if chosen.identities is None else chosen.identities[:images],
    )


def _joined(a: ImageSet, b: ImageSet) -> ImageSet:
    def cat(x: Tensor | None, y: Tensor | None) -> Tensor | None:
        return None if x is None or y is None else torch.cat([x, y])

    return ImageSet(
        images=torch.cat([a.images, b.images]),
        labels=cat(a.labels, b.labels),
        identities=cat(a.identities, b.identities),
    )
