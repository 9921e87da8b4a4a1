"""The mouth: its outlines from the action units; then lips, teeth, tongue, and the beard around them."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from ganlab_synthetic_faces.anatomy import Identity
from ganlab_synthetic_faces.expressions import ActionUnits
from ganlab_synthetic_faces.geometry import Frame, mouth_level, nose_tip
from ganlab_synthetic_faces.strokes import constant, edge, fade, paint, spot, squarish_spot

THROAT = (0.16, 0.04, 0.05)
TEETH = (0.93, 0.91, 0.86)
TONGUE = (0.62, 0.24, 0.24)


class Lips(NamedTuple):
    """Outlines of a mouth as heights [N, H, W] that follow the column of each pixel, and the masks between them."""

    half_width: Tensor  # [N, 1, 1]
    along: Tensor  # -1 at the left corner, 1 at the right one
    arc: Tensor  # 1 in the middle, 0 at the corners and beyond
    seam: Tensor  # where closed lips meet
    inner_top: Tensor
    inner_bottom: Tensor
    outer_top: Tensor
    outer_bottom: Tensor
    mask: Tensor  # the lips and all between them
    hole: Tensor  # between open lips


def mouth_outlines(frame: Frame, identity: Identity, units: ActionUnits) -> Lips:
    """Return the outlines: parabolas whose corners rise and fall, opened by arcs."""
    mouth, level = identity.mouth, mouth_level(identity)
    smile = units.corner.clamp(min=0)
    half_width = mouth.half_width * (1 + 0.30 * units.width + 0.10 * smile)
    along = frame.across / half_width
    along2 = (along * along).clamp_(max=2.2)
    arc = (1 - along2).clamp_(min=0)
    root = arc.sqrt()

    bend = 0.105 * units.corner + 0.03 * mouth.rest
    seam = (0.5 - along2).mul_(bend).add_(level - 0.02 * units.upper + 0.012 * units.pout - 0.02 * units.press)
    opening = units.open * (0.185 - 0.02 * smile)
    inner_top = seam - arc * (opening * 0.36 + 0.03 * units.upper)
    inner_bottom = seam + arc * (opening * 0.95)
    # Pressed lips are thin, stretched ones are thinner; the upper has a dip, Cupid's bow, in its middle.
    fullness = 1 - 0.55 * units.press
    bow = fade(along.square().mul_(1 / 0.16**2)).mul_(-0.28).add_(1)
    outer_top = inner_top - bow.mul_(root).mul_(mouth.upper_lip * fullness * (1 - 0.25 * units.open))
    lower = mouth.lower_lip * fullness * (1 - 0.2 * units.open) + 0.012 * units.pout
    outer_bottom = inner_bottom + root.mul_(lower)

    within = edge((along2 - 1).mul_(half_width * 0.5), frame.sharpness)
    down, sharpness = frame.down, frame.sharpness
    mask = edge(outer_top - down, sharpness).mul_(edge(down - outer_bottom, sharpness)).mul_(within)
    hole = edge(inner_top - down, sharpness).mul_(edge(down - inner_bottom, sharpness)).mul_(within)
    return Lips(half_width, along, arc, seam, inner_top, inner_bottom, outer_top, outer_bottom, mask, hole)


def paint_mouth(
    canvas: Tensor, frame: Frame, identity: Identity, units: ActionUnits, lips: Lips, ambient: Tensor, shade: Tensor
) -> None:
    """Paint lips, throat, teeth and tongue on the canvas [N, C, H, W] of the mouth's band, in place."""
    channels, down = canvas.shape[1], frame.down
    colours = identity.colours
    round_light = (down - lips.seam).mul_(1 / 0.06).clamp_(-1, 1).mul_(0.22).add_(1).mul_(shade)
    paint(canvas, colours.lips * round_light.unsqueeze(1), lips.mask * 0.82)

    closed = 0.75 * (1 - (units.open * 4).clamp(0, 1))
    seam = fade(((down - lips.seam) / (0.016 + 0.006 * units.press)).square_()).mul_((lips.arc * 8).clamp_(max=1))
    paint(canvas, colours.skin * 0.16, seam.mul_(closed))

    paint(canvas, constant(THROAT, channels), lips.hole)
    length = (0.045 + 0.065 * units.teeth) * (units.open * 0.9).clamp(0, 1)
    end = (lips.arc * 0.4).add_(0.6).mul_(length).add_(lips.inner_top)
    teeth = edge(down - end, frame.sharpness).mul_(lips.hole).mul_(units.teeth.clamp(0, 1) * 0.95)
    paint(canvas, constant(TEETH, channels) * (0.75 + 0.25 * ambient.unsqueeze(1)), teeth)
    tongue = spot(lips.along, down - lips.inner_bottom, 0.0, -0.01, 0.6, 0.05).mul_(lips.hole)
    paint(canvas, constant(TONGUE, channels), tongue.mul_(0.7 * units.open.clamp(0, 1)))


def paint_beard(
    canvas: Tensor, frame: Frame, identity: Identity, units: ActionUnits, lips: Lips, shade: Tensor, inside: Tensor
) -> None:
    """Paint stubble, goatee and moustache on the canvas [N, C, H, W] of the mouth's band, in place."""
    across, down = frame.across, frame.down
    traits, level = identity.traits, mouth_level(identity)
    jaw = ((down - level) / 0.16).add_(0.10 / 0.16).clamp_(0, 1)
    bare = squarish_spot(across, down, 0.0, level, 0.16, 0.09).mul_(-0.6).add_(1)
    stubble = jaw.mul_(bare).mul_(0.38 * traits.stubble)
    goatee = squarish_spot(across, down, 0.0, level + 0.20 + 0.06 * units.open, 0.20, 0.16)
    beard = stubble.add_(goatee.mul_(0.85 * traits.goatee))
    height = (lips.outer_top + (nose_tip(identity, units) + 0.07)).mul_(0.5)
    moustache = squarish_spot(across, down - height, 0.0, 0.0, lips.half_width * 0.95, 0.050)
    beard = torch.maximum(beard, moustache.mul_(0.85 * traits.mustache)).mul_(inside)
    paint(canvas, (identity.colours.hair * (shade * 0.8).unsqueeze(1)).clamp_(0, 1), beard)
