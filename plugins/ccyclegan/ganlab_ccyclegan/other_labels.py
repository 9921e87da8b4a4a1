"""One-hot labels -> labels that the images do not have."""

import torch
from torch import Tensor


def other_labels(labels: Tensor) -> Tensor:
    """Return, of one-hot labels [N, K], the K - 1 that each image does not have, ascending: [N, K - 1, K]."""
    count = labels.shape[1]
    offsets = torch.arange(count - 1, device=labels.device)
    return _one_hot(offsets + (offsets >= labels.argmax(1, keepdim=True)), labels)


def random_other_labels(labels: Tensor, count: int) -> Tensor:
    """Return `count` different labels, at random, that each image does not have: [N, count, K]; at most K - 1."""
    of = labels.shape[1]
    shifts = 1 + torch.rand(len(labels), of - 1, device=labels.device).argsort(1)[:, :count]
    return _one_hot((labels.argmax(1, keepdim=True) + shifts) % of, labels)


def random_other_label(labels: Tensor) -> Tensor:
    """Return one label, at random, that each image with one-hot `labels` [N, K] does not have: [N, K]."""
    return random_other_labels(labels, 1)[:, 0]


def _one_hot(indices: Tensor, like: Tensor) -> Tensor:
    # F.one_hot reads the indices on the host, which stops a GPU and cannot be captured.
    return (indices[..., None] == torch.arange(like.shape[1], device=like.device)).to(like.dtype)
