"""The options of a component in a user's words: type, limits, unit, default, meaning."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel

from ganlab.recipe_text import dump_recipe
from ganlab.spec_options import loss_families, options_schema, plain_default

# The last word of a key that has a unit.
_UNITS = {
    "px": "pixels",
    "images": "images",
    "steps": "steps",
    "epochs": "epochs",
    "hours": "hours",
    "minutes": "minutes",
    "seconds": "seconds",
    "bytes": "bytes",
    "mib": "MiB",
}


@dataclass(frozen=True, kw_only=True)
class Option:
    """One key of a component's table, in words."""

    key: str
    type: str  # "whole number", '"train" | "test"', "loss (adversarial or joint)"
    limits: str  # "8 to 1024"; nothing if there are none
    unit: str  # "pixels"; nothing if there is none
    default: str  # as TOML, or in brackets what happens without the key
    meaning: str
    families: tuple[str, ...] = ()  # of losses that fit; nothing: it names no loss
    value: Any = None  # the default as a recipe writes it; None: the key is left out
    is_required: bool = False
    inner: tuple[Option, ...] = ()  # of a table

    def flat(self, table: str = "") -> Iterator[tuple[str, Option]]:
        """Yield the key and the option, and those of a table: "weights", "weights.d_class"."""
        yield table + self.key, self
        for option in self.inner:
            yield from option.flat(f"{table}{self.key}.")


def options_in_words(model: type[BaseModel], given: Mapping[str, Any] | None = None) -> tuple[Option, ...]:
    """Return each option of a model; `given` are defaults that the table around it states."""
    schema = options_schema(model)
    options = []
    for key, field in model.model_fields.items():
        about = schema["properties"].get(key, {})
        rule = _resolved(about, schema["$defs"])
        families, inner = loss_families(field) or (), _inner_model(field.annotation)
        value = given.get(key) if given is not None else plain_default(field)
        meaning, without = _meaning(about.get("description", ""))
        is_required = given is None and field.is_required()
        options.append(
            Option(
                key=key,
                type=f"loss ({' or '.join(families)})" if families else _type(rule, schema["$defs"]),
                limits="" if families else _limits(rule),
                unit=_UNITS.get(key.rpartition("_")[2].lower(), ""),
                default="required" if is_required else "" if inner and value is not None else _default(value, without),
                meaning=meaning if value is None else about.get("description", ""),
                families=families,
                value=value,
                is_required=is_required,
                inner=options_in_words(inner, value) if inner else (),
            )
        )
    return tuple(options)


def toml(value: Any) -> str:
    """Return a value as a recipe writes it, on one line."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(dump_recipe({key: inner}).strip() for key, inner in value.items()) + " }"
    return dump_recipe({"v": value}).strip().removeprefix("v = ")


def _default(value: Any, without: str) -> str:
    return toml(value) if value is not None else f"({without or 'left out'})"


def _meaning(description: str) -> tuple[str, str]:
    """Return what an option means, and what happens without it."""
    found = re.fullmatch(r"(?:(.*?)[;,.]? ?)?\bleft out: (.+)", description)
    return (found[1] or "", found[2]) if found else (description, "")


def _inner_model(annotation: Any) -> type[BaseModel] | None:
    """Return the model of a table inside the table, which may be optional."""
    for part in (annotation, *get_args(annotation)):
        if isinstance(part, type) and issubclass(part, BaseModel) and part.__name__ != "LossChoice":
            return part
    return None


def _resolved(rule: Mapping[str, Any], definitions: Mapping[str, Any]) -> Mapping[str, Any]:
    name = str(rule.get("$ref", "")).removeprefix("#/$defs/")
    return {**definitions[name], **rule} if name else rule


def _type(rule: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
    rule = _resolved(rule, definitions)
    several = rule.get("anyOf") or rule.get("oneOf")
    if several:
        return " or ".join(dict.fromkeys(_type(one, definitions) for one in several))
    if "enum" in rule or "const" in rule:
        return " | ".join(toml(value) for value in rule.get("enum", [rule.get("const")]))
    match rule.get("type"):
        case "integer":
            return "whole number"
        case "number":
            return "number"
        case "boolean":
            return "true or false"
        case "string":
            return "path" if rule.get("format") == "path" else "text"
        case "array":
            return _list(rule, definitions)
        case "object":
            values = rule.get("additionalProperties")
            return f"table of {_plural(_type(values, definitions))}" if isinstance(values, dict) else "table"
        case _:
            return "any value"


def _list(rule: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
    parts = [_type(part, definitions) for part in rule.get("prefixItems", ())]
    if parts:
        alike = len(set(parts)) == 1
        return f"list of {len(parts)} {_plural(parts[0])}" if alike else f"list of {', '.join(parts)}"
    return f"list of {_plural(_type(rule['items'], definitions))}" if "items" in rule else "list"


def _plural(words: str) -> str:
    return words + "s" if words in ("whole number", "number", "path") else words


def _limits(rule: Mapping[str, Any]) -> str:
    """Return the limits of a number, or of the length of a text or list."""
    if "anyOf" in rule:
        return "; ".join(filter(None, map(_limits, rule["anyOf"])))
    low, high, above, below = (rule.get(k) for k in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"))
    if rule.get("type") == "integer":  # of whole numbers, below 10 is at most 9
        low, above = (above + 1, None) if above is not None else (low, None)
        high, below = (below - 1, None) if below is not None else (high, None)
    limits = _range(low, high, above, below)
    if "prefixItems" not in rule:
        for least, most, what in (("minLength", "maxLength", "characters"), ("minItems", "maxItems", "items")):
            if least in rule or most in rule:
                limits = f"{_range(rule.get(least), rule.get(most))} {what}"
    if "multipleOf" in rule:
        limits = f"{limits}, a multiple of {rule['multipleOf']}".removeprefix(", ")
    if "pattern" in rule:
        limits = f"{limits}, as {rule['pattern']}".removeprefix(", ")
    return limits


def _range(low: Any, high: Any, above: Any = None, below: Any = None) -> str:
    if low is not None and high is not None:
        return f"{low} to {high}"
    named = (("at least", low), ("above", above), ("at most", high), ("below", below))
    return ", ".join(f"{word} {limit}" for word, limit in named if limit is not None)
