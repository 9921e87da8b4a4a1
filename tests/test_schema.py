"""The JSON Schema of recipes: it says what `make_spec` says, and an editor finds in it what to offer."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import ValidationError
from pydantic_core import to_json

from ganlab.errors import RecipeError
from ganlab.plugins import load_plugins
from ganlab.recipe import Recipe, dump_recipe, find_recipe, list_recipes, load_recipe, parse_recipe
from ganlab.recipe_text import parse_toml, read_header
from ganlab.registry import Registered, Registry
from ganlab.spec import SECTIONS, make_spec
from ganlab.spec_options import options_model
from ganlab.spec_resolved import resolved
from ganlab.spec_schema import component_schema, recipe_schema
from ganlab.spec_words import options_in_words

REGISTRY = Registry(load_plugins())
SCHEMA, NOTICES = recipe_schema(REGISTRY)
VALIDATOR = Draft202012Validator(SCHEMA)
T26, QUICKSTART = (load_recipe(find_recipe(name)).values for name in ("ccyclegan_t26", "quickstart"))
GONE = object()


def changed(recipe: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return a recipe with other values at dotted keys; `GONE` removes one."""
    values = copy.deepcopy(dict(recipe))
    for key, value in changes.items():
        *tables, last = key.split(".")
        table = values
        for name in tables:
            table = table.setdefault(name, {})
        if value is GONE:
            del table[last]
        else:
            table[last] = value
    return values


def is_taken(values: Mapping[str, Any]) -> bool:
    try:
        make_spec(Recipe(path=None, name="x", values=dict(values)), REGISTRY)
    except RecipeError:
        return False
    return True


def faults(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(".".join(map(str, fault.path)), fault.message) for fault in VALIDATOR.iter_errors(values)]


# The schema itself


@pytest.mark.parametrize("registered", REGISTRY.all(), ids=lambda c: f"{c.kind} {c.name}")
def test_the_schema_of_a_component_is_valid(registered: Registered) -> None:
    schema, notices = component_schema(REGISTRY, registered)
    assert notices == ()
    Draft202012Validator.check_schema(schema)
    assert Draft202012Validator(schema).is_valid({"use": registered.name})
    assert not Draft202012Validator(schema).is_valid({"use": registered.name + "x"})
    assert sorted(schema["properties"]) == sorted(["use", *options_model(registered).model_fields])
    assert all(references(schema))


def test_the_schema_of_recipes_is_valid_and_knows_every_section() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert (list(SCHEMA["properties"]), NOTICES) == (["extends", *SECTIONS], ())
    assert all(references(SCHEMA))


def references(schema: dict[str, Any]) -> Iterator[bool]:
    """Yield whether each reference of a schema has its definition."""
    parts: list[Any] = [schema]
    while parts:
        part = parts.pop()
        if isinstance(part, dict):
            parts += part.values()
            if "$ref" in part:
                yield part["$ref"].removeprefix("#/$defs/") in schema["$defs"]
        elif isinstance(part, list):
            parts += part


# Agreement with make_spec


@pytest.mark.parametrize("path", list_recipes(), ids=lambda path: path.stem)
def test_shipped_recipes_are_valid_as_written_as_merged_and_as_resolved(path: Path) -> None:
    recipe = load_recipe(path)
    whole = parse_toml(dump_recipe(resolved(make_spec(recipe, REGISTRY))), path)
    assert [faults(values) for values in (parse_toml(path.read_text(), path), recipe.values, whole)] == [[], [], []]


