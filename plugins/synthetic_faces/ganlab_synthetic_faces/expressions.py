"""What a face does: an expression as 14 action units (as Ekman and Friesen, 1978), with noise and ways to wear it."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from ganlab_synthetic_faces.hashing import Draws
from ganlab_synthetic_faces.names import EXPRESSIONS


class ActionUnits(NamedTuple):
    """The columns of an expression; 0 is rest, 1 the full movement, and those below that may be negative pull back."""

    brow_inner: Tensor  # up; negative down
    brow_outer: Tensor  # up; negative down
    furrow: Tensor  # brows together
    lid: Tensor  # eyes open wide; negative lowered
    squint: Tensor
    nose: Tensor  # wrinkled
    cheek: Tensor  # raised
    corner: Tensor  # of the mouth, up; negative down
    width: Tensor  # of the mouth; negative narrow
    open: Tensor
    upper: Tensor  # upper lip raised
    press: Tensor  # lips pressed
    teeth: Tensor
    pout: Tensor


ACTION_UNITS = ActionUnits._fields
_SIGNED = ("brow_inner", "brow_outer", "lid", "corner", "width")

# Rows as EXPRESSIONS, columns as ACTION_UNITS.
_FULL = (
    # brows inner, outer, furrow; lid, squint; nose, cheek; corner, width, open, upper, press, teeth, pout
    (-1.00, 0.35, 1.00, 0.25, 0.55, 0.35, 0.00, -0.50, -0.05, 0.00, 0.05, 1.00, 0.60, 0.00),
    (-0.55, -0.25, 0.60, -0.45, 0.85, 1.00, 0.50, -0.65, 0.00, 0.12, 1.00, 0.00, 0.50, 0.30),
    (0.95, 0.25, 0.50, 1.00, 0.05, 0.00, 0.00, -0.45, 0.60, 0.55, 0.10, 0.00, 0.70, 0.00),
    (0.05, 0.10, 0.00, -0.20, 0.60, 0.05, 1.00, 1.10, 0.70, 0.55, 0.25, 0.00, 1.20, 0.00),
    (0.90, -0.75, 0.35, -0.60, 0.10, 0.00, 0.00, -1.00, -0.15, 0.00, 0.00, 0.20, 0.00, 1.00),
    (0.95, 1.00, 0.00, 1.00, 0.00, 0.00, 0.00, 0.00, -0.60, 1.00, 0.00, 0.00, 0.10, 0.00),
    (0.00,) * len(ACTION_UNITS),
)
_LARGEST = 1.3


def expression(
    labels: Tensor, strength: Tensor | float, seed: int | None = None, index: Tensor | None = None, noise: float = 0.10
) -> Tensor:
    """Return action units, [N, 14], of labels int64 [N] (indices into EXPRESSIONS) at strengths in [0, 1].

    Given the seed and the pictures' numbers `index` they vary as people do, by `noise` (a standard deviation) and by
    the ways in which one expression is worn; otherwise they are the expression's mean.
    """
    strength = torch.as_tensor(strength).expand(len(labels))
    units = torch.tensor(_FULL)[labels] * strength.unsqueeze(1)
    if seed is not None and index is not None:
        units = _varied(units, labels, strength, Draws(seed, "expression", index), noise)
    signed = torch.tensor([name in _SIGNED for name in ACTION_UNITS])
    return torch.where(signed, units, units.clamp(0, _LARGEST))


def _varied(units: Tensor, labels: Tensor, strength: Tensor, draws: Draws, noise: float) -> Tensor:
    """Return the units with noise, and with mouths that open more or less than the mean."""
    angry, fear, happy, sad = (labels == EXPRESSIONS.index(name) for name in ("angry", "fear", "happy", "sad"))
    columns = ActionUnits(*(units + torch.stack([draws.normal(name, noise, 2.0) for name in ACTION_UNITS], 1)).unbind(1))
    way = draws.uniform("way")
    bares_teeth = angry & (way < 0.3)
    opened = ActionUnits(*units.unbind(1)).open
    opened = torch.where(happy, strength * (0.10 + 0.80 * way), opened)
    opened = torch.where(fear, strength * (0.3 + 0.5 * way), opened)
    opened = torch.where(bares_teeth, strength * 0.45, opened)
    opened = torch.where(sad & (way < 0.2), strength * 0.2, opened)
    press = torch.where(bares_teeth, 0.0, columns.press)
    return torch.stack(columns._replace(open=opened + 0.4 * draws.normal("open", noise, 2.0), press=press), 1)
