"""Weights that a recipe takes from files, other runs, or the registry of models -> the parts of a new run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ganlab.component_record import reference
from ganlab.errors import RunError
from ganlab.options import ArchitectureOptions
from ganlab.recipe import load_recipe
from ganlab.resolve import Parts
from ganlab.runs.checkpoints import Checkpoint, find_checkpoint, open_checkpoint
from ganlab.runs.model_adding import run_of
from ganlab.runs.references import locate
from ganlab.spec import Spec
from ganlab.training.state import load_networks


def take_networks(spec: Spec, parts: Parts) -> dict[str, Any]:
    """Load files of weights, frozen networks, and a run to start from; return what was taken, by the recipe's key."""
    taken = _take_files(spec, parts)
    for network, frozen in spec.frozen.items():
        checkpoint = find(frozen.run, frozen.step)
        if network in spec.lent:
            check_built_alike(spec, network, checkpoint)
        file = "averaged" if checkpoint.averaged else "networks"
        load_networks({network: parts.nets[network]}, checkpoint.tensors(file), checkpoint)
        taken[f"frozen.{network}"] = _record(frozen.run, checkpoint)
    if spec.training.start_from is not None:
        checkpoint = find(spec.training.start_from)
        warm_start(parts, checkpoint)
        taken["training.start_from"] = _record(spec.training.start_from, checkpoint)
    return taken


def check_built_alike(spec: Spec, network: str, checkpoint: Checkpoint) -> None:
    """Raise `RunError` unless the run of a frozen network built it, and labelled its images, as the recipe says.

    Weights would load into networks of other noise or labels too, and mean something else there.
    """
    file = run_of(checkpoint).recipe
    theirs = load_recipe(file).values
    # A network that was frozen there too came with an architecture of its own.
    stated = theirs.get("frozen", {}).get(network, {}).get("architecture") or theirs["architecture"]
    chosen = spec.lent[network]
    mine = {"use": reference(chosen.registered), **chosen.settings}
    assert isinstance(chosen.options, ArchitectureOptions)
    beside = chosen.options.STARTS_FROM
    pairs = [(f"architecture.{key}", value, mine.get(key)) for key, value in stated.items() if key not in beside]
    if {"labels", "classes"} & set(spec.roles[network].split()):
        meaning = ("labels", "classes")  # what each place of a label stands for
        pairs += [(f"dataset.{key}", theirs["dataset"].get(key), spec.dataset.settings.get(key)) for key in meaning]
    differing = [f"{key} {value!r}, here {own!r}" for key, value, own in pairs if value != own]
    if differing:
        raise RunError(
            f"frozen.{network}: {file} was trained with {'; '.join(differing)}. "
            f"Say the same in this recipe ([frozen.{network}.architecture] and [dataset]), or name another run."
        )


def warm_start(parts: Parts, checkpoint: Checkpoint) -> None:
    """Load the networks (and averaged ones, if both keep them) from another run's checkpoint."""
    load_networks(parts.nets, checkpoint.tensors("networks"), checkpoint)
    if parts.averaged is not None:
        load_networks(parts.averaged, checkpoint.tensors("averaged" if checkpoint.averaged else "networks"), checkpoint)


def _take_files(spec: Spec, parts: Parts) -> dict[str, Any]:
    """Load the files that the architecture's options name; return where each lay, and its SHA-256."""
    if not hasattr(parts.architecture, "load_pretrained"):
        return {}
    digests: Mapping[str, str] = parts.architecture.load_pretrained(parts.nets)
    for name, net in (parts.averaged or {}).items():
        net.load_state_dict(parts.nets[name].state_dict())
    settings = spec.architecture.settings
    return {f"architecture.{key}": {"from": settings[key], "sha256": digest} for key, digest in digests.items()}


def find(text: str, step: int | None = None) -> Checkpoint:
    """Return the checkpoint that a recipe means by a path, NAME@N, NAME@ALIAS or NAME."""
    return open_checkpoint(find_checkpoint(locate(text).path, step))


def _record(text: str, checkpoint: Checkpoint) -> dict[str, Any]:
    return {"from": text, "step": checkpoint.step, "digests": checkpoint.state["digests"]}