GOOD: list[tuple[Mapping[str, Any], Mapping[str, Any]]] = [
    (T26, {"objective.adversarial": {"use": "bce", "real_low": 0.7, "real_high": 1}}),
    (T26, {"objective.adversarial": "ganlab:bce"}),
    (T26, {"objective.adversarial": {"use": "ganlab:bce", "smooth_generator": True}}),
    (T26, {"objective.use": "ganlab:ccyclegan"}),
    (T26, {"objective.weights": GONE, "objective.adversarial": GONE}),
    (T26, {"objective.targets": 1}),
    (T26, {"dataset": {"use": "synthetic_faces", "size_px": 48, "channels": 3}}),
    (T26, {"dataset.path": "faces.csv", "dataset.images": 10}),
    (T26, {"optimizer": GONE}),
    (T26, {"optimizer": {"use": "rmsprop", "decay": 0.5, "generator": {"learning_rate": 1}}}),
    (T26, {"optimizer.discriminator": {"use": "sgd", "momentum": 0.9}, "optimizer.generator": {"betas": [0, 0.9]}}),
    (T26, {"training.steps": 10, "training.epochs": 0.5}),
    (QUICKSTART, {"evaluation": {"mine": {"use": "expression_judge", "people": 7}}}),
    (QUICKSTART, {"evaluation.expression_judge": {}, "training.best": "expression_judge.shown"}),
]
BAD: list[tuple[Mapping[str, Any], Mapping[str, Any], str]] = [
    (T26, {"sampling": {"rows": 3}}, ""),
    (T26, {"training": 3}, "training"),
    (QUICKSTART, {"evaluation.expression_judge": 3}, "evaluation.expression_judge"),
    (T26, {"dataset.use": "fer2014"}, "dataset.use"),
    (T26, {"dataset.level": "easy"}, "dataset"),
    (T26, {"dataset.size_px": 4}, "dataset.size_px"),
    (T26, {"dataset.split": "validation"}, "dataset.split"),
    (T26, {"dataset.use": 3}, "dataset.use"),
    (T26, {"architecture.width": 64.5}, "architecture.width"),
    (T26, {"architecture.widht": 64}, "architecture"),
    (T26, {"objective.adversarial": "bec"}, "objective.adversarial"),
    (T26, {"objective.adversarial": "l1"}, "objective.adversarial"),
    (T26, {"objective.adversarial": "other:bce"}, "objective.adversarial"),
    (T26, {"objective.adversarial": 3}, "objective.adversarial"),
    (T26, {"objective.adversarial": {"use": "l1"}}, "objective.adversarial.use"),
    (T26, {"objective.adversarial": {"use": "bce", "real_lo": 0.5}}, "objective.adversarial"),
    (T26, {"objective.adversarial": {"use": "bce", "real_low": "low"}}, "objective.adversarial.real_low"),
    (T26, {"objective.weights.d_clas": 1.0}, "objective.weights"),
    (T26, {"objective.weights.d_class": -1.0}, "objective.weights.d_class"),
    (T26, {"objective.generator_every": "5"}, "objective.generator_every"),
    (T26, {"optimizer.use": "lion"}, "optimizer.use"),
    (T26, {"optimizer.learning_rat": 1e-3}, "optimizer.learning_rat"),
    (T26, {"optimizer.learning_rate": 2}, "optimizer.learning_rate"),
    (T26, {"optimizer.betas": [0.5]}, "optimizer.betas"),
    (T26, {"optimizer.generator": {"learning_rat": 1e-3}}, "optimizer.generator"),
    (T26, {"optimizer.generator": {"use": "sgd", "betas": [0.5, 0.9]}}, "optimizer.generator"),
    (T26, {"optimizer.momentum": 0.5}, "optimizer.momentum"),
    (T26, {"training.batch_image": 4}, "training"),
    (T26, {"training.batch_images": 0}, "training.batch_images"),
    (T26, {"training.flip": 1}, "training.flip"),
    (T26, {"training.averaging_decay": 1}, "training.averaging_decay"),
    (T26, {"training.precision": "fp16"}, "training.precision"),
    (T26, {"frozen.generator": {"run": 3}}, "frozen.generator.run"),
    (T26, {"frozen.generator": {"run": "x", "steps": 3}}, "frozen.generator"),
    (T26, {"frozen.generator": "runs/0001"}, "frozen.generator"),
    (QUICKSTART, {"evaluation.expression_judge.judge_image": 700}, "evaluation.expression_judge"),
    (QUICKSTART, {"evaluation.expression_judge.judge_images": 699}, "evaluation.expression_judge.judge_images"),
    (QUICKSTART, {"evaluation.mine": {"use": "fdi"}}, "evaluation.mine.use"),
]


@pytest.mark.parametrize(("recipe", "changes"), GOOD, ids=lambda value: str(value)[:60])
def test_a_right_recipe_is_right_to_schema_and_make_spec(recipe: Mapping[str, Any], changes: Mapping[str, Any]) -> None:
    values = changed(recipe, changes)
    assert (faults(values), is_taken(values)) == ([], True)


