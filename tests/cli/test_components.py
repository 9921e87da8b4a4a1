"""`ganlab components`: what may stand in a recipe, shown so that it can be pasted."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from ganlab.contracts import KINDS
from ganlab.errors import DataError, RecipeError
from ganlab.options import ObjectiveOptions
from ganlab.plugins import load_plugins
from ganlab.recipe import Recipe, find_recipe, load_recipe
from ganlab.recipe_text import parse_toml
from ganlab.registry import Registered, Registry
from ganlab.spec import make_spec
from ganlab.spec_card import card, takers
from ganlab.spec_options import options_model

Printed = Callable[..., tuple[int, str, str]]
REGISTRY = Registry(load_plugins())
EVERY = pytest.mark.parametrize("registered", REGISTRY.all(), ids=lambda c: f"{c.kind} {c.name}")
T26 = load_recipe(find_recipe("ccyclegan_t26")).values

STRANGE = '''
from typing import Literal

from pydantic import Field

from ganlab import Component, hookimpl
from ganlab.options import Options

class Soft:
    """Takes its constructor's signature."""
    def __init__(self, margin: float, mode: Literal["mean", "sum"] = "mean", sizes: tuple[int, int] = (1, 2)): ...

class Inner(Options):
    low_px: int = Field(2, ge=1, description="lowest")
    high_px: int | None = None

class CountOptions(Options):
    images: int = Field(ge=1, le=9, description="how many images are counted")
    every_seconds: float = Field(0.5, gt=0, lt=2, description="pause")
    sizes: list[int] = Field([1, 2], min_length=1, max_length=4, description="sides\\nof \\x1b[31mimages")
    ratio: float | Literal["auto"] = "auto"
    names: dict[str, float] = {"a": 1.0}
    inner: Inner = Field(Inner(low_px=3), description="a table of its own")
    word: str | None = Field(None, description="a word; None: the set's own")

@hookimpl
def ganlab_losses():
    return [Component("soft", Soft, family="paired", summary="soft", version=2)]

@hookimpl
def ganlab_evaluators():
    return [Component("count.x", object, CountOptions, paper="Nobody, 2020")]
