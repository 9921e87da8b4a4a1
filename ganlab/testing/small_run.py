"""A plugin and a few lines of a recipe -> a run on the CPU in a second: the kit fills in small data, networks and steps."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from pydantic import BaseModel
from pydantic_core import to_json

from ganlab.errors import GanlabError
from ganlab.options import ObjectiveOptions
from ganlab.plugins import Plugins
from ganlab.recipe import parse_recipe
from ganlab.registry import Registry
from ganlab.spec import Spec, make_spec
from ganlab.testing.source import KIT, with_the_kits_own
from ganlab.training.random_state import kept_random_state
from ganlab.training.session import start_run

_SMALL_SECTIONS = ("dataset", "architecture", "objective")
_TRAINING = {"steps": 3, "batch_images": 4, "log_every_steps": 1}


def small_spec(text: str, plugins: Plugins, steps: int | None = None) -> Spec:
    """Return the spec of a recipe that leaves out what does not matter; raises `RecipeError` as a run would.

    Filled in: `[dataset]` with the kit's tiny images, `[architecture]` with stand-ins for the networks that the objective
    needs, `[training]` with 3 steps of 4 images, and every component's SMALL settings below those that are written.
    """
    registry = Registry(with_the_kits_own(plugins))
    recipe = parse_recipe(text, Path("recipe.toml"))
    values = copy.deepcopy(recipe.values)
    values.setdefault("dataset", {"use": f"{KIT}:tiny"})
    for section in _SMALL_SECTIONS:
        if isinstance(table := values.get(section), Mapping):
            values[section] = {**getattr(_options(section, table, registry), "SMALL", {}), **table}
    if "architecture" not in values and isinstance(values.get("objective"), Mapping):
        values["architecture"] = {"use": f"{KIT}:stand_in", "needs": _needs(values["objective"], registry)}
    if isinstance(values.get("training", {}), Mapping):
        values["training"] = {**_TRAINING, **values.get("training", {}), **({"steps": steps} if steps else {})}
    return make_spec(replace(recipe, values=values), registry)


def train_small(spec: Spec, plugins: Plugins, out: Path) -> list[dict[str, float]]:
    """Train `spec` on the CPU in the new run directory `out`; return the rows of its log, global random numbers unmoved."""
    rows = _Rows()
    cpu = torch.device("cpu")
    with kept_random_state(cpu):
        start_run(spec, plugins, cpu, rows, out=out, command=["ganlab", "run", "recipe.toml"])
    return rows.logged_rows


class _Rows:
    """A listener that keeps the rows of the log."""

    def __init__(self) -> None:
        self.logged_rows: list[dict[str, float]] = []

    def opened(self, *facts: object) -> None: ...
    def note(self, text: str) -> None: ...
    def reading(self, images: int, total_images: int) -> None: ...
    def stepped(self, step: int, total_steps: int, images: int) -> None: ...

    def logged(self, step: int, row: Mapping[str, float]) -> None:
        self.logged_rows.append(dict(row))


def _needs(objective: Mapping[str, Any], registry: Registry) -> dict[str, str]:
    """Return the networks that an objective needs; none if it, or its settings, are wrong, which `make_spec` tells."""
    model = _options("objective", objective, registry)
    if model is None or not issubclass(model, ObjectiveOptions):
        return {}
    try:
        options = model.model_validate_json(to_json({key: value for key, value in objective.items() if key != "use"}))
    except ValueError:
        return {}
    return dict(options.needs())


def _options(kind: str, table: Mapping[str, Any], registry: Registry) -> type[BaseModel] | None:
    """Return the options model of what a section uses; none of a component that is missing, which `make_spec` tells."""
    try:
        return registry.find(kind, str(table.get("use"))).load_options()
    except GanlabError:
        return None
