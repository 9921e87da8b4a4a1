"""A run directory holds everything: stopped, damaged, extended, a run goes on as if nothing had happened."""

import csv
import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from ganlab import RunInfo, hookimpl
from ganlab.errors import DeviceError, DivergedError, GanlabError, Interrupted, RunError
from ganlab.plugins import Plugins
from ganlab.recipe import load_recipe
from ganlab.recipe_end import with_end
from ganlab.registry import Registry
from ganlab.runs.checkpoints import find_checkpoint, list_checkpoints, open_checkpoint, save_checkpoint
from ganlab.runs.directory import Run, create_run, open_run
from ganlab.runs.table import Table
from ganlab.spec import Spec, make_spec
from ganlab.training import session
from ganlab.training.session import Outcome, resume_run, start_run

CPU = torch.device("cpu")
SpecOf = Callable[..., Spec]


def start(spec: Spec, plugins: Plugins, listener: Any, out: Path) -> Outcome:
    return start_run(spec, plugins, CPU, listener, out=out, command=["ganlab", "run"])


def resume(run: Run, plugins: Plugins, listener: Any, **end: Any) -> Outcome:
    recipe = load_recipe(run.recipe)
    if end:
        recipe = with_end(recipe, **end)
    return resume_run(make_spec(recipe, Registry(plugins)), plugins, run, CPU, listener)


def content(run: Run) -> dict[str, bytes]:
    """Return the bytes that must repeat: networks, averages, training state and log."""
    files = {run.log: "log.csv"}
    newest = list_checkpoints(run.checkpoints)[-1][1]
    files |= {newest / f"{name}.safetensors": name for name in ("networks", "averaged", "training")}
    return {name: path.read_bytes() for path, name in files.items()}


def test_a_run_leaves_recipe_log_pictures_checkpoints_and_surroundings(
    spec_of: SpecOf, plugins: Plugins, listener: Any, tmp_path: Path
) -> None:
    outcome = start(spec_of({"steps = 20": "steps = 20\nsample_every_steps = 8"}), plugins, listener, tmp_path / "run")
    assert (outcome.step, outcome.is_finished) == (20, True)
    run = outcome.run
    assert [step for step, _ in list_checkpoints(run.checkpoints)] == [5, 10, 15, 20]
    assert sorted(path.name for path in run.samples.iterdir()) == [f"step-000000{n:02}.png" for n in (8, 16, 20)]
    rows = list(csv.DictReader(run.log.read_text().splitlines()))
    assert [row["step"] for row in rows] == ["4", "8", "12", "16", "20"]
    assert list(rows[0]) == ["step", "epoch", "images", "d_adversarial", "d_class", "d_accuracy", "g_adversarial"]
    assert [row["epoch"] for row in rows] == ["1", "2", "3", "4", "5"]
    environment = json.loads((run.path / "environment.json").read_text())
    assert environment["command"] == ["ganlab", "run"]
    assert environment["data"]["training_images"] == 16
    assert {p.name for p in run.path.iterdir()} == {
        ".lock", "recipe.toml", "environment.json", "log.csv", "timing.csv", "samples", "checkpoints"
    }  # fmt: skip


def test_the_resolved_recipe_repeats_the_run(
    spec_of: SpecOf, plugins: Plugins, registry: Registry, listener: Any, tmp_path: Path
) -> None:
    first = start(spec_of(), plugins, listener, tmp_path / "a").run
    again = start(make_spec(load_recipe(first.recipe), registry), plugins, listener, tmp_path / "b").run
    assert content(first) == content(again)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("stop_after", [1, 7, 10, 19])
def test_a_run_stopped_by_a_signal_and_resumed_equals_one_left_alone(
    spec_of: SpecOf, plugins: Plugins, listener: Any, tmp_path: Path, stop_after: int, precision: str
) -> None:
    spec = spec_of({"steps = 20": f'steps = 20\nflip = true\nprecision = "{precision}"'})
    alone = start(spec, plugins, listener, tmp_path / "alone").run

    class Stopper(type(listener)):  # type: ignore[misc]
        def stepped(self, step: int, *facts: object) -> None:
            if step == stop_after:
                os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(Interrupted) as stopped:
        start(spec, plugins, Stopper(), tmp_path / "run")
    assert stopped.value.code == 143
    run = open_run(tmp_path / "run")
    assert str(stopped.value) == f"stopped after step {stop_after}, saved; go on with: ganlab resume {run.path}"
    torch.manual_seed(99)  # nothing of this process may leak into the resumed run
    assert resume(run, plugins, listener).is_finished
    assert content(run) == content(alone)


def test_a_finished_run_is_left_as_it_is(spec_of: SpecOf, plugins: Plugins, listener: Any, tmp_path: Path) -> None:
    run = start(spec_of(), plugins, listener, tmp_path / "run").run
    before = content(run)
    outcome = resume(run, plugins, listener)
    assert (outcome.trained_steps, outcome.is_finished) == (0, True)
    assert content(run) == before


