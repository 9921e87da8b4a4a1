"""Roles ("noise labels -> images") and networks -> what each network gives for them, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ganlab.contracts import DataSpec, Verdict
from ganlab.testing.kit import Broken

GIVEN = ("images", "labels", "noise")  # what training itself hands to networks; all else comes from other networks
_ROUNDING = 1e-5

Values = Mapping[str, Any]  # word of a role -> a tensor, or of latents a list of tensors


@dataclass(frozen=True, kw_only=True)
class Role:
    """What a network takes, in this order, and what it gives."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    @property
    def judges_images(self) -> bool:
        """Return whether it is the role of a discriminator."""
        return "images" in self.inputs and "logits" in self.outputs


def parse_role(network: str, text: object) -> Role:
    """Return the role that `text` writes; raises `Broken`."""
    sides = [tuple(side.split()) for side in text.split("->")] if isinstance(text, str) else []
    if len(sides) != 2 or not all(sides):
        raise Broken(f'{network}: the role {text!r} does not read "inputs -> outputs", such as "noise labels -> images"')
    return Role(inputs=sides[0], outputs=sides[1])


def run_networks(nets: Mapping[str, nn.Module], roles: Mapping[str, Role], given: Values) -> Iterator[tuple[str, Values]]:
    """Yield each network and what it gives, those first that need only what is given; raises `Broken`."""
    known = dict(given)
    waiting = dict(roles)
    while waiting:
        ready = next((name for name, role in waiting.items() if set(role.inputs) <= set(known)), None)
        if ready is None:
            name, role = next(iter(waiting.items()))
            missing = next(word for word in role.inputs if word not in known)
            if missing == "noise":
                raise Broken(f"{name} takes noise, and the architecture has no method noise(count, device)")
            raise Broken(f"{name} takes {missing!r}, which is none of {', '.join(GIVEN)} and which no network gives")
        role = waiting.pop(ready)
        outputs = outputs_of(ready, role, nets[ready](*(known[word] for word in role.inputs)))
        yield ready, outputs
        known |= {word: value for word, value in outputs.items() if word not in known}


def outputs_of(network: str, role: Role, result: object) -> Values:
    """Return what a network gave, by the words of its role; raises `Broken` if it is not put up so."""
    kind = type(result).__name__
    if "logits" in role.outputs and not isinstance(result, Verdict):
        raise Broken(f"{network} gives a {kind}, not a ganlab.Verdict(logits, classes, features)")
    if isinstance(result, Verdict):
        found: dict[str, Any] = {word: getattr(result, word.partition("+")[0], None) for word in role.outputs}
        for word, value in found.items():
            if value is None:
                raise Broken(f"{network} promises {word}, and its Verdict holds none")
        return found
    if len(role.outputs) == 1:
        return {role.outputs[0]: result}
    if not isinstance(result, tuple | list) or len(result) != len(role.outputs):
        raise Broken(f"{network} gives a {kind}, not a tuple of {len(role.outputs)}: {', '.join(role.outputs)}")
    return dict(zip(role.outputs, result, strict=True))


def fault_of(word: str, value: Any, count: int, data: DataSpec, noise_length: int | None) -> str | None:
    """Return why `value` is not what `word` promises of `count` images; None if it is."""
    if word.partition("+")[0] in ("images", "logits", "classes", "labels", "noise", "features") and not isinstance(
        value, Tensor
    ):
        return f"{word} are of type {type(value).__name__}, not a tensor"
    tensors = list(tensors_of(value))
    if not tensors:
        return f"{word} hold no tensor"
    for tensor in tensors:
        wanted = _wanted_shape(word, tensor, count, data, noise_length)
        if wanted:
            return f"{word} are {list(tensor.shape)} for {count} images, not {wanted}"
        if not tensor.is_floating_point():
            return f"{word} are {str(tensor.dtype).removeprefix('torch.')}, not floating-point numbers"
        if not tensor.isfinite().all():
            return f"{word} hold {tensor[~tensor.isfinite()].flatten()[0].item()}"
    if word == "images" and value.abs().max() > 1 + _ROUNDING:
        return f"images reach from {value.min():.3g} to {value.max():.3g}, not [-1, 1]"
    return None


def tensors_of(value: object) -> Iterator[Tensor]:
    """Yield the tensors of a tensor, or of lists of them."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, list | tuple):
        for part in value:
            yield from tensors_of(part)
    elif isinstance(value, Mapping):
        yield from tensors_of(list(value.values()))


def _wanted_shape(word: str, tensor: Tensor, count: int, data: DataSpec, noise_length: int | None) -> str | None:
    """Return the shape that `word` promises if the tensor has another."""
    shape = tuple(tensor.shape)
    if word == "images":
        wanted = (count, data.channels, data.size_px, data.size_px)
        return None if shape == wanted else str(list(wanted))
    name, _, more = word.partition("+")  # "classes+1": a class more than the data have
    if name in ("classes", "labels"):
        length = data.labels + int(more or 0)
        return None if shape == (count, length) else str([count, length])
    if word == "logits":
        is_patches = len(shape) == 4 and shape[:2] == (count, 1)
        return None if shape == (count,) or is_patches else f"[{count}], nor patches [{count}, 1, h, w]"
    if word == "noise":
        fits = len(shape) == 2 and shape[0] == count and noise_length in (None, shape[1])
        return None if fits else f"[{count}, {noise_length or 'Z'}]"
    return None if shape and shape[0] == count else f"[{count}, ...]"


def random_direction(values: Values) -> Tensor:
    """Return a sum of all that a network gave, each number with a random weight: its gradient reaches what they hang on."""
    parts = [(tensor * torch.randn_like(tensor)).sum() for tensor in tensors_of(dict(values)) if tensor.requires_grad]
    return torch.stack(parts).sum() if parts else torch.zeros(())
