"""Two or more recipes -> the keys by which they differ, each with its values and where they stand. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ganlab.recipe import Place, Recipe
from ganlab.recipe_text import Key
from ganlab.spec import Spec
from ganlab.spec_resolved import resolved


@dataclass(frozen=True, kw_only=True)
class Side:
    """What one recipe says of a key."""

    value: Any  # None: the recipe has no such key, or leaves it out where that means something
    place: Place | None  # None: nobody wrote it, it is the component's default


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A key that means something else in the other recipe."""

    key: str
    a: Side
    b: Side

    @property
    def is_written(self) -> bool:
        """Return whether one of the recipes states the key; else it comes with another component, as its default."""
        return self.a.place is not None or self.b.place is not None


def diff(a: Spec, b: Spec) -> list[Difference]:
    """Return what changes from `a` to `b`, with `extends` followed and every default explicit, in the order of a recipe."""
    return [
        Difference(key=".".join(key), a=_side(a.recipe, key, one), b=_side(b.recipe, key, other))
        for key, (one, other) in differing([resolved(a), resolved(b)]).items()
    ]


def differing(recipes: Sequence[Mapping[str, Any]]) -> dict[Key, tuple[Any, ...]]:
    """Return key -> its value in each of the resolved recipes, None where it is absent, of those that are not all equal.

    What components were when a run was made is no part of it: the section [components].
    """
    flat = [_flat(values) for values in _alike(recipes)]
    places = {key: None for values in flat for key in values}
    order = sorted(places, key=lambda key: [key[0] != section for section in recipes[0]])  # stable: sections together
    found = {key: tuple(values.get(key) for values in flat) for key in order}
    return {key: values for key, values in found.items() if any(value != values[0] for value in values)}


def _flat(values: Mapping[str, Any], at: Key = ()) -> dict[Key, Any]:
    """Return key -> value of what is no table; a loss stands at the key of its field, as `--set` takes it."""
    found: dict[Key, Any] = {}
    for name, value in values.items():
        key = (*at, name)
        if isinstance(value, Mapping):
            found.update(_flat(value, key) if key != ("components",) else {})
        elif value is not None:
            is_loss = at[:1] == ("objective",) and len(at) == 2 and name == "use"
            found[at if is_loss else key] = value
    return found


def _alike(recipes: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the recipes with an optimizer for each player if one of them has, or else with one for all players."""
    tables = [values.get("optimizer", {}) for values in recipes]
    players = {name: None for table in tables for name, value in table.items() if isinstance(value, Mapping)}
    if not players:
        return [dict(values) for values in recipes]
    return [
        dict(values) if set(table) & set(players) else {**values, "optimizer": dict.fromkeys(players, table)}
        for values, table in zip(recipes, tables, strict=True)
    ]


def _side(recipe: Recipe, key: Key, value: Any) -> Side:
    if value is None:
        return Side(value=None, place=None)
    written = key[:-1] if key[0] == "evaluation" and key[2:] == ("use",) else key  # the table's name may be the evaluator's
    shared = (key[0], *key[2:]) if key[0] == "optimizer" and len(key) > 2 else key  # of all players
    place = next((recipe.place(k) for k in (key, written, shared) if _is_written(recipe.values, k)), None)
    return Side(value=value, place=place)


def _is_written(values: Any, key: Key) -> bool:
    for index, part in enumerate(key):
        if isinstance(values, str):  # the short form of a component
            return key[index:] == ("use",)
        if not isinstance(values, Mapping) or part not in values:
            return False
        values = values[part]
    return True
