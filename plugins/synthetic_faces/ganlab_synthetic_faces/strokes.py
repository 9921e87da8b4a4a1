"""The strokes that faces are drawn with: soft spots, sharp edges, waves, and paint. No sine, no random number.

Only operations that round alike on every machine and in every place of a vector are used, so that a picture does not
depend on the others that it is drawn with.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ganlab_synthetic_faces.records import rows_of

LUMINANCE = (0.299, 0.587, 0.114)
Length = Tensor | float


def fade(squared: Tensor) -> Tensor:
    """Return 1 at 0 falling to exactly 0 at 4 and beyond, like exp(-squared); overwrites its argument."""
    return squared.mul_(-0.25).add_(1).clamp_(min=0).square_().square_()


def spot(across: Tensor, down: Tensor, x: Length, y: Length, x_radius: Length, y_radius: Length) -> Tensor:
    """Return a soft ellipse, [N, H, W]: 1 in its middle, 0 beyond two radii."""
    squared = (across - x).div_(x_radius).square_()
    return fade(squared.add_((down - y).div_(y_radius).square_()))


def squarish_spot(across: Tensor, down: Tensor, x: Length, y: Length, x_radius: Length, y_radius: Length) -> Tensor:
    """Return a spot with a flat middle and straighter sides, [N, H, W]."""
    squared = (across - x).div_(x_radius).square_().square_()
    return fade(squared.add_((down - y).div_(y_radius).square_().square_()))


def wave(turns: Tensor) -> Tensor:
    """Return a smooth wave in [-1, 1] that repeats after each turn, made of parabolas."""
    turns = turns - turns.round()
    return turns.abs().mul_(-16).add_(8).mul_(turns)


def edge(distance: Tensor, sharpness: Length) -> Tensor:
    """Return 1 where the distance is negative and 0 where it is positive, [N, H, W], over 1 / `sharpness` units."""
    return distance.mul(-sharpness).add_(0.5).clamp_(0, 1)


def paint(canvas: Tensor, colour: Tensor, mask: Tensor) -> None:
    """Lay a colour [N, C, H, W] (or what expands to it) on the canvas [N, C, H, W], in place, as thick as [N, H, W]."""
    canvas.lerp_(colour.expand_as(canvas), mask.unsqueeze(1).expand_as(canvas))


def paint_some(who: Tensor, paint: Callable[..., None], canvas: Tensor, *records: Any) -> None:
    """Call `paint(canvas, *records)` with the images where `who` [N, 1, 1] is not 0 only, in place."""
    rows = who.flatten().nonzero().flatten()
    if len(rows):
        part = canvas[rows]
        paint(part, *(rows_of(record, rows) for record in records))
        canvas[rows] = part


def gray_or_colour(colour: Tensor, channels: int) -> Tensor:
    """Return colours [N, 3] as [N, C, 1, 1]; one channel is their luminance."""
    if channels == 1:
        red, green, blue = (colour[:, part : part + 1] * weight for part, weight in enumerate(LUMINANCE))
        colour = red + green + blue
    return colour[:, :, None, None]


def constant(colour: tuple[float, float, float], channels: int) -> Tensor:
    """Return one colour for all images, [1, C, 1, 1]."""
    return gray_or_colour(torch.tensor([colour]), channels)
