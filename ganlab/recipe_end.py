"""A recipe -> the same recipe with another end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ganlab.recipe import Recipe


def with_end(recipe: Recipe, *, steps: int | None = None, epochs: float | None = None) -> Recipe:
    """Return the recipe that ends after `steps` or `epochs`, and at no other end that it had."""
    training = recipe.values.get("training", {})
    if not isinstance(training, Mapping):
        return recipe  # a fault, told with the others
    kept = {k: v for k, v in training.items() if k not in ("steps", "epochs")}
    end = {name: value for name, value in (("steps", steps), ("epochs", epochs)) if value is not None}
    return replace(recipe, values={**recipe.values, "training": {**kept, **end}})
