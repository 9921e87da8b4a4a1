"""What an objective keeps between steps, and whether a checkpoint keeps it too."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch import Tensor

from ganlab.resolve import Parts
from ganlab.runs.checkpoints import open_checkpoint, save_checkpoint
from ganlab.testing.kit import Broken, Subject
from ganlab.testing.objective.assembly import CPU
from ganlab.testing.objective.steps import Look, take_step
from ganlab.testing.objective.trial import MOST_UPDATES, working
from ganlab.testing.state import changed_attributes, kept_in_vain, plain_attributes, same_bits
from ganlab.training.state import files_of, load_state
from ganlab.training.tally import Tally

_CURE = "let phase() tell what changes with time, or make the objective an nn.Module with buffers"


def goes_on_after_a_checkpoint(subject: Subject) -> str | None:
    """Goes on after a checkpoint as if never interrupted."""
    assembly = working(subject)
    whole = assembly.parts()
    attributes = plain_attributes(whole.objective)
    updates: list[str] = []
    _steps(whole, 1, 1, updates)
    half = max(2, min(8, MOST_UPDATES // len(updates)))
    _steps(whole, 2, 2 * half)
    changed = changed_attributes(whole.objective, attributes)

    interrupted = assembly.parts()
    _steps(interrupted, 1, half)
    with TemporaryDirectory(prefix="ganlab-check-", ignore_cleanup_errors=True) as folder:
        path = save_checkpoint(Path(folder), half, *files_of(interrupted, Tally(CPU)))
        resumed = assembly.parts()
        torch.manual_seed(99)  # whatever the process drew before, the checkpoint decides
        load_state(resumed, Tally(CPU), open_checkpoint(path))
        _steps(resumed, half + 1, 2 * half)
        lost = _difference(_tensors(whole), _tensors(resumed))
    if lost is None:
        return f"{kept_in_vain(changed)}; nothing came of it in {2 * half} steps" if changed else None

    again = assembly.parts()
    _steps(again, 1, 2 * half)
    if _difference(_tensors(whole), _tensors(again)):
        why = "draw with torch on s.device, not with Python's random or numpy, and keep nothing in a class or module"
        raise Broken(f"two runs of one seed differ in {lost} after {2 * half} steps: {why}")
    cause = kept_in_vain(changed) if changed else "something that no checkpoint holds is kept between steps"
    raise Broken(f"{lost} is another after {half} steps, a checkpoint and {half} steps than after {2 * half}: {cause}; {_CURE}")


def _steps(parts: Parts, first: int, last: int, updates: list[str] | None = None) -> None:
    """Take the steps `first` to `last` of a run."""
    phase_of = getattr(parts.objective, "phase", None)
    players: list[str] = [] if updates is None else updates
    for index in range(first, last + 1):
        phase = phase_of(index) if phase_of else None
        take_step(parts, phase, Look(yielded=lambda update: players.append(update.player)))
        parts.step = index


def _tensors(parts: Parts) -> dict[str, Tensor]:
    """Return everything that a checkpoint holds."""
    files, _ = files_of(parts, Tally(CPU))
    return {f"{file} {name}": value.clone() for file, tensors in files.items() for name, value in tensors.items()}


def _difference(some: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> str | None:
    """Return the first tensor that is not the same in both, bit for bit; None if all are."""
    names = dict.fromkeys((*some, *other))
    return next((name for name in names if not same_bits(some.get(name), other.get(name))), None)