'''


# What is shown


@EVERY
def test_every_component_is_shown_with_all_its_options(registered: Registered, printed: Printed) -> None:
    code, out, err = printed("components", "show", registered.kind, registered.name)
    assert (code, err) == (0, "")
    assert out.startswith(f"{registered.kind} {registered.name}")
    for text in (registered.component.summary, registered.component.paper, registered.distribution_version):
        assert text in out
    for key, field in options_model(registered).model_fields.items():
        assert re.search(rf"^{key}  +.+", out, re.MULTILINE)
        assert (field.description or "").partition(" None:")[0].strip(";, ") in out


def test_a_component_without_a_model_is_shown_by_its_signature(installed_plugin: Any, printed: Printed) -> None:
    file = installed_plugin("strange", STRANGE)
    taking = ", ".join(f"objective.{field} of {name}" for name, field in takers(REGISTRY, "paired"))
    assert printed("components", "show", "loss", "SOFT")[1] == textwrap.dedent(
        f"""\
        loss soft (paired), version 2
        summary   soft
        plugin    strange, of ganlab-strange 1.0 (third party)
        defined   installed_strange:Soft in {file}
        taken by  {taking}

        Options:
        key     value                    default   meaning
        margin  number                   required
        mode    "mean" | "sum"           "mean"
        sizes   list of 2 whole numbers  [1, 2]

        In a recipe:

        [objective]
        # margin: required
        # mode
        # sizes
        adversarial = {{ use = "soft", margin = 1.0, mode = "mean", sizes = [1, 2] }}
        """
    )


def test_types_limits_units_and_defaults_are_in_words_and_nothing_of_a_plugin_is_control(
    installed_plugin: Any, printed: Printed
) -> None:
    installed_plugin("strange", STRANGE)
    assert printed("components", "show", "evaluator", "count.x")[1] == textwrap.dedent(
        """\
        evaluator count.x, version 1
        paper    Nobody, 2020
        plugin   strange, of ganlab-strange 1.0 (third party)
        defined  builtins:object

        Options:
        key            value                                default          meaning
        images         whole number, 1 to 9 (images)        required         how many images are counted
        every_seconds  number, above 0, below 2 (seconds)   0.5              pause
        sizes          list of whole numbers, 1 to 4 items  [1, 2]           sides of [31mimages
        ratio          number or "auto"                     "auto"
        names          table of numbers                     { a = 1.0 }
        inner          table                                                 a table of its own
        inner.low_px   whole number, at least 1 (pixels)    3                lowest
        inner.high_px  whole number (pixels)                (left out)
        word           text                                 (the set's own)  a word

        In a recipe:

        [evaluation."count.x"]
        images = 1           # required; how many images are counted
        every_seconds = 0.5  # pause
        sizes = [1, 2]       # sides of [31mimages
        ratio = "auto"
        names = { a = 1.0 }
        # word = ...         # a word; left out: the set's own

        # a table of its own
        [evaluation."count.x".inner]
        low_px = 3       # lowest
        # high_px = ...
        """
    )


def test_an_objective_says_who_moves_what_and_which_losses_fit(printed: Printed) -> None:
    out = printed("components", "show", "objective", "ccyclegan")[1]
    fitting = [loss.name for loss in REGISTRY.all("loss") if loss.component.family == "distance"]
    for line in (
        "players  generator moves encoder, decoder",
        "         discriminator moves discriminator",
        "needs    encoder: images -> latents",
        f"         distance: {', '.join(fitting)}",
    ):
        assert line in out.splitlines()
    out = printed("components", "show", "loss", "l1")[1]
    assert "objective.distance of ccyclegan" in out
    assert "It has no options." in out.splitlines()


def test_an_architecture_says_its_roles_and_what_it_makes(printed: Printed) -> None:
    lines = printed("components", "show", "architecture", "ccyclegan")[1].splitlines()
    start = lines.index("roles    for 64 px, 1 channel, 7 classes:")
    assert lines[start + 1 : start + 5] == [
        "         encoder: images -> latents",
        "         decoder: latents labels -> images",
        "         discriminator: images -> logits classes features",
        "makes    translate",
    ]


def test_the_keys_that_all_data_sets_share_come_last(printed: Printed) -> None:
    out = printed("components", "show", "dataset", "fer2013")[1]
    assert "data     48 px, 1 channel, 7 classes" in out.splitlines()
    assert out.index("\ntest_in_training") < out.index("\nKeys of every data set:\n") < out.index("\nsize_px ")


# Lines to paste


@EVERY
def test_what_is_shown_can_be_pasted(registered: Registered) -> None:
    shown = card(REGISTRY, registered)
    assert shown.snippets
    for snippet in shown.snippets:
        values = parse_toml(snippet, Path("pasted.toml"))
        reasons = []
        for recipe in recipes_with(registered, values):
            reasons.append(reason_against(recipe))
            if not reasons[-1]:
                break
        assert reasons[-1] == "", reasons


@EVERY
def test_what_is_pasted_states_every_default(registered: Registered) -> None:
    (section,) = parse_toml(card(REGISTRY, registered).snippets[-1], Path("pasted.toml")).values()
    if registered.kind in ("loss", "evaluator"):  # [objective] adversarial = { ... }, or [evaluation.NAME]
        (section,) = section.values()
    stated = {"use": section} if isinstance(section, str) else section
    model = options_model(registered)
    options = model.model_validate_json(json.dumps({key: value for key, value in stated.items() if key != "use"}))
    assert options == model.model_validate({})
    assert {key for key, value in options if value is not None} <= set(stated)


def recipes_with(registered: Registered, pasted: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield recipes with the pasted lines in which the component may be right: with each other part that is installed."""
    if registered.kind == "evaluator":
        yield {**T26, **pasted}
    elif registered.kind == "loss":
        taking = [name for name, _ in takers(REGISTRY, registered.component.family)]
        for name, dataset, architecture in product(taking, *map(REGISTRY.names, ("dataset", "architecture"))):
            others = {"dataset": {"use": dataset}, "architecture": {"use": architecture}, "training": {"steps": 1}}
            yield {**others, "objective": {"use": name, **pasted["objective"]}}
        if not taking:  # no objective has a field for it: what is pasted is at least a table of its options
            (choice,) = pasted["objective"].values()
            options_model(registered).model_validate(
                {k: v for k, v in choice.items() if k != "use"} if isinstance(choice, dict) else {}
            )
            yield T26
    else:
        for dataset, architecture, objective in product(*map(REGISTRY.names, ("dataset", "architecture", "objective"))):
            others = {"dataset": {"use": dataset}, "architecture": {"use": architecture}, "objective": {"use": objective}}
            for frozen in lent(objective):
                yield {"training": {"steps": 1}, **others, **frozen, **pasted}


def lent(objective: str) -> Iterator[dict[str, Any]]:
    """Yield the section of the networks that the objective does not train: none, or each lent by each architecture."""
    model = options_model(REGISTRY.find("objective", objective))
    options = model.model_validate({})
    assert isinstance(options, ObjectiveOptions)
    trained = {network for networks in options.players().values() for network in networks}
    missing = [network for network in options.needs() if network not in trained]
    if not missing:
        yield {}
        return
    for lender in REGISTRY.names("architecture"):
        yield {"frozen": {network: {"run": "elsewhere", "architecture": {"use": lender}} for network in missing}}


def reason_against(values: dict[str, Any]) -> str:
    try:
        make_spec(Recipe(path=None, name="pasted", values=values), REGISTRY)
    except RecipeError as error:
        # A folder of images that is not here says nothing against the lines.
        return "" if error.code == DataError.code else str(error)
    return ""


def test_a_strangers_lines_can_be_pasted_too(installed_plugin: Any) -> None:
    installed_plugin("strange", STRANGE)
    registry = Registry(load_plugins())
    (snippet,) = card(registry, registry.find("evaluator", "count.x")).snippets
    values = parse_toml(snippet, Path("pasted.toml"))
    spec = make_spec(Recipe(path=None, name="pasted", values={**T26, **values}), registry)
    assert spec.evaluation["count.x"].settings["inner"] == {"low_px": 3}


# JSON and lists


def test_json_tells_the_same_with_types_kept(printed: Printed) -> None:
    shown = json.loads(printed("components", "show", "dataset", "fer2013", "--json")[1])
    assert list(shown) == [
        *("schema", "kind", "name", "full_name", "family", "version", "summary", "paper"),
        *("plugin", "distribution", "distribution_version", "origin", "place", "file", "facts", "options", "snippets"),
    ]
    options = {option["key"]: option for option in shown["options"]}
    assert options["size_px"] == {
        "key": "size_px",
        "type": "whole number",
        "limits": "8 to 1024",
        "unit": "pixels",
        "default": None,
        "required": False,
        "meaning": "side of the square images",
        "families": [],
        "shared": True,
    }
    assert (options["test_in_training"]["default"], options["test_in_training"]["shared"]) == (False, False)


def test_the_list_has_every_component_by_kind(printed: Printed) -> None:
    rows = [re.split(r"  +", line) for line in printed("components", "list")[1].splitlines()]
    assert rows[0] == ["kind", "name", "what it is"]
    assert [row[1] for row in rows[1:]] == [name for kind in KINDS for name in REGISTRY.names(kind)]
    assert {len(row) for row in rows} == {3}
    assert ["loss (distance)", "l1", "absolute difference"] in rows
    listed = json.loads(printed("components", "list", "loss", "--json")[1])
    assert [c["name"] for c in listed["components"]] == list(REGISTRY.names("loss"))


def test_the_schema_is_printed_of_a_component_and_of_a_recipe(printed: Printed) -> None:
    one = json.loads(printed("components", "show", "loss", "bce", "--schema")[1])
    assert (one["title"], "real_low" in one["properties"]) == ("loss bce", True)
    code, out, err = printed("components", "show", "--schema")
    assert (code, err, json.loads(out)["title"]) == (0, "", "a recipe of ganlab")


# Mistakes


@pytest.mark.parametrize(
    ("arguments", "code", "error"),
    [
        (["show"], 2, "name a component: ganlab components show KIND NAME\n  `ganlab components list` lists them."),
        (["show", "los", "bce"], 2, f"'los' is no kind of component; kinds are {', '.join(KINDS)}; did you mean 'loss'?"),
        (["list", "losses"], 2, f"'losses' is no kind of component; kinds are {', '.join(KINDS)}; did you mean 'loss'?"),
        (["show", "dataset"], 2, f"which dataset? There are {', '.join(REGISTRY.names('dataset'))}"),
        (
            ["show", "ccyclegan"],
            2,
            "'ccyclegan' is an architecture and an objective; write `ganlab components show architecture ccyclegan` or "
            "`ganlab components show objective ccyclegan`",
        ),
        (
            ["show", "fer2031"],
            2,
            "no component is called 'fer2031'; did you mean 'fer2013'?\n  `ganlab components list` lists them.",
        ),
        (
            ["show", "dataset", "fer2031"],
            2,
            "no dataset is called 'fer2031'; did you mean 'fer2013'?\n  `ganlab list-plugins` shows what is there.",
        ),
        (["show", "bce", "--json", "--schema"], 2, "--json and --schema exclude each other; --schema prints JSON of its own"),
    ],
    ids=str,
)
def test_a_wrong_name_is_one_clear_error(arguments: list[str], code: int, error: str, printed: Printed) -> None:
    assert printed("components", *arguments) == (code, "", f"ganlab: error: {error}\n")


def test_a_plugin_that_is_disabled_may_have_the_name(
    installed_plugin: Any, printed: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed_plugin("strange", STRANGE)
    monkeypatch.setenv("GANLAB_DISABLE", "strange")
    assert printed("components", "show", "soft_x") == (
        2,
        "",
        "ganlab: error: no component is called 'soft_x'\n"
        "  A plugin that is disabled may offer it:\n"
        "    strange (disabled by GANLAB_DISABLE)\n"
        "  `ganlab components list` lists them.\n",
    )


def test_what_a_plugin_prints_when_its_options_are_imported_is_no_result(
    installed_plugin: Any, printed: Printed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "loud_options.py").write_text("from ganlab import Options\nprint('loud')\nclass Loud(Options): ...\n")
    monkeypatch.syspath_prepend(tmp_path)
    installed_plugin(
        "loud",
        """
        from ganlab import Component, hookimpl

        @hookimpl
        def ganlab_evaluators():
            return [Component("loud", object, "loud_options:Loud")]
        """,
    )
    code, out, err = printed("components", "show", "loud", "--json")
    assert (code, json.loads(out)["name"], err) == (0, "loud", "loud\n")


def test_a_name_that_one_kind_has_needs_no_kind(printed: Printed) -> None:
    assert printed("components", "show", "FER2013") == printed("components", "show", "dataset", "fer2013")
    assert printed("components", "show", "ganlab:bce") == printed("components", "show", "loss", "bce")


@pytest.mark.parametrize(
    ("kind", "name", "reason"),
    [
        ("loss", "torn", "is broken: its options 'no_such:Options' cannot be imported: ModuleNotFoundError"),
        ("evaluator", "torn", "are the class dict, which is no pydantic model; derive it from ganlab.Options"),
        ("objective", "torn", "players() of its options fails: NotImplementedError: Torn must define players()"),
        ("loss", "raising", "the options of loss raising fail: KeyError: 'why'"),
    ],
)
def test_options_that_are_broken_are_one_clear_error(
    kind: str, name: str, reason: str, installed_plugin: Any, printed: Printed
) -> None:
    installed_plugin(
        "torn",
        """
        from pydantic import Field

        from ganlab import Component, hookimpl
        from ganlab.options import ObjectiveOptions, Options

        class Torn(ObjectiveOptions): ...

        class Raising(Options):
            size: int = Field(default_factory=lambda: {}["why"])

        @hookimpl
        def ganlab_losses():
            return [Component("torn", object, "no_such:Options", "distance"), Component("raising", object, Raising, "distance")]

        @hookimpl
        def ganlab_evaluators():
            return [Component("torn", object, dict)]

        @hookimpl
        def ganlab_objectives():
            return [Component("torn", object, Torn)]
        """,
    )
    code, out, err = printed("components", "show", kind, name)
    assert (code, out, reason in err.splitlines()[0], "Traceback" in err) == (5, "", True, False)
    code, out, err = printed("components", "show", "--schema")
    assert (code, len(err.splitlines())) == (0, 3)
    assert {"loss.torn", "loss.raising", "evaluator.torn", "objective.torn"} <= set(json.loads(out)["$defs"])


# A terminal, and what it costs


def drawn_on_a_terminal(columns: int, *arguments: str) -> str:
    """Return what `ganlab components` prints on a terminal of that width, without colours."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": str(columns), "NO_COLOR": "1"}
    command = [sys.executable, "-m", "ganlab", "components", *arguments]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment) as process:
        os.close(theirs)
        written = b""
        try:
            while chunk := os.read(ours, 65536):
                written += chunk
        except OSError:  # the other end is closed
            pass
        assert process.wait() == 0
    os.close(ours)
    return re.sub(r"\x1b\[[0-9;]*m", "", written.decode()).replace("\r", "")


@pytest.mark.parametrize("columns", [80, 120])
def test_on_a_terminal_long_meanings_wrap_and_none_is_cut(columns: int) -> None:
    drawn = drawn_on_a_terminal(columns, "show", "objective", "ccyclegan")
    assert max(map(len, drawn.splitlines())) <= columns
    options = drawn[drawn.index("Options:") : drawn.index("In a recipe:")]
    words = options.split()
    for field in options_model(REGISTRY.find("objective", "ccyclegan")).model_fields.values():
        assert [word for word in (field.description or "").partition("None:")[0].split() if word.strip(";") not in words] == []


def test_on_a_narrow_terminal_the_list_has_a_heading_a_kind_and_no_word_is_cut() -> None:
    lines = drawn_on_a_terminal(60, "list").splitlines()
    assert max(map(len, lines)) <= 60
    kinds = {f"{c.kind} ({c.component.family})" if c.component.family else c.kind for c in REGISTRY.all()}
    assert sorted(line for line in lines if not line.startswith(" ")) == sorted(kinds)
    text = " ".join(" ".join(lines).split())
    assert [c.name for c in REGISTRY.all() if f"{c.name} {c.component.summary}" not in text] == []


@pytest.mark.parametrize(
    "arguments", [["list"], ["show", "loss", "bce"], ["show", "objective", "ccyclegan"], ["show", "--schema"]]
)
def test_what_has_options_without_torch_is_shown_without_torch(arguments: list[str]) -> None:
    heavy = ("torch", "torchvision", "pandas", "PIL")
    code = (
        f"import sys; from ganlab.cli import main; main(['components', *{arguments!r}]); "
        f"print([m for m in {heavy!r} if m in sys.modules], file=sys.stderr)"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stderr.splitlines()[-1] == "[]"
