"""Supervised training: a classifier learns the labels of the training images."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from ganlab import Criterion, Step, Update
from ganlab.layers import diff_augment
from ganlab.options import Augmentation


@dataclass
class Classification:
    """One update a step, on one batch."""

    classification: Criterion
    augment: tuple[Augmentation, ...]

    def step(self, s: Step) -> Iterator[Update]:
        """Yield the classifier's update; log its accuracy on the batch before it."""
        batch = s.batch()
        logits = s.nets["classifier"](diff_augment(batch.images, self.augment))
        yield Update("classifier", c_class=self.classification(logits, batch.labels))
        s.log(accuracy=accuracy(logits.detach(), batch.labels))


def accuracy(logits: Tensor, labels: Tensor) -> Tensor:
    """Return which share of labels [N, K] is told right: of images where each has one label, else of single labels."""
    top = labels.gather(1, logits.argmax(1, keepdim=True)).mean()
    each = ((logits > 0) == (labels > 0.5)).float().mean()
    # Whether the labels are classes is asked of them on the device: the host does not wait.
    return torch.where((labels.sum(1) == 1).all(), top, each)
