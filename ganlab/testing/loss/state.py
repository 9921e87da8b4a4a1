"""What a loss keeps between calls, and whether a checkpoint keeps it too."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from ganlab.losses import wrap
from ganlab.testing.kit import Broken, Subject
from ganlab.testing.loss.examples import family_of, fresh, losses_of, once_it_runs, ordinary
from ganlab.testing.state import changed_attributes, kept_in_vain, plain_attributes, stored

# The calls before and after the checkpoint; what happens every so many calls is seen, the first number being prime.
_BEFORE, _AFTER = 11, 20


@once_it_runs
def goes_on_after_a_checkpoint(subject: Subject) -> str | None:
    """Goes on after a checkpoint as if never interrupted."""
    family = family_of(subject)
    loss = fresh(subject)
    attributes = plain_attributes(loss)
    _call(family, loss, range(_BEFORE))
    changed = changed_attributes(loss, attributes)
    state = stored(wrap(family, loss).state_dict())
    resumed = fresh(subject)
    try:
        wrap(family, resumed).load_state_dict(state)
    except RuntimeError as error:
        raise Broken(f"what a checkpoint holds of it does not fit a new one: {_last_line(error)}") from error
    calls = range(_BEFORE, _BEFORE + _AFTER)
    for index, (here, there) in enumerate(zip(_call(family, loss, calls), _call(family, resumed, calls), strict=True)):
        for part, losses in here.items():
            if not torch.equal(losses, there[part]):
                old, new = losses.flatten()[0], there[part].flatten()[0]
                raise Broken(
                    f"{part} is {new:.6g} in call {index + 1} after a checkpoint, {old:.6g} without one: "
                    f"{_lost(loss, changed)}; make it an nn.Module and keep its state in register_buffer(...)"
                )
    return f"keeps {', '.join(buffers(loss))}" if buffers(loss) else None


def keeps_state(subject: Subject) -> bool:
    """Return whether a loss keeps something between calls, where a checkpoint finds it or not."""
    loss, family = fresh(subject), family_of(subject)
    before = plain_attributes(loss)
    _call(family, loss, [0])
    return bool(buffers(loss)) or before != plain_attributes(loss)


def buffers(loss: object) -> Mapping[str, Tensor]:
    """Return what a loss keeps in buffers."""
    return dict(loss.named_buffers()) if isinstance(loss, nn.Module) else {}


def _call(family: str, loss: Any, seeds: Iterable[int]) -> list[dict[str, Tensor]]:
    values = []
    for seed in seeds:
        torch.default_generator.manual_seed(seed)
        parts = losses_of(family, loss, ordinary(family, seed))
        values.append({part: losses.detach().clone() for part, losses in parts.items()})
    return values


def _lost(loss: object, changed: list[str]) -> str:
    if changed:
        return kept_in_vain(changed)
    transient = sorted(getattr(loss, "_non_persistent_buffers_set", ()))
    if transient:
        return f"its buffers {', '.join(transient)} are not persistent"
    return "it keeps something between calls that no checkpoint holds"


def _last_line(error: BaseException) -> str:
    return str(error).strip().splitlines()[-1].strip()
