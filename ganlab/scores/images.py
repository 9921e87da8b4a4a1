"""Images as scores see them: uint8, since that is what anybody can save, look at or publish."""

from __future__ import annotations

import hashlib

import torch
from torch import Tensor


def check_pixels(images: Tensor) -> None:
    """Raise `ValueError` for anything but uint8 [N, C, H, W], C 1 or 3: what was not rounded is no image yet."""
    if images.dtype != torch.uint8 or images.dim() != 4 or images.shape[1] not in (1, 3):
        raise ValueError(f"images are uint8 [N, 1 or 3, H, W], not {images.dtype} {list(images.shape)}")


def in_colour(images: Tensor) -> Tensor:
    """Return [N, 3, H, W] of gray or colour images; gray ones share memory."""
    return images.expand(-1, 3, -1, -1) if images.shape[1] == 1 else images


def digest_of(tensor: Tensor) -> str:
    """Return the SHA-256 of a tensor's type, shape and values: one pixel changed gives another."""
    here = tensor.detach().cpu().contiguous()
    content = hashlib.sha256(f"{here.dtype} {list(here.shape)} ".encode())
    content.update(here.view(-1).view(torch.uint8).numpy().data)
    return content.hexdigest()
