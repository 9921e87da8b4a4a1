"""What changes from picture to picture of one person: pose, light, background, exposure."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ganlab_synthetic_faces.hashing import Draws
from ganlab_synthetic_faces.names import FRAMINGS


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Circumstances of pictures, one a row; every tensor is [N] unless it says otherwise."""

    yaw: Tensor  # the head's turn to the right, as a share of the features' way over the solid
    pitch: Tensor  # and downwards
    roll: Tensor  # radians
    shift_right: Tensor  # share of half the picture
    shift_down: Tensor
    zoom: Tensor
    centre: Tensor  # height of the head at the picture's middle, in head units
    light_right: Tensor  # where the light comes from, against 1 towards the camera
    light_down: Tensor
    ambient: Tensor  # share of light from everywhere
    gaze: Tensor
    background: Tensor  # [N, 3] in [0, 1]
    slope_right: Tensor  # of the background's brightness
    slope_down: Tensor
    contrast: Tensor
    brightness: Tensor
    cloud: Tensor  # int64, which noise the background has
    grain: Tensor  # int64, which noise the film has


def scene(seed: int, index: Tensor, jitter: float = 1.0, framing: str = "close") -> Scene:
    """Return the circumstances of pictures `index`, int64 [N]; `jitter` in [0, 1] is the share of all poses."""
    draws = Draws(seed, "scene", index)
    camera = FRAMINGS[framing]
    gray = draws.uniform("background gray", 0.04, 0.45).unsqueeze(1)
    return Scene(
        yaw=draws.normal("yaw", 0.105 * jitter, 2.0),
        pitch=draws.normal("pitch", 0.07 * jitter, 2.0),
        roll=draws.normal("roll", 0.06 * jitter, 2.0),
        shift_right=draws.normal("shift right", 0.025 * jitter, 2.0),
        shift_down=draws.normal("shift down", 0.025 * jitter, 2.0),
        zoom=camera.zoom * (1 + draws.normal("zoom", 0.035 * jitter, 2.0)),
        centre=torch.full(index.shape, camera.centre),
        light_right=draws.uniform("light right", -0.75, 0.75),
        light_down=draws.uniform("light down", -0.65, 0.10),
        ambient=draws.uniform("ambient", 0.32, 0.55),
        gaze=draws.normal("gaze", 0.18, 2.0),
        background=draws.colour("background", 0.08, 0.85) * 0.45 + gray,
        slope_right=draws.normal("slope right", 0.25, 2.0),
        slope_down=draws.normal("slope down", 0.25, 2.0),
        contrast=1 + draws.normal("contrast", 0.10, 2.0),
        brightness=draws.normal("brightness", 0.04, 2.0),
        cloud=draws.words("cloud"),
        grain=draws.words("grain"),
    )
