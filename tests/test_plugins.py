"""Plugins enter one by one; a broken one is quarantined at its stage and harms no other."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ganlab import Component, hookimpl
from ganlab.cli import COMMANDS, main
from ganlab.contracts import API_VERSION
from ganlab.errors import PluginError
from ganlab.plugins import Fault, PluginRecord, load_plugins

Run = Callable[..., subprocess.CompletedProcess[str]]


def offering(hook: str, function: Callable[..., Any]) -> SimpleNamespace:
    """Return a plugin with one hook."""
    function.__name__ = hook
    return SimpleNamespace(**{hook: hookimpl(function)})


def losses(*names: str) -> SimpleNamespace:
    return offering("ganlab_losses", lambda: [Component(name, object, family="distance") for name in names])


def empty() -> list[Component]:
    return []


def fail(error: BaseException) -> Any:
    raise error


def faults(records: tuple[PluginRecord, ...]) -> list[tuple[str, str, str]]:
    return [(record.name, record.status, record.fault.line) for record in records if record.fault]


# One of each kind of broken plugin, as a stranger would write it, and what is said of it.
SEVEN = {
    "raises_at_import": (
        'raise RuntimeError("no such thing\\nand more")\n',
        ("import", "RuntimeError: no such thing"),
    ),
    "exits_at_import": (
        "import sys\nsys.exit(3)\n",
        ("import", "SystemExit: 3"),
    ),
    "misspelt_hook": (
        "from ganlab import hookimpl\n@hookimpl\ndef ganlab_lossess(): return []\n",
        ("unknown hook", "no hook is called 'ganlab_lossess'; did you mean 'ganlab_losses'?"),
    ),
    "wrong_argument": (
        "from ganlab import hookimpl\n@hookimpl\ndef ganlab_losses(api): return []\n",
        (
            "wrong argument",
            "ganlab_losses: Argument(s) {'api'} are declared in the hookimpl but can not be found in the hookspec",
        ),
    ),
    "wrong_type": (
        'from ganlab import hookimpl\n@hookimpl\ndef ganlab_losses(): return ["hinge"]\n',
        ("bad component", "ganlab_losses: the list holds a str, not a Component"),
    ),
    "hook_raises": (
        "from ganlab import hookimpl\n@hookimpl\ndef ganlab_losses(): return [][0]\n",
        ("hook raises", "IndexError: list index out of range"),
    ),
    "clashes": (
        "from ganlab import Component, hookimpl\n@hookimpl\ndef ganlab_losses():\n"
        '    return [Component("BCE", object, family="adversarial"), Component("own", object, family="distance")]\n',
        ("clash", "the loss 'BCE' is also offered by ganlab itself; a recipe must say 'ganlab-clashes:BCE'"),
    ),
}
GOOD = """
    from ganlab import Component, hookimpl

    class Good:
        def __call__(self, a, b):
            return (a - b).square().flatten(1).mean(1)

    @hookimpl
    def ganlab_losses():
        return [Component("good", Good, family="distance", summary="mean square")]
"""
# Ready, as far as a list can tell: what it offers is imported when a recipe first needs it.
LAZY = """
    from ganlab import Component, hookimpl

    @hookimpl
    def ganlab_losses():
        return [Component("lazy", "installed_nowhere:Lazy", family="distance")]
