"""Runs made by hand, in milliseconds: two checkpoints of a few numbers each."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from ganlab.runs.checkpoints import save_checkpoint
from ganlab.runs.model_adding import Added, add_model
from ganlab.runs.models import Models

RECIPE = """# As run.
[dataset]
use = "faces"
[architecture]
use = "acgan"
[objective]
use = "acgan"
[training]
seed = 4
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder of this test's own, that holds the registry too."""
    monkeypatch.setenv("GANLAB_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "home"


@pytest.fixture
def models() -> Models:
    return Models()


def make_run(path: Path, seed: int = 0) -> Path:
    """Write a run with checkpoints of steps 10 and 20, scored at both."""
    path.mkdir()
    (path / "recipe.toml").write_text(RECIPE)
    (path / "environment.json").write_text(json.dumps({"device": "cpu", "packages": {"ganlab": "0.1.0"}}))
    entries = [{"step": step, "evaluator": "judge", "scores": {"accuracy": step / 100}, "protocol": {}} for step in (10, 20)]
    (path / "scores.json").write_text(json.dumps({"scores": entries}))
    for step in (10, 20):
        numbers = torch.arange(8.0) + 100 * seed + step
        files = {name: {"generator/weight": numbers + k} for k, name in enumerate(("networks", "averaged", "training"))}
        save_checkpoint(path / "checkpoints", step, files, {"images": 4 * step, "epoch": step / 5, "data": "f" * 64})
    return path


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Return a run."""
    return make_run(tmp_path / "run")


@pytest.fixture
def add(run: Path) -> Callable[..., Added]:
    """Return `add(name, ...)`: a checkpoint of the run becomes a version."""
    return lambda name="smile", **more: add_model(str(run), name, **more)


@pytest.fixture
def runs(tmp_path: Path) -> list[Path]:
    """Return four runs, of weights that differ."""
    return [make_run(tmp_path / f"run-{number}", number) for number in range(4)]
