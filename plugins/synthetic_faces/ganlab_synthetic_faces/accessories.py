"""What people wear: hat, glasses, earrings, necklace, necktie. Each is drawn for those who wear it only."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ganlab_synthetic_faces.anatomy import Identity
from ganlab_synthetic_faces.body import collar_of
from ganlab_synthetic_faces.geometry import Frame, Solid
from ganlab_synthetic_faces.scenes import Scene
from ganlab_synthetic_faces.strokes import constant, edge, fade, paint, spot, wave

GOLD = (0.95, 0.85, 0.52)
SHIRT = (0.92, 0.92, 0.94)
WHITE = (1.0, 1.0, 1.0)


@dataclass(frozen=True, kw_only=True)
class Outfit:
    """What drawing these things needs to know of a person and a scene; each is [N, 1, 1], colours [N, C, 1, 1]."""

    half_width: Tensor
    level: Tensor
    spread: Tensor
    glasses_size: Tensor
    neckline: Tensor
    light_right: Tensor
    clothes: Tensor
    hat: Tensor
    frame: Tensor


def outfit_of(identity: Identity, scene: Scene) -> Outfit:
    """Return the outfits of persons."""
    return Outfit(
        half_width=identity.head.half_width,
        level=identity.eyes.level,
        spread=identity.eyes.spread,
        glasses_size=identity.glasses_size,
        neckline=identity.neckline,
        light_right=scene.light_right,
        clothes=identity.colours.clothes,
        hat=identity.colours.hat,
        frame=identity.colours.frame,
    )


def paint_hat(canvas: Tensor, solid: Solid, frame: Frame, outfit: Outfit) -> None:
    """Paint a knitted hat that leaves the brows free, in place."""
    right, down, sharpness = solid.right, solid.down, solid.sharpness
    half_width = outfit.half_width
    hem = right.square().mul_(0.16).sub_(0.56)
    rim2 = (right / (half_width + 0.13)).square_().add_(((down + 0.45) / 0.74).square_())
    hat = edge((rim2 - 1).mul_(0.5), sharpness).mul_(edge(down - hem, sharpness))
    ribs = wave(right * 5.0).mul_(0.08)
    light = (solid.rightness.clamp(-1, 1).mul_(0.25 * outfit.light_right)).add_(0.85).add_(ribs)
    light.mul_(rim2.mul_(-0.35).add_(1.1).clamp_(0.5, 1.1))
    paint(canvas, outfit.hat * light.unsqueeze(1), hat)
    band = edge((down - hem + 0.02).abs_().sub_(0.075), sharpness).mul_(edge(solid.side - half_width - 0.10, sharpness))
    paint(canvas, outfit.hat * light.mul_(1.15).unsqueeze(1), band)
    paint(canvas, outfit.hat * 0.45, fade((down - hem + 0.10).mul_(1 / 0.012).square_()).mul_(hat).mul_(0.6))


def paint_glasses(canvas: Tensor, solid: Solid, frame: Frame, outfit: Outfit) -> None:
    """Paint glasses on the canvas [N, C, H, W], in place."""
    across, down, side, sharpness = frame.across, frame.down, frame.side, frame.sharpness
    channels, level, spread = canvas.shape[1], outfit.level, outfit.spread
    x = (side - spread - 0.01) / (0.205 + 0.02 * outfit.glasses_size)
    y = (down - level - 0.015) / (0.135 + 0.05 * outfit.glasses_size)
    rim = x.square_().square_().add_(y.square_().square_()).clamp_(min=1e-6).sqrt_().sqrt_()
    glint = fade((across * 0.8).add_(down).sub_(0.08).mul_(1 / 0.05).square_()).mul_(0.22).add_(0.05)
    paint(canvas, constant(WHITE, channels), edge((rim - 1).mul_(0.15), sharpness).mul_(glint))

    wire = edge((rim - 1).abs_().mul_(0.15).sub_(0.019), sharpness)
    bridge = edge((down - level + 0.03).abs_().sub_(0.02), sharpness).mul_(edge(side - 0.11, sharpness))
    temple = edge((down - level + 0.02).abs_().sub_(0.02), sharpness).mul_(edge(0.50 - side, sharpness))
    wire = torch.maximum(torch.maximum(wire, bridge), temple.mul_(solid.inside))
    paint(canvas, outfit.frame, wire.mul_(0.92))


def paint_earrings(canvas: Tensor, solid: Solid, frame: Frame, outfit: Outfit) -> None:
    """Paint an earring on either side of the canvas [N, C, H, W], in place."""
    pearl = spot(solid.side, solid.down, outfit.half_width + 0.03, 0.24, 0.035, 0.045)
    paint(canvas, constant(GOLD, canvas.shape[1]), pearl.mul_(0.9))


def paint_necklace(canvas: Tensor, solid: Solid, frame: Frame, outfit: Outfit) -> None:
    """Paint a chain of beads around the neck, in place."""
    side, down, sharpness = solid.side, solid.down, solid.sharpness
    arc = (side / 0.42).square_().neg_().add_(1).mul_(0.15).add_(1.02)
    chain = edge((down - arc).abs_().sub_(0.022), sharpness).mul_(edge(side - 0.42, sharpness))
    chain.mul_(edge(-collar_of(solid, outfit.neckline), sharpness))
    beads = wave(side * 11.0).mul_(0.18).add_(0.82)
    paint(canvas, constant(GOLD, canvas.shape[1]) * beads.unsqueeze(1), chain)


def paint_necktie(canvas: Tensor, solid: Solid, frame: Frame, outfit: Outfit) -> None:
    """Paint a jacket, a white collar and a tie in the hat's colour, in place."""
    side, down, sharpness = solid.side, solid.down, solid.sharpness
    collar = edge(side * 0.10 + 1.03 - down, sharpness).mul_(edge(side - 0.42, sharpness))
    paint(canvas, constant(SHIRT, canvas.shape[1]), collar)
    lapel = edge((down - 1.04).mul_(0.75).sub_(side).add_(0.16), sharpness)
    paint(canvas, outfit.clothes * 0.4, lapel.mul_(edge(collar_of(solid, outfit.neckline), sharpness)))
    knot = (down - 1.04).mul_(-0.35).add_(0.11).clamp_(min=0.055)
    paint(canvas, outfit.hat, edge(side - knot, sharpness).mul_(edge(1.06 - down, sharpness)))