def test_an_extended_run_equals_one_that_was_long_from_the_start(
    spec_of: SpecOf, plugins: Plugins, listener: Any, tmp_path: Path
) -> None:
    long = start(spec_of({"steps = 20": "steps = 33"}), plugins, listener, tmp_path / "long").run
    run = start(spec_of({"steps = 20": "steps = 21"}), plugins, listener, tmp_path / "run").run
    resume(run, plugins, listener, steps=33)
    assert content(run) == content(long)


def test_epochs_count_images_by_whole_batches(spec_of: SpecOf, plugins: Plugins, listener: Any, tmp_path: Path) -> None:
    spec = spec_of({"steps = 20": "epochs = 3", "batch_images = 4": "batch_images = 5"})
    outcome = start(spec, plugins, listener, tmp_path / "run")
    assert outcome.step == 9  # 16 images: 3 batches of 5 an epoch
    assert outcome.last_row["epoch"] == 3


def test_only_the_newest_checkpoints_and_the_best_are_kept(
    spec_of: SpecOf, plugins: Plugins, listener: Any, tmp_path: Path
) -> None:
    more = '\nkeep_checkpoints = 2\nevaluate_every_steps = 5\nbest = "brightness.mean"\nbest_is = "lowest"'
    spec = spec_of({"steps = 20": f"steps = 30{more}"}, text=_recipe_with_evaluation())
    run = start(spec, plugins, listener, tmp_path / "run").run
    entries = json.loads(run.scores.read_text())["scores"]
    assert [entry["step"] for entry in entries] == [5, 10, 15, 20, 25, 30]
    means = {entry["step"]: entry["scores"]["mean"] for entry in entries}
    best = min(means, key=lambda step: means[step])
    assert [step for step, _ in list_checkpoints(run.checkpoints)] == sorted({best, 25, 30})
    assert entries[0]["scores"]["images"] == 8
    assert entries[0]["protocol"]["weights"] == "averaged"


def _recipe_with_evaluation() -> str:
    from textwrap import dedent

    return dedent(
        """
        [dataset]
        use = "tiny"
        [architecture]
        use = "tiny"
        [objective]
        use = "tiny"
        [training]
        steps = 20
        batch_images = 4
        checkpoint_every_steps = 5
        averaging_decay = 0.9
        [evaluation.brightness]
        """
    )


def test_a_term_that_is_not_finite_stops_the_run_and_names_itself(
    spec_of: SpecOf, plugins: Plugins, listener: Any, tmp_path: Path
) -> None:
    spec = spec_of({'use = "tiny"\n[optimizer]': 'use = "tiny"\nexplode_at = 13\n[optimizer]'})
    with pytest.raises(DivergedError) as error:
        start(spec, plugins, listener, tmp_path / "run")
    assert str(error.value).splitlines() == [
        "d_adversarial is not finite at step 13. Try a lower optimizer.learning_rate, "
        'training.precision = "fp32", or another training.seed.',
        f"The last good checkpoint is kept: {tmp_path / 'run' / 'checkpoints' / 'step-00000010'}",
    ]


def test_a_checkpoint_that_cannot_be_written_is_absent(
    spec_of: SpecOf, plugins: Plugins, listener: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ganlab.runs import checkpoints

    written = []

    def full(path: Path, *rest: Any) -> None:
        written.append(path)
        if len(written) > 4:  # inside the second checkpoint
            raise OSError(28, "No space left on device")
        write(path, *rest)

    write = checkpoints.write_tensors
    monkeypatch.setattr(checkpoints, "write_tensors", full)
    with pytest.raises(GanlabError, match=r"step-00000010: cannot be written \(No space left on device\)") as error:
        start(spec_of(), plugins, listener, tmp_path / "run")
    assert error.value.code == 7
    assert [entry.name for entry in (tmp_path / "run" / "checkpoints").iterdir()] == ["step-00000005"]


def test_a_full_disk_is_said_before_the_first_step(
    spec_of: SpecOf, plugins: Plugins, listener: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session.shutil, "disk_usage", lambda path: type("Usage", (), {"free": 100})())
    with pytest.raises(GanlabError, match="0 MiB are free and two checkpoints need") as error:
        start(spec_of(), plugins, listener, tmp_path / "run")
    assert error.value.code == 7
    assert listener.rows == []


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda p: (p / "networks.safetensors").write_bytes(b"x"), "networks.safetensors: damaged: its content is not what"),
        (lambda p: (p / "networks.safetensors").unlink(), "networks.safetensors: cannot be read"),
        (lambda p: (p / "state.json").write_text("{"), "state.json: not a checkpoint of this ganlab, or damaged"),
    ],
)
def test_a_damaged_checkpoint_is_named_with_the_way_on(
    spec_of: SpecOf, plugins: Plugins, listener: Any, tmp_path: Path, damage: Callable[[Path], object], message: str
) -> None:
    run = start(spec_of(), plugins, listener, tmp_path / "run").run
    newest = run.checkpoints / "step-00000020"
    damage(newest)
    with pytest.raises(RunError, match=message) as error:
        resume(run, plugins, listener)
    assert str(error.value).endswith(f"Remove {newest} to go on from step 15.")