@pytest.mark.parametrize(("recipe", "changes", "place"), BAD, ids=lambda value: str(value)[:60])
def test_a_mistake_is_refused_by_both_and_marked_once_at_its_place(
    recipe: Mapping[str, Any], changes: Mapping[str, Any], place: str
) -> None:
    values = changed(recipe, changes)
    assert ([where for where, _ in faults(values)], is_taken(values)) == ([place], False)


VALUES = ("x", "", 3, 0, -1, 10**9, 0.5, -0.5, 1.5, True, False, [], [1], [0.5, 0.5], ["x"], {}, {"x": 1})


@pytest.mark.parametrize("registered", REGISTRY.all(), ids=lambda c: f"{c.kind} {c.name}")
def test_each_option_takes_in_the_schema_what_it_takes_in_a_recipe(registered: Registered) -> None:
    model, validator = options_model(registered), Draft202012Validator(component_schema(REGISTRY, registered)[0])
    differ = []
    for option in options_in_words(model):
        for value in VALUES:
            try:
                model.model_validate_json(to_json({option.key: value}))
                kinds = set()
            except ValidationError as error:
                kinds = {fault["type"] for fault in error.errors() if fault["loc"][:1] == (option.key,)}
            # Names of losses are the registry's to know; what a plugin checks by code of its own no schema tells; and to
            # pydantic true is the 1 of `Literal[1, 3]`.
            if option.families or kinds == {"value_error"} or (value is True and option.type == "1 | 3"):
                continue
            if (not kinds) != validator.is_valid({option.key: value}):
                differ.append((option.key, value, kinds))
    assert differ == []


def test_what_needs_the_whole_recipe_is_left_to_validate() -> None:
    whole: list[tuple[Mapping[str, Any], Mapping[str, Any]]] = [
        (T26, {"training.epochs": GONE}),
        (T26, {"dataset.labels": "attributes"}),
        (T26, {"objective": GONE}),
        (T26, {"optimizer.critic": {"learning_rate": 1e-3}}),
        (T26, {"training.best": "fid.value"}),
        (T26, {"objective.adversarial": {"use": "bce", "real_low": 1.5, "real_high": 1.0}}),
    ]
    assert [(faults(changed(*case)), is_taken(changed(*case))) for case in whole] == [([], False)] * len(whole)


def test_a_recipe_that_extends_another_may_state_anything_alone() -> None:
    text = """#:schema ./recipe.schema.json
extends = "ccyclegan_t26.toml"
[dataset]
level = "easy"
[objective]
adversarial = { real_low = 0.7 }
[objective.weights]
d_class = 2.0
[optimizer]
momentum = 0.9
[optimizer.generator]
decay = 0.5
[frozen.encoder]
step = 3
[evaluation.mine]
people = 7
"""
    values = parse_toml(text, Path("x.toml"))
    assert faults(values) == []
    assert [where for where, _ in faults(changed(values, {"dataset.levle": "easy", "objective.generator_evry": 1}))] == [
        "dataset",
        "objective",
    ]


def test_a_fault_is_told_in_words_that_help() -> None:
    assert faults(changed(T26, {"objective.generator_evry": 1})) == [
        ("objective", "Additional properties are not allowed ('generator_evry' was unexpected)")
    ]
    ((_, message),) = faults(changed(T26, {"objective.distance": "bce"}))
    assert message.startswith("'bce' is not one of ['l1', 'l2'")


# Plugins of others


def test_a_strangers_components_are_there_by_every_name_that_works(installed_plugin: Any) -> None:
    installed_plugin(
        "strange",
        """
        from ganlab import Component, hookimpl

        class Soft:
            def __init__(self, margin: float = 1.0, mode: str = "a"): ...

        class Count:
            def __init__(self, images: int): ...

        @hookimpl
        def ganlab_losses():
            return [Component("soft", Soft, family="adversarial"), Component("bce", Soft, family="adversarial")]

        @hookimpl
        def ganlab_evaluators():
            return [Component("count", Count)]
        """,
    )
    validator = Draft202012Validator(recipe_schema(Registry(load_plugins()))[0])
    right: list[Mapping[str, Any]] = [
        {"objective.adversarial": "soft"},
        {"objective.adversarial": "ganlab-strange:bce"},
        {"objective.adversarial": {"use": "ganlab-strange:soft", "margin": 2}},
        {"objective.adversarial": {"use": "ganlab-strange:bce", "mode": "b"}},
        {"evaluation": {"count": {"images": 3}}},
        {"evaluation": {"mine": {"use": "count", "images": 3}}},
    ]
    wrong: list[Mapping[str, Any]] = [
        {"objective.adversarial": {"use": "bce", "margin": 2}},
        {"objective.adversarial": {"use": "soft", "margin": "wide"}},
        {"evaluation": {"count": {"images": "three"}}},
    ]
    assert [validator.is_valid(changed(T26, changes)) for changes in (*right, *wrong)] == [True] * 6 + [False] * 3


