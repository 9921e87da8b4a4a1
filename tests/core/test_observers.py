"""Plugins may watch a run: they are told what happens, and can neither change it nor stop it."""

from __future__ import annotations

import csv
import os
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from ganlab import RunInfo, hookimpl
from ganlab.errors import DivergedError, Interrupted
from ganlab.plugins import Plugins
from ganlab.recipe import load_recipe
from ganlab.recipe_end import with_end
from ganlab.registry import Registry
from ganlab.runs.checkpoints import list_checkpoints
from ganlab.runs.directory import Run
from ganlab.spec import Spec, make_spec
from ganlab.training.observers import Observers
from ganlab.training.session import resume_run, start_run

CPU = torch.device("cpu")
SpecOf = Callable[..., Spec]
PluginsWith = Callable[[ModuleType], Plugins]
SCORED = {"[training]": '[evaluation]\nbrightness = { use = "brightness" }\n[training]'}
HOOKS = ("ganlab_run_started", "ganlab_logged", "ganlab_scored", "ganlab_checkpoint_saved", "ganlab_run_ended")


def plugin(*hooks: Callable[..., Any], name: str = "watching") -> ModuleType:
    """Return a plugin of these hooks."""
    module = ModuleType(name)
    vars(module).update({hook.__name__: hookimpl(hook) for hook in hooks})
    return module


