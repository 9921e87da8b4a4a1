"""A Spec -> the recipe that states it whole, as a run's recipe.toml holds it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ganlab.component_record import records_of, reference
from ganlab.spec import Chosen, Spec


def resolved(spec: Spec) -> dict[str, Any]:
    """Return the recipe with every default explicit, ready for TOML; `make_spec` of it gives the same spec."""
    objective = {k: v for k, v in spec.objective.settings.items() if k not in spec.losses and k != "weights"}
    losses = {field: {"use": _reference(loss), **loss.settings} for field, loss in spec.losses.items()}
    values: dict[str, Any] = {
        "dataset": {"use": _reference(spec.dataset), **spec.dataset.settings},
        "architecture": {"use": _reference(spec.architecture), **spec.architecture.settings},
        "objective": {"use": _reference(spec.objective), **objective, **losses},
        "optimizer": _shared_if_equal({player: o.model_dump(mode="json") for player, o in spec.optimizers.items()}),
        "training": spec.training.model_dump(mode="json"),
    }
    if spec.term_weights is not None:
        values["objective"]["weights"] = dict(spec.term_weights)
    if spec.frozen:
        values["frozen"] = {
            network: {**frozen.model_dump(mode="json"), "run": _absolute(frozen.run)} for network, frozen in spec.frozen.items()
        }
    if spec.training.start_from is not None:
        values["training"]["start_from"] = _absolute(spec.training.start_from)
    if spec.evaluation:
        values["evaluation"] = {
            name: {"use": _reference(chosen), **chosen.settings} for name, chosen in spec.evaluation.items()
        }
    values["components"] = records_of(spec.components)
    return values


def _reference(chosen: Chosen) -> str:
    return reference(chosen.registered)


def _absolute(path: str) -> str:
    """Return a path that names the same folder from any working folder."""
    return str(Path(path).absolute())


def _shared_if_equal(optimizers: dict[str, Any]) -> dict[str, Any]:
    """Return one section for all players where none differs, so that a `--set optimizer.KEY` reaches every one."""
    first, *others = optimizers.values()
    return first if all(other == first for other in others) else optimizers
