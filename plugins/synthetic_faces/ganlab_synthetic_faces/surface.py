"""Light on a face: from the relief to the shade of each pixel, and the skin painted with it."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from ganlab_synthetic_faces.anatomy import Identity
from ganlab_synthetic_faces.geometry import Solid
from ganlab_synthetic_faces.relief import Relief
from ganlab_synthetic_faces.scenes import Scene
from ganlab_synthetic_faces.strokes import paint

# How much steeper the relief is lit than it is.
STEEPNESS = 1.15


class Band(NamedTuple):
    """The relief of some rows of the canvas."""

    rows: slice
    relief: Relief


def light_on(solid: Solid, identity: Identity, scene: Scene, bands: list[Band], texture: Tensor) -> tuple[Tensor, Tensor]:
    """Return shade and shine: the light from a white face, and from a wet one, [N, H, W] each, about 0 to 1."""
    age = identity.head.age
    bump = texture * (0.003 + 0.006 * age)
    for rows, relief in bands:
        bump[:, rows] += relief.bump
    slope = solid.sharpness / scene.zoom * (STEEPNESS / 2)  # of central differences, a half picture
    across, down = _differences(bump)
    normal_right = (solid.rightness * 0.80).sub_(across.mul_(slope))
    normal_down = (solid.downness * 0.62).sub_(down.mul_(slope))

    # Lambert's law for one far light, and light from everywhere.
    light = (scene.light_right.square() + scene.light_down.square() + 1).rsqrt()
    facing = (normal_right * (scene.light_right * light)).add_(normal_down * (scene.light_down * light))
    facing.add_(solid.dome * light)
    length2 = normal_right.square_().add_(normal_down.square_()).add_(solid.dome.square())
    facing.div_(length2.sqrt_()).clamp_(min=0)
    shade = facing.mul(1.02 - scene.ambient).add_(scene.ambient * 0.9).add_(texture * (0.012 + 0.02 * age))

    dark = (solid.rim.square() - 0.55).clamp_(min=0).mul_(0.25)
    for rows, relief in bands:
        dark[:, rows] += relief.dark
    shade.mul_(dark.neg_().add_(1).clamp_(0.1, 1))
    shine = facing.square_().square_().square_().square_().mul_(0.09)  # the 16th power
    return shade, shine


def paint_skin(canvas: Tensor, solid: Solid, identity: Identity, shade: Tensor, shine: Tensor, nose: Band) -> None:
    """Paint the lit skin of the head on the canvas [N, C, H, W], in place; the nose's band brings the blood."""
    skin = identity.colours.skin * shade.unsqueeze(1)
    if canvas.shape[1] == 3 and nose.relief.flush is not None:
        kept = nose.relief.flush.mul(-0.55).add_(1)
        skin[:, 1, nose.rows] *= kept
        skin[:, 2, nose.rows] *= kept
    skin.add_((shine * (1.1 - 0.3 * identity.head.melanin)).unsqueeze(1))
    paint(canvas, skin, solid.inside)


def _differences(field: Tensor) -> tuple[Tensor, Tensor]:
    """Return central differences of [N, H, W] rightwards and downwards, 0 at the border."""
    across, down = torch.zeros_like(field), torch.zeros_like(field)
    torch.sub(field[:, :, 2:], field[:, :, :-2], out=across[:, :, 1:-1])
    torch.sub(field[:, 2:], field[:, :-2], out=down[:, 1:-1])
    return across, down
