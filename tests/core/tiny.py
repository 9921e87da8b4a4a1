"""A whole plugin in small: data, networks and an objective that train in milliseconds."""

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import torch
from pydantic import Field
from torch import Tensor, nn

from ganlab import Adversarial, Batch, Component, Criterion, DataSpec, ImageSet, Step, Update, Verdict, hookimpl
from ganlab.options import ArchitectureOptions, DatasetOptions, Family, LossName, ObjectiveOptions, Options

NAMES = ("red", "green", "blue")


class TinyDataOptions(DatasetOptions):
    seed: int = 0
    count: int = 24

    def data_spec(self) -> DataSpec:
        if self.labels not in ("expression", "none"):
            raise ValueError(f"labels {self.labels!r}: tiny has expressions only")
        labelled = self.labels == "expression"
        return DataSpec(
            size_px=self.size_px or 8,
            channels=self.channels or 1,
            label_kind="classes" if labelled else "none",
            label_names=NAMES if labelled else (),
        )


class TinyData:
    """Squares whose brightness is their class."""

    def __init__(self, options: TinyDataOptions) -> None:
        self.options = options

    def sources(self) -> list[Path]:
        return []

    def read(self) -> Mapping[str, ImageSet]:
        generator = torch.Generator().manual_seed(self.options.seed)
        labels = torch.arange(self.options.count) % 3
        noise = torch.randint(0, 40, (self.options.count, 1, 8, 8), generator=generator)
        images = (labels[:, None, None, None] * 80 + noise).to(torch.uint8)
        split = self.options.count * 2 // 3
        return {
            "train": ImageSet(images=images[:split], labels=labels[:split]),
            "test": ImageSet(images=images[split:], labels=labels[split:]),
        }


class TinyNetworksOptions(ArchitectureOptions):
    width: int = Field(4, ge=1, description="units of the hidden layer")

    def roles(self, data: DataSpec) -> dict[str, str]:
        if data.channels != 1:
            raise ValueError(f"channels {data.channels}: gray images only")
        return {"generator": "noise labels -> images", "discriminator": "images -> logits classes"}

    def makes(self) -> frozenset[str]:
        return frozenset({"generate"})


class Generator(nn.Module):
    def __init__(self, labels: int, width: int, size_px: int) -> None:
        super().__init__()
        self.hidden, self.image = nn.Linear(3 + labels, width), nn.Linear(width, size_px * size_px)
        self.size_px, self.dropout = size_px, nn.Dropout(0.2)

    def forward(self, noise: Tensor, labels: Tensor) -> Tensor:
        hidden = self.dropout(self.hidden(torch.cat([noise, labels], 1)).relu())
        return self.image(hidden).tanh().view(-1, 1, self.size_px, self.size_px)


class Discriminator(nn.Module):
    def __init__(self, labels: int, width: int, size_px: int) -> None:
        super().__init__()
        self.hidden, self.norm = nn.Conv2d(1, width, 4, 2), nn.BatchNorm2d(width)
        features = width * (size_px // 2 - 1) ** 2
        self.logits, self.classes = nn.Linear(features, 1), nn.Linear(features, labels)

    def forward(self, images: Tensor) -> Verdict:
        hidden = self.norm(self.hidden(images)).relu().flatten(1)
        return Verdict(self.logits(hidden)[:, 0], self.classes(hidden))


class TinyNetworks:
    def __init__(self, options: TinyNetworksOptions, data: DataSpec) -> None:
        self.options, self.data = options, data

    def networks(self) -> dict[str, nn.Module]:
        sizes = (self.data.labels, self.options.width, self.data.size_px)
        return {"generator": Generator(*sizes), "discriminator": Discriminator(*sizes)}

    def noise(self, count: int, device: torch.device) -> Tensor:
        return torch.randn(count, 3, device=device)

    def generate(self, nets: Mapping[str, nn.Module], noise: Tensor, labels: Tensor) -> Tensor:
        images: Tensor = nets["generator"](noise, labels)
        return images


class TinyWeights(Options):
    d_adversarial: float = 1.0
    d_class: float = 1.0
    g_adversarial: float = 1.0


class TinyObjectiveOptions(ObjectiveOptions):
    adversarial: Annotated[LossName, Family("adversarial", "joint", "paired")] = "bce"
    classification: Annotated[LossName, Family("classification")] = "binary"
    generator_every: int = 3
    explode_at: int = 0
    weights: TinyWeights = TinyWeights()

    def players(self) -> dict[str, tuple[str, ...]]:
        return {"generator": ("generator",), "discriminator": ("discriminator",)}

    def needs(self) -> dict[str, str]:
        return {"generator": "noise labels -> images", "discriminator": "images -> logits classes"}


@dataclass
class TinyObjective:
    adversarial: Adversarial
    classification: Criterion
    generator_every: int
    explode_at: int

    def phase(self, index: int) -> Hashable:
        return index % self.generator_every == 0, index == self.explode_at

    def step(self, s: Step) -> Iterator[Update]:
        is_generators_turn, explodes = s.phase
        batch: Batch = s.batch()
        fake = s.nets["generator"](s.noise(len(batch)), s.labels(len(batch)))
        real, false = s.nets["discriminator"](batch.images), s.nets["discriminator"](fake.detach())
        yield Update(
            "discriminator",
            d_adversarial=self.adversarial.discriminator(real.logits, false.logits) * (torch.inf if explodes else 1),
            d_class=self.classification(real.classes, batch.labels),
        )
        s.log(d_accuracy=(real.logits > 0).float().mean())
        if is_generators_turn:
            verdict = s.nets["discriminator"](fake)
            yield Update("generator", g_adversarial=self.adversarial.generator(verdict.logits, lambda: real.logits))


class Brightness:
    """Mean gray value of the made images, and the distance of the classes' means."""

    def score(self, model: Any, test: ImageSet) -> dict[str, float]:
        images = model.generate(test.labels, 0).float()
        return {"mean": float(images.mean()), "images": float(len(images))}


@hookimpl
def ganlab_datasets() -> list[Component]:
    return [Component("tiny", TinyData, TinyDataOptions)]


@hookimpl
def ganlab_architectures() -> list[Component]:
    return [Component("tiny", TinyNetworks, TinyNetworksOptions)]


@hookimpl
def ganlab_objectives() -> list[Component]:
    return [Component("tiny", TinyObjective, TinyObjectiveOptions)]


@hookimpl
def ganlab_evaluators() -> list[Component]:
    return [Component("brightness", Brightness)]
