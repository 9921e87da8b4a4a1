"""A run follows its score: the learning rate falls on a plateau, an early end comes, and both are resumed to the bit."""

import csv
import json
import os
import signal
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from ganlab import Component, hookimpl
from ganlab.errors import Interrupted, RecipeError, UsageError
from ganlab.options import TrainingOptions
from ganlab.plugins import Plugins
from ganlab.recipe import load_recipe, parse_recipe
from ganlab.recipe_end import with_end
from ganlab.registry import Registry
from ganlab.runs.checkpoints import list_checkpoints, open_checkpoint
from ganlab.runs.directory import Run, open_run
from ganlab.spec import make_spec
from ganlab.training.session import Outcome, resume_run, start_run
from ganlab.training.trend import Trend

CPU = torch.device("cpu")
WATCHING = 'evaluate_every_steps = 2\nbest = "series.value"\n'
PLATEAU = 'learning_rate_schedule = "plateau"\nplateau_patience = 2\nplateau_factor = 0.5\nplateau_least_rate = 3e-3\n'
Scored = Callable[..., tuple[Plugins, str]]


@pytest.fixture
def scored(plugins_with: Callable[[ModuleType], Plugins], recipe_text: str) -> Scored:
    """Return `scored(values, training)`: the tiny recipe, whose score at step 2 is the first value, at step 4 the second."""

    def make(values: Sequence[float], training: str) -> tuple[Plugins, str]:
        class Series:
            def score(self, model: Any, test: Any) -> dict[str, float]:
                return {"value": values[steps_scored()]}

        # By the run's own record, so that a resumed run meets the values that were left.
        def steps_scored() -> int:
            return len(json.loads(files[0].read_text())["scores"]) if files and files[0].exists() else 0

        files: list[Path] = []

        @hookimpl
        def ganlab_evaluators() -> list[Component]:
            return [Component("series", Series)]

        @hookimpl
        def ganlab_run_started(run: Any) -> None:
            files[:] = [run.path / "scores.json"]

        module = ModuleType("ganlab_series")
        vars(module).update(ganlab_evaluators=ganlab_evaluators, ganlab_run_started=ganlab_run_started)
        text = recipe_text.replace("log_every_steps = 4\n", f"log_every_steps = 2\n{training}") + "[evaluation.series]\n"
        return plugins_with(module), text

    return make


def start(scored: tuple[Plugins, str], listener: Any, out: Path) -> Outcome:
    plugins, text = scored
    spec = make_spec(parse_recipe(text, Path("tiny.toml")), Registry(plugins))
    return start_run(spec, plugins, CPU, listener, out=out, command=[])


def resume(scored: tuple[Plugins, str], run: Run, listener: Any, steps: int | None = None) -> Outcome:
    plugins, recipe = scored[0], load_recipe(run.recipe)
    spec = make_spec(with_end(recipe, steps=steps) if steps else recipe, Registry(plugins))
    return resume_run(spec, plugins, run, CPU, listener, command=[], has_new_end=steps is not None)


def content(run: Run) -> dict[str, bytes]:
    newest = list_checkpoints(run.checkpoints)[-1][1]
    files = [run.log, run.scores, *(newest / f"{name}.safetensors" for name in ("networks", "averaged", "training"))]
    return {path.name: path.read_bytes() for path in files}


def moves(run: Run) -> list[float]:
    """Return how far the weights of the discriminator moved from each checkpoint to the next."""
    weights = [open_checkpoint(path).tensors("networks") for _, path in list_checkpoints(run.checkpoints)]
    names = [name for name in weights[0] if name.startswith("discriminator/") and name.endswith("weight")]
    return [max(float((a[name] - b[name]).abs().max()) for name in names) for a, b in pairwise(weights)]


# What a series of scores means


def watching(**options: Any) -> TrainingOptions:
    return TrainingOptions.model_validate({"best": "a.b", "evaluate_every_steps": 1, **options})


