"""An objective -> everything that it trains, in small: tiny images, and the first architecture that fits its needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch

from ganlab.contracts import DataSpec
from ganlab.data.cache import CachedImages
from ganlab.errors import RecipeError
from ganlab.options import ObjectiveOptions
from ganlab.recipe import Recipe
from ganlab.registry import Registered, Registry, in_one_line
from ganlab.resolve import Parts, resolve
from ganlab.spec import Spec, make_spec
from ganlab.testing import tiny
from ganlab.testing.kit import Broken, NotApplicable, Subject, place_of
from ganlab.testing.source import KIT, with_the_kits_own

CPU = torch.device("cpu")
BATCH_IMAGES = 4
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
        return f"with {'stand-ins' if name == 'stand_in' else name}, on {tiny.describe(self.spec.data)}"


def assemble(subject: Subject, precision: str = "fp32", **changes: Any) -> Assembly:
    """Return an objective, small, with `changes`, and what fits it: networks of its own plugin, stand-ins, or those of others.

    Raises `Broken` if stand-ins do not fit either, `NotApplicable` if its needs have words that no stand-in knows.
    """
    options = subject.options(**changes)
    settings = subject.settings(**changes)
    registry = Registry(with_the_kits_own(subject.plugins))
    reasons: dict[str, None] = {}
    of_stand_ins: dict[str, None] = {}
    for architecture in _architectures(subject, registry, options):
        own: dict[str, None] = {}
        for data in tiny.forms():
            recipe = _recipe(subject.component, settings, options, architecture, data, precision)
            try:
                spec = make_spec(recipe, registry)
            except RecipeError as error:
                own.update(dict.fromkeys(line.strip().removeprefix(_PLACE) for line in str(error).splitlines()[1:]))
            except Exception as error:  # a plugin's own code says what fits
                own[in_one_line(error)] = None
            else:
                splits = spec.dataset.registered.load_target()(spec.dataset.options).read()
                return Assembly(spec=spec, images=CachedImages(splits=dict(splits), fingerprint="tiny", notices=[]))
        reasons |= own
        if str(architecture["use"]).startswith(f"{KIT}:"):
            of_stand_ins = own
    unknown = [reason for reason in of_stand_ins if "there is no stand-in" in reason]
    if unknown:
        raise NotApplicable(f"no architecture here fits it: {'; '.join(reasons)}")
    raise Broken("; ".join(of_stand_ins), place_of(type(options)))


def _architectures(subject: Subject, registry: Registry, options: ObjectiveOptions) -> Iterator[dict[str, Any]]:
    """Yield the table of each architecture with small settings: of the same plugin, then the stand-ins, then the others."""

    def rank(architecture: Registered) -> int:
        return 0 if architecture.plugin == subject.component.plugin else 1 if architecture.distribution == KIT else 2

    for architecture in sorted(registry.all("architecture"), key=rank):
        needs = {"needs": dict(options.needs())} if architecture.distribution == KIT else {}
        yield {"use": architecture.full_name, **subject.beside(architecture).settings(**needs)}


def _recipe(
    objective: Registered,
    settings: Mapping[str, Any],
    options: ObjectiveOptions,
    architecture: Mapping[str, Any],
    data: DataSpec,
    precision: str,
) -> Recipe:
    trained = {network for networks in options.players().values() for network in networks}
    values = {
        "dataset": {
            "use": f"{KIT}:tiny",
            "kind": data.label_kind,
            "channels": data.channels,
            "size_px": data.size_px,
        },
        "architecture": dict(architecture),
        "objective": {"use": objective.full_name, **settings},
        "training": {"steps": 1, "batch_images": BATCH_IMAGES, "precision": precision},
        # Frozen networks come from no run here: they stay as they are drawn.
        "frozen": {network: {"run": "drawn"} for network in options.needs() if network not in trained},
    }
    return Recipe(path=None, name=objective.name, values=values)