def test_a_run_held_by_one_process_is_refused_to_another(tmp_path: Path) -> None:
    run = create_run(tmp_path / "run", "x")
    with run.held(), pytest.raises(RunError, match="another ganlab process is working on this run"), Run(run.path).held():
        pass
    with run.held():  # and is free again
        pass


def test_runs_are_numbered_and_an_out_folder_with_content_is_refused(tmp_path: Path) -> None:
    assert [create_run(None, "x", tmp_path).path.name for _ in range(2)] == ["0001-x", "0002-x"]
    out = tmp_path / "0001-x"
    (out / ".lock").touch()  # of a run that ended before it began
    assert create_run(out, "x").path == out
    for file, way_on in (
        ("file", "choose another with --out DIR"),
        ("recipe.toml", f"`ganlab resume {out}` continues the run"),
    ):
        (out / file).touch()
        with pytest.raises(RunError) as error:
            create_run(out, "x")
        assert str(error.value).startswith(f"{out}: exists and is not an empty folder; {way_on}")
        assert error.value.code == 6


def test_other_data_are_refused_on_resume(
    spec_of: SpecOf, plugins: Plugins, registry: Registry, listener: Any, tmp_path: Path
) -> None:
    run = start(spec_of(), plugins, listener, tmp_path / "run").run
    recipe = (
        run.recipe.read_text().replace("[dataset]\nuse", "[dataset]\nseed = 5\nuse").replace("\nseed = 0\ncount", "\ncount")
    )
    run.recipe.write_text(recipe)
    with pytest.raises(RunError, match="the data are not those that the run was trained on"):
        resume(run, plugins, listener)


def test_a_warm_start_takes_the_weights_of_another_run(
    spec_of: SpecOf, plugins: Plugins, listener: Any, tmp_path: Path
) -> None:
    source = start(spec_of(), plugins, listener, tmp_path / "a").run
    spec = spec_of({"steps = 20": f'steps = 1\nstart_from = "{source.path}"', "1e-2": "1e-9"})
    warm = start(spec, plugins, listener, tmp_path / "b").run
    before = open_checkpoint(find_checkpoint(source.path)).tensors("networks")
    after = open_checkpoint(find_checkpoint(warm.path)).tensors("networks")
    weights = [name for name in before if "norm" not in name]
    assert all(torch.allclose(before[name], after[name], atol=1e-7) for name in weights)
    assert any(not torch.equal(before[name], after[name]) for name in weights)


def test_an_observer_that_raises_is_dropped_with_one_line(
    spec_of: SpecOf, plugins_with: Callable[[ModuleType], Plugins], listener: Any, tmp_path: Path
) -> None:
    seen: list[Any] = []

    def observing(name: str, fails_at: int) -> ModuleType:
        @hookimpl
        def ganlab_logged(step: int) -> None:
            seen.append((name, step))
            if step == fails_at:
                raise SystemExit(3)

        @hookimpl
        def ganlab_run_ended(run: RunInfo, status: str) -> None:
            seen.append((name, status, run.path.name))

        module = ModuleType(name)
        vars(module).update(ganlab_logged=ganlab_logged, ganlab_run_ended=ganlab_run_ended)
        return module

    start(spec_of(), plugins_with(observing("fragile", fails_at=8)), listener, tmp_path / "a")
    assert seen == [("fragile", 4), ("fragile", 8)]
    assert listener.notes == ["plugin ganlab:fragile no longer observes: ganlab_logged: SystemExit: 3"]
    seen.clear()
    start(spec_of({"steps = 20": "steps = 4"}), plugins_with(observing("sound", fails_at=0)), listener, tmp_path / "b")
    assert seen == [("sound", 4), ("sound", "finished", "b")]


def test_a_row_that_cannot_be_written_is_told_with_the_way_on(tmp_path: Path) -> None:
    table = Table(tmp_path / "log.csv")
    table.append({"step": 1, "d": 0.5})
    table.path.unlink()
    table.path.mkdir()
    with pytest.raises(DeviceError) as error:
        table.append({"step": 2, "d": 0.25})
    assert str(error.value) == (
        f"{table.path}: cannot be written (Is a directory); make room, then resume from the newest checkpoint"
    )
    assert table.rows == 1


def test_a_checkpoint_that_stands_in_the_way_is_replaced_whole(tmp_path: Path) -> None:
    tensors = {"networks": {"a/weight": torch.zeros(2)}}
    old = save_checkpoint(tmp_path, 5, tensors, {})
    (old / "networks.safetensors").write_bytes(b"torn")
    new = save_checkpoint(tmp_path, 5, tensors, {})
    assert torch.equal(open_checkpoint(new).tensors("networks")["a/weight"], torch.zeros(2))
    assert [entry.name for entry in tmp_path.iterdir()] == ["step-00000005"]
