"""`ganlab eval` with files that stand for Inception's weights: what is refused, how unknown ones are named, what is kept."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ganlab.cli import main
from ganlab.errors import DataError

SMALL = (
    *("ccyclegan_t26", "--dataset", "synthetic_faces", "--device", "cpu", "--max-steps", "1"),
    *("--set", "dataset.identities=8", "--set", "dataset.test_identities=4", "--set", "architecture.width=4"),
    *("--set", "training.batch_images=4", "--set", "objective.targets=1"),
)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return a run of one step."""
    folder = tmp_path_factory.mktemp("runs")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GANLAB_HOME", str(folder / "home"))
        assert main(["run", *SMALL, "--out", str(folder / "run")]) == 0
    yield folder / "run"
    torch.set_num_threads(threads)


@pytest.fixture
def run(trained: Path, tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy of the run that holds no scores; work beside it."""
    shutil.copytree(trained, tmp_path / "run")
    shutil.copytree(trained.parent / "home", home)
    (tmp_path / "run/scores.json").unlink(missing_ok=True)
    monkeypatch.chdir(tmp_path)
    return Path("run")


def test_unknown_weights_score_by_other_names_and_their_features_are_kept(
    run: Path, script: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["eval", "run", "--fid", "--kid", "--rfd", "--images", "8", "--seeds", "2", "--weights", str(script)]
    assert main([*words, "--allow-unknown-weights", "--save-features", "features", "--json"]) == 0
    captured = capsys.readouterr()
    told = json.loads(captured.out)
    digest = told["protocols"]["A"]["facts"]["extractor_digest"]
    custom = f"custom_{digest[:8]}"
    assert [sorted(line["scores"]) for line in told["scores"]] == [
        sorted([f"frechet_{custom}", f"frechet_{custom}_low", f"frechet_{custom}_high", f"floor_{custom}"]),
        sorted([f"kernel_{custom}", f"kernel_{custom}_low", f"kernel_{custom}_high", f"floor_{custom}"]),
        ["floor", "rfd", "rfd_high", "rfd_low"],
    ]
    assert "fid: 8 images for 2048 values: Frechet distances are biased upwards" in captured.err
    assert "kid: 8 images" not in captured.err  # it is unbiased
    kept = json.loads((run / "scores.json").read_text())["scores"]
    assert [entry["best_is"] for entry in kept] == [
        {f"frechet_{custom}": "lowest"},
        {f"kernel_{custom}": "lowest"},
        {"rfd": "lowest"},
    ]
    held = {path.name.rsplit("-", 2)[0]: np.load(path) for path in sorted(Path("features").iterdir())}
    assert {name: file["features"].shape for name, file in held.items()} == {
        "real-inception": (8, 2048),
        "real-random": (8, 512),
        "run-step-00000001-inception": (8, 2048),
        "run-step-00000001-random": (8, 512),
    }
    assert len(list(Path("features").iterdir())) == 6  # real ones once, made ones for each seed
    about = json.loads(str(held["real-inception"]["about"]))
    assert (about["extractor_digest"], about["images_digest"]) == (digest, told["protocols"]["A"]["facts"]["real_digest"])


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "the option weights says weights.pt, which is not there. "),
        ("folder", "inception-2015-12-05.pt and "),
        (b"", "weights.pt: the file is empty. "),
        (b"version https://git-lfs.github.com/spec/v1\n", "weights.pt: this is a Git LFS pointer, not the file itself"),
        ("cut", "weights.pt: the file is cut short at 1,000 bytes: its download did not end. "),
        ("whole", "is not that of Inception's published weights, so its scores would be no FID. "),
    ],
)
def test_wrong_weights_are_one_line_and_no_image_is_made(
    content: Any, reason: str, run: Path, script: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = Path("weights.pt")
    if content == "folder":
        path.mkdir()
    elif content in ("cut", "whole"):
        path.write_bytes(script.read_bytes()[: 1000 if content == "cut" else None])
    elif content is not None:
        path.write_bytes(content)
    assert main(["eval", "run", "--rfd", "--fid", "--images", "8", "--weights", str(path)]) == DataError.code
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("ganlab: error: run: fid: ")
    assert reason in line
    assert not (run / "scores.json").exists()  # rfd, which comes first, would have left one
