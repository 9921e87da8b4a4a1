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

from ganlab import Component, DataError, ImageSet, RunInfo, hookimpl
from ganlab.errors import DeviceError, DivergedError, GanlabError, Interrupted, PluginError, RunError
from ganlab.plugins import Plugins
from ganlab.recipe import load_recipe, parse_recipe
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
    spec = make_spec(recipe, Registry(plugins))
    return resume_run(spec, plugins, run, CPU, listener, command=["ganlab", "resume"], has_new_end=bool(end))


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


def test_a_score_that_fails_loses_no_step_and_is_made_up_for_on_resume(
    spec_of: SpecOf, plugins_with: Callable[[ModuleType], Plugins], listener: Any, tmp_path: Path
) -> None:
    broken = [True]

    class Fragile:
        def score(self, model: Any, test: Any) -> dict[str, float]:
            return {"value": 1 / (not broken[0])}

    @hookimpl
    def ganlab_evaluators() -> list[Component]:
        return [Component("fragile", Fragile)]

    module = ModuleType("ganlab_fragile")
    vars(module)["ganlab_evaluators"] = ganlab_evaluators
    plugins = plugins_with(module)
    recipe = _recipe_with_evaluation().replace("brightness", "fragile").replace("steps = 20", "steps = 20\nlog_every_steps = 5")
    spec = make_spec(parse_recipe(recipe, Path("tiny.toml")), Registry(plugins))
    with pytest.raises(PluginError, match=r"evaluator fragile \(plugin .*ganlab_fragile\) failed: ZeroDivisionError"):
        start(spec, plugins, listener, tmp_path / "run")
    run = open_run(tmp_path / "run")
    assert list_checkpoints(run.checkpoints)[-1][0] == 20
    before = content(run)
    broken[0] = False
    outcome = resume(run, plugins, listener)
    assert (outcome.trained_steps, dict(outcome.scores)) == (0, {"fragile.value": 1.0})
    assert content(run) == before


def test_what_an_objective_keeps_between_steps_is_resumed(
    spec_of: SpecOf, tiny: Any, plugins_with: Callable[[ModuleType], Plugins], listener: Any, tmp_path: Path, recipe_text: str
) -> None:
    class Counting(torch.nn.Module):
        def __init__(self, **options: Any) -> None:
            super().__init__()
            self.procedure = tiny.TinyObjective(**options)
            self.register_buffer("seen", torch.zeros(()))

        def step(self, s: Any) -> Any:
            self.seen += 1
            s.log(seen=self.seen.clone())
            yield from self.procedure.step(s)

        def phase(self, index: int) -> Any:
            return self.procedure.phase(index)

    @hookimpl
    def ganlab_objectives() -> list[Component]:
        return [Component("counting", Counting, tiny.TinyObjectiveOptions)]

    module = ModuleType("ganlab_counting")
    vars(module)["ganlab_objectives"] = ganlab_objectives
    plugins = plugins_with(module)
    text = recipe_text.replace('[objective]\nuse = "tiny"', '[objective]\nuse = "counting"')

    def spec(steps: int) -> Spec:
        return make_spec(parse_recipe(text.replace("20", str(steps)), Path("tiny.toml")), Registry(plugins))

    alone = start(spec(20), plugins, listener, tmp_path / "alone").run
    run = start(spec(7), plugins, listener, tmp_path / "run").run
    resume(run, plugins, listener, steps=20)
    assert content(run) == content(alone)
    assert listener.rows[-1]["seen"] == 18.5  # the mean of steps 17 to 20


