"""Killed at any moment and resumed by another process, a run ends with the bytes of one left alone."""

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ganlab.cli import main
from ganlab.runs.checkpoints import list_checkpoints

LAST_STEP = 120
RECIPE = f"""
# CCycleGAN in small: checkpoints so often that a kill meets one.
[dataset]
use = "synthetic_faces"
identities = 20
test_identities = 7
[architecture]
use = "ccyclegan"
width = 4
[objective]
use = "ccyclegan"
targets = 1
[training]
steps = {LAST_STEP}
batch_images = 4
flip = true
averaging_decay = 0.9
log_every_steps = 7
sample_every_steps = 50
checkpoint_every_steps = 4
keep_checkpoints = 2
"""
Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of this file's recipe, runs and cache."""
    place = tmp_path_factory.mktemp("killed")
    (place / "small.toml").write_text(RECIPE)
    return place


@pytest.fixture(scope="module")
def start(place: Path) -> Iterator[Start]:
    """Return `start("resume", "DIR")`: the command in a process of its own."""
    begun: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> subprocess.Popen[str]:
        environment = {**os.environ, "GANLAB_HOME": str(place / "home"), "OMP_NUM_THREADS": "1"}
        process = subprocess.Popen(
            [sys.executable, "-m", "ganlab", *arguments, "--device", "cpu"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=place,
            env=environment,
        )
        begun.append(process)
        return process

    yield start
    for process in begun:  # a test that failed may have left one, even a stopped one
        process.kill()
        process.communicate()


@pytest.fixture(autouse=True)
def shared_home(place: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let commands in this process find the same data as those in their own."""
    monkeypatch.setenv("GANLAB_HOME", str(place / "home"))
    monkeypatch.chdir(place)


@pytest.fixture(scope="module", autouse=True)
def undisturbed(start: Start) -> subprocess.Popen[str]:
    """Start the run that is left alone; tests disturb others meanwhile."""
    return start("run", "small.toml", "--out", "alone")


@pytest.fixture(scope="module")
def alone(undisturbed: subprocess.Popen[str], place: Path) -> Callable[[], Path]:
    """Return `alone()`: the run that nobody disturbed, at its end."""

    def alone() -> Path:
        assert undisturbed.wait(100) == 0, undisturbed.communicate()
        return place / "alone"

    return alone


def content(run: Path) -> dict[str, bytes]:
    """Return the bytes that must repeat."""
    step, newest = list_checkpoints(run / "checkpoints")[-1]
    assert step == LAST_STEP
    files = [run / "log.csv", *(newest / f"{name}.safetensors" for name in ("networks", "averaged", "training"))]
    return {path.name: path.read_bytes() for path in files}


def steps_saved(run: Path) -> int:
    return max((step for step, _ in list_checkpoints(run / "checkpoints")), default=0)


def wait_until(is_so: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    """Wait for a state of the files of a process; fail if it ends before."""
    until = time.monotonic() + 100
    while not is_so():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.002)


def halves(run: Path) -> list[Path]:
    return list((run / "checkpoints").glob(".step-*.tmp"))


def kill_inside_a_save(process: subprocess.Popen[str], run: Path) -> None:
    """Kill while a checkpoint is half written: hold the process, look, and let it go on if it was too late."""
    while True:
        wait_until(lambda: bool(halves(run)), process)
        process.send_signal(signal.SIGSTOP)
        if halves(run):
            process.kill()
            process.communicate()
            assert halves(run)
            return
        process.send_signal(signal.SIGCONT)


def test_killed_at_random_moments_and_resumed_a_run_equals_one_left_alone(
    alone: Callable[[], Path], start: Start, place: Path
) -> None:
    seed = random.SystemRandom().randrange(10**6)
    moments = random.Random(seed)
    print(f"seed of the random moments: {seed}")  # pytest shows it with a failure
    run = place / "killed"

    # Before the first checkpoint: the lock and the recipe are all there is.
    process = start("run", "small.toml", "--out", "killed")
    wait_until((run / "environment.json").exists, process)
    process.kill()
    process.communicate()
    shutil.rmtree(run / "checkpoints", ignore_errors=True)  # the kill of a busy machine may have come late

    # From step 0, to some moment; then to some moment of a save.
    process = start("resume", "killed")
    step = moments.randrange(4, LAST_STEP // 2)
    wait_until(lambda: steps_saved(run) >= step, process)
    time.sleep(moments.uniform(0, 0.1))
    process.kill()
    process.communicate()
    process = start("resume", "killed")
    step = steps_saved(run) + moments.randrange(1, LAST_STEP // 4)
    wait_until(lambda: steps_saved(run) >= step, process)
    kill_inside_a_save(process, run)

    # To the end, in the words of a run left alone.
    process = start("resume", "killed")
    out, err = process.communicate()
    assert process.returncode == 0, err
    assert out.splitlines()[0] == f"finished after {LAST_STEP} steps"
    assert content(run) == content(alone())
    assert halves(run) == []
    assert sorted(path.name for path in (run / "samples").iterdir()) == sorted(
        path.name for path in (alone() / "samples").iterdir()
    )


def test_signals_stop_a_run_saved_and_a_second_process_is_refused(
    alone: Callable[[], Path], start: Start, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = place / "stopped"
    for arguments, number, code in (
        (("run", "small.toml", "--out", "stopped"), signal.SIGTERM, 143),
        (("resume", "stopped"), signal.SIGINT, 130),
    ):
        process = start(*arguments)
        begun = steps_saved(run)
        wait_until(lambda begun=begun: steps_saved(run) > begun, process)

        # While it works, nobody else may.
        process.send_signal(signal.SIGSTOP)
        assert main(["resume", "stopped", "--device", "cpu"]) == 6
        assert main(["resume", "stopped", "--device", "cpu", "--max-steps", "400"]) == 6
        refusal = "ganlab: error: stopped: another ganlab process is working on this run; wait for it or stop it\n"
        assert capsys.readouterr() == ("", 2 * refusal)

        process.send_signal(number)
        process.send_signal(signal.SIGCONT)
        out, err = process.communicate()
        assert (process.returncode, out) == (code, ""), err
        assert err.splitlines()[-1] == (
            f"ganlab: stopped after step {steps_saved(run)}, saved; go on with: ganlab resume stopped"
        )

    assert main(["resume", "stopped", "--device", "cpu"]) == 0
    assert content(run) == content(alone())


def test_a_finished_run_says_so_in_one_line(alone: Callable[[], Path], capsys: pytest.CaptureFixture[str]) -> None:
    before = content(alone())
    assert main(["resume", "alone", "--device", "cpu"]) == 0
    out, _ = capsys.readouterr()
    assert out == f"alone: already finished at step {LAST_STEP}; `ganlab resume alone --max-steps N` extends it\n"
    assert content(alone()) == before


def test_every_row_of_the_log_has_its_step_once(alone: Callable[[], Path]) -> None:
    steps = [int(re.match(r"\d+", line)[0]) for line in (alone() / "log.csv").read_text().splitlines()[1:]]  # type: ignore[index]
    assert steps == [*range(7, LAST_STEP, 7), LAST_STEP]
