"""Options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

from ganlab.errors import RecipeError, UsageError
from ganlab.registry import Registered, Registry, UnknownComponent

Sets = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="replaces a value of the recipe, such as training.epochs=3; repeatable"),
]
DatasetChoice = Annotated[
    str | None, typer.Option(metavar="NAME", help="swaps the data set; size, channels, labels, split, images stay")
]
DeviceChoice = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1 or mps")]
PrecisionChoice = Annotated[str | None, typer.Option(help="replaces training.precision: fp32, bf16 or auto")]
MaxMinutes = Annotated[
    float | None, typer.Option(min=0, help="stops this process, saved, after so many minutes; resume goes on")
]


def component_asked(registry: Registry, kind: str, name: str) -> Registered:
    """Return the component that the command line names; raises `UsageError` for a name that nothing has."""
    try:
        return registry.find(kind, name)
    except UnknownComponent as error:
        if error.code == RecipeError.code:  # no recipe is at fault here
            raise UsageError(str(error)) from None
        raise
