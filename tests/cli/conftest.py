"""A folder to work in, a small run there, and the command line called in this process."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

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