def test_weights_that_are_not_finite_are_never_saved(
    spec_of: SpecOf, tiny: Any, plugins_with: Callable[[ModuleType], Plugins], listener: Any, tmp_path: Path, recipe_text: str
) -> None:
    class BadGradient(tiny.TinyObjective):  # type: ignore[misc]
        def step(self, s: Any) -> Any:
            for update in super().step(s):
                if s.phase[1]:
                    zero = next(s.nets["discriminator"].parameters()).sum() * 0
                    update.terms["d_class"] = update.terms["d_class"] + zero.sqrt()
                yield update

    @hookimpl
    def ganlab_objectives() -> list[Component]:
        return [Component("bad_gradient", BadGradient, tiny.TinyObjectiveOptions)]

    module = ModuleType("ganlab_bad")
    vars(module)["ganlab_objectives"] = ganlab_objectives
    plugins = plugins_with(module)
    text = recipe_text.replace('[objective]\nuse = "tiny"', '[objective]\nuse = "bad_gradient"\nexplode_at = 10')
    with pytest.raises(DivergedError) as error:
        start(make_spec(parse_recipe(text, Path("x.toml")), Registry(plugins)), plugins, listener, tmp_path / "run")
    first, last = str(error.value).splitlines()
    # The term of the same step is infinite too in the tiny objective; whichever is seen first stops the run.
    assert "not finite at step 10" in first
    assert last == f"The last good checkpoint is kept: {tmp_path / 'run' / 'checkpoints' / 'step-00000005'}"


def test_resuming_is_recorded_with_its_surroundings(spec_of: SpecOf, plugins: Plugins, listener: Any, tmp_path: Path) -> None:
    run = start(spec_of({"steps = 20": "steps = 5"}), plugins, listener, tmp_path / "run").run
    resume(run, plugins, listener, steps=10)
    resume(run, plugins, listener)  # finished: nothing to record
    environment = json.loads((run.path / "environment.json").read_text())
    assert [(entry["step"], entry["command"]) for entry in environment["resumed"]] == [(5, ["ganlab", "resume"])]
    (run.path / "environment.json").unlink()
    resume(run, plugins, listener, steps=12)
    assert json.loads((run.path / "environment.json").read_text())["step"] == 10


def test_two_data_sets_of_one_name_share_no_cache(
    spec_of: SpecOf, tiny: Any, plugins: Plugins, entry_point: Any, tmp_path: Path, recipe_text: str
) -> None:
    import ganlab_losses

    from ganlab.plugins import load_plugins
    from ganlab.resolve import open_splits

    class Other(tiny.TinyData):  # type: ignore[misc]
        def read(self) -> Any:
            return {name: ImageSet(images=255 - split.images, labels=split.labels) for name, split in super().read().items()}

    def package(target: type) -> ModuleType:
        @hookimpl
        def ganlab_datasets() -> list[Component]:
            return [Component("faces", target, tiny.TinyDataOptions)]

        module = ModuleType(f"ganlab_{target.__name__.lower()}")
        vars(module)["ganlab_datasets"] = ganlab_datasets
        return module

    strangers = load_plugins(
        [
            entry_point("losses", ganlab_losses, dist="ganlab"),
            entry_point("tiny", tiny, dist="ganlab"),
            entry_point("one", package(tiny.TinyData), dist="one"),
            entry_point("two", package(Other), dist="two"),
        ]
    )
    images = []
    for name in ("one:faces", "two:faces"):
        text = recipe_text.replace('[dataset]\nuse = "tiny"', f'[dataset]\nuse = "{name}"')
        spec = make_spec(parse_recipe(text, Path("x.toml")), Registry(strangers))
        images.append(open_splits(spec).splits["train"].images)
    assert torch.equal(images[0], 255 - images[1])


def test_an_empty_split_is_refused_before_training(spec_of: SpecOf, plugins: Plugins, listener: Any, tmp_path: Path) -> None:
    spec = spec_of({'[dataset]\nuse = "tiny"': '[dataset]\nuse = "tiny"\ncount = 1'})
    with pytest.raises(DataError, match="data set tiny, split train: holds no image"):
        start(spec, plugins, listener, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_the_resolved_recipe_of_a_run_keeps_the_runs_name(
    spec_of: SpecOf, plugins: Plugins, registry: Registry, listener: Any, tmp_path: Path, recipe_text: str
) -> None:
    run = start(spec_of({"steps = 20": "steps = 1"}), plugins, listener, tmp_path / "0003-tiny").run
    assert session.run_name(load_recipe(run.recipe)) == "tiny"
    assert session.run_name(parse_recipe(recipe_text, Path("other.toml"))) == "other"
    assert session.run_name(parse_recipe(run.recipe.read_text(), tmp_path / "copy.toml")) == "copy"
