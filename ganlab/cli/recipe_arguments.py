"""Arguments of the command line -> a checked Spec."""

from __future__ import annotations

from collections.abc import Sequence

from ganlab.plugins import Plugins, load_plugins
from ganlab.recipe import find_recipe, load_recipe, swap_dataset, with_sets
from ganlab.recipe_end import with_end
from ganlab.registry import Registry
from ganlab.spec import Spec, make_spec


def read_spec(
    reference: str,
    *,
    sets: Sequence[str] = (),
    dataset: str | None = None,
    seed: int | None = None,
    precision: str | None = None,
    max_steps: int | None = None,
) -> tuple[Spec, Plugins]:
    """Return what the recipe means with the options of the command line, and the plugins that it may use."""
    plugins = load_plugins()
    changes = list(sets)
    changes += [f"training.seed={seed}"] if seed is not None else []
    changes += [f'training.precision="{precision}"'] if precision is not None else []
    recipe = load_recipe(find_recipe(reference, plugins.recipes))
    if dataset is not None:
        recipe, _ = swap_dataset(recipe, dataset)
    recipe = with_sets(recipe, changes)
    if max_steps is not None:
        recipe = with_end(recipe, steps=max_steps, epochs=None)
    return make_spec(recipe, Registry(plugins)), plugins