def test_a_component_whose_options_are_broken_takes_any_option_and_is_told(installed_plugin: Any) -> None:
    installed_plugin(
        "torn",
        """
        from ganlab import Component, hookimpl

        @hookimpl
        def ganlab_losses():
            return [Component("torn", "no_such_module:Loss", family="adversarial")]
        """,
    )
    schema, notices = recipe_schema(Registry(load_plugins()))
    taken = changed(T26, {"objective.adversarial": {"use": "torn", "any": 1}})
    assert Draft202012Validator(schema).is_valid(taken)
    assert notices == (
        "plugin 'torn' (ganlab-torn 1.0): the loss 'torn' is broken: its target 'no_such_module:Loss' cannot be imported: "
        "ModuleNotFoundError: No module named 'no_such_module'",
    )


# Editors


def offered(*path: str) -> set[str]:
    """Return the keys and values that an editor offers at a path, which looks where Taplo looks: never behind `if`."""
    found, parts = set(), [(SCHEMA, path)]
    while parts:
        schema, rest = parts.pop()
        if not isinstance(schema, dict):
            continue
        if "$ref" in schema:
            parts.append((SCHEMA["$defs"][schema["$ref"].removeprefix("#/$defs/")], rest))
            continue
        parts += [(inner, rest) for inner in (*schema.get("anyOf", ()), *schema.get("oneOf", ()))]
        if rest:
            parts += [(schema.get("properties", {}).get(rest[0]), rest[1:]), (schema.get("additionalProperties"), rest[1:])]
        else:
            found |= {*schema.get("properties", {}), *map(str, schema.get("enum", ()))}
    return found


def test_an_editor_offers_sections_names_and_options() -> None:
    assert offered() == {"extends", *SECTIONS}
    assert set(REGISTRY.names("dataset")) <= offered("dataset", "use")
    assert {"use", "size_px", "path", "level"} <= offered("dataset")
    assert {"use", "adversarial", "weights", "generator_every"} <= offered("objective")
    assert {"d_class", "g_class"} <= offered("objective", "weights")
    assert {"bce", "ganlab:bce", "use", "real_low"} <= offered("objective", "adversarial")
    assert not {"l1", "none"} & offered("objective", "adversarial")
    assert {"use", "betas", "momentum", "generator", "discriminator"} <= offered("optimizer")
    assert {"use", "betas", "momentum"} <= offered("optimizer", "generator")
    assert offered("optimizer", "generator", "use") == {"adam", "rmsprop", "sgd"}
    assert {"auto", "fp32", "bf16"} == offered("training", "precision")
    assert {"run", "step", "architecture"} == offered("frozen", "anything")
    assert {"use", "width", "noise"} <= offered("frozen", "anything", "architecture")
    assert set(REGISTRY.names("architecture")) <= offered("frozen", "anything", "architecture", "use")
    assert {"expression_judge"} <= offered("evaluation")
    assert {"use", "judge_images"} <= offered("evaluation", "expression_judge")


@pytest.mark.parametrize("between", ["", "\n"])
def test_the_line_that_names_the_schema_is_no_title(between: str) -> None:
    text = f"#:schema ./recipe.schema.json\n{between}# Mine.\n#\n# More.\n\n[dataset]\nuse = 'fer2013'\n"
    recipe = parse_recipe(text, Path("x.toml"))
    assert (recipe.header, recipe.values) == ("Mine.\n\nMore.", {"dataset": {"use": "fer2013"}})
    assert recipe.places["dataset",].line == 6 + len(between)
    assert read_header("#:schema ./recipe.schema.json\n[dataset]\n") == ""
