"""Files that stand for Inception's weights: random ones, small, in the two published forms."""

import hashlib
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from ganlab_clean_fid import weights
from ganlab_clean_fid.inception import FidInception
from torch import Tensor, nn

from ganlab import DataSpec, ImageSet, WeightsFile
from ganlab.scores.features import _memory


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a home of ganlab that is empty, and let no variable name weights."""
    _memory().clear()
    monkeypatch.setenv("GANLAB_HOME", str(tmp_path / "home"))
    monkeypatch.delenv(weights.VARIABLE, raising=False)
    return tmp_path / "home"


class Layers(nn.Module):
    """A network of Inception's inputs and outputs that takes milliseconds."""

    def __init__(self) -> None:
        super().__init__()
        draws = torch.Generator().manual_seed(0)
        self.first, self.second = nn.Conv2d(3, 16, 5, 4), nn.Conv2d(16, 2048, 3, 8)
        for parameter in self.parameters():
            parameter.data = torch.randn(parameter.shape, generator=draws) / 8

    def forward(self, images: Tensor) -> Tensor:
        return self.second(self.first(images).relu()).relu().mean((2, 3))


class StandIn(nn.Module):
    """As NVIDIA's file is built: `layers` below, a resize of its own above."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = Layers()

    def forward(self, images: Tensor, return_features: bool = False) -> Tensor:
        return self.layers((images - 128) / 128)


@pytest.fixture(scope="session")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a TorchScript file under the published name."""
    path = tmp_path_factory.mktemp("weights") / weights.PUBLISHED[0].name
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.script(StandIn().eval()).save(str(path))
    return path


@pytest.fixture
def published(script: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the stand-in, and let its digest be the published one."""
    content = script.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    stand_in = WeightsFile(name=script.name, size=len(content), sha256=digest, url="https://example.invalid/x")
    monkeypatch.setattr(weights, "PUBLISHED", (stand_in, weights.PUBLISHED[1]))
    return script


@pytest.fixture(scope="session")
def state() -> dict[str, Tensor]:
    """Return random weights of the published network, under which activations keep their size."""
    draws = torch.Generator().manual_seed(0)
    tensors = {}
    with torch.device("meta"):
        layout = FidInception().state_dict()
    for name, tensor in layout.items():
        if name.endswith("conv.weight"):
            fan_in = tensor[0].numel()
            tensors[name] = (torch.rand(tensor.shape, generator=draws) - 0.5) * (24 / fan_in) ** 0.5
        elif name.endswith("num_batches_tracked"):
            tensors[name] = torch.tensor(0)
        else:
            tensors[name] = torch.rand(tensor.shape, generator=draws) * 0.4 + (0 if name.endswith(("bias", "mean")) else 0.8)
    return tensors


class NoiseModel:
    """Makes colour noise by its seed; counts the images."""

    device = torch.device("cpu")

    def __init__(self, makes: str = "generate") -> None:
        self.data = DataSpec(size_px=32, channels=3, label_kind="classes", label_names=("a", "b"))
        self.makes, self.made = frozenset({makes}), 0

    def generate(self, labels: Tensor, seed: int) -> Tensor:
        self.made += len(labels)
        return pictures(len(labels), seed)

    def translate(self, images: Tensor, labels: Tensor) -> Tensor:
        raise AssertionError(f"{len(images)} images and {len(labels)} labels were not to be translated")

    def classify(self, images: Tensor) -> Tensor:
        raise AssertionError(f"{len(images)} images were not to be classified")


def pictures(count: int, seed: int, channels: int = 3, size_px: int = 32) -> Tensor:
    """Return coarse random patterns, uint8 [count, channels, size_px, size_px], each of a strength of its own."""
    draws = torch.Generator().manual_seed(seed)
    coarse = torch.rand(count, channels, 4, 4, generator=draws) * torch.rand(count, 1, 1, 1, generator=draws) * 255
    fine = torch.randint(0, 20, (count, channels, size_px, size_px), generator=draws)
    return (nn.functional.interpolate(coarse, (size_px, size_px)) + fine).clamp(0, 255).to(torch.uint8)


@pytest.fixture
def model() -> NoiseModel:
    return NoiseModel()


@pytest.fixture
def model_that() -> Callable[[str], NoiseModel]:
    return NoiseModel


@pytest.fixture
def make_pictures() -> Callable[..., Tensor]:
    return pictures


@pytest.fixture
def test_images() -> ImageSet:
    return ImageSet(images=pictures(12, 99), labels=torch.eye(2)[torch.arange(12) % 2])
