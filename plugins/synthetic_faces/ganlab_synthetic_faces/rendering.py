"""Draw faces: `render(identity, scene, expression)` is what every picture of the set goes through."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from ganlab_synthetic_faces import accessories, body, hair
from ganlab_synthetic_faces.anatomy import Identity
from ganlab_synthetic_faces.expressions import ActionUnits
from ganlab_synthetic_faces.face import paint_face
from ganlab_synthetic_faces.geometry import Frame, Solid, canvas_shape, feature_frame, solid_head
from ganlab_synthetic_faces.hashing import lattice
from ganlab_synthetic_faces.names import LARGEST_PX, SMALLEST_PX
from ganlab_synthetic_faces.records import changed, rows_of
from ganlab_synthetic_faces.scenes import Scene
from ganlab_synthetic_faces.strokes import gray_or_colour, paint_some

# Images drawn at once: their fields then stay in a core's second-level cache.
CHUNK_IMAGES = 32
# Different noises that pictures choose from.
PATTERNS = 32


class Patterns(NamedTuple):
    """Noise, the same for every call; each is [PATTERNS, H, W]."""

    cloud: Tensor  # soft, of deviation about 1
    grain: Tensor  # of each pixel on its own


@torch.no_grad()
def render(
    identity: Identity,
    scene: Scene,
    expression: Tensor,
    size_px: int = 48,
    channels: int = 1,
    chunk_images: int = CHUNK_IMAGES,
) -> Tensor:
    """Return the pictures of persons in scenes who wear the action units [N, 14], uint8 [N, C, H, W].

    The size is 16 to 128 pixels, the channels are 1 or 3. A picture does not depend on those that it is drawn with.
    """
    if not SMALLEST_PX <= size_px <= LARGEST_PX:
        raise ValueError(f"size_px is {size_px}; faces are drawn from {SMALLEST_PX} to {LARGEST_PX} pixels")
    if channels not in (1, 3):
        raise ValueError(f"channels is {channels}; faces are drawn in 1 (gray) or 3 (colour)")
    images = torch.empty(len(expression), channels, size_px, size_px, dtype=torch.uint8)
    with one_thread():
        patterns = _patterns(size_px)
        identity = changed(identity, lambda field: _to_pixels(field, channels))
        scene = changed(scene, lambda field: _to_pixels(field, channels))
        for start in range(0, len(expression), chunk_images):
            rows = slice(start, start + chunk_images)
            canvas = _draw(rows_of(identity, rows), rows_of(scene, rows), expression[rows], size_px, patterns)
            images[rows] = canvas[:, :, :size_px, :size_px].clamp_(0, 1).mul_(255).round_()
    return images


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch use one thread within: its operations here are so small that waiting for others costs more."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _patterns(size_px: int) -> Patterns:
    height, width = canvas_shape(size_px)
    coarse, fine = (
        interpolate(lattice(0, f"cloud {cells}", PATTERNS, cells).unsqueeze(1), size=(height, width), mode="bicubic")
        for cells in (5, 11)
    )
    grain = lattice(0, "grain", PATTERNS, max(height, width))[:, :height, :width]
    return Patterns(cloud=(coarse + 0.6 * fine).squeeze(1), grain=grain.contiguous())


def _draw(identity: Identity, scene: Scene, expression: Tensor, size_px: int, patterns: Patterns) -> Tensor:
    """Return the canvas of one chunk, [N, C, H, W], about 0 to 1; its records are made to meet pixels."""
    cloud = patterns.cloud[scene.cloud.flatten().remainder(PATTERNS)]
    texture = patterns.cloud[identity.texture.flatten().remainder(PATTERNS)]
    grain = patterns.grain[scene.grain.flatten().remainder(PATTERNS)]
    units = ActionUnits(*(unit[:, None, None] for unit in expression.unbind(1)))

    solid = solid_head(identity, scene, units, size_px)
    frame = feature_frame(identity, scene, solid)
    canvas = body.backdrop(scene, cloud, size_px)
    body.paint_body(canvas, solid, identity)
    locks = hair.locks_of(solid, identity, scene, texture)
    hair.paint_back_hair(canvas, identity, locks)
    ear = body.paint_ears(canvas, solid, identity)
    paint_face(canvas, solid, frame, identity, scene, units, texture, grain)
    hair.paint_front_hair(canvas, solid, frame, identity, locks, texture, ear)
    _paint_worn(canvas, solid, frame, identity, scene)
    return _exposed(canvas, identity, scene, grain)


def _paint_worn(canvas: Tensor, solid: Solid, frame: Frame, identity: Identity, scene: Scene) -> None:
    """Paint hats, glasses and so on, in place, on the images of those who wear them."""
    traits = identity.traits
    outfit = accessories.outfit_of(identity, scene)
    for wearers, paint in (
        (traits.wearing_necktie, accessories.paint_necktie),
        (traits.wearing_necklace, accessories.paint_necklace),
        (traits.wearing_hat, accessories.paint_hat),
        (traits.eyeglasses, accessories.paint_glasses),
        (traits.wearing_earrings, accessories.paint_earrings),
    ):
        paint_some(wearers, paint, canvas, solid, frame, outfit)


def _exposed(canvas: Tensor, identity: Identity, scene: Scene, grain: Tensor) -> Tensor:
    """Return the canvas as the camera takes it: dark faces lighter, out of focus for some, with contrast and grain."""
    # Without more light the features of dark faces would drown.
    canvas = canvas * (1 + 0.45 * identity.head.melanin).unsqueeze(1)
    blurred = identity.traits.blurry.flatten().nonzero().flatten()
    if len(blurred):
        canvas[blurred] = _blurred(canvas[blurred])
    canvas = (canvas - 0.45).mul_(scene.contrast.unsqueeze(1)).add_((0.45 + scene.brightness).unsqueeze(1))
    return canvas.add_(grain.unsqueeze(1), alpha=0.014)


def _blurred(canvas: Tensor) -> Tensor:
    """Return the canvas out of focus: each pixel mixed with its neighbours, 1:2:1 both ways, more often if larger."""
    for _ in range(max(1, round(canvas.shape[2] ** 2 / 48**2))):
        for axis in (2, 3):
            first, last = canvas.narrow(axis, 0, 1), canvas.narrow(axis, canvas.shape[axis] - 1, 1)
            before = torch.cat([first, canvas.narrow(axis, 0, canvas.shape[axis] - 1)], axis)
            after = torch.cat([canvas.narrow(axis, 1, canvas.shape[axis] - 1), last], axis)
            canvas = before.add_(after).mul_(0.25).add_(canvas * 0.5)
    return canvas


def _to_pixels(field: Tensor, channels: int) -> Tensor:
    """Return a field [N] as [N, 1, 1], and a colour [N, 3] as [N, C, 1, 1], ready to meet pixels."""
    return field[:, None, None] if field.dim() == 1 else gray_or_colour(field, channels)
