"""Labels or images -> images and logits without any network, each call counted: the model on which evaluators are tried."""

from __future__ import annotations

import hashlib
from collections import Counter

import torch
from torch import Tensor
from torch.nn import functional as F

from ganlab.contracts import DataSpec

MAKES = frozenset({"generate", "translate", "classify"})


class CountingModel:
    """A `ganlab.NamedModel` whose results depend on the arguments alone; `asked` counts the images by what was called."""

    name = "a model of the kit"
    digest = hashlib.sha256(name.encode()).hexdigest()

    def __init__(self, data: DataSpec, makes: frozenset[str] = MAKES) -> None:
        self._data, self._makes = data, makes
        self.asked: Counter[str] = Counter()

    @property
    def data(self) -> DataSpec:
        """Return what the images look like."""
        return self._data

    @property
    def makes(self) -> frozenset[str]:
        """Return what can be called."""
        return self._makes

    @property
    def device(self) -> torch.device:
        """Return the CPU."""
        return torch.device("cpu")

    @property
    def made(self) -> int:
        """Return how many images were made."""
        return self.asked["generate"] + self.asked["translate"]

    def generate(self, labels: Tensor, seed: int) -> Tensor:
        """Return noise, brighter for later labels, uint8 [N, C, H, W], one image a row of `labels` [N, K]."""
        self._called("generate", len(labels))
        noise = torch.randint(0, 128, self._shape(len(labels)), generator=torch.Generator().manual_seed(seed))
        return (noise + self._brightness(labels)).to(torch.uint8)

    def translate(self, images: Tensor, labels: Tensor) -> Tensor:
        """Return `images` uint8 [N, C, H, W], half as strong, moved to the brightness of `labels` [N, K]."""
        self._called("translate", len(images))
        if tuple(images.shape) != self._shape(len(labels)) or images.dtype != torch.uint8:
            raise ValueError(
                f"the model translates uint8 {list(self._shape(len(labels)))}, not {images.dtype} {list(images.shape)}"
            )
        return (images // 2 + self._brightness(labels)).to(torch.uint8)

    def classify(self, images: Tensor) -> Tensor:
        """Return logits [N, K] of uint8 images [N, C, H, W]: each label has an octave of brightness of its own."""
        self._called("classify", len(images))
        brightness = images.float().mean((1, 2, 3)) / 255
        labels = torch.arange(self._data.labels)
        return 10 * torch.cos(brightness[:, None] * 6 - labels) + 1

    def features(self, images: Tensor) -> Tensor:
        """Return the means of the quarters of uint8 images [N, C, H, W], float32 [N, 4 C]."""
        self._called("classify", len(images))
        return F.adaptive_avg_pool2d(images.float(), 2).flatten(1)

    def _called(self, what: str, images: int) -> None:
        if what not in self._makes:  # as the architecture of a trained model, which lacks the method
            raise AttributeError(f"the model was asked to {what}, which is not among what it makes")
        self.asked[what] += images

    def _shape(self, count: int) -> tuple[int, ...]:
        return (count, self._data.channels, self._data.size_px, self._data.size_px)

    def _brightness(self, labels: Tensor) -> Tensor:
        """Return 0 to 127, int64 [N, 1, 1, 1]."""
        weights = torch.arange(1, labels.shape[1] + 1, dtype=torch.float32)
        strength = F.normalize(labels.float(), p=1, dim=1) @ weights / max(labels.shape[1], 1)
        return (strength * 127).long().view(-1, 1, 1, 1)
