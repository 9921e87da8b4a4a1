"""A judge that reads brightness, models that draw what they are told to, and real images: level k is class k."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from ganlab import DataSpec, ImageSet

CLASSES = DataSpec(size_px=16, channels=1, label_kind="classes", label_names=("dark", "gray", "bright"))
STEP = 60  # gray levels from class to class


@dataclass
class Faces:
    """Classes that differ by a step of brightness, in noise."""

    data: DataSpec = CLASSES
    spread: float = 2.0  # of the level of an image, in gray levels

    def draw(self, classes: Tensor, seed: int = 0) -> Tensor:
        """Return uint8 [N, C, H, W]."""
        draws = torch.Generator().manual_seed(seed)
        shape = (len(classes), self.data.channels, self.data.size_px, self.data.size_px)
        level = 40 + STEP * classes + self.spread * torch.randn(len(classes), generator=draws)
        return (level.view(-1, 1, 1, 1) + 10 * torch.randn(shape, generator=draws)).clamp(0, 255).to(torch.uint8)

    def real(self, count: int, seed: int = 1000) -> ImageSet:
        """Return images of every class in turn."""
        classes = torch.arange(count) % self.data.labels
        return ImageSet(images=self.draw(classes, seed), labels=torch.eye(self.data.labels)[classes])


@dataclass
class Judge:
    """A `ganlab.NamedModel` that takes the nearest level for the class, and of attributes each for brighter than gray."""

    data: DataSpec = CLASSES
    makes: frozenset[str] = frozenset({"classify"})
    name: str = "judge@1"
    digest: str = "0123456789abcdef"
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    def classify(self, images: Tensor) -> Tensor:
        brightness = images.float().mean((1, 2, 3))
        if self.data.label_kind == "attributes":
            return (brightness - 100)[:, None].expand(-1, self.data.labels)
        return -(brightness[:, None] - 40 - STEP * torch.arange(self.data.labels)).abs()

    def features(self, images: Tensor) -> Tensor:
        return torch.nn.functional.adaptive_avg_pool2d(images.float(), 2).flatten(1)

    def generate(self, labels: Tensor, seed: int) -> Tensor:
        raise AssertionError("no judge is asked to generate")

    def translate(self, images: Tensor, labels: Tensor) -> Tensor:
        raise AssertionError("no judge is asked to translate")


@dataclass
class Painter:
    """A `ganlab.Model` whose images are those that a function makes of labels (and, of a translator, photos)."""

    paint: Callable[..., Tensor]
    makes: frozenset[str] = frozenset({"generate"})
    data: DataSpec = CLASSES
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    def generate(self, labels: Tensor, seed: int) -> Tensor:
        return self.paint(labels)

    def translate(self, images: Tensor, labels: Tensor) -> Tensor:
        return self.paint(images, labels)

    def classify(self, images: Tensor) -> Tensor:
        raise AssertionError("the class head of the model that is scored is never asked")


@pytest.fixture
def faces() -> Faces:
    return Faces()


@pytest.fixture
def noisy_faces() -> Faces:
    """Faces of which a judge tells some wrong."""
    return Faces(spread=40.0)


@pytest.fixture
def judge() -> Judge:
    return Judge()


@pytest.fixture
def judge_that() -> Callable[..., Judge]:
    """Return `judge_that(size_px=8)`: one of other data; `makes=`, `name=`, `digest=` as they are."""

    def make(**changes: Any) -> Judge:
        own = {key: changes.pop(key) for key in ("makes", "name", "digest") if key in changes}
        return Judge(data=replace(CLASSES, **changes), **own)

    return make


@pytest.fixture
def generator() -> Callable[[Callable[[Tensor], Tensor]], Painter]:
    """Return `generator(paint)`."""
    return Painter


@pytest.fixture
def translator() -> Callable[..., Painter]:
    """Return `translator(paint)`, of `data`."""

    def make(paint: Callable[[Tensor, Tensor], Tensor], data: DataSpec = CLASSES) -> Painter:
        return Painter(paint, frozenset({"translate"}), data)

    return make


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANLAB_HOME", str(tmp_path / "home"))
