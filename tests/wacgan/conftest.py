"""Caches of a test's own, and one thread: these networks are too small to share."""

from pathlib import Path

import pytest
import torch


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANLAB_HOME", str(tmp_path / "home"))
    torch.set_num_threads(1)
    torch.manual_seed(0)
