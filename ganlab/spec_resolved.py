"""A Spec -> the recipe that states it whole, as a run's recipe.toml holds it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ganlab.component_record import records_of, reference
from ganlab.options import model_fields_of
from ganlab.runs import references
from ganlab.spec import Chosen, Spec
from ganlab.spec_signature import signature_options


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
            network: {**frozen.model_dump(mode="json"), "run": references.lasting(frozen.run)}
            for network, frozen in spec.frozen.items()
        }
    for network, chosen in spec.lent.items():
        values["frozen"][network]["architecture"] = {"use": _reference(chosen), **chosen.settings}
    if spec.training.start_from is not None:
        values["training"]["start_from"] = references.lasting(spec.training.start_from)
    if spec.evaluation:
        values["evaluation"] = {
            name: {"use": _reference(chosen), **chosen.settings, **named_models(chosen, references.lasting)}
            for name, chosen in spec.evaluation.items()
        }
    values["components"] = records_of(spec.components)
    return values


def pinned(spec: Spec) -> Spec:
    """Return the spec with each alias of a model, and each bare name, replaced by the version that it means now."""
    frozen = {network: taken.model_copy(update={"run": references.pinned(taken.run)}) for network, taken in spec.frozen.items()}
    start = spec.training.start_from
    training = spec.training if start is None else spec.training.model_copy(update={"start_from": references.pinned(start)})
    evaluation = {name: _pinned(chosen) for name, chosen in spec.evaluation.items()}
    return replace(spec, frozen=frozen, training=training, evaluation=evaluation)


def named_models(chosen: Chosen, rename: Callable[[str], str] = str) -> dict[str, str]:
    """Return the models that a component's options name, by option, each as `rename` says it."""
    options = type(chosen.options) if chosen.options is not None else signature_options(chosen.registered)
    named = {option: chosen.settings.get(option) for option in model_fields_of(options)}
    return {option: rename(text) for option, text in named.items() if text is not None}


def _pinned(chosen: Chosen) -> Chosen:
    renamed = named_models(chosen, references.pinned)
    options = chosen.options.model_copy(update=renamed) if chosen.options is not None else None
    return replace(chosen, options=options, settings={**chosen.settings, **renamed})


def _reference(chosen: Chosen) -> str:
    return reference(chosen.registered)


def _shared_if_equal(optimizers: dict[str, Any]) -> dict[str, Any]:
    """Return one section for all players where none differs, so that a `--set optimizer.KEY` reaches every one."""
    first, *others = optimizers.values()
    return first if all(other == first for other in others) else optimizers
