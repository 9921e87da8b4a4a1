"""A step by hand, with networks whose answers are known."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ganlab import Batch, Verdict


class Generator(nn.Module):
    """Paints the first column of its labels; remembers noise and labels, and how it was run."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))
        self.seen: list[tuple[Tensor, Tensor]] = []
        self.modes: list[tuple[bool, bool]] = []  # in training, with gradients

    def forward(self, noise: Tensor, labels: Tensor) -> Tensor:
        self.seen.append((noise, labels))
        self.modes.append((self.training, torch.is_grad_enabled()))
        return (self.scale * labels[:, :1, None, None]).expand(-1, 1, 4, 4)


class Discriminator(nn.Module):
    """Gives the logit `shift` + mean of the image, the classes (mean, -mean), the pixels as features; remembers images."""

    def __init__(self) -> None:
        super().__init__()
        self.shift = nn.Parameter(torch.tensor(0.5))
        self.seen: list[Tensor] = []

    def forward(self, images: Tensor) -> Verdict:
        self.seen.append(images)
        mean = images.mean((1, 2, 3)) + 0 * self.shift
        return Verdict(logits=self.shift + mean, classes=torch.stack([mean, -mean], 1), features=images.flatten(1))


@dataclass
class HandStep:
    """A step with given batches, one after the other; the labels for the generator are all 7, noise is counted up."""

    nets: Mapping[str, Any]
    batches: list[Batch]
    phase: Any = None
    measures: dict[str, Tensor] = field(default_factory=dict)
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    drawn: int = 0

    def batch(self, count: int | None = None, of: int | None = None) -> Batch:
        self.drawn += 1
        return self.batches[(self.drawn - 1) % len(self.batches)]

    def labels(self, count: int) -> Tensor:
        return torch.full((count, 2), 7.0)

    def noise(self, count: int) -> Tensor:
        return torch.rand(count, 3)

    def log(self, **measures: Tensor) -> None:
        self.measures.update(measures)


def a_batch(count: int, start: float = 0.0) -> Batch:
    images = (start + torch.arange(count).float() / count).view(count, 1, 1, 1).expand(-1, 1, 4, 4)
    return Batch(images=images, labels=torch.stack([torch.arange(count) % 2, torch.arange(count) % 2 == 0], 1).float())


@pytest.fixture
def hand_step() -> Callable[..., HandStep]:
    """Return `hand_step(4)`: a step with batches of 4; `hand_step(4, batches=2)`: with two that differ."""

    def make(count: int, batches: int = 1) -> HandStep:
        nets = {"generator": Generator(), "discriminator": Discriminator()}
        return HandStep(nets, [a_batch(count, float(index)) for index in range(batches)])

    return make
