"""A model -> the same model, which makes each set of images once for all evaluators that ask for it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

import torch
from torch import Tensor

from ganlab.contracts import DataSpec, Model
from ganlab.scores.images import digest_of

_REMEMBERED_BYTES = 2**30


class RememberingModel:
    """A `ganlab.Model` whose weights do not change: what it made last, up to 1 GiB, it does not make again."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._made: OrderedDict[tuple[object, ...], Tensor] = OrderedDict()

    @property
    def data(self) -> DataSpec:
        """Return what the images look like."""
        return self._model.data

    @property
    def makes(self) -> frozenset[str]:
        """Return which of "generate", "translate", "classify" can be called."""
        return self._model.makes

    @property
    def device(self) -> torch.device:
        """Return where the model computes."""
        return self._model.device

    def generate(self, labels: Tensor, seed: int) -> Tensor:
        """Return one image a row of `labels` [N, K], uint8 [N, C, H, W]."""
        return self._once(("generate", seed), (labels,), lambda: self._model.generate(labels, seed))

    def translate(self, images: Tensor, labels: Tensor) -> Tensor:
        """Return `images` uint8 [N, C, H, W] moved to `labels` [N, K], uint8 of the same shape."""
        return self._once(("translate",), (images, labels), lambda: self._model.translate(images, labels))

    def classify(self, images: Tensor) -> Tensor:
        """Return logits [N, K] for uint8 images [N, C, H, W]."""
        return self._once(("classify",), (images,), lambda: self._model.classify(images))

    def _once(self, asked: tuple[object, ...], given: tuple[Tensor, ...], make: Callable[[], Tensor]) -> Tensor:
        """Return a copy of what `make` gives for the tensors `given`, which an evaluator may change as it likes."""
        key = (*asked, *(digest_of(tensor) for tensor in given))
        if key not in self._made:
            self._made[key] = make()
            while len(self._made) > 1 and sum(made.nbytes for made in self._made.values()) > _REMEMBERED_BYTES:
                self._made.popitem(last=False)
        self._made.move_to_end(key)
        return self._made[key].clone()
