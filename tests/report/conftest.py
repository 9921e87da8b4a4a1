"""Runs as their files tell them, written by hand."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from ganlab.recipe import dump_recipe
from ganlab.report.pictures import write_grid

MakeRun = Callable[..., str]
LOG = "step,epoch,images,d_loss,g_loss\n10,0.1,100,4,\n20,0.2,200,2,1.5\n30,0.3,300,1,\n"
CARD = {
    "evaluator": "ganlab:judge",
    "version": 1,
    "options": {"people": 8},
    "data": "faces",
    "weights": "raw",
    "ganlab": "0.1.0",
}
RECIPE: dict[str, Any] = {
    "objective": {"use": "gan", "adversarial": {"use": "bce", "real_low": 1.0}},
    "optimizer": {"learning_rate": 0.1},
    "training": {"seed": 0, "steps": 30},
    "components": {"loss bce": {"version": 1, "distribution": "ganlab 0.1.0", "source": "0123456789abcdef"}},
}


@pytest.fixture
def make_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakeRun:
    """Return `make_run(name, ...)`: a run's folder in the folder at hand, called by its name."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GANLAB_HOME", str(tmp_path / "home"))

    def make(
        name: str,
        *,
        log: str | None = LOG,
        scores: Sequence[tuple[int, Mapping[str, float]]] = (),
        card: Mapping[str, Any] | None = None,
        best_is: Mapping[str, str] | None = None,
        recipe: Mapping[str, Any] | None = None,
        data: str = "d" * 64,
        columns: int = 3,
    ) -> str:
        folder = Path(name)
        folder.mkdir(parents=True)
        header = "As run. `ganlab resume` goes on.\nA title.\nMore."
        (folder / "recipe.toml").write_text(dump_recipe({**RECIPE, **(recipe or {})}, header))
        (folder / "environment.json").write_text(json.dumps({"device": "cpu", "data": {"fingerprint": data}}))
        if log is not None:
            (folder / "log.csv").write_text(log)
            (folder / "timing.csv").write_text("step,seconds,images_per_second,memory_mib\n10,1,9,8\n30,7.5,9,8\n")
            grid = torch.full((5, columns, 1, 8, 8), 90, dtype=torch.uint8)
            for step in (9, 30):
                write_grid(folder / "samples" / f"step-{step:08}.png", grid, [""] * columns)
            write_grid(folder / "samples" / "step-00000040-translated.png", grid, [""] * columns)
        entries = [
            {"step": step, "epoch": 0.1, "data_fingerprint": data, "evaluator": "judge", "scores": values}
            | {"protocol": {**CARD, **(card or {})}, **({"best_is": best_is} if best_is else {})}
            for step, values in scores
        ]
        (folder / "scores.json").write_text(json.dumps({"scores": entries}))
        return name

    return make
