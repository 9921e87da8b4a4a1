"""The face: relief, light and skin, then what is painted on them."""

from __future__ import annotations

import torch
from torch import Tensor

from ganlab_synthetic_faces import eyes, hair, mouth, relief, surface
from ganlab_synthetic_faces.anatomy import Identity
from ganlab_synthetic_faces.expressions import ActionUnits
from ganlab_synthetic_faces.geometry import Frame, Solid, mouth_level, nose_tip, rows_between
from ganlab_synthetic_faces.scenes import Scene
from ganlab_synthetic_faces.strokes import paint_some


def paint_face(
    canvas: Tensor,
    solid: Solid,
    frame: Frame,
    identity: Identity,
    scene: Scene,
    units: ActionUnits,
    texture: Tensor,
    grain: Tensor,
) -> None:
    """Paint skin, mouth, beard, eyes and brows on the canvas [N, C, H, W], in place; noise is [N, H, W].

    Each feature is drawn in the rows where it may lie; beyond them it is exactly nothing, so that the rows, which depend
    on the other images of the chunk, do not show.
    """
    level, tip, lips_level = identity.eyes.level, nose_tip(identity, units), mouth_level(identity)
    eye_rows = rows_between(frame.down, level - 0.70, level + 0.26)
    nose_rows = rows_between(frame.down, level - 0.15, torch.maximum(tip + 0.20, level + 0.70))
    mouth_rows = rows_between(frame.down, lips_level - 0.42, 9.0)
    eye_frame, nose_frame, mouth_frame = (frame.rows(rows) for rows in (eye_rows, nose_rows, mouth_rows))

    lips = mouth.mouth_outlines(mouth_frame, identity, units)
    nose = surface.Band(nose_rows, relief.nose_relief(nose_frame, identity, scene, units))
    bands = [
        surface.Band(eye_rows, relief.eye_relief(eye_frame, identity, scene, units)),
        nose,
        surface.Band(mouth_rows, relief.mouth_relief(mouth_frame, identity, units, lips)),
    ]
    shade, shine = surface.light_on(solid, identity, scene, bands, texture)
    surface.paint_skin(canvas, solid, identity, shade, shine, nose)
    head, colours = identity.head, identity.colours
    paint_some(identity.traits.sideburns, hair.paint_sideburns, canvas, solid, head.half_width, colours.hair, shade)

    band = canvas[:, :, mouth_rows]
    mouth.paint_beard(band, mouth_frame, identity, units, lips, shade[:, mouth_rows], solid.inside[:, mouth_rows])
    mouth.paint_mouth(band, mouth_frame, identity, units, lips, scene.ambient, shade[:, mouth_rows])
    band = canvas[:, :, eye_rows]
    eyes.paint_eyes(band, eye_frame, identity, scene, units, shade[:, eye_rows])
    eyes.paint_brows(band, eye_frame, identity, units, grain[:, eye_rows])
