"""Which faces a set holds: rows of a split, at a level, become persons, scenes, expressions and labels."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ganlab_synthetic_faces.anatomy import Identity
from ganlab_synthetic_faces.expressions import expression
from ganlab_synthetic_faces.hashing import Draws
from ganlab_synthetic_faces.names import (
    EXPRESSIONS,
    FIRST_IDENTITY,
    FRAMINGS,
    IDENTITIES_PER_SPLIT,
    LEVELS,
)
from ganlab_synthetic_faces.people import identity
from ganlab_synthetic_faces.records import rows_of
from ganlab_synthetic_faces.rendering import render
from ganlab_synthetic_faces.scenes import Scene, scene

# Where attributes are the labels, about half of the people smile, as in CelebA; the rest is mostly neutral.
_SHARES_WITH_ATTRIBUTES = {"happy": 0.48, "neutral": 0.22}
# Pictures a person may have before another person's would be numbered alike.
_PICTURES_PER_IDENTITY = 1000


@dataclass(frozen=True, kw_only=True)
class Faces:
    """All that `render` needs, and the answers; one picture a row."""

    identity: Identity
    scene: Scene
    expression: Tensor  # action units [N, 14]
    labels: Tensor  # int64 [N], indices into EXPRESSIONS
    persons: Tensor  # int64 [N], numbers of identities
    strength: Tensor  # [N] in [0, 1]
    pictures: Tensor  # int64 [N], numbers of scenes and expressions


def faces(
    seed: int,
    rows: Tensor,
    *,
    level: str = "default",
    split: str = "train",
    labels: str = "expression",
    identities: int = 2_000,
) -> Faces:
    """Return the faces at `rows`, int64 [N], of a split that has so many identities.

    With `labels` "expression" each person wears every expression once in seven rounds over the identities, in close
    pictures; otherwise they are portraits and about half of them smile. A row's face depends on nothing but the
    arguments and its own number.
    """
    difficulty = LEVELS[level]
    if not 1 <= identities <= IDENTITIES_PER_SPLIT:
        raise ValueError(f"identities is {identities}; a split has 1 to {IDENTITIES_PER_SPLIT}")
    persons = rows % identities + FIRST_IDENTITY[split]
    pictures = rows + FIRST_IDENTITY[split] * _PICTURES_PER_IDENTITY
    draws = Draws(seed, "faces", pictures)
    if labels == "expression":
        worn, framing = (rows % identities + rows // identities) % len(EXPRESSIONS), "close"
    else:
        worn, framing = _mostly_smiling(draws), "portrait"
    strength = draws.uniform("strength", difficulty.weakest, 1.0)
    return Faces(
        identity=identity(seed, persons),
        scene=scene(seed, pictures, difficulty.jitter, framing),
        expression=expression(worn, strength, seed, pictures, difficulty.noise),
        labels=worn,
        persons=persons,
        strength=strength,
        pictures=pictures,
    )


def answers(
    seed: int,
    rows: Tensor,
    *,
    level: str = "default",
    split: str = "fresh",
    identities: int = 2_000,
    size_px: int = 48,
    channels: int = 1,
) -> Tensor:
    """Return each face of `faces` with all seven expressions, uint8 [N, 7, C, H, W], everything else being the same.

    These are the exact answers to "translate this picture to that expression"; the picture itself stands at its label.
    """
    given = faces(seed, rows, level=level, split=split, identities=identities)
    count = len(EXPRESSIONS)
    each = torch.arange(len(rows)).repeat_interleave(count)
    targets = torch.arange(count).repeat(len(rows))
    worn = expression(targets, given.strength[each], seed, given.pictures[each], LEVELS[level].noise)
    images = render(rows_of(given.identity, each), rows_of(given.scene, each), worn, size_px, channels)
    return images.view(len(rows), count, channels, size_px, size_px)


def face_window(size_px: int, framing: str = "close") -> tuple[slice, slice]:
    """Return the rows and columns of a picture in which expressions show: from the raised brows to the chin."""
    camera = FRAMINGS[framing]

    def pixel(place: float) -> int:
        return min(size_px, max(0, round((place * camera.zoom + 1) * size_px / 2)))

    top, bottom, half_width = -0.50, 1.0, 0.60  # head units
    rows = slice(pixel(top - camera.centre), pixel(bottom - camera.centre))
    return rows, slice(pixel(-half_width), pixel(half_width))


def _mostly_smiling(draws: Draws) -> Tensor:
    """Return expressions, int64 [N], with the shares given above; the others share the rest evenly."""
    rest = (1 - sum(_SHARES_WITH_ATTRIBUTES.values())) / (len(EXPRESSIONS) - len(_SHARES_WITH_ATTRIBUTES))
    ends = torch.tensor([_SHARES_WITH_ATTRIBUTES.get(name, rest) for name in EXPRESSIONS], dtype=torch.float64).cumsum(0)
    return torch.bucketize(draws.uniform("expression").double(), ends[:-1], right=True)
