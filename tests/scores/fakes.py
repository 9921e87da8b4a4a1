"""An extractor that counts, a model that makes noise, and real noise to compare it with."""

import torch
from torch import Tensor

from ganlab import DataSpec, ImageSet


class CountingExtractor:
    """Means of the quarters of an image; counts the images that it was shown."""

    preprocessing = "none"

    def __init__(self, name: str = "quarters", digest: str = "0") -> None:
        self.name, self.digest, self.images = name, digest, 0

    def __call__(self, images: Tensor) -> Tensor:
        self.images += len(images)
        return torch.nn.functional.adaptive_avg_pool2d(images.float(), 2).flatten(1)


class NoiseModel:
    """Makes noise around a gray level; counts what it made."""

    device = torch.device("cpu")

    def __init__(self, makes: str = "generate", level: int = 128) -> None:
        self.data = DataSpec(size_px=8, channels=1, label_kind="classes", label_names=("a", "b"))
        self.makes, self.level = frozenset({makes}), level
        self.asked: list[Tensor] = []  # labels

    def generate(self, labels: Tensor, seed: int) -> Tensor:
        self.asked.append(labels)
        return noise(len(labels), seed, self.level)

    def translate(self, images: Tensor, labels: Tensor) -> Tensor:
        self.asked.append(labels)
        return images // 2 + (labels[:, 1] * 50).to(torch.uint8)[:, None, None, None]

    def classify(self, images: Tensor) -> Tensor:
        raise AssertionError(f"nobody should ask for the labels of {len(images)} images")


def noise(count: int, seed: int, level: int = 128) -> Tensor:
    """Return gray noise, uint8 [count, 1, 8, 8]."""
    draws = torch.Generator().manual_seed(seed)
    return (torch.randn(count, 1, 8, 8, generator=draws) * 20 + level).clamp(0, 255).to(torch.uint8)


def real(count: int) -> ImageSet:
    """Return noise whose labels are a, b, a, ..."""
    return ImageSet(images=noise(count, 1000), labels=torch.eye(2)[torch.arange(count) % 2])