def test_patience_is_that_of_keras() -> None:
    training = watching(learning_rate_schedule="plateau", plateau_patience=2, plateau_factor=0.5, stop_after=5)
    trend, falls, unimproved = Trend(), [], []
    for step, value in enumerate([0.5, 0.6, 0.6, 0.4, 0.5, 0.7, 0.1, 0.1, 0.1, 0.1, 0.7], start=1):
        assert not trend.is_over(training)
        trend.add(step, value, training, [1e-2])
        falls.append(trend.falls)
        unimproved.append(trend.unimproved)
    # A score that is equal to the best is not better; after a fall patience begins anew.
    assert unimproved == [0, 0, 1, 2, 3, 0, 1, 2, 3, 4, 5]
    assert falls == [0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 3]
    assert trend.best == {"step": 6, "value": 0.7}
    assert trend.is_over(training)


def test_the_lowest_may_be_the_best_and_nan_never_is() -> None:
    trend = Trend()
    for step, value in enumerate([float("nan"), 3.0, 2.0, float("nan"), 2.5], start=1):
        trend.add(step, value, watching(best_is="lowest"), [])
    assert (trend.best, trend.unimproved) == ({"step": 3, "value": 2.0}, 2)


def test_a_rate_falls_to_the_least_and_one_below_it_stays() -> None:
    training = watching(learning_rate_schedule="plateau", plateau_factor=0.2, plateau_least_rate=1e-5)
    rates = [Trend(falls=falls).rate(2e-4, training) for falls in range(4)]
    assert rates == pytest.approx([2e-4, 4e-5, 1e-5, 1e-5])
    assert Trend(falls=3).rate(5e-6, training) == 5e-6


def test_what_happens_is_told_with_the_rates() -> None:
    training = watching(learning_rate_schedule="plateau", plateau_patience=1, plateau_least_rate=1e-3, stop_after=3)
    trend = Trend(best={"step": 1, "value": 0.9})
    assert [trend.add(step, 0.1, training, [1e-2, 5e-3]) for step in (2, 3, 4)] == [
        ["step 2: a.b was not better in the last 1 evaluation; the learning rate falls to 0.001"],
        [],  # it has fallen to the least already
        ["step 4: a.b was not better in the last 3 evaluations; the run ends here, by training.stop_after = 3"],
    ]


# A whole run


def test_the_learning_rate_falls_in_the_run(scored: Scored, listener: Any, tmp_path: Path) -> None:
    falling = 'learning_rate_schedule = "plateau"\nplateau_patience = 2\nplateau_factor = 1e-3\n'
    plugins, text = scored([0.5, 0.4, 0.3, *[0.2] * 7], f"{WATCHING}{falling}keep_checkpoints = 20\n")
    text = text.replace("checkpoint_every_steps = 5", "checkpoint_every_steps = 2")
    moved = moves(start((plugins, text), listener, tmp_path / "run").run)
    told = [line for line in listener.notes if "step 6: " in line]
    assert told[1:] == ["step 6: series.value was not better in the last 2 evaluations; the learning rate falls to 1e-05"]
    # From the checkpoint of step 2 to that of 4, and so on: Adam moves a weight by about its learning rate, which was 0.01.
    assert min(moved[:2]) > 5e-3
    assert max(moved[2:]) < 1e-4


def test_a_run_ends_early_with_a_row_a_picture_and_a_checkpoint(scored: Scored, listener: Any, tmp_path: Path) -> None:
    outcome = start(scored([0.1, 0.5, 0.4, 0.5, 0.2, 0.9], f"{WATCHING}stop_after = 3\n"), listener, tmp_path / "run")
    assert (outcome.step, outcome.is_finished, outcome.is_early) == (10, True, True)
    run = outcome.run
    steps = [step for step, _ in list_checkpoints(run.checkpoints)]
    assert (steps[-1], 4 in steps) == (10, True)  # the last, and the best
    assert [path.name for path in run.samples.iterdir()] == ["step-00000010.png"]
    assert [row["step"] for row in csv.DictReader(run.log.read_text().splitlines())] == ["2", "4", "6", "8", "10"]
    assert listener.notes[-1] == (
        "step 10: series.value was not better in the last 3 evaluations; the run ends here, by training.stop_after = 3"
    )


