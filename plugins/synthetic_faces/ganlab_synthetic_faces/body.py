"""What is behind and below the face: background, clothes, neck and ears."""

from __future__ import annotations

import torch
from torch import Tensor

from ganlab_synthetic_faces.anatomy import Identity
from ganlab_synthetic_faces.geometry import Solid, canvas_shape, rows_between
from ganlab_synthetic_faces.scenes import Scene
from ganlab_synthetic_faces.strokes import edge, fade, paint, spot

# Where the neck begins, hidden by any head, in head units.
NECK_TOP = 0.45


def backdrop(scene: Scene, cloud: Tensor, size_px: int) -> Tensor:
    """Return a canvas [N, C, H, W] with the background: one colour, sloping and cloudy (`cloud` is [N, H, W])."""
    height, width = canvas_shape(size_px)
    x = (torch.arange(width).view(1, 1, -1) + 0.5) * (2 / size_px) - 1
    y = (torch.arange(height).view(1, -1, 1) + 0.5) * (2 / size_px) - 1
    light = (cloud * 0.10).add_(x * scene.slope_right).add_(y * scene.slope_down).add_(1).clamp_(0.3, 1.7)
    return scene.background * light.unsqueeze(1)


def paint_body(canvas: Tensor, solid: Solid, identity: Identity) -> None:
    """Paint neck and shoulders on the canvas [N, C, H, W], in place."""
    rows = rows_between(solid.down, NECK_TOP, 9.0)
    canvas, solid = canvas[:, :, rows], solid.rows(rows)
    _paint_neck(canvas, solid, identity)
    light = fade(solid.right.square().mul_(0.8)).mul_(0.35).add_(0.65)
    cloth = edge(collar_of(solid, identity.neckline), solid.sharpness)
    paint(canvas, identity.colours.clothes * light.unsqueeze(1), cloth)


def _paint_neck(canvas: Tensor, solid: Solid, identity: Identity) -> None:
    """Paint the neck with the head's shadow on it, and a second chin, in place."""
    head, side, down, sharpness = identity.head, solid.side, solid.down, solid.sharpness
    half_width = (down - 1.12).clamp_(min=0).mul_(0.25).add_(0.32 + 0.05 * identity.traits.male)
    neck = edge(side - half_width, sharpness).mul_(edge(NECK_TOP + 0.1 - down, sharpness))
    light = ((down - head.chin) * 0.9).clamp_(0, 0.28).add_(0.52).mul_(1 - side.square().mul_(0.9).clamp_(max=0.6))
    paint(canvas, identity.colours.skin * light.unsqueeze(1), neck)

    rim2 = (side / 0.47).square_().add_(((down - head.chin + 0.06) / 0.20).square_())
    fat = edge(rim2.sqrt().sub_(1).mul_(0.3), sharpness).mul_(identity.traits.double_chin)
    paint(canvas, identity.colours.skin * rim2.neg_().mul_(0.30).add_(1.0).clamp_(0.5, 1).unsqueeze(1), fat)


def collar_of(solid: Solid, neckline: Tensor) -> Tensor:
    """Return how far each pixel is above the clothes, [N, H, W], negative on them."""
    opening = (solid.side / 0.40).square_().neg_().add_(1).clamp_(min=0).mul_(neckline)
    return (solid.side - 0.40).clamp_(min=0).mul_(0.32).add_(opening).add_(1.08).sub_(solid.down)


def paint_ears(canvas: Tensor, solid: Solid, identity: Identity) -> Tensor:
    """Paint ears that no long hair hides, in place; return where they are, [N, H, W]."""
    side, down, half_width = solid.side, solid.down, identity.head.half_width
    rim = ((side - half_width) / 0.10).square_().add_(((down + 0.02) / 0.19).square_())
    ear = edge((rim - 1).mul_(0.1), solid.sharpness).mul_(1 - identity.hair.long)
    inner = spot(side, down, half_width + 0.025, -0.02, 0.03, 0.08).mul_(-0.35).add_(0.80)
    paint(canvas, identity.colours.skin * inner.unsqueeze(1), ear)
    return ear
