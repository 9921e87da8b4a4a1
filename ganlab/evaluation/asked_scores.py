"""What a user asks to be measured and a run's recipe -> a spec with those evaluators, checked like any recipe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ganlab.errors import GanlabError, UsageError
from ganlab.recipe import Recipe, near, with_sets
from ganlab.registry import Registry
from ganlab.spec import Spec, make_spec
from ganlab.spec_options import options_model

_ANY = "evaluation."


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What to measure."""

    evaluators: tuple[str, ...] = ()  # names of evaluators, or of sections of the recipe; none: all sections of the recipe
    everything: bool = False  # every evaluator there is, without those that cannot score the model
    options: Mapping[str, Any] = field(default_factory=dict)  # that each evaluator must have
    some_options: Mapping[str, Any] = field(default_factory=dict)  # that at least one must have
    sets: tuple[str, ...] = ()  # "EVALUATOR.OPTION=VALUE"
    split: str = "test"
    raw: bool = False  # the raw weights, where averaged ones were kept
    dataset: str | None = None
    device: str = "auto"


def asked_spec(recipe: Recipe, registry: Registry, asked: Asked) -> tuple[Spec, dict[str, str]]:
    """Return the spec of a run whose `evaluation` is what to score by, and of `everything` why some are left out.

    A section of the recipe gives its options to what goes by its name. Raises `UsageError` for an option that an evaluator
    has not, and `RecipeError` for a value that does not fit.
    """
    own = recipe.values.get("evaluation", {})
    names = _names(recipe, registry, asked)
    _check_sets(asked, names)
    left_out: dict[str, str] = {}
    if asked.everything:
        for name in names:
            try:
                make_spec(_with_evaluator(recipe, name, registry, asked), registry)
            except GanlabError as error:
                left_out[name] = _one_fault(error) or str(error).splitlines()[0]
        names = [name for name in names if name not in left_out]
    else:
        _check_options(names, own, registry, asked)
    for name in names:
        recipe = _with_evaluator(recipe, name, registry, asked)
    try:
        spec = make_spec(recipe, registry)
    except GanlabError as error:
        fault = _one_fault(error)
        if fault is not None:
            error.args = (f"{recipe.path}: {fault}",)
        raise
    return replace(spec, evaluation={name: spec.evaluation[name] for name in names}), left_out


def _names(recipe: Recipe, registry: Registry, asked: Asked) -> list[str]:
    """Return the sections to score by: of the recipe, or called like an evaluator."""
    own = recipe.values.get("evaluation", {})
    if asked.everything:
        return list(dict.fromkeys([*own, *registry.names("evaluator")]))
    known = {name: name if name in own or ":" in name else registry.find("evaluator", name).name for name in asked.evaluators}
    names = list(dict.fromkeys(known.values() if known else own))
    if not names:
        there = ", ".join(registry.names("evaluator"))
        raise UsageError(
            f"{recipe.path}: the recipe has no [evaluation.NAME]; say what to score by: --rfd, --fid, --score NAME ({there})"
        )
    return names


def _with_evaluator(recipe: Recipe, name: str, registry: Registry, asked: Asked) -> Recipe:
    """Return the recipe with the section `name`, and in it the options that were asked for and that it has."""
    values = dict(recipe.values)
    table = {"use": name, **values.get("evaluation", {}).get(name, {})}
    given = {**asked.options, **asked.some_options}
    known = _options(table["use"], registry)
    table |= {option: value for option, value in given.items() if option in known}
    values["evaluation"] = {**values.get("evaluation", {}), name: table}
    return with_sets(replace(recipe, values=values), [_ANY + text for text in asked.sets if _evaluator_of(text) == name])


def _check_sets(asked: Asked, names: list[str]) -> None:
    for text in asked.sets:
        if _evaluator_of(text) not in names:
            hint = near(_evaluator_of(text), names) or f"; scored by {', '.join(names)}"
            raise UsageError(f"--set {text}: write EVALUATOR.OPTION=VALUE, such as {names[0]}.images=1000{hint}")


def _check_options(names: list[str], own: Mapping[str, Any], registry: Registry, asked: Asked) -> None:
    """Raise `UsageError` for an option of all that one evaluator lacks, and an option of some that none has."""
    known = {name: _options(own.get(name, {}).get("use", name), registry) for name in names}
    for option in asked.options:
        lacking = [name for name in names if option not in known[name]]
        if lacking:
            has = ", ".join(known[lacking[0]]) or "none"
            raise UsageError(
                f"{_flag(option)}: {lacking[0]} has no option {option} (it has {has}); "
                f"`--set EVALUATOR.{option}=VALUE` sets it for one evaluator"
            )
    for option in asked.some_options:
        if not any(option in options for options in known.values()):
            raise UsageError(f"{_flag(option)}: {', '.join(names)} {'has' if len(names) == 1 else 'have'} no option {option}")


def _options(use: str, registry: Registry) -> list[str]:
    return list(options_model(registry.find("evaluator", use)).model_fields)


def _evaluator_of(text: str) -> str:
    """Return NAME of "NAME.option=value", also where NAME holds a point, in quotes."""
    key = text.partition("=")[0].strip()
    return key[1:].partition('"')[0] if key.startswith('"') else key.partition(".")[0]


def _flag(option: str) -> str:
    return f"--{option.replace('_', '-')}"


def _one_fault(error: GanlabError) -> str | None:
    """Return the only fault of a recipe in the words of a command line; None if there are several, or other errors."""
    lines = str(error).splitlines()
    if len(lines) != 2 or not lines[0].endswith(": 1 fault"):
        return None
    place, _, fault = lines[1].strip().partition(f": {_ANY}")
    return fault or place