def test_a_run_that_ended_early_is_finished(scored: Scored, listener: Any, tmp_path: Path) -> None:
    recipe = scored([0.5, 0.4, 0.3], f"{WATCHING}stop_after = 2\n")
    run = start(recipe, listener, tmp_path / "run").run
    before = content(run)
    outcome = resume(recipe, run, listener)
    assert (outcome.trained_steps, outcome.is_finished, outcome.is_early) == (0, True, True)
    assert content(run) == before
    with pytest.raises(UsageError) as raised:
        resume(recipe, run, listener, steps=40)
    assert str(raised.value) == (
        f"{run.path}: ended early at step 6, as training.stop_after = 2 says; the best step is 2. "
        "To train longer, start a run without it, with training.start_from"
    )
    assert content(run) == before


@pytest.mark.parametrize("stopped_at", [5, 6, 11])
def test_a_run_stopped_on_its_plateau_goes_on_to_the_bit(
    scored: Scored, listener: Any, tmp_path: Path, stopped_at: int
) -> None:
    # The rate falls at steps 8 and 14, and the run ends at step 16.
    series = [0.1, 0.5, 0.4, 0.5, 0.6, 0.2, 0.2, 0.2]
    training = f"{WATCHING}{PLATEAU}stop_after = 3\n"
    alone = start(scored(series, training), listener, tmp_path / "alone")
    assert (alone.step, alone.is_early) == (16, True)

    class Stopper(type(listener)):  # type: ignore[misc]
        def stepped(self, step: int, *facts: object) -> None:
            if step == stopped_at:
                os.kill(os.getpid(), signal.SIGTERM)

    recipe = scored(series, training)
    with pytest.raises(Interrupted):
        start(recipe, Stopper(), tmp_path / "run")
    run = open_run(tmp_path / "run")
    assert resume(recipe, run, listener).is_early
    assert content(run) == content(alone.run)


def test_a_longer_run_keeps_what_the_score_has_done(scored: Scored, listener: Any, tmp_path: Path) -> None:
    series = [0.5, 0.4, 0.3, 0.2, 0.1, 0.0, *[0.0] * 8]
    long = start(scored(series, WATCHING + PLATEAU), listener, tmp_path / "long").run
    recipe = scored(series, WATCHING + PLATEAU)
    short = start((recipe[0], recipe[1].replace("steps = 20\n", "steps = 8\n")), listener, tmp_path / "run").run
    listener.notes.clear()
    resume(recipe, short, listener, steps=20)
    assert not [line for line in listener.notes if "rises" in line]  # as it would by a schedule to the run's end
    assert content(short) == content(long)


# What a recipe must say


@pytest.mark.parametrize(
    ("training", "faults"),
    [
        (
            'learning_rate_schedule = "plateau"\n',
            [
                "training.learning_rate_schedule: 'plateau' needs training.best, the score that it watches and "
                "training.evaluate_every_steps, how often it is scored"
            ],
        ),
        (
            'stop_after = 3\nbest = "series.value"\n',
            ["training.stop_after: 3 needs training.evaluate_every_steps, how often it is scored"],
        ),
        ("stop_after = 0\n", ["training.stop_after: 0 must be greater than or equal to 1"]),
        (WATCHING + PLATEAU + "stop_after = 3\n", []),
    ],
)
def test_what_watches_a_score_needs_one(scored: Scored, training: str, faults: list[str]) -> None:
    plugins, text = scored([], training)
    recipe = parse_recipe(text, Path("tiny.toml"))
    if not faults:
        assert make_spec(recipe, Registry(plugins)).training.stop_after == 3
        return
    with pytest.raises(RecipeError) as raised:
        make_spec(recipe, Registry(plugins))
    assert [line.partition(": ")[2] for line in str(raised.value).splitlines()[1:]] == faults
