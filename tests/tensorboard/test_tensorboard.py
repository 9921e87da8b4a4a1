"""TensorBoard shows what the run directory holds: read back from its event files."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from ganlab.cli import main

SMALL = (
    *("ccyclegan_t26", "--dataset", "synthetic_faces", "--device", "cpu"),
    *("--set", "dataset.identities=20", "--set", "dataset.test_identities=7", "--set", "architecture.width=4"),
    *("--set", "training.batch_images=4", "--set", "objective.targets=1", "--set", "training.log_every_steps=2"),
    *("--set", "training.checkpoint_every_steps=3", "--set", "training.sample_every_steps=2"),
)
COUNTER = """
    from ganlab import Component, hookimpl

    class Counter:
        def score(self, model, test):
            return {"images": float(len(test.images))}

    @hookimpl
    def ganlab_evaluators():
        return [Component("counter", Counter)]
"""


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: Path) -> Iterator[Path]:
    """Work in a folder of the test's own, with one thread."""
    monkeypatch.setenv("GANLAB_HOME", str(cache))
    monkeypatch.chdir(tmp_path)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield tmp_path
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where the drawn faces are kept from test to test."""
    return tmp_path_factory.mktemp("home")


def board(run: Path) -> EventAccumulator:
    """Return what TensorBoard reads of a run."""
    accumulator = EventAccumulator(str(run / "tensorboard"), size_guidance={"scalars": 0, "images": 0, "tensors": 0})
    accumulator.Reload()
    return accumulator


def scalars(run: Path) -> dict[str, list[tuple[int, float]]]:
    """Return tag -> (step, value) in the order of the files."""
    shown = board(run)
    return {tag: [(event.step, event.value) for event in shown.Scalars(tag)] for tag in shown.Tags()["scalars"]}


def logged(run: Path) -> dict[str, list[tuple[int, Any]]]:
    """Return column -> (step, value) of log.csv, equal to what is within the precision of event files: fp32."""
    rows = list(csv.DictReader((run / "log.csv").read_text().splitlines()))
    return {
        name: [(int(row["step"]), pytest.approx(float(row[name]), rel=2**-23)) for row in rows if row[name]]
        for name in rows[0]
        if name != "step"
    }


def test_a_board_holds_the_rows_of_the_log_the_scores_and_the_pictures(
    installed_plugin: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    installed_plugin("counter", COUNTER)
    counted = ("--set", 'evaluation.counted.use="ganlab-counter:counter"')
    assert main(["run", *SMALL, *counted, "--max-steps", "5", "--out", "run"]) == 0
    assert "no longer observes" not in capsys.readouterr().err
    run, log = Path("run"), logged(Path("run"))
    assert [step for step, _ in log["d_class"]] == [2, 4, 5]
    declared = {"d_adversarial", "d_class", "g_adversarial", "g_class", "g_reconstruction"}
    assert declared < log.keys()
    assert scalars(run) == {
        **{name: log.pop(name) for name in ("epoch", "images")},
        **{f"{'losses' if name in declared else 'measures'}/{name}": values for name, values in log.items()},
        "scores/counted.images": [(5, 49.0)],
    }
    pictures = board(run).Images("samples")
    assert [picture.step for picture in pictures] == [2, 4, 5]
    for picture in pictures:
        drawn = Image.open(run / "samples" / f"step-{picture.step:08}.png").convert("RGB")
        shown = Image.open(io.BytesIO(picture.encoded_image_string))
        assert np.array_equal(np.asarray(drawn), np.asarray(shown))


def test_a_run_that_went_back_to_a_checkpoint_shows_no_step_twice() -> None:
    assert main(["run", *SMALL, "--max-steps", "8", "--out", "run"]) == 0
    shutil.copytree("run", "alone")
    for step in (6, 8):  # as if the process had been killed before it saved them
        shutil.rmtree(f"run/checkpoints/step-{step:08}")
    assert main(["resume", "run", "--device", "cpu"]) == 0
    alone, again = Path("alone"), Path("run")
    assert len(list((again / "tensorboard").iterdir())) == 2  # one a process
    assert scalars(again) == scalars(alone)
    assert scalars(again)["images"] == [(2, 8.0), (4, 16.0), (6, 24.0), (8, 32.0)]
    assert [picture.step for picture in board(again).Images("samples")] == [2, 4, 6, 8]


def test_an_extended_run_goes_on_where_its_board_ended() -> None:
    assert main(["run", *SMALL, "--max-steps", "5", "--out", "run"]) == 0
    assert main(["resume", "run", "--device", "cpu"]) == 0  # finished: nothing to show, no file
    assert len(list(Path("run/tensorboard").iterdir())) == 1
    assert main(["resume", "run", "--device", "cpu", "--max-steps", "6"]) == 0
    log, shown = logged(Path("run"))["d_class"], scalars(Path("run"))["losses/d_class"]
    assert [step for step, _ in log] == [2, 4, 6]
    assert [step for step, _ in shown] == [2, 4, 5, 6]  # the row of the former end stays: a true mean, of one step
    assert [point for point in shown if point[0] != 5] == log


def test_what_is_not_descended_is_a_measure(tmp_path: Path) -> None:
    from ganlab_tensorboard.board import Board

    from ganlab import RunInfo

    row = {"step": 3, "epoch": 1, "images": 12, "d_adversarial": 0.5, "d_accuracy": 0.75}
    for name, objective in (("declared", {"weights": {"d_adversarial": 1.0}}), ("undeclared", {})):
        shown = Board(RunInfo(path=tmp_path / name, recipe={"objective": objective}), 0)
        shown.draw_row(3, row)
        shown.close()
    assert scalars(tmp_path / "declared").keys() == {"epoch", "images", "losses/d_adversarial", "measures/d_accuracy"}
    assert scalars(tmp_path / "undeclared").keys() == {"epoch", "images", "losses/d_adversarial", "losses/d_accuracy"}


def test_a_row_lasts_at_once(tmp_path: Path) -> None:
    from ganlab_tensorboard.board import Board

    from ganlab import RunInfo

    shown = Board(RunInfo(path=tmp_path, recipe={"objective": {}}), 0)
    shown.draw_row(3, {"step": 3, "images": 12})
    assert scalars(tmp_path) == {"images": [(3, 12.0)]}  # nothing was closed: the process may be killed here
    shown.close()


def test_pictures_of_a_killed_process_wait_until_they_are_drawn_anew(tmp_path: Path) -> None:
    from ganlab_tensorboard.board import Board

    from ganlab import RunInfo

    (tmp_path / "samples").mkdir()
    for step in (2, 4, 6, 8):
        Image.new("L", (3, 2), step).save(tmp_path / "samples" / f"step-{step:08}.png")
        Image.new("L", (3, 2), step).save(tmp_path / "samples" / f"step-{step:08}-translated.png")
    (tmp_path / "samples" / "step-by-step.png").write_bytes(b"not ours")
    shown = Board(RunInfo(path=tmp_path, recipe={"objective": {}}), 3)
    for step in (5, 6):
        shown.show_pictures(step)
        shown.flush()
    shown.close()
    assert sorted(board(tmp_path).Tags()["images"]) == ["samples", "samples/translated"]
    for kind in ("samples", "samples/translated"):
        assert [picture.step for picture in board(tmp_path).Images(kind)] == [4, 6]


# Without the package


def test_without_the_package_a_run_is_as_it_was_and_has_no_board(monkeypatch: pytest.MonkeyPatch, capfd: Any) -> None:
    monkeypatch.setitem(sys.modules, "tensorboard", None)  # as if it were not installed
    assert main(["run", *SMALL, "--max-steps", "1", "--out", "run"]) == 0
    assert not Path("run/tensorboard").exists()
    assert "tensorboard" not in capfd.readouterr().err
    capfd.readouterr()
    assert main(["list-plugins", "--json"]) == 0
    (record,) = [r for r in json.loads(capfd.readouterr().out)["plugins"] if r["plugin"] == "tensorboard"]
    assert (record["status"], record["origin"], record["fault"]) == ("ready", "built-in", None)


def test_importing_the_plugin_imports_neither_torch_nor_tensorboard() -> None:
    code = "import ganlab_tensorboard, sys; print([m for m in ('torch', 'tensorboard', 'PIL', 'numpy') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
