"""A component -> the model of its options, and the JSON Schema of that model without what TOML has not."""

from __future__ import annotations

import re
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.errors import PydanticUserError
from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import to_jsonable_python

from ganlab.errors import PluginError
from ganlab.options import Family
from ganlab.registry import Registered, Registry, in_one_line
from ganlab.spec_signature import signature_options


def options_model(registered: Registered) -> type[BaseModel]:
    """Return the model of what a recipe may say to the component; raises `PluginError` if there is none that works."""
    model = registered.load_options()
    if model is None:
        return signature_options(registered)
    if not issubclass(model, BaseModel):
        raise PluginError(
            f"plugin {registered.plugin}: the options of {registered.kind} {registered.name} are the class "
            f"{model.__name__}, which is no pydantic model; derive it from ganlab.Options"
        )
    return model


def short_name(registry: Registry, registered: Registered) -> str:
    """Return the shortest name by which a recipe finds a component."""
    names = zip(registry.all(registered.kind), registry.names(registered.kind), strict=True)
    return next(name for known, name in names if known is registered)


def default_options(model: type[BaseModel]) -> BaseModel | None:
    """Return the options of a recipe that says nothing; None if it must say something."""
    try:
        return model.model_validate({})
    except ValidationError:
        return None


def answer(registered: Registered, options: BaseModel, question: str, *about: object) -> Any:
    """Return what a component's options answer; ValueError, which says what does not fit, passes.

    Raises `PluginError` for whatever else the plugin's code raises.
    """
    try:
        return getattr(options, question)(*about)
    except ValueError:
        raise
    except Exception as error:
        raise PluginError(
            f"plugin {registered.plugin}: {registered.kind} {registered.name}: {question}() of its options fails: "
            f"{in_one_line(error)}"
        ) from error


def loss_families(field: FieldInfo) -> tuple[str, ...] | None:
    """Return the families of losses that a field of an objective takes; None if it names no loss."""
    return next((mark.names for mark in field.metadata if isinstance(mark, Family)), None)


def plain_default(field: FieldInfo) -> Any:
    """Return a field's default as a recipe would write it; None if it has none, or none that a recipe can hold."""
    if field.is_required():
        return None
    try:
        return to_jsonable_python(field.get_default(call_default_factory=True, validated_data={}), exclude_none=True)
    except ValueError:  # of PydanticSerializationError: an object of the plugin's own
        return None


def options_schema(model: type[BaseModel], prefix: str = "") -> dict[str, Any]:
    """Return the JSON Schema of a table of options.

    Nothing is required, since a recipe may extend another and state only what differs; null is left out, since TOML has
    none. Definitions are called `prefix` and the name of their model.
    """
    try:
        made = model.model_json_schema(by_alias=False, schema_generator=_Schema, ref_template=f"#/$defs/{prefix}{{model}}")
    except PydanticUserError as error:
        reason = str(error).partition("\n")[0]
        raise PluginError(f"the options {model.__module__}:{model.__name__} have no JSON Schema: {reason}") from error
    definitions = {prefix + name: _tidy(schema) for name, schema in made.pop("$defs", {}).items()}
    return {**_tidy(made), "$defs": definitions}


class _Schema(GenerateJsonSchema):
    """Takes any value where JSON Schema has no words, and says nothing of defaults that JSON cannot hold."""

    ignored_warning_kinds = {"skipped-choice", "non-serializable-default"}  # noqa: RUF012  # so declared by pydantic

    def handle_invalid_for_json_schema(self, schema: Any, error_info: str) -> dict[str, Any]:
        return {}


def _tidy(schema: Any) -> Any:
    """Return a schema without titles, null and requirements, its `None:` in the words of a recipe."""
    if isinstance(schema, list):
        return [_tidy(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {key: value for key, value in schema.items() if key not in ("title", "required")}
    if kept.get("default", ...) is None:
        del kept["default"]
    for key in kept.keys() & {"items", "prefixItems", "additionalProperties", "anyOf", "oneOf", "allOf"}:
        kept[key] = _tidy(kept[key])
    for key in kept.keys() & {"properties", "patternProperties"}:
        kept[key] = {name: _tidy(inner) for name, inner in kept[key].items()}
    if "anyOf" in kept:
        choices = [choice for choice in kept["anyOf"] if choice != {"type": "null"}]
        kept["anyOf"] = choices
        if len(choices) == 1:
            del kept["anyOf"]
            kept = {**choices[0], **kept}
    if "description" in kept:
        kept["description"] = re.sub(r"\bNone:", "left out:", one_line(kept["description"]))
    return kept


def one_line(text: str) -> str:
    """Return a plugin's words as one line of printable characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
