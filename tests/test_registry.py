"""Names find components; a name that finds none says what was near and what is broken."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import pytest

from ganlab import Component, hookimpl
from ganlab.errors import PluginError
from ganlab.plugins import load_plugins
from ganlab.registry import Registry, UnknownComponent, near_names

HINT = "`ganlab list-plugins` shows what is there."


def losses(*names: str, **facts: Any) -> SimpleNamespace:
    components = [Component(name, **{"target": object, "family": "distance", **facts}) for name in names]
    return SimpleNamespace(ganlab_losses=hookimpl(lambda: components))


def broken() -> Any:
    raise RuntimeError("why\nat length")


@pytest.fixture
def registry(entry_point: Any) -> Registry:
    """Return a built-in, two strangers that clash with each other and with it, and an evaluator."""
    scores = SimpleNamespace(ganlab_evaluators=hookimpl(lambda: [Component("fid", object)]))
    points = [
        entry_point("losses", losses("bce", "least_squares", "l1"), dist="ganlab", version="0.1"),
        entry_point("one", losses("hinge-x", "L1", "alone"), dist="dist-one"),
        entry_point("two", losses("Hinge_X"), dist="dist-two"),
        entry_point("scores", scores, dist="ganlab"),
    ]
    return Registry(load_plugins(points))


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("bce", "ganlab:bce"),
        ("BCE", "ganlab:bce"),
        ("least-squares", "ganlab:least_squares"),
        ("l1", "ganlab:l1"),
        ("ganlab:l1", "ganlab:l1"),
        ("dist-one:l1", "dist-one:L1"),
        ("alone", "dist-one:alone"),
        ("dist_one:Alone", "dist-one:alone"),
        ("dist-one:hinge_x", "dist-one:hinge-x"),
        ("Dist-Two:hinge-x", "dist-two:Hinge_X"),
    ],
)
def test_a_name_finds_its_component(registry: Registry, name: str, found: str) -> None:
    assert registry.find("loss", name).full_name == found


def test_a_registered_component_knows_where_it_comes_from(registry: Registry) -> None:
    found = registry.find("loss", "alone")
    assert (found.kind, found.name, found.plugin, found.distribution, found.distribution_version, found.is_builtin) == (
        "loss",
        "alone",
        "one",
        "dist-one",
        "1.0",
        False,
    )


def test_all_lists_every_component_and_names_the_shortest_clear_names(registry: Registry) -> None:
    assert [c.full_name for c in registry.all("evaluator")] == ["ganlab:fid"]
    assert len(registry.all()) == 8
    expected = ("bce", "least_squares", "l1", "dist-one:hinge-x", "dist-one:L1", "alone", "dist-two:Hinge_X")
    assert registry.names("loss") == expected
    assert [registry.find("loss", name).name for name in expected] == [name.split(":")[-1] for name in expected]


MISSES = [
    ("bcee", f"no loss is called 'bcee'; did you mean 'bce'?\n{HINT}"),
    ("fid", f"no loss is called 'fid'; 'fid' is an evaluator\n{HINT}"),
    (
        "zzz",
        "no loss is called 'zzz'; there are bce, least_squares, l1, dist-one:hinge-x, dist-one:L1, alone, "
        f"dist-two:Hinge_X\n{HINT}",
    ),
    (
        "hinge-x",
        "'hinge-x' is a loss of several plugins: one (dist-one 1.0) and two (dist-two 1.0); "
        "write 'dist-one:hinge-x' or 'dist-two:Hinge_X'",
    ),
    ("two:hinge-x", "no loss is called 'two:hinge-x': 'two' is a plugin, not a distribution; did you mean 'dist-two:Hinge_X'?"),
    ("dist-two:alone", f"no loss is called 'dist-two:alone'; did you mean 'alone'?\n{HINT}"),
]


@pytest.mark.parametrize(("name", "message"), MISSES)
def test_a_name_that_finds_nothing_says_why(registry: Registry, name: str, message: str) -> None:
    with pytest.raises(UnknownComponent) as fault:
        registry.find("loss", name)
    assert (str(fault.value), fault.value.code) == (message, 3)


def test_a_broken_plugin_that_may_hold_the_name_is_named(entry_point: Any) -> None:
    points = [entry_point("good", losses("bce"), dist="ganlab"), entry_point("bad", load=broken, dist="dist-bad")]
    registry = Registry(load_plugins(points))
    with pytest.raises(UnknownComponent) as fault:
        registry.find("loss", "hinge")
    assert fault.value.code == PluginError.code
    assert str(fault.value) == (
        "no loss is called 'hinge'; there are bce\n"
        "A plugin that is broken may offer it:\n"
        "  bad (dist-bad 1.0): import: RuntimeError: why\n"
        "Mend or update it, or leave it out: `ganlab plugin disable bad`\n" + HINT
    )
    with pytest.raises(UnknownComponent, match="no loss is called 'ganlab:hinge'") as other:
        registry.find("loss", "ganlab:hinge")
    assert other.value.code == 3


def test_two_plugins_of_one_distribution_with_one_name_must_be_mended(entry_point: Any) -> None:
    registry = Registry(load_plugins([entry_point(name, losses("same"), dist="d") for name in ("a", "b")]))
    message = "'d:same' is a loss of several plugins of one distribution, to be mended: a (d 1.0) and b (d 1.0)"
    with pytest.raises(UnknownComponent, match=re.escape(message)):
        registry.find("loss", "d:same")


def test_targets_and_options_are_imported_when_asked_for(entry_point: Any) -> None:
    facts = {"target": "collections:OrderedDict.fromkeys", "options": "decimal:Decimal"}
    found = Registry(load_plugins([entry_point("x", losses("a", **facts))])).find("loss", "a")
    assert (found.load_target()("a"), found.load_options().__name__) == ({"a": None}, "Decimal")  # type: ignore[union-attr]
    bare = Registry(load_plugins([entry_point("x", losses("a"))])).find("loss", "a")
    assert (bare.load_target(), bare.load_options()) == (object, None)


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        (
            {"target": "no_such_module:A"},
            "its target 'no_such_module:A' cannot be imported: ModuleNotFoundError: No module named 'no_such_module'",
        ),
        (
            {"target": "math:A"},
            "its target 'math:A' cannot be imported: AttributeError: module 'math' has no attribute 'A'",
        ),
        ({"target": "math:pi"}, "its target 'math:pi' is a float, not a class"),
        ({"options": "math:pi"}, "its options 'math:pi' are a float, not a class"),
        (
            {"target": "installed_exits:A"},
            "its target 'installed_exits:A' cannot be imported: SystemExit: 3",
        ),
    ],
)
def test_a_target_that_cannot_be_had_names_plugin_component_and_reason(
    facts: dict[str, str], reason: str, entry_point: Any, installed_plugin: Any
) -> None:
    installed_plugin("exits", "import sys; sys.exit(3)")
    found = Registry(load_plugins([entry_point("x", losses("a", **facts))])).find("loss", "a")
    with pytest.raises(PluginError) as fault:
        found.load_options() if "options" in facts else found.load_target()
    assert str(fault.value) == (
        f"plugin 'x' (stranger 1.0): the loss 'a' is broken: {reason}\n"
        "Mend or update the plugin, or choose another loss; `ganlab plugin disable x` leaves it out."
    )


def test_near_names_are_near_and_few() -> None:
    names = ("ganlab_losses", "ganlab_datasets", "ganlab_logged", "epochs", "steps")
    assert near_names("ganlab_lossess", names) == ["ganlab_losses"]
    assert near_names("epoch", names) == ["epochs"]
    assert near_names("zzz", names) == []
    assert near_names("x", ()) == []


def test_a_broken_plugin_that_goes_by_the_asked_name_is_named_first(entry_point: Any) -> None:
    points = [
        entry_point("good", losses("hinge-x"), dist="ganlab"),
        entry_point("also", load=broken, dist="a-bad"),
        entry_point("hinge_z", load=broken, dist="dist-bad"),
    ]
    with pytest.raises(UnknownComponent) as fault:
        Registry(load_plugins(points)).find("loss", "hinge-z")
    lines = str(fault.value).splitlines()
    assert lines[0] == "no loss is called 'hinge-z'; did you mean 'hinge-x'?"
    assert lines[2].startswith("  hinge_z (dist-bad 1.0)")
    assert fault.value.code == PluginError.code


def test_names_of_other_families_are_not_offered(entry_point: Any) -> None:
    points = [
        entry_point("one", losses("bce", family="adversarial"), dist="ganlab"),
        entry_point("two", losses("l1"), dist="ganlab"),
    ]
    with pytest.raises(UnknownComponent, match="there are bce\n"):
        Registry(load_plugins(points)).find("loss", "zzz", ("adversarial", "joint"))
