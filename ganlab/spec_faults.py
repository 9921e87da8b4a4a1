"""Faults of a recipe, collected with file, line and key, raised at once; pydantic's errors in a user's words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import to_json

from ganlab.errors import RecipeError
from ganlab.recipe import Recipe, near

# What a user reads instead of pydantic's words, by pydantic's error type.
_WORDS = {
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "bool_type": "must be true or false",
    "string_type": "must be a string in quotes",
    "tuple_type": "must be a list",
    "missing": "is missing",
}


class Faults:
    """What is wrong with one recipe, each with its place."""

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe
        self._lines: dict[str, int] = {}  # line -> exit code
        self._advice: dict[str, None] = {}

    def add(self, key: tuple[str, ...], reason: str, code: int = RecipeError.code) -> None:
        """Remember that the value at `key` is wrong for `reason`; further lines of it are advice, told once at the end."""
        first, *advice = reason.splitlines()
        self._lines.setdefault(f"{self.recipe.place(key)}: {'.'.join(key)}: {first}", code)
        self._advice.update(dict.fromkeys(advice))

    def validated(self, key: tuple[str, ...], model: type[BaseModel], table: Mapping[str, Any]) -> Any:
        """Return the table at `key` as a `model`; remember each fault of it and return None."""
        try:
            # As JSON: just as strict, but a list is a tuple where one is asked for, a string a path or an enum.
            return model.model_validate_json(to_json(table, inf_nan_mode="constants"))
        except ValidationError as error:
            self.add_invalid(key, error, model)
            return None

    def add_invalid(self, key: tuple[str, ...], error: ValidationError, model: type[BaseModel]) -> None:
        """Remember each fault that pydantic found in the table at `key`."""
        for fault in error.errors():
            location = tuple(str(part) for part in fault["loc"] if not isinstance(part, int))
            location = tuple(part for part in location if not part.startswith(("function-", "LossChoice", "str")))
            self.add((*key, *location), _reason(fault, model, location))

    def add_invalid_optimizer(self, player: str, error: ValidationError, own: Mapping[str, Any]) -> None:
        """Remember each fault of a player's optimizer, at the shared section unless the player has its own key."""
        for fault in error.errors():
            location = tuple(str(part) for part in fault["loc"] if not isinstance(part, int))
            key = location[1:] if location and location[0] in ("adam", "rmsprop", "sgd") else location
            section = ("optimizer", player) if (*key, "use")[0] in own else ("optimizer",)
            if fault["type"] == "union_tag_invalid":
                self.add((*section, "use"), f"{fault['input'].get('use')!r} is no optimizer; choose adam, rmsprop or sgd")
            else:
                self.add((*section, *key), _reason(fault, None, key))

    def raise_all(self) -> None:
        """Raise `RecipeError` with every fault, if there is one."""
        if not self._lines:
            return
        name = str(self.recipe.path or self.recipe.name)
        count = len(self._lines)
        heading = f"{name}: {count} {'fault' if count == 1 else 'faults'}"
        error = RecipeError("\n".join([heading, *(f"  {line}" for line in self._lines), *self._advice]))
        codes = set(self._lines.values())
        error.code = codes.pop() if len(codes) == 1 else RecipeError.code
        raise error


def _reason(fault: Any, model: type[BaseModel] | None, location: tuple[str, ...]) -> str:
    kind, value = fault["type"], fault["input"]
    if kind == "extra_forbidden":
        names = _names(model, location[:-1])
        return "unknown key" + (near(location[-1], names) or f"; keys are {', '.join(names) or 'none'}")
    if kind == "missing":
        return _WORDS[kind]
    message = _WORDS.get(kind) or str(fault["msg"]).removeprefix("Value error, ").replace("Input should be", "must be")
    message = message[:1].lower() + message[1:]
    return message if isinstance(value, Mapping | BaseModel) or repr(value) in message else f"{value!r} {message}"


def _names(model: type[BaseModel] | None, location: tuple[str, ...]) -> list[str]:
    """Return the keys of the table at `location` inside `model`."""
    for part in location:
        field = model.model_fields.get(part) if model else None
        annotations = (field.annotation, *get_args(field.annotation)) if field else ()  # a table may be optional
        model = next((a for a in annotations if isinstance(a, type) and issubclass(a, BaseModel)), None)
    return list(model.model_fields) if model else []
