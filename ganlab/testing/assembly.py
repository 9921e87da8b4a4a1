"""An objective -> everything that it trains, in small: tiny images, and the first architecture that fits its needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import torch
from pydantic_core import to_json

from ganlab.contracts import DataSpec
from ganlab.data.cache import CachedImages
from ganlab.errors import RecipeError
from ganlab.options import ObjectiveOptions
from ganlab.plugins import Plugins, load_plugins
from ganlab.recipe import Recipe
from ganlab.registry import Registered, Registry, in_one_line
from ganlab.resolve import Parts, resolve
from ganlab.spec import Spec, make_spec
from ganlab.testing import stand_in, tiny
from ganlab.testing.kit import Broken, NotApplicable, place_of
from ganlab.testing.networks import describe
from ganlab.testing.source import ModuleEntryPoint

CPU = torch.device("cpu")
BATCH_IMAGES = 4
_OWN = "ganlab-testing"  # the distribution of what the kit itself brings
_MODULES = (tiny, stand_in)
_PLACE = "--set: "  # how a fault of a recipe without a file begins


@dataclass(frozen=True, kw_only=True)
class Assembly:
    """A recipe around the objective, and its images in memory: nothing is read from a cache or written to one."""

    spec: Spec
    images: CachedImages

    def parts(self, device: torch.device = CPU) -> Parts:
        """Return all of it built anew, the same each time; networks that no player moves are frozen as they are drawn."""
        return resolve(self.spec, device, self.images)

    def __str__(self) -> str:
        """Return what the objective was put together with."""
        name = self.spec.architecture.name
        return f"with {'stand-ins' if name == 'stand_in' else name}, on {describe(self.spec.data)}"


def assemble(plugins: Plugins, objective: Registered, settings: Mapping[str, Any], precision: str = "fp32") -> Assembly:
    """Return the objective with `settings` and what fits it: networks of its own plugin, else of others, else stand-ins.

    Raises `Broken` if stand-ins do not fit either, `NotApplicable` if its needs have words that no stand-in knows.
    """
    options = options_of(objective, settings)
    own = load_plugins(ModuleEntryPoint(m.__name__, m.__name__, SimpleNamespace(name=_OWN, version="0"), m) for m in _MODULES)
    registry = Registry(replace(plugins, records=(*plugins.records, *own.records)))
    reasons: dict[str, None] = {}
    for architecture in _architectures(registry, objective, options):
        last: dict[str, None] = {}
        for data in tiny.forms():
            recipe = _recipe(objective, settings, options, architecture, data, precision)
            try:
                spec = make_spec(recipe, registry)
            except RecipeError as error:
                last.update(dict.fromkeys(line.strip().removeprefix(_PLACE) for line in str(error).splitlines()[1:]))
            except Exception as error:  # a plugin's own code says what fits
                last[in_one_line(error)] = None
            else:
                splits = spec.dataset.registered.load_target()(spec.dataset.options).read()
                return Assembly(spec=spec, images=CachedImages(splits=dict(splits), fingerprint="tiny", notices=[]))
        reasons |= last
    unknown = [reason for reason in last if "there is no stand-in" in reason]
    if unknown:
        raise NotApplicable(f"no architecture here fits it: {'; '.join(reasons)}")
    raise Broken("; ".join(last), place_of(type(options)))


def options_of(objective: Registered, settings: Mapping[str, Any]) -> ObjectiveOptions:
    """Return the options of an objective; raises `Broken` if they are none, and what pydantic says of wrong settings."""
    model = objective.load_options()
    if model is None or not issubclass(model, ObjectiveOptions):
        name = model.__name__ if model else "none"
        raise Broken(f"its options ({name}) must derive from ganlab.ObjectiveOptions", place_of(model))
    return model.model_validate_json(to_json(dict(settings)))


def _architectures(
    registry: Registry, objective: Registered, options: ObjectiveOptions
) -> Iterator[tuple[Registered, Mapping[str, Any]]]:
    """Yield each architecture with small settings, the likeliest first and the stand-ins last."""
    found = registry.all("architecture")
    for architecture in sorted(found, key=lambda each: (each.distribution == _OWN, each.plugin != objective.plugin)):
        if architecture.distribution == _OWN:
            yield architecture, {"needs": dict(options.needs())}
        else:
            yield architecture, getattr(architecture.load_options(), "SMALL", {})


def _recipe(
    objective: Registered,
    settings: Mapping[str, Any],
    options: ObjectiveOptions,
    architecture: tuple[Registered, Mapping[str, Any]],
    data: DataSpec,
    precision: str,
) -> Recipe:
    trained = {network for networks in options.players().values() for network in networks}
    values = {
        "dataset": {
            "use": f"{_OWN}:tiny",
            "kind": data.label_kind,
            "channels": data.channels,
            "size_px": data.size_px,
        },
        "architecture": {"use": architecture[0].full_name, **architecture[1]},
        "objective": {"use": objective.full_name, **settings},
        "training": {"steps": 1, "batch_images": BATCH_IMAGES, "precision": precision},
        # Frozen networks come from no run here: they stay as they are drawn.
        "frozen": {network: {"run": "drawn"} for network in options.needs() if network not in trained},
    }
    return Recipe(path=None, name=objective.name, values=values)
