"""Parts <-> named tensors: everything that decides how a run goes on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from ganlab.errors import RunError
from ganlab.registry import in_one_line
from ganlab.resolve import Parts
from ganlab.runs.checkpoints import Checkpoint
from ganlab.training.random_state import random_state, set_random_state
from ganlab.training.tally import Tally


def files_of(parts: Parts, tally: Tally) -> tuple[dict[str, dict[str, Tensor]], dict[str, Any]]:
    """Return the tensors of a checkpoint by file, and the JSON state that belongs to them."""
    sums, about = tally.state()
    training: dict[str, Tensor] = {f"sums/{key}": value for key, value in sums.items()}
    scalars: dict[str, Any] = {}
    for player, optimizer in parts.optimizers.items():
        for index, moments in optimizer.state_dict()["state"].items():
            for name, value in moments.items():
                if isinstance(value, Tensor):
                    training[f"optimizer/{player}/{index}/{name}"] = value
                else:
                    scalars[f"optimizer/{player}/{index}/{name}"] = value
    for name, value in parts.losses.state_dict().items():
        training[f"losses/{name}"] = value
    if isinstance(parts.objective, nn.Module):
        training.update({f"objective/{name}": value for name, value in parts.objective.state_dict().items()})
    for name, value in parts.data.draws.state().items():
        training[f"draws/{name}"] = value
    for name, value in random_state(parts.device).items():
        training[f"random/{name}"] = value
    files = {"networks": flatten(parts.nets), "training": training}
    if parts.averaged is not None:
        files["averaged"] = flatten(parts.averaged)
    state = {"images": parts.data.draws.images, "epoch": parts.data.draws.epoch, "sums": about, "scalars": scalars}
    return files, {**state, "data": parts.data.fingerprint}


def load_state(parts: Parts, tally: Tally, checkpoint: Checkpoint) -> None:
    """Put `parts` and `tally` back to where `checkpoint` was saved."""
    load_networks(parts.nets, checkpoint.tensors("networks"), checkpoint)
    if parts.averaged is not None:
        load_networks(parts.averaged, checkpoint.tensors("averaged"), checkpoint)
    groups: dict[str, dict[str, Tensor]] = {
        "sums": {},
        "optimizer": {},
        "losses": {},
        "objective": {},
        "draws": {},
        "random": {},
    }
    try:
        for name, value in checkpoint.tensors("training").items():
            group, _, rest = name.partition("/")
            groups[group][rest] = value
        for player, optimizer in parts.optimizers.items():
            _load_optimizer(optimizer, player, groups["optimizer"], checkpoint.state["scalars"])
        parts.losses.load_state_dict(groups["losses"])
        if isinstance(parts.objective, nn.Module):
            parts.objective.load_state_dict(groups["objective"])
        parts.data.draws.load(groups["draws"])
        set_random_state(groups["random"], parts.device)
        tally.load(groups["sums"], checkpoint.state["sums"])
        data = str(checkpoint.state["data"])
    except (KeyError, ValueError, RuntimeError, TypeError, AttributeError, IndexError, AssertionError) as error:
        raise RunError(f"{checkpoint.path}: its training state does not fit the recipe ({in_one_line(error)})") from None
    if data != parts.data.fingerprint:
        raise RunError(
            f"{checkpoint.path}: the data are not those that the run was trained on (fingerprint "
            f"{parts.data.fingerprint[:12]}, was {data[:12]}). Restore them, or start a new run with training.start_from."
        )
    parts.step = checkpoint.step


def load_networks(nets: Mapping[str, nn.Module], tensors: Mapping[str, Tensor], checkpoint: Checkpoint) -> None:
    """Load each network of `nets` from the tensors of a checkpoint; raises `RunError` if one is missing or unlike."""
    for name, net in nets.items():
        own = {key.removeprefix(f"{name}/"): value for key, value in tensors.items() if key.startswith(f"{name}/")}
        if not own:
            held = sorted({key.partition("/")[0] for key in tensors})
            raise RunError(f"{checkpoint.path}: holds no network {name}; it holds {', '.join(held) or 'none'}")
        try:
            net.load_state_dict(own)
        except RuntimeError as error:
            first = str(error).splitlines()[1].strip() if "\n" in str(error) else str(error)
            raise RunError(f"{checkpoint.path}: network {name} is not the recipe's: {first}") from None


def flatten(nets: Mapping[str, nn.Module]) -> dict[str, Tensor]:
    """Return all weights and buffers, named "network/parameter"."""
    return {f"{name}/{key}": value for name, net in nets.items() for key, value in net.state_dict().items()}


def _load_optimizer(
    optimizer: torch.optim.Optimizer, player: str, tensors: Mapping[str, Tensor], scalars: Mapping[str, Any]
) -> None:
    weights = optimizer.param_groups[0]["params"]
    moments: dict[int, dict[str, Any]] = {}
    for source in (tensors, {k.removeprefix("optimizer/"): v for k, v in scalars.items()}):
        for name, value in source.items():
            owner, index, key = name.split("/", 2)
            if owner == player:
                moments.setdefault(int(index), {})[key] = _like(weights[int(index)], value)
    state = optimizer.state_dict()
    optimizer.load_state_dict({"state": moments, "param_groups": state["param_groups"]})


def _like(weight: Tensor, value: Any) -> Any:
    """Return a copy of a saved value; a moment gets its weight's memory format, which fused optimizers rely on."""
    if not isinstance(value, Tensor):
        return value
    return torch.empty_like(weight).copy_(value) if value.shape == weight.shape and value.dim() else value.clone()
