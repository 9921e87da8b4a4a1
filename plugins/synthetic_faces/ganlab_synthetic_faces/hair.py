"""Hair: behind the head, over the forehead, beside the face; and the shadow that it casts."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from ganlab_synthetic_faces.anatomy import Identity
from ganlab_synthetic_faces.geometry import Frame, Solid, edge_of
from ganlab_synthetic_faces.scenes import Scene
from ganlab_synthetic_faces.strokes import edge, fade, paint, wave

# Short hair ends here beside the face, above the ears' middle.
TEMPLE = -0.10


class Locks(NamedTuple):
    """What the coats of hair share; every tensor is [N, H, W]."""

    strand: Tensor  # -1 to 1 across each strand
    light: Tensor
    outline: Tensor  # 1 within the hair's outer edge
    behind: Tensor  # 1 where hair hangs behind the head


def locks_of(solid: Solid, identity: Identity, scene: Scene, cloud: Tensor) -> Locks:
    """Return strands, light and outline; `cloud` [N, H, W] makes them uneven."""
    hair, head, wavy = identity.hair, identity.head, identity.traits.wavy_hair
    right, down = solid.right, solid.down
    turns = (down * 0.15).add_(1).mul_(right).mul_(hair.strands).add_(cloud * 0.35)
    strand = wave(turns.add_(wave(down * 1.43 + cloud * 0.16).mul_(0.4 * wavy)))
    sheen = fade((right.square() * 0.25).add_(down).add_(0.72).mul_(3.2).square_()).mul_(0.35).add_(0.72)
    light = sheen.mul_((strand * 0.13).add_(0.92))
    light.mul_(solid.rightness.clamp(-1, 1).mul_(0.35 * scene.light_right).add_(1))

    # The outline follows the skull at the top, hangs down at the sides, and thins out towards its end.
    side = ((hair.end - down) / (0.35 + 0.10 * hair.long)).clamp_(0, 1).mul_(hair.side).add_(head.half_width)
    rim = (right / side).square_().add_(((down.clamp(max=0) - 0.02) / (head.crown + hair.top)).square_()).sqrt_()
    rim.sub_(strand * (0.02 * wavy)).sub_(cloud * 0.03)
    outline = edge_of(rim, head.half_width, solid.sharpness)
    behind = outline * edge(down - hair.end, solid.sharpness * 0.35)
    return Locks(strand, light, outline, behind)


def paint_back_hair(canvas: Tensor, identity: Identity, locks: Locks) -> None:
    """Paint the hair behind the head, unlit, on the canvas [N, C, H, W], in place."""
    paint(canvas, identity.colours.hair * 0.55, locks.behind)


def paint_front_hair(
    canvas: Tensor, solid: Solid, frame: Frame, identity: Identity, locks: Locks, cloud: Tensor, ear: Tensor
) -> None:
    """Paint the hair in front of the head and the shadow that it casts on the face, in place."""
    hair, traits, sharpness = identity.hair, identity.traits, solid.sharpness
    line = (frame.across - hair.part).square_().mul_(hair.line_curve).add_(hair.line)
    line.add_(locks.strand * (0.0175 + 0.0175 * traits.bangs)).add_(cloud * 0.02).clamp_(max=TEMPLE)
    below = solid.down - line
    front = edge(below, sharpness * 0.6).mul_(torch.maximum(locks.outline, solid.inside))
    curtain = edge((locks.strand * 0.02).add_(hair.curtain).sub_(solid.side), sharpness * 0.6)
    curtain.mul_(edge(TEMPLE - 0.15 - solid.down, sharpness * 0.3)).mul_(locks.behind).mul_(hair.long)

    cast = edge(below - 0.05, sharpness * 0.25).mul_(solid.inside).mul_(0.28 * (1 - traits.bald))
    canvas.mul_((front - 1).mul_(cast).add_(1).unsqueeze(1))
    beside = locks.behind * (1 - solid.inside).mul_(1 - ear)
    coat = torch.maximum(torch.maximum(front, curtain), beside)
    paint(canvas, (identity.colours.hair * locks.light.unsqueeze(1)).clamp_(0, 1), coat)


def paint_sideburns(canvas: Tensor, solid: Solid, half_width: Tensor, colour: Tensor, shade: Tensor) -> None:
    """Paint hair in front of the ears, on heads of that half width, in place."""
    burn = edge(half_width - 0.13 - solid.side, solid.sharpness).mul_(edge(solid.down - 0.30, solid.sharpness))
    burn.mul_(edge(-0.4 - solid.down, solid.sharpness)).mul_(solid.inside).mul_(0.85)
    paint(canvas, (colour * (shade * 0.8).unsqueeze(1)).clamp_(0, 1), burn)
