"""A run is watched for collapse: what is seen, when it is an alarm, what an alarm does; and the shipped run that collapses."""

import csv
import json
import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from ganlab import DataSpec, ImageSet
from ganlab.cli import main
from ganlab.errors import CollapsedError, DataError, Interrupted, RecipeError, UsageError
from ganlab.evaluation.diversity import diversity_of, mean_difference, real_difference
from ganlab.options import TrainingOptions, WatchOptions
from ganlab.plugins import Plugins, load_plugins
from ganlab.recipe import find_recipe, load_recipe
from ganlab.recipe_end import with_end
from ganlab.registry import Registry
from ganlab.runs.checkpoints import list_checkpoints, open_checkpoint
from ganlab.runs.directory import Run, open_run
from ganlab.spec import Spec, make_spec
from ganlab.training.session import Outcome, resume_run, start_run
from ganlab.training.tally import Tally
from ganlab.training.trend import Trend
from ganlab.training.watch import Watch, slope

CPU = torch.device("cpu")
SpecOf = Callable[..., Spec]
ONE_FACE = "images from different noise differ by {} of what real images of one label do, below {}"


# What is seen


def random_images(count: int, seed: int = 0) -> Tensor:
    return torch.randint(0, 256, (count, 1, 8, 8), generator=torch.Generator().manual_seed(seed)).to(torch.uint8)


class Fake:
    """A model of three classes whose images the test says."""

    def __init__(self, makes: str, make: Callable[[Tensor, Tensor], Tensor]) -> None:
        self.data = DataSpec(size_px=8, channels=1, label_kind="classes", label_names=("a", "b", "c"))
        self.makes, self.device, self._make = frozenset({makes}), CPU, make

    def generate(self, labels: Tensor, seed: int) -> Tensor:
        return self._make(random_images(len(labels), seed + 1), labels)

    def translate(self, images: Tensor, labels: Tensor) -> Tensor:
        return self._make(images, labels)

    def classify(self, images: Tensor) -> Tensor:
        raise NotImplementedError


TEST = ImageSet(images=random_images(60), labels=torch.arange(60) % 3)


def seen(makes: str, make: Callable[[Tensor, Tensor], Tensor]) -> dict[str, float]:
    model = Fake(makes, make)
    return diversity_of(model, TEST, real_difference(TEST, model.data))


def shades(labels: Tensor) -> Tensor:
    return (labels.argmax(1) * 50).to(torch.uint8)[:, None, None, None].expand(-1, 1, 8, 8)


def test_the_difference_of_images_that_are_apart_in_one_way_only() -> None:
    grid = torch.tensor([[0.0, 10.0], [4.0, 10.0], [12.0, 10.0]])[:, :, None, None, None]  # 3 rows, 2 columns, one pixel
    assert mean_difference(grid, 0) == pytest.approx((4 + 8 + 12 + 0 + 0 + 0) / 6)
    assert mean_difference(grid, 1) == pytest.approx((10 + 6 + 2) / 3)
    assert mean_difference(grid[:1], 0) == 0


