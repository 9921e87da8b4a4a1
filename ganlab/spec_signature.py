"""A component without an options model: its constructor's signature becomes one."""

from __future__ import annotations

import inspect
from typing import Any

from pydantic import BaseModel, create_model
from pydantic.errors import PydanticSchemaGenerationError

from ganlab.errors import PluginError
from ganlab.options import Options
from ganlab.registry import Registered

_WRITABLE = (str, int, float, bool, list, tuple, dict, type(None))


def signature_options(registered: Registered) -> type[BaseModel]:
    """Return a model with one field a constructor argument; raises `PluginError` for `*args` or `**kwargs`."""
    target = registered.load_target()
    fields: dict[str, Any] = {}
    for parameter in inspect.signature(target).parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise PluginError(
                f"plugin {registered.plugin}: {registered.kind} {registered.component.name}: its constructor takes "
                f"*{parameter.name}; name each argument, or give the component an options model"
            )
        # A string annotation belongs to a module that may import what is absent here: any value passes then.
        annotation = (
            Any if parameter.annotation is parameter.empty or isinstance(parameter.annotation, str) else parameter.annotation
        )
        if parameter.default is not parameter.empty and not isinstance(parameter.default, _WRITABLE):
            raise PluginError(
                f"plugin {registered.plugin}: {registered.kind} {registered.component.name}: the default of "
                f"{parameter.name} is {parameter.default!r}, which no recipe can hold; give the component an options model"
            )
        default = ... if parameter.default is parameter.empty else parameter.default
        fields[parameter.name] = (annotation, default)
    try:
        return create_model(f"{registered.component.name}_options", __base__=Options, **fields)
    except PydanticSchemaGenerationError:
        raise PluginError(
            f"plugin {registered.plugin}: {registered.kind} {registered.component.name}: its constructor takes what no "
            "recipe can hold; give the component an options model"
        ) from None