def renamed(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    function.__name__ = name
    return function


def start(spec: Spec, plugins: Plugins, listener: Any, out: Path) -> Run:
    return start_run(spec, plugins, CPU, listener, out=out, command=[]).run


def resume(run: Run, plugins: Plugins, listener: Any, steps: int) -> None:
    spec = make_spec(with_end(load_recipe(run.recipe), steps=steps), Registry(plugins))
    resume_run(spec, plugins, run, CPU, listener, command=[], has_new_end=True)


def content(run: Run) -> dict[str, bytes]:
    """Return the bytes that no observer may change."""
    newest = list_checkpoints(run.checkpoints)[-1][1]
    files = [run.log, *(newest / f"{name}.safetensors" for name in ("networks", "averaged", "training"))]
    return {path.name: path.read_bytes() for path in files}


def test_observers_are_told_of_the_start_each_row_score_and_checkpoint_and_the_end(
    spec_of: SpecOf, plugins_with: PluginsWith, listener: Any, tmp_path: Path
) -> None:
    told: list[Any] = []

    def ganlab_run_started(run: RunInfo, step: int) -> None:
        told.append(("started", run.path.name, run.recipe["training"]["steps"], step))

    def ganlab_logged(step: int, row: Mapping[str, float]) -> None:
        told.append(("row", step, row["images"]))

    def ganlab_scored(step: int, scores: Mapping[str, float]) -> None:
        told.append(("scores", step, dict(scores)["brightness.images"]))

    def ganlab_checkpoint_saved(step: int, path: Path) -> None:
        told.append(("saved", step, path.name, (path / "state.json").is_file()))

    def ganlab_run_ended(status: str) -> None:
        told.append(("ended", status))

    watched = plugins_with(plugin(ganlab_run_started, ganlab_logged, ganlab_scored, ganlab_checkpoint_saved, ganlab_run_ended))
    run = start(spec_of(SCORED | {"steps = 20": "steps = 8"}), watched, listener, tmp_path / "run")
    assert told == [
        ("started", "run", 8, 0),
        ("row", 4, 16),
        ("saved", 5, "step-00000005", True),
        ("row", 8, 32),
        ("scores", 8, 8.0),
        ("saved", 8, "step-00000008", True),
        ("ended", "finished"),
    ]
    told.clear()
    resume(run, watched, listener, steps=10)
    assert told == [
        ("started", "run", 10, 8),
        ("scores", 10, 8.0),
        ("saved", 10, "step-00000010", True),
        ("row", 10, 40),
        ("ended", "finished"),
    ]


def test_an_observer_may_take_fewer_arguments(
    spec_of: SpecOf, plugins_with: PluginsWith, listener: Any, tmp_path: Path
) -> None:
    told: list[Any] = []

    def ganlab_run_started(run: RunInfo) -> None:  # as plugins were written before `step` was given
        told.append(run.path.name)

    def ganlab_logged(row: Mapping[str, float]) -> None:
        told.append(row["step"])

    def ganlab_checkpoint_saved() -> None:
        told.append("saved")

    watched = plugins_with(plugin(ganlab_run_started, ganlab_logged, ganlab_checkpoint_saved))
    start(spec_of({"steps = 20": "steps = 5"}), watched, listener, tmp_path / "run")
    assert (told, listener.notes) == (["run", 4, "saved", 5], [])


@pytest.mark.parametrize(("cause", "status"), [("signal", "stopped"), ("divergence", "failed")])
def test_observers_hear_how_a_run_ended_that_did_not_finish(
    spec_of: SpecOf, plugins_with: PluginsWith, listener: Any, tmp_path: Path, cause: str, status: str
) -> None:
    told: list[str] = []

    def ganlab_logged() -> None:
        if cause == "signal":
            os.kill(os.getpid(), signal.SIGTERM)

    def ganlab_run_ended(status: str) -> None:
        told.append(status)

    explodes = {'use = "tiny"\n[optimizer]': 'use = "tiny"\nexplode_at = 6\n[optimizer]'} if cause == "divergence" else {}
    with pytest.raises((Interrupted, DivergedError)):
        start(spec_of(explodes), plugins_with(plugin(ganlab_logged, ganlab_run_ended)), listener, tmp_path / "run")
    assert told == [status]


# What they cost


def test_what_nobody_observes_costs_nothing(plugins: Plugins) -> None:
    nothing: Any = object()  # neither a mapping nor a path: nothing may be done with it

    def never() -> Any:
        raise AssertionError("nobody asked for it")

    observers = Observers(plugins, never, nothing, never)
    observers.started(0)
    observers.logged(1, nothing)
    observers.scored(1, nothing)
    observers.saved(1, nothing)
    observers.ended("finished")


def test_an_observer_that_declines_a_run_hears_no_more_of_it(
    spec_of: SpecOf, plugins_with: PluginsWith, listener: Any, tmp_path: Path
) -> None:
    told: list[Any] = []
    answer: bool | None = False

    def ganlab_run_started() -> bool | None:
        told.append("started")
        return answer

    def ganlab_logged(step: int) -> None:
        told.append(step)

    def ganlab_run_ended(status: str) -> None:
        told.append(status)

    watched, spec = plugins_with(plugin(ganlab_run_started, ganlab_logged, ganlab_run_ended)), spec_of({"20": "4"})
    start(spec, watched, listener, tmp_path / "declined")
    assert (told, listener.notes) == (["started"], [])
    for answer in (None, True):
        told.clear()
        start(spec, watched, listener, tmp_path / f"answer {answer}")
        assert told == ["started", 4, "finished"]


# What they cannot do


@pytest.mark.parametrize(
    ("breaking", "error", "line"),
    [
        *((hook, SystemExit(3), "SystemExit: 3") for hook in HOOKS),
        ("ganlab_logged", RuntimeError("no\nroom"), "RuntimeError: no"),
        ("ganlab_logged", torch.OutOfMemoryError("full"), "OutOfMemoryError: full"),
    ],
)
def test_an_observer_that_raises_is_dropped_with_one_line_and_never_stops_a_run(
    spec_of: SpecOf,
    plugins_with: PluginsWith,
    listener: Any,
    tmp_path: Path,
    breaking: str,
    error: BaseException,
    line: str,
) -> None:
    told: list[str] = []

    def tell(hook: str) -> Callable[..., None]:
        def observe() -> None:
            told.append(hook)
            if hook == breaking:
                raise error

        return renamed(hook, observe)

    watched = plugins_with(plugin(*map(tell, HOOKS)))
    run = start(spec_of(SCORED | {"20": "8"}), watched, listener, tmp_path / "run")
    dropped = [note for note in listener.notes if "scoring" not in note]
    assert dropped == [f"plugin ganlab:watching no longer observes: {breaking}: {line}"]
    assert (told[-1], told.count(breaking)) == (breaking, 1)
    assert len(run.log.read_text().splitlines()) == 3


def test_an_observer_that_raises_takes_no_other_with_it(
    spec_of: SpecOf, tiny: ModuleType, plugins_with: PluginsWith, listener: Any, tmp_path: Path
) -> None:
    rows: list[int] = []

    def ganlab_logged(step: int) -> None:
        rows.append(step)

    def broken() -> None:
        raise ValueError("broken")

    watched = plugins_with(plugin(ganlab_logged))
    watched.manager.register(plugin(renamed("ganlab_logged", broken)), name="stranger:broken")
    start(spec_of(), watched, listener, tmp_path / "run")
    assert rows == [4, 8, 12, 16, 20]
    assert listener.notes == ["plugin stranger:broken no longer observes: ganlab_logged: ValueError: broken"]


def test_an_observer_that_draws_random_numbers_leaves_the_run_as_it_is_bit_for_bit(
    spec_of: SpecOf, plugins: Plugins, plugins_with: PluginsWith, listener: Any, tmp_path: Path
) -> None:
    drawn: list[float] = []

    def draw(hook: str) -> Callable[..., None]:
        return renamed(hook, lambda: drawn.append(float(torch.rand(3)[0])))

    spec = spec_of(SCORED | {"20": "8"})
    alone = start(spec, plugins, listener, tmp_path / "alone")
    watched = start(spec, plugins_with(plugin(*map(draw, HOOKS))), listener, tmp_path / "watched")
    assert len(drawn) == 1 + 2 + 1 + 2 + 1
    assert content(watched) == content(alone)


def test_what_an_observer_is_given_is_read_only_or_its_own(
    spec_of: SpecOf, plugins_with: PluginsWith, listener: Any, tmp_path: Path
) -> None:
    def ganlab_run_started(run: Any) -> None:
        run.recipe["training"]["steps"] = 1
        run.recipe["objective"]["weights"].clear()

    def ganlab_logged(row: Any) -> None:
        row["d_adversarial"] = 0.0

    spec = spec_of({"20": "4"})
    run = start(spec, plugins_with(plugin(ganlab_run_started, ganlab_logged)), listener, tmp_path / "run")
    assert listener.notes == [
        "plugin ganlab:watching no longer observes: ganlab_logged: "
        "TypeError: 'mappingproxy' object does not support item assignment"
    ]
    assert (spec.training.steps, list(spec.term_weights or ())) == (4, ["d_adversarial", "d_class", "g_adversarial"])
    (row,) = csv.DictReader(run.log.read_text().splitlines())
    assert float(row["d_adversarial"]) == pytest.approx(listener.rows[0]["d_adversarial"], rel=1e-6)
    assert float(row["d_adversarial"]) > 0


def test_what_an_observer_prints_goes_to_standard_error(
    spec_of: SpecOf, plugins_with: PluginsWith, listener: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    watched = plugins_with(plugin(renamed("ganlab_run_ended", lambda: print("done"))))
    start(spec_of({"20": "4"}), watched, listener, tmp_path / "run")
    assert capsys.readouterr() == ("", "done\n")
