"""Eyes and brows, both sides at once."""

from __future__ import annotations

import torch
from torch import Tensor

from ganlab_synthetic_faces.anatomy import Identity
from ganlab_synthetic_faces.expressions import ActionUnits
from ganlab_synthetic_faces.geometry import Frame
from ganlab_synthetic_faces.scenes import Scene
from ganlab_synthetic_faces.strokes import constant, edge, fade, paint, spot, squarish_spot

WHITE = (1.0, 1.0, 1.0)
SCLERA = (0.91, 0.89, 0.88)
PUPIL = (0.03, 0.03, 0.03)
LASH = (0.09, 0.06, 0.05)
SHADOW = (0.33, 0.20, 0.36)
IRIS_RADIUS = 0.084
PUPIL_RADIUS = 0.036


def paint_eyes(canvas: Tensor, frame: Frame, identity: Identity, scene: Scene, units: ActionUnits, shade: Tensor) -> None:
    """Paint eyes, lids and lashes on the canvas [N, C, H, W] of the eyes' band, in place."""
    channels, down, side, sharpness = canvas.shape[1], frame.down, frame.side, frame.sharpness
    eyes, makeup = identity.eyes, identity.traits.heavy_makeup

    # The lids are parabolas over the eye; the upper one follows the brow's inner end.
    along = (side - eyes.spread) / eyes.half_width
    open_part = along.square().clamp_(max=1.6).neg_().add_(1)
    arc = open_part.clamp(min=0)
    middle = (eyes.spread - side).mul_(eyes.tilt * 0.25).add_(eyes.level)
    upper = eyes.half_height * (1 + 0.62 * units.lid - 0.22 * units.squint).clamp(0.18, 2.0)
    lower = eyes.half_height * 0.62 * (1 + 0.22 * units.lid.clamp(min=0) - 0.62 * units.squint).clamp(0.1, 2.0)
    slope = along * (units.brow_inner * 0.014 - units.furrow * 0.006)
    top = (along * 0.12).add_(1).mul_(arc).mul_(upper).neg_().add_(middle).add_(slope * 0.9)
    bottom = (arc * lower).add_(middle).add_(slope * 0.2)
    eye = edge(top - down, sharpness).mul_(edge(down - bottom, sharpness))
    eye.mul_(edge(open_part.neg().mul_(eyes.half_width * 0.5), sharpness))

    eyeshadow = squarish_spot(side, down - top, eyes.spread, -0.055, eyes.half_width * 0.85, 0.052)
    paint(canvas, constant(SHADOW, channels), eyeshadow.mul_(0.42 * makeup))
    below_lid = edge(down - top - 0.030, sharpness).mul_(-0.30).add_(0.86)
    lit = below_lid.mul_(shade.clamp(0, 1.2).mul_(0.40).add_(0.60))
    paint(canvas, constant(SCLERA, channels) * lit.unsqueeze(1), eye)

    # Both irises move to one side; `toward` is that way in the folded coordinate.
    toward = torch.sign(frame.across)
    from_middle = (side - eyes.spread - toward * (0.06 * scene.gaze)).square_()
    distance = from_middle.add_((down - middle).add_(0.010).square_()).sqrt_()
    paint(canvas, identity.colours.iris, edge(distance - IRIS_RADIUS, sharpness).mul_(eye))
    paint(canvas, constant(PUPIL, channels), edge(distance - PUPIL_RADIUS, sharpness).mul_(eye))
    glint_side = toward * (0.03 * torch.sign(scene.light_right)) + eyes.spread
    glint = spot(side - glint_side, down - middle, 0.0, -0.038, 0.022, 0.022)
    paint(canvas, constant(WHITE, channels), glint.mul_(eye).mul_(0.85))

    lash = fade(((down - top) / (0.018 + 0.008 * makeup)).square_())
    lash.mul_((open_part + 0.15).clamp_(0, 0.3).mul_(3.3)).mul_(0.72 + 0.2 * makeup)
    paint(canvas, constant(LASH, channels), lash)
    crease = fade((down - top).add_(0.030).mul_(1 / 0.016).square_()).mul_(1.1)
    rim = fade((down - bottom).mul_(1 / 0.015).square_())
    paint(canvas, identity.colours.skin * 0.45, rim.add_(crease).mul_(arc).mul_(0.42).clamp_(0, 1))


def paint_brows(canvas: Tensor, frame: Frame, identity: Identity, units: ActionUnits, grain: Tensor) -> None:
    """Paint the brows on the canvas [N, C, H, W] of the eyes' band, in place; `grain` [N, H, W] is their hair."""
    eyes, brows = identity.eyes, identity.brows
    along = (frame.side - (eyes.spread * 0.98 - 0.035 * units.furrow + 0.01)) / brows.half_width
    outer = along.clamp(-1, 1).mul_(0.5).add_(0.5)
    along2 = along.square().clamp_(max=1.5)
    rest = eyes.level - brows.lift - brows.arch + 0.03 + 0.02 * units.squint - 0.085 * units.brow_inner
    height = (along2 * brows.arch).add_(along * (brows.tilt * 0.4)).add_(rest)
    height.add_(outer * (-0.085 * (units.brow_outer - units.brow_inner)))
    thickness = outer.mul_(-0.84).add_(1.42).mul_(brows.thickness)
    brow = fade((frame.down - height).div_(thickness).square_().square_())
    brow.mul_(edge((along2 - 1).mul_(brows.half_width * 0.5), frame.sharpness))
    brow.mul_(0.80 + 0.12 * identity.traits.bushy_eyebrows).mul_((grain * 0.10).add_(1)).clamp_(0, 1)
    paint(canvas, identity.colours.brow, brow)
