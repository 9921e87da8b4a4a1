"""Images -> the same images, each recoloured, shifted and covered in a way of its own, differentiably."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from ganlab.options import Augmentation

_SHIFT, _CUTOUT = 1 / 8, 1 / 2  # of the side of an image


def diff_augment(images: Tensor, policy: Iterable[Augmentation]) -> Tensor:
    """Return `images` [N, C, H, W] changed by each kind of `policy` in its order (DiffAugment; Zhao et al., 2020).

    Give everything that a discriminator sees, real and fake, in the updates of both players; gradients pass to the images.
    Colours may leave [-1, 1]. Each image gets draws of its own from the default generator of its device; nothing is read on
    the host. With an empty policy nothing is drawn, and `images` themselves come back.
    """
    augmented = images
    for kind in policy:
        augmented = _KINDS[kind](augmented)
    return augmented.to(images.dtype)


def _colour(images: Tensor) -> Tensor:
    """Change brightness by up to 0.5, saturation by a factor of 0 to 2, contrast by one of 0.5 to 1.5."""
    images = images + (_uniform(images) - 0.5)
    gray = images.mean(1, keepdim=True)
    images = gray + (images - gray) * (2 * _uniform(images))
    middle = images.mean((1, 2, 3), keepdim=True)
    return middle + (images - middle) * (_uniform(images) + 0.5)


def _translation(images: Tensor) -> Tensor:
    """Shift by up to an eighth of height and width; what comes in is 0, a middle gray."""
    count, _, height, width = images.shape
    rows, rows_inside = _shifted(images, count, height)
    columns, columns_inside = _shifted(images, count, width)
    which = torch.arange(count, device=images.device)[:, None, None]
    shifted = images[which, :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)
    return shifted * _crossed(rows_inside, columns_inside)


def _cutout(images: Tensor) -> Tensor:
    """Cover a rectangle of half the height and half the width with 0; its middle is anywhere in the image."""
    count, _, height, width = images.shape
    return images * ~_crossed(_covered(images, count, height), _covered(images, count, width))


def _uniform(images: Tensor) -> Tensor:
    """Return one number an image from [0, 1), [N, 1, 1, 1]; fp32 for images of less precision too."""
    return torch.rand(len(images), 1, 1, 1, device=images.device)


def _shifted(images: Tensor, count: int, size: int) -> tuple[Tensor, Tensor]:
    """Return from where each line of each image comes, [N, size], and whether that lies inside the image."""
    limit = int(size * _SHIFT + 0.5)
    shifts = torch.randint(-limit, limit + 1, (count, 1), device=images.device)
    lines = torch.arange(size, device=images.device) + shifts
    return lines.clamp(0, size - 1), (lines >= 0) & (lines < size)


def _covered(images: Tensor, count: int, size: int) -> Tensor:
    """Return which lines of each image are covered, [N, size]."""
    covered = int(size * _CUTOUT + 0.5)
    middles = torch.randint(0, size + 1 - covered % 2, (count, 1), device=images.device)
    lines = torch.arange(size, device=images.device) - (middles - covered // 2)
    return (lines >= 0) & (lines < covered)


def _crossed(rows: Tensor, columns: Tensor) -> Tensor:
    """Return where rows [N, H] and columns [N, W] are both true, [N, 1, H, W]."""
    return rows[:, None, :, None] & columns[:, None, None, :]


_KINDS = {"colour": _colour, "translation": _translation, "cutout": _cutout}