def test_real_images_are_compared_with_others_of_their_class() -> None:
    bright = ImageSet(images=shades(torch.eye(3).repeat(20, 1)) + random_images(60) // 8, labels=torch.arange(60) % 3)
    spec = DataSpec(size_px=8, channels=1, label_kind="classes", label_names=("a", "b", "c"))
    assert real_difference(bright, spec) == pytest.approx(31 / 3, rel=0.1)  # of two even draws from 32 gray levels
    assert real_difference(bright, DataSpec(size_px=8, channels=1)) > 30
    with pytest.raises(DataError, match="the 7 test images are all alike"):
        real_difference(ImageSet(images=torch.zeros(7, 1, 8, 8, dtype=torch.uint8)), DataSpec(size_px=8, channels=1))


def test_a_generator_is_as_diverse_as_real_images_or_shows_one_face_a_label() -> None:
    assert seen("generate", lambda images, labels: images)["watch_diversity"] == pytest.approx(1, abs=0.05)
    assert seen("generate", lambda images, labels: shades(labels)) == {"watch_diversity": 0}


def test_a_translator_that_returns_its_input_or_one_face_for_all_is_seen() -> None:
    def lighter(images: Tensor, labels: Tensor) -> Tensor:
        return (images // 2 + shades(labels)).to(torch.uint8)

    good, same = seen("translate", lighter), seen("translate", lambda images, labels: images)
    one = seen("translate", lambda images, labels: shades(labels))
    assert good["watch_translation_diversity"] == pytest.approx(0.5, abs=0.05)
    assert good["watch_change"] == pytest.approx((50 + 50 + 100) / 3 / 85, rel=0.05)
    assert (same["watch_change"], same["watch_translation_diversity"]) == (0, pytest.approx(1, abs=0.1))
    assert (one["watch_translation_diversity"], one["watch_change"] > 0.5) == (0, True)


def test_without_labels_a_translation_is_compared_with_its_photo() -> None:
    model = Fake("translate", lambda images, labels: 255 - images)
    model.data = DataSpec(size_px=8, channels=1)
    real = real_difference(TEST, model.data)
    assert diversity_of(model, TEST, real)["watch_change"] == pytest.approx(127.5 / 85, rel=0.1)
    model = Fake("translate", lambda images, labels: images)
    model.data = DataSpec(size_px=8, channels=1)
    assert diversity_of(model, TEST, real)["watch_change"] == 0


# When it is an alarm


def watching(**options: Any) -> Watch:
    defaults = {"every_steps": 10, "begin_step": 1, "most_accuracy": 1.0}
    return Watch(options=WatchOptions.model_validate({**defaults, **options}), tally=Tally(CPU))


def looks(watch: Watch, values: Sequence[float], name: str = "watch_diversity") -> list[str]:
    return [line for index, value in enumerate(values) for line in watch.look(10 * (index + 1), {name: value})]


def test_an_alarm_takes_bad_looks_in_a_row_and_is_told_once_and_when_it_is_over() -> None:
    told = looks(watching(), [0.5, 0.04, 0.04, 0.06, 0.04, 0.03, 0.02, 0.01, 0.3, 0.01])
    assert told == [
        f"step 70: watch: {ONE_FACE.format('2 %', '5 %')} (since step 50)",
        "step 90: watch: the alarm is over: diversity",
    ]


def test_nothing_is_an_alarm_before_the_step_at_which_the_watch_begins() -> None:
    assert looks(watching(begin_step=50), [0.0] * 6) == []
    assert looks(watching(begin_step=50), [0.0] * 7)[0].startswith("step 70: ")
    assert watching(begin_step=50).notices(70) == []
    assert watching(begin_step=50).notices(69) == [
        "training.watch: no alarm is possible before step 70, and the run has 69; lower begin_step"
    ]


@pytest.mark.parametrize(
    ("name", "limit"), [("watch_diversity", 0.05), ("watch_translation_diversity", 0.05), ("watch_change", 0.002)]
)
def test_each_limit_can_be_moved_and_switched_off(name: str, limit: float) -> None:
    option = "least_change" if name == "watch_change" else "least_diversity"
    assert looks(watching(), [limit] * 3, name) == []
    assert looks(watching(), [0.99 * limit] * 3, name) != []
    assert looks(watching(**{option: limit / 2}), [0.99 * limit] * 3, name) == []
    assert looks(watching(**{option: 0}), [0.0] * 3, name) == []


def test_the_accuracy_of_the_discriminator_is_a_mean_since_the_last_look() -> None:
    def look_after(watch: Watch, values: Sequence[float]) -> list[str]:
        for value in values:
            measures = {"d_accuracy_real": value, "d_accuracy_fake": 1.0, "d_class_accuracy": 1.0, "g_accuracy": 1.0}
            watch.stepped(1, [(name, torch.tensor(of)) for name, of in measures.items()])
        return watch.look(10, {})

    watch = watching(patience=2, most_accuracy=0.999)
    assert look_after(watch, [1.0, 1.0, 0.99]) == []  # 0.9983
    assert look_after(watch, [1.0, 1.0, 1.0]) == []
    assert look_after(watch, [1.0, 1.0]) == [
        "step 10: watch: the discriminator is right of 100 % of real and made images, above 99.9 %"
    ]
    assert watching().look(10, {}) == []
    assert watching(most_accuracy=0.999).look(10, {}) == [
        "watch: the objective has logged no d_accuracy: how often its discriminator is right is not watched"
    ]


def test_a_score_that_falls_and_falls_is_an_alarm_and_one_that_has_fallen_and_rises_is_none() -> None:
    def told(values: Sequence[float], best_is: str) -> list[str]:
        training = TrainingOptions.model_validate({"best": "fid.fid", "evaluate_every_steps": 1000, "best_is": best_is})
        watch, trend, lines = watching(), Trend(), []
        for step, value in enumerate(values, start=1):
            trend.add(1000 * step, value, training, [])
            lines += watch.scored(1000 * step, value, trend, training)
        return lines

    # As StudioGAN's DCGAN on CIFAR-10, which ends at 137.
    lost = "fid.fid gets no better and is 137, 180 % behind its best, 49 at step 3000; above 50 % (since step 6000)"
    assert told([120, 60, 49, 55, 66, 80, 110, 137], "lowest") == [f"step 8000: watch: {lost}"]
    assert told([120, 60, 49, 137, 50, 49, 137], "lowest") == []  # what happens once
    assert told([49, 137, 120, 110, 100, 90, 80], "lowest") == []  # on the way back
    lost = "fid.fid gets no better and is 0.41, 54.4 % behind its best, 0.9 at step 2000; above 50 % (since step 4000)"
    assert told([0.2, 0.9, 0.44, 0.43, 0.42, 0.41], "highest") == [f"step 6000: watch: {lost}"]
    assert told([0.2, 0.9, 0.8, 0.7, 0.6, 0.5], "highest") == []
    assert told([0.0, 1.0, 2.0, 3.0], "lowest") == []  # no share of nothing


def test_the_slope_of_a_line() -> None:
    assert slope([(10, 1.0), (20, 3.0), (30, 2.0)]) == pytest.approx(0.05)


# A whole run


def watched(then: str, **options: object) -> dict[str, str]:
    """Return a change of the tiny recipe: it is watched, and from step 7 on its discriminator is too often right."""
    keys = {"begin_step": 7, "every_steps": 2, "least_diversity": 0, "most_accuracy": 1e-3, **options}
    table = "\n".join([f'then = "{then}"', *(f"{key} = {value}" for key, value in keys.items())])
    return {"averaging_decay = 0.9\n": f"averaging_decay = 0.9\nkeep_checkpoints = 1\n[training.watch]\n{table}\n"}


def start(spec: Spec, plugins: Plugins, listener: Any, out: Path) -> Outcome:
    return start_run(spec, plugins, CPU, listener, out=out, command=[])


def resume(run: Run, plugins: Plugins, listener: Any, **end: int) -> Outcome:
    recipe = load_recipe(run.recipe)
    spec = make_spec(with_end(recipe, **end) if end else recipe, Registry(plugins))
    return resume_run(spec, plugins, run, CPU, listener, command=[], has_new_end=bool(end))


def steps_kept(run: Run) -> list[int]:
    return [step for step, _ in list_checkpoints(run.checkpoints)]


def rows(run: Path) -> list[dict[str, str]]:
    return list(csv.DictReader((run / "log.csv").read_text().splitlines()))


def state(run: Run) -> tuple[dict[str, Any], dict[str, bytes], str]:
    newest = list_checkpoints(run.checkpoints)[-1][1]
    record = {key: value for key, value in open_checkpoint(newest).state.items() if key != "seconds"}
    record.get("watch", {}).pop("calm_step", None)  # an interruption saves one checkpoint more
    return record, {p.name: p.read_bytes() for p in newest.glob("*.safetensors")}, run.log.read_text()


def test_a_warning_is_told_and_changes_nothing_else(spec_of: SpecOf, plugins: Plugins, listener: Any, tmp_path: Path) -> None:
    alone = start(spec_of(), plugins, type(listener)(), tmp_path / "alone").run
    outcome = start(spec_of(watched("warn")), plugins, listener, tmp_path / "run")
    assert (outcome.step, outcome.is_early) == (20, False)
    first, *others = [line for line in listener.notes if "watch" in line]
    assert (first.partition(" is right of ")[0], others) == ("step 12: watch: the discriminator", [])
    assert first.endswith(" % of real and made images, above 0.1 % (since step 8)")
    assert state(outcome.run)[1] == state(alone)[1]
    assert [row["watch_diversity"] != "" for row in rows(outcome.run.path)] == [True] * 5
    assert "watch" not in open_checkpoint(list_checkpoints(alone.checkpoints)[-1][1]).state
    assert "watch_diversity" not in rows(alone.path)[0]


def test_the_newest_checkpoint_of_a_calm_run_is_kept_through_what_comes_later(
    spec_of: SpecOf, plugins: Plugins, listener: Any, tmp_path: Path
) -> None:
    run = start(spec_of(watched("keep_best")), plugins, listener, tmp_path / "run").run
    assert steps_kept(run) == [5, 20]
    assert listener.notes[-1].endswith(" (since step 8); the checkpoint of step 5 stays")
    assert steps_kept(start(spec_of(watched("warn")), plugins, listener, tmp_path / "warned").run) == [20]


def test_a_collapsed_run_ends_with_a_checkpoint_a_picture_and_the_next_step(
    spec_of: SpecOf, plugins: Plugins, listener: Any, tmp_path: Path
) -> None:
    path = tmp_path / "run"
    with pytest.raises(CollapsedError) as raised:
        start(spec_of(watched("stop")), plugins, listener, path)
    run = open_run(path)
    assert (steps_kept(run), [p.name for p in run.samples.iterdir()]) == ([5, 12], ["step-00000012.png"])
    first, left, advice, command = str(raised.value).splitlines()
    assert raised.value.code == 9
    assert first.startswith(f"{path}: its watch ended the run at step 12: the discriminator is right of ")
    assert first.endswith(" % of real and made images, above 0.1 % (since step 8)")
    assert left == f"The last checkpoint from before: {path}/checkpoints/step-00000005"
    assert advice == "Look at the last picture, change what made the run collapse, often a learning rate, and start again:"
    assert command == (
        f"  ganlab run {path}/recipe.toml --set training.start_from={path}/checkpoints/step-00000005 "
        "--set optimizer.learning_rate=LOWER"
    )
    # It stays so.
    before = state(run)
    with pytest.raises(CollapsedError) as again:
        resume(run, plugins, listener)
    assert str(again.value) == str(raised.value)
    with pytest.raises(UsageError, match=r"its watch ended the run at step 12: .* says from where to start again"):
        resume(run, plugins, listener, steps=40)
    assert state(run) == before


def test_a_collapsed_run_names_the_best_checkpoint_where_a_score_says_it(
    spec_of: SpecOf, plugins: Plugins, listener: Any, tmp_path: Path
) -> None:
    scored = 'evaluate_every_steps = 3\nbest = "brightness.mean"\nbest_is = "lowest"\n'
    changes = {"steps = 20\n": f"steps = 20\n{scored}", "[optimizer]": "[evaluation.brightness]\n[optimizer]"}
    with pytest.raises(CollapsedError) as raised:
        start(spec_of({**watched("stop"), **changes}), plugins, listener, tmp_path / "run")
    run = open_run(tmp_path / "run")
    best = open_checkpoint(list_checkpoints(run.checkpoints)[-1][1]).state["best"]["step"]
    assert str(raised.value).splitlines()[1] == f"The best checkpoint: {run.checkpoints}/step-{best:08}"


@pytest.mark.parametrize("stopped_at", [3, 9, 11])
def test_a_watched_run_that_was_interrupted_goes_on_to_the_bit(
    spec_of: SpecOf, plugins: Plugins, listener: Any, tmp_path: Path, stopped_at: int
) -> None:
    spec = spec_of(watched("keep_best", every_steps=4, begin_step=1, patience=3))
    alone = start(spec, plugins, listener, tmp_path / "alone").run
    told = [line for line in listener.notes if "watch: " in line]

    class Stopper(type(listener)):  # type: ignore[misc]
        def stepped(self, step: int, *facts: object) -> None:
            if step == stopped_at:
                os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(Interrupted):
        start(spec, plugins, Stopper(), tmp_path / "run")
    run, again = open_run(tmp_path / "run"), type(listener)()
    resume(run, plugins, again)
    assert state(run) == state(alone)
    assert [line.partition("; ")[0] for line in again.notes] == [line.partition("; ")[0] for line in told]
    assert "since step 4" in told[0]


# What a recipe may say


def test_a_watch_is_part_of_the_resolved_recipe(spec_of: SpecOf, plugins: Plugins, listener: Any, tmp_path: Path) -> None:
    run = start(spec_of(watched("warn")), plugins, listener, tmp_path / "run").run
    table = load_recipe(run.recipe).values["training"]["watch"]
    said = {"begin_step": 7, "every_steps": 2, "least_diversity": 0, "most_accuracy": 1e-3}
    assert table == {**WatchOptions().model_dump(), **said}


def test_a_misspelt_key_of_the_watch_is_told_with_those_that_there_are(spec_of: SpecOf) -> None:
    with pytest.raises(RecipeError) as raised:
        spec_of(watched("stop", least_diversty=0.1, patience=1))
    told = [line.partition(": ")[2] for line in str(raised.value).splitlines()[1:]]
    assert told == [
        "training.watch.patience: 1 must be greater than or equal to 2",
        "training.watch.least_diversty: unknown key; did you mean 'least_diversity'?",
    ]


def test_a_model_that_makes_no_images_cannot_be_watched() -> None:
    recipe = load_recipe(find_recipe("judge_synthetic"))
    recipe.values["training"]["watch"] = {}
    with pytest.raises(RecipeError, match=r"training\.watch: \S+ makes no images that could be watched; leave the table out"):
        make_spec(recipe, Registry(load_plugins()))


# The shipped run that collapses, and that it does not at a sound learning rate


def shipped(name: str, *sets: str) -> int:
    more = [part for text in sets for part in ("--set", text)]
    return main(["run", name, "--device", "cpu", "--out", "run", *more])


@pytest.fixture
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GANLAB_HOME", str(tmp_path / "home"))


@pytest.mark.usefixtures("_here")
def test_the_shipped_run_that_collapses_is_ended(capsys: pytest.CaptureFixture[str]) -> None:
    assert shipped("watch_collapse") == 9
    error = capsys.readouterr().err.splitlines()[-4:]
    steps = [int(row["step"]) for row in rows(Path("run"))]
    assert steps[-1] < 200
    assert error[0].startswith(f"ganlab: error: run: its watch ended the run at step {steps[-1]}: images from different noise ")
    assert error[1].startswith("  The last checkpoint from before: run/checkpoints/step-")
    kept = json.loads((Path(error[1].rpartition(": ")[2]) / "state.json").read_text())
    assert all(not sign["bad"] for sign in kept["watch"]["signs"].values())


@pytest.mark.usefixtures("_here")
def test_at_a_sound_learning_rate_it_goes_on_to_its_end() -> None:
    assert shipped("watch_collapse", "optimizer.learning_rate=1e-3", "training.steps=100") == 0
    assert min(float(row["watch_diversity"]) for row in rows(Path("run"))) > 0.08