"""


@pytest.fixture
def seven(installed_plugin: Any) -> Any:
    """Install the seven broken plugins and a good one."""
    for name, (source, _) in SEVEN.items():
        installed_plugin(name, source)
    installed_plugin("good", GOOD)
    return installed_plugin


@pytest.mark.usefixtures("seven")
def test_each_broken_plugin_is_reported_at_its_stage_with_its_first_line() -> None:
    strangers = [record for record in load_plugins().records if record.origin == "third party"]
    assert {record.name: (record.status, record.fault and record.fault.line) for record in strangers} == {
        **{name: said for name, (_, said) in SEVEN.items()},
        "good": ("ready", None),
    }


@pytest.mark.usefixtures("seven")
def test_beside_broken_plugins_every_other_keeps_its_components() -> None:
    offered = {record.name: [c.name for c in record.components] for record in load_plugins().records}
    assert offered["good"] == ["good"]
    assert offered["clashes"] == ["BCE", "own"]
    assert "bce" in offered["losses"]


@pytest.mark.usefixtures("seven")
def test_beside_broken_plugins_list_plugins_shows_each_and_ends_well(run_ganlab: Run) -> None:
    answer = run_ganlab("list-plugins", "--json")
    listed = {plugin["plugin"]: plugin for plugin in json.loads(answer.stdout)["plugins"]}
    assert answer.returncode == 0
    assert {name: (listed[name]["status"], listed[name]["fault"]["line"]) for name in SEVEN} == {
        name: said for name, (_, said) in SEVEN.items()
    }
    table = run_ganlab("list-plugins").stdout
    assert [name for name, (_, (_, line)) in SEVEN.items() if line not in table] == []


SMALL = (
    *("ccyclegan_t26", "--dataset", "synthetic_faces", "--set", "objective.distance=good", "--set", "objective.targets=1"),
    *("--set", "dataset.identities=6", "--set", "dataset.test_identities=2", "--set", "architecture.width=4"),
    *("--set", "training.batch_images=4"),
)
FEW = ("--set", "identities=6", "--set", "test_identities=2")
# What is asked of each command beside the broken plugins, in this order, in one folder.
EVERY: dict[str, list[list[str]]] = {
    "run": [["run", *SMALL, "--device", "cpu", "--max-steps", "1", "--out", "trained"]],
    "resume": [["resume", "trained", "--device", "cpu", "--max-steps", "2"]],
    "validate": [["validate", *SMALL]],
    "sample": [["sample", "trained", "--device", "cpu", "--rows", "1"]],
    "translate": [["translate", "trained", "trained/samples", "--device", "cpu"]],
    "eval": [["eval", "trained", "--rfd", "--images", "8", "--device", "cpu"]],
    "models": [
        ["models", "add", "trained", "--name", "mine", "--alias", "best"],
        ["models", "list"],
        ["models", "show", "mine@best"],
        ["models", "promote", "mine@1", "good"],
        ["models", "remove", "mine", "--force"],
    ],
    "compare": [["compare", "trained", "trained/checkpoints/step-00000001", "--out", "beside"]],
    "weights": [["weights", "list"], ["weights", "check"]],
    "recipes": [
        *(["recipes", "list"], ["recipes", "list", "--json"], ["recipes", "show", "quickstart"]),
        *(["recipes", "diff", "quickstart", "trained"], ["recipes", "cp", "quickstart", "mine.toml"]),
    ],
    "list-plugins": [["list-plugins"], ["list-plugins", "--json"], ["list-plugins", "--kind", "loss"]],
    "plugin": [
        ["plugin", "new", "mine", "--kind", "loss"],
        ["plugin", "check", "good"],
        ["plugin", "disable", *SEVEN],
        ["plugin", "enable", *SEVEN],
    ],
    "components": [["components", "list"], ["components", "show", "loss", "good"]],
    "data": [
        ["data", "export", "synthetic_faces", "--layout", "fer2013", "--out", "faces", *FEW],
    ],
    "env": [["env"]],
}


@pytest.mark.usefixtures("seven")
def test_beside_broken_plugins_every_command_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GANLAB_HOME", str(tmp_path / "home"))
    assert list(EVERY) == list(COMMANDS)
    asked = [
        ["--help"],
        ["--version"],
        *([name, "--help"] for name in COMMANDS),
        *(a for several in EVERY.values() for a in several),
    ]
    codes = {" ".join(arguments): main(arguments) for arguments in asked}
    captured = capsys.readouterr()
    assert {command: code for command, code in codes.items() if code} == {}, captured.err
    assert "Traceback" not in captured.err


@pytest.mark.usefixtures("seven")
def test_a_plugin_whose_target_is_broken_stops_only_the_recipes_that_use_it(
    installed_plugin: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    installed_plugin("lazy", LAZY)
    installed_plugin("nowhere", "import sys\nsys.exit(3)\n")
    assert next(record.status for record in load_plugins().records if record.name == "lazy") == "ready"
    assert main(["validate", *SMALL]) == 0
    capsys.readouterr()
    assert main(["validate", *SMALL, "--set", "objective.distance=lazy"]) == PluginError.code
    assert capsys.readouterr().err.splitlines()[1:] == [
        "    --set: objective.distance.use: plugin 'lazy' (ganlab-lazy 1.0): the loss 'lazy' is broken: "
        "its target 'installed_nowhere:Lazy' cannot be imported: SystemExit: 3",
        "  Mend or update the plugin, or choose another loss; `ganlab plugin disable lazy` leaves it out.",
    ]


# The number of the contract


@pytest.mark.parametrize("number", [API_VERSION, None])
def test_a_plugin_may_say_for_which_contract_it_was_written(number: int | None, entry_point: Any) -> None:
    said = {} if number is None else {"GANLAB_API": number}
    plugin = SimpleNamespace(ganlab_losses=hookimpl(empty), **said)
    assert load_plugins([entry_point("x", plugin)]).records[0].status == "ready"


@pytest.mark.parametrize(
    ("number", "line"),
    [
        (2, "it is written for contract 2, this ganlab has 1; `pip install --upgrade ganlab`"),
        (0, "it is written for contract 0, this ganlab has 1; `pip install --upgrade ganlab-x`"),
        ("1", "GANLAB_API is '1', not a whole number such as 1"),
        (1.0, "GANLAB_API is 1.0, not a whole number such as 1"),
        (True, "GANLAB_API is True, not a whole number such as 1"),
        (None, "GANLAB_API is None, not a whole number such as 1"),
    ],
)
def test_a_plugin_for_another_contract_is_refused_before_its_hooks_are_looked_at(
    number: object, line: str, entry_point: Any
) -> None:
    plugin = SimpleNamespace(ganlab_of_tomorrow=hookimpl(empty), GANLAB_API=number)
    plugins = load_plugins([entry_point("x", plugin, dist="ganlab-x"), entry_point("y", losses("a"))])
    assert faults(plugins.records) == [("x", "other contract", line)]
    assert not plugins.manager.has_plugin("ganlab-x:x")


def test_the_traceback_of_a_broken_plugin_is_kept(entry_point: Any) -> None:
    (record,) = load_plugins([entry_point("x", load=lambda: fail(ValueError("why")))]).records
    assert record.fault is not None
    assert (record.fault.stage, record.fault.error, record.fault.line) == ("import", "ValueError", "ValueError: why")
    assert record.fault.traceback.endswith("    raise error\nValueError: why\n")


def test_an_interrupt_while_a_plugin_loads_is_no_fault_of_the_plugin(entry_point: Any) -> None:
    with pytest.raises(KeyboardInterrupt):
        load_plugins([entry_point("x", load=lambda: fail(KeyboardInterrupt()))])


def test_an_exception_that_cannot_say_what_it_is_is_reported_all_the_same(entry_point: Any) -> None:
    class MuteError(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    records = load_plugins([entry_point("x", load=lambda: fail(MuteError()))]).records
    assert faults(records) == [("x", "import", "MuteError")]


def test_a_broken_plugin_is_no_longer_registered(entry_point: Any) -> None:
    broken = SimpleNamespace(ganlab_lossess=hookimpl(empty), ganlab_run_ended=hookimpl(lambda status: fail(AssertionError())))
    plugins = load_plugins([entry_point("broken", broken), entry_point("good", losses("a"))])
    assert [plugins.manager.has_plugin(f"stranger:{name}") for name in ("broken", "good")] == [False, True]
    assert plugins.manager.hook.ganlab_run_ended(run=None, status="finished") == []


def test_an_observer_may_take_fewer_arguments(entry_point: Any) -> None:
    seen: list[int] = []
    observer = SimpleNamespace(ganlab_logged=hookimpl(lambda step: seen.append(step)))
    plugins = load_plugins([entry_point("observer", observer)])
    plugins.manager.hook.ganlab_logged(run=None, step=7, row={})
    assert (plugins.records[0].status, seen) == ("ready", [7])


def test_a_hook_without_its_decorator_is_a_fault(entry_point: Any) -> None:
    records = load_plugins([entry_point("x", SimpleNamespace(ganlab_losses=losses))]).records
    assert faults(records) == [("x", "register", "ganlab_losses lacks the decorator @ganlab.hookimpl")]


@pytest.mark.parametrize("plugin", [None, 3, {}, [], SimpleNamespace(helper=1)], ids=repr)
def test_a_plugin_without_hooks_is_a_fault(plugin: object, entry_point: Any) -> None:
    records = load_plugins([entry_point("x", plugin)]).records
    line = "it offers nothing: no function has the decorator @ganlab.hookimpl"
    assert faults(records) == [("x", "register", line)]


LETTERS = "is not made of letters, digits, `_`, `-` and `.`"
PLACE = 'neither callable nor "package.module:Name"'
FAMILY = "the family of a loss is one of adversarial, joint, paired, distance, classification, penalty"


def loss(name: Any, target: Any = object, family: Any = "distance", **facts: Any) -> list[Component]:
    return [Component(name, target, family=family, **facts)]


BAD_COMPONENTS = [
    ("ganlab_losses", None, "returned None, not a list"),
    ("ganlab_losses", "bce", "returned a str, not a list"),
    ("ganlab_losses", [None], "the list holds None, not a Component"),
    ("ganlab_losses", [Component], "the list holds a type, not a Component"),
    ("ganlab_losses", loss("a b"), f"the name 'a b' {LETTERS}"),
    ("ganlab_losses", loss("../x"), f"the name '../x' {LETTERS}"),
    ("ganlab_losses", loss("dist:x"), f"the name 'dist:x' {LETTERS}"),
    ("ganlab_losses", loss(3), f"the name 3 {LETTERS}"),
    ("ganlab_losses", loss("a", "pkg.mod"), f"'a': the target 'pkg.mod' is {PLACE}"),
    ("ganlab_losses", loss("a", "pkg mod:x"), f"'a': the target 'pkg mod:x' is {PLACE}"),
    ("ganlab_losses", loss("a", 3), f"'a': the target 3 is {PLACE}"),
    ("ganlab_losses", loss("a", options="x"), "'a': the options 'x' are neither a class nor \"package.module:Name\""),
    ("ganlab_losses", loss("a", family=None), f"'a': {FAMILY}; none is given"),
    ("ganlab_losses", loss("a", family="hinge"), f"'a': {FAMILY}; not 'hinge'"),
    ("ganlab_losses", loss("a", version=0), "'a': the version 0 is not a whole number from 1"),
    ("ganlab_losses", loss("a", summary=None), "'a': summary and paper must be text"),
    ("ganlab_losses", loss("a-b") + loss("A_b"), "two components are called 'A_b'"),
    ("ganlab_datasets", [Component("a", object)], "'a': a dataset must have options"),
    ("ganlab_architectures", [Component("a", object)], "'a': an architecture must have options"),
    ("ganlab_objectives", [Component("a", object)], "'a': an objective must have options"),
    ("ganlab_recipes", [3], "the list holds an int, not a path"),
    ("ganlab_recipes", ["/no/such.toml"], "there is no /no/such.toml"),
]


@pytest.mark.parametrize(("hook", "returned", "line"), BAD_COMPONENTS)
def test_a_bad_component_is_refused_with_the_reason(hook: str, returned: Any, line: str, entry_point: Any) -> None:
    records = load_plugins([entry_point("x", offering(hook, lambda: returned))]).records
    assert faults(records) == [("x", "bad component", f"{hook}: {line}")]


def test_options_may_be_missing_where_the_constructor_says_them(entry_point: Any) -> None:
    plugin = SimpleNamespace(
        ganlab_losses=hookimpl(lambda: [Component("a", "m:A", family="distance")]),
        ganlab_evaluators=hookimpl(lambda: (Component("a", "m:A"),)),
    )
    (record,) = load_plugins([entry_point("x", plugin)]).records
    assert [(c.kind, c.name) for c in record.components] == [("loss", "a"), ("evaluator", "a")]


def test_plugins_come_in_one_order_built_ins_first(entry_point: Any) -> None:
    given = [("z", "alpha"), ("b", "Beta"), ("y", "ganlab"), ("a", "beta-x"), ("c", "ganlab")]
    points = [entry_point(name, losses(name), dist=dist) for name, dist in given]
    for order in (points, points[::-1]):
        assert [record.name for record in load_plugins(order).records] == ["c", "y", "z", "b", "a"]


def test_a_distribution_that_is_found_twice_counts_once(entry_point: Any) -> None:
    twice = [entry_point("x", losses("x"), dist=dist, version=version) for dist, version in (("a-b", "2"), ("A_b", "1"))]
    assert [(r.distribution, r.version, r.status) for r in load_plugins(twice).records] == [("a-b", "2", "ready")]


def test_two_distributions_may_name_their_plugins_alike(entry_point: Any) -> None:
    alike = [entry_point("x", losses(dist), dist=dist) for dist in ("one", "two")]
    assert [(r.distribution, r.status) for r in load_plugins(alike).records] == [("one", "ready"), ("two", "ready")]


def test_damaged_metadata_harms_nothing(entry_point: Any) -> None:
    point = entry_point("x", losses("a"))
    point.dist = None
    (record,) = load_plugins([point]).records
    assert (record.distribution, record.version, record.status) == ("unknown", "unknown", "ready")


def test_what_a_plugin_prints_does_not_mix_with_results(entry_point: Any, capsys: pytest.CaptureFixture[str]) -> None:
    load_plugins([entry_point("x", load=lambda: print("hello") or losses("a"))])
    assert capsys.readouterr() == ("", "hello\n")


def test_recipes_of_plugins_are_files_or_folders(entry_point: Any, tmp_path: Path) -> None:
    for name in ("b.toml", "a.toml", "readme.md"):
        (tmp_path / name).write_text("")
    plugin = offering("ganlab_recipes", lambda: [tmp_path, str(tmp_path / "a.toml")])
    plugins = load_plugins([entry_point("x", plugin)])
    assert plugins.recipes == (tmp_path / "a.toml", tmp_path / "b.toml", tmp_path / "a.toml")


def test_of_two_strangers_with_one_name_both_are_marked(entry_point: Any) -> None:
    records = load_plugins([entry_point(d, losses("same", d), dist=d) for d in ("one", "two")]).records
    assert [record.fault for record in records] == [
        Fault(
            stage="clash",
            error="",
            line=f"the loss 'same' is also offered by {other} ({other}); a recipe must say '{mine}:same'",
        )
        for mine, other in (("one", "two"), ("two", "one"))
    ]


def test_every_installed_built_in_is_ready() -> None:
    builtins = [record for record in load_plugins().records if record.origin == "built-in"]
    assert [(r.name, r.fault and r.fault.traceback) for r in builtins if r.status != "ready"] == []
    assert builtins


def test_loading_plugins_imports_no_torch_and_no_pydantic() -> None:
    code = "import sys, ganlab.plugins as p; p.load_plugins(); print([m for m in HEAVY if m in sys.modules])"
    heavy = ("torch", "torchvision", "pandas", "pydantic", "cleanfid", "numpy", "PIL")
    script = code.replace("HEAVY", repr(heavy))
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


def test_a_wrapper_is_refused_since_nobody_calls_it(entry_point: Any) -> None:
    @hookimpl(wrapper=True)
    def ganlab_logged(run: Any) -> Iterator[None]:
        yield

    (record,) = load_plugins([entry_point("wraps", SimpleNamespace(ganlab_logged=ganlab_logged))]).records
    assert (record.status, record.fault and record.fault.line) == (
        "register",
        "ganlab_logged is a wrapper, and ganlab calls none; take @ganlab.hookimpl alone",
    )


def test_a_plugin_that_observes_says_so(entry_point: Any) -> None:
    @hookimpl
    def ganlab_logged(row: Any) -> None: ...

    (record,) = load_plugins([entry_point("sees", SimpleNamespace(ganlab_logged=ganlab_logged))]).records
    assert (record.status, record.observes) == ("ready", True)
