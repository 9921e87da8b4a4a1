"""Where things are: from the pixels of a picture to places on a head that turns.

Lengths are in head units: half the height of a head is about 1, its middle is 0, downwards and rightwards are positive.
Turning a head is done without a solid: the outline stays, and the features slide over a dome inside it.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ganlab_synthetic_faces.anatomy import Head, Identity
from ganlab_synthetic_faces.expressions import ActionUnits
from ganlab_synthetic_faces.scenes import Scene

# How far the chin sinks when the mouth is fully open.
JAW_DROP = 0.10
# Heights of the canvas are even and widths multiples of this: vector loops then never end within a row or a band.
ALIGNMENT = 16


@dataclass(frozen=True, kw_only=True)
class Solid:
    """The head as a solid seen from the front; every tensor is [N, H, W] unless it says otherwise."""

    right: Tensor  # place on the upright head
    down: Tensor
    side: Tensor  # distance from the middle line
    rightness: Tensor  # -1 at the left outline, 1 at the right one
    downness: Tensor
    rim: Tensor  # 0 in the middle, 1 at the outline
    dome: Tensor  # how far the surface stands out
    inside: Tensor  # 1 on the head, 0 off it
    sharpness: Tensor  # pixels a head unit, [N, 1, 1]

    def rows(self, rows: slice) -> Solid:
        """Return a band of the solid."""
        bands = {name: field[:, rows] for name, field in vars(self).items() if name != "sharpness"}
        return Solid(**bands, sharpness=self.sharpness)


@dataclass(frozen=True, kw_only=True)
class Frame:
    """The features' own coordinates, [N, H, W], which move over the solid with the pose."""

    across: Tensor
    down: Tensor
    side: Tensor  # |across|: left and right are drawn at once
    sharpness: Tensor  # pixels a head unit, [N, 1, 1]

    def rows(self, rows: slice) -> Frame:
        """Return a band of the frame."""
        bands = {name: field[:, rows] for name, field in vars(self).items() if name != "sharpness"}
        return Frame(**bands, sharpness=self.sharpness)


def canvas_shape(size_px: int) -> tuple[int, int]:
    """Return height and width, in pixels, of the canvas that holds a picture of `size_px` and its alignment."""
    return size_px + size_px % 2, -(-size_px // ALIGNMENT) * ALIGNMENT


def solid_head(identity: Identity, scene: Scene, units: ActionUnits, size_px: int) -> Solid:
    """Return the heads as the camera sees them."""
    height, width = canvas_shape(size_px)
    x = (torch.arange(width).view(1, 1, -1) + 0.5) * (2 / size_px) - 1 - scene.shift_right
    y = (torch.arange(height).view(1, -1, 1) + 0.5) * (2 / size_px) - 1 - scene.shift_down
    # The series of cosine and sine: rolls stay below 0.15 radians.
    roll = scene.roll
    cosine = (1 - roll * roll * 0.5) / scene.zoom
    sine = (roll - roll * roll * roll / 6) / scene.zoom
    right = x * cosine + y * sine
    down = y * cosine - x * sine + scene.centre
    return _solid(identity.head, right, down, units.open * JAW_DROP, scene.zoom * (size_px / 2))


def _solid(head: Head, right: Tensor, down: Tensor, jaw_drop: Tensor, sharpness: Tensor) -> Solid:
    below, above = down.clamp(min=0), down.clamp(max=0)
    downness = below / (head.chin + jaw_drop) + above / head.crown
    rightness = right / ((below * below).mul_(head.jaw_taper).neg_().add_(1).mul_(head.half_width))
    square = downness * downness
    rim2 = rightness.square().add_((square * 0.38).add_(0.62).mul_(square))
    rim2.add_(below.mul_(rightness.abs()).mul_(head.squareness * 0.08))
    rim = rim2.sqrt()
    return Solid(
        right=right,
        down=down,
        side=right.abs(),
        rightness=rightness,
        downness=downness,
        rim=rim,
        dome=rim2.neg_().add_(1.06).clamp_(min=0.03).sqrt_(),
        inside=edge_of(rim, head.half_width, sharpness),
        sharpness=sharpness,
    )


def edge_of(rim: Tensor, half_width: Tensor, sharpness: Tensor) -> Tensor:
    """Return 1 within the outline and 0 outside, with an edge of one pixel."""
    return rim.sub(1).mul_(half_width * sharpness * -1.1).add_(0.5).clamp_(0, 1)


def feature_frame(identity: Identity, scene: Scene, solid: Solid) -> Frame:
    """Return the features' coordinates: they slide over the dome as the head turns."""
    across = solid.right - solid.dome * scene.yaw
    down = (solid.down - solid.dome * scene.pitch).add_(across * identity.head.asymmetry)
    return Frame(across=across, down=down, side=across.abs(), sharpness=solid.sharpness)


def rows_between(down: Tensor, top: Tensor | float, bottom: Tensor | float) -> slice:
    """Return the rows of heights [N, H, W] that lie between `top` and `bottom` in any image, from even to even."""
    reaches = (down > top).logical_and_(down < bottom).any(2).any(0).nonzero()
    if len(reaches) == 0:
        return slice(0, 2)
    return slice(int(reaches[0]) // 2 * 2, int(reaches[-1]) // 2 * 2 + 2)


def nose_tip(identity: Identity, units: ActionUnits) -> Tensor:
    """Return the height of the nose's tip, [N, 1, 1]; a wrinkled nose is drawn up."""
    return identity.eyes.level + identity.nose.length + 0.05 - 0.035 * units.nose


def mouth_level(identity: Identity) -> Tensor:
    """Return the height of the closed mouth, [N, 1, 1]."""
    return identity.eyes.level + identity.nose.length + identity.mouth.drop + 0.05
