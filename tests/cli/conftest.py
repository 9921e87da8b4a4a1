"""A folder to work in, a small run there, and the command line called in this process."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from ganlab.cli import main

SMALL = (
    *("ccyclegan_t26", "--dataset", "synthetic_faces", "--device", "cpu"),
    *("--set", "dataset.identities=20", "--set", "dataset.test_identities=7", "--set", "architecture.width=4"),
    *("--set", "training.batch_images=4", "--set", "objective.targets=1"),
)


@pytest.fixture(scope="session")
def small() -> tuple[str, ...]:
    """Return the arguments of a run that takes no time."""
    return SMALL


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Work in a folder of this file's own, that holds the cache too, with one thread."""
    place = tmp_path_factory.mktemp("command line")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GANLAB_HOME", str(place / "home"))
        patch.delenv("GANLAB_DATA", raising=False)
        patch.chdir(place)
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        yield place
        torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def trained(place: Path) -> Path:
    """Return a run of six steps, with two checkpoints."""
    assert main(["run", *SMALL, "--max-steps", "6", "--out", "trained", "--set", "training.checkpoint_every_steps=3"]) == 0
    return Path("trained")


@pytest.fixture
def run_copy(trained: Path) -> Iterator[Path]:
    """Return a copy of that run, to be changed."""
    copy = Path("copy")
    shutil.copytree(trained, copy)
    yield copy
    shutil.rmtree(copy)


@pytest.fixture
def printed(place: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Return `printed(*arguments)`: exit code, standard output, standard error."""
    capsys.readouterr()

    def printed(*arguments: str) -> tuple[int, str, str]:
        code = main(arguments)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return printed


# A model whose pictures can be read: one pixel for each label, and one for the noise or the photo.
READABLE = """
import torch
from torch import nn
from ganlab import ArchitectureOptions, Component, DatasetOptions, DataSpec, ImageSet, ObjectiveOptions, Update, hookimpl

NAMES = ("Smiling", "Eyeglasses", "5_o_Clock_Shadow", "Wearing_Hat")
KINDS = {"classes": NAMES, "attributes": NAMES, "none": ()}

class DataOptions(DatasetOptions):
    kind: str = "attributes"
    def data_spec(self):
        return DataSpec(size_px=4, channels=1, label_kind=self.kind, label_names=KINDS[self.kind])

class Data:
    def __init__(self, options): self.options = options
    def sources(self): return []
    def read(self):
        images = torch.arange(20, dtype=torch.uint8)[:, None, None, None].expand(-1, 1, 4, 4).contiguous() + 50
        numbers = torch.arange(20)
        rows = torch.stack([numbers >> bit & 1 for bit in range(4)], 1)
        labels = {"attributes": rows, "classes": numbers % 4, "none": None}[self.options.kind]
        return {"train": ImageSet(images=images, labels=labels), "test": ImageSet(images=images, labels=labels)}

class NetworkOptions(ArchitectureOptions):
    makes_what: list[str] = ["generate"]
    blind: bool = False
    def roles(self, data): return {"generator": "noise -> images" if self.blind else "noise labels -> images"}
    def makes(self): return frozenset(self.makes_what)

class Networks:
    def __init__(self, options, data): self.data = data
    def networks(self): return {"generator": nn.Linear(1, 1)}
    def noise(self, count, device): return torch.rand(count, 1, device=device)
    def painted(self, images, labels):
        images[:, 0, 0, :labels.shape[1]] = labels * 2 - 1
        return images
    def generate(self, nets, noise, labels):
        return self.painted((noise[:, :, None, None] * 2 - 1).expand(-1, 1, 4, 4).clone(), labels)
    def translate(self, nets, images, labels): return self.painted(images.clone(), labels)

class ProcedureOptions(ObjectiveOptions):
    blind: bool = False
    def players(self): return {"generator": ("generator",)}
    def needs(self): return {"generator": "noise -> images" if self.blind else "noise labels -> images"}

class Procedure:
    def __init__(self, blind): pass
    def step(self, s): yield Update("generator", g_size=s.nets["generator"](s.noise(2)).square().mean())

@hookimpl
def ganlab_datasets(): return [Component("readable", Data, DataOptions)]
@hookimpl
def ganlab_architectures(): return [Component("readable", Networks, NetworkOptions)]
@hookimpl
def ganlab_objectives(): return [Component("readable", Procedure, ProcedureOptions)]
"""
RECIPE = """
[dataset]
use = "readable"
[architecture]
use = "readable"
[objective]
use = "readable"
[training]
steps = 1
batch_images = 4
"""


@pytest.fixture
def trained_on(installed_plugin: Any, place: Path, tmp_path: Path, printed: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return `trained_on("classes", ...)`: a run of the readable model, "run" in a folder of its own."""
    installed_plugin("readable", READABLE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GANLAB_HOME", str(tmp_path / "home"))
    Path("small.toml").write_text(RECIPE)

    def train(kind: str, *sets: str) -> str:
        options = [word for text in (f"dataset.kind={kind}", *sets) for word in ("--set", text)]
        code, _, err = printed("run", "small.toml", *options, "--device", "cpu", "--out", "run")
        assert code == 0, err
        return "run"

    return train
