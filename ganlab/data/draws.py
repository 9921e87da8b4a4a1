"""Which training images come next: a generator of its own, so that noise and dropout never move the order."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from ganlab.errors import DataError


class Draws:
    """Draws rows of the training set, by epochs or with replacement, and counts the images drawn."""

    def __init__(self, labels: Tensor, *, batch_images: int, with_replacement: bool, seed: int) -> None:
        """Take the labels [N, K] of the training set on the CPU."""
        self.count = len(labels)
        if batch_images > self.count:
            raise DataError(f"training.batch_images: a batch of {batch_images} is more than the {self.count} training images")
        self._with_replacement = with_replacement
        self._labels = labels
        self._rows_of_class: dict[int, Tensor] = {}
        self._generator = torch.Generator().manual_seed(seed)
        self._order = torch.empty(0, dtype=torch.int64)
        self._cursor = 0
        self.images = 0
        # As published: an epoch is as many whole batches as the set has.
        self.batch_images = batch_images
        self.epoch_images = self.count // batch_images * batch_images

    @property
    def epoch(self) -> float:
        """Return how many epochs the images drawn so far make."""
        return self.images / self.epoch_images

    def rows(self, count: int, of: int | None = None) -> Tensor:
        """Return `count` rows, int64 [count]; `of` one class, with replacement."""
        self.images += count
        if of is not None:
            rows = self._class_rows(of)
            return rows[self._random(len(rows), count)]
        if self._with_replacement:
            return self._random(self.count, count)
        if self._cursor + count > len(self._order):
            self._order = torch.randperm(self.count, generator=self._generator)
            self._cursor = 0
        if count > self.count:
            raise DataError(f"the objective draws {count} images at once, more than the {self.count} training images")
        self._cursor += count
        return self._order[self._cursor - count : self._cursor]

    def label_rows(self, count: int) -> Tensor:
        """Return `count` rows whose labels are wanted, not their images; they do not count as drawn."""
        return self._random(self.count, count)

    def state(self) -> dict[str, Tensor]:
        """Return everything that decides the draws to come."""
        counters = torch.tensor([self._cursor, self.images])
        return {"generator": self._generator.get_state(), "order": self._order.clone(), "counters": counters}

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Go on from `state`."""
        self._generator.set_state(state["generator"].clone())
        self._order = state["order"].clone()
        self._cursor, self.images = (int(value) for value in state["counters"])

    def _random(self, below: int, count: int) -> Tensor:
        return torch.randint(below, (count,), generator=self._generator)

    def _class_rows(self, of: int) -> Tensor:
        if of not in self._rows_of_class:
            rows = self._labels[:, of].nonzero()[:, 0]
            if not len(rows):
                raise DataError(f"the training set has no image of class {of}")
            self._rows_of_class[of] = rows
        return self._rows_of_class[of]
