"""The names of what is drawn: expressions, action units, attributes, levels. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass

# In the order of FER2013's column `emotion`.
EXPRESSIONS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")

# In the order of CelebA's list_attr_celeba.txt.
ATTRIBUTES = (
    "5_o_Clock_Shadow",
    "Arched_Eyebrows",
    "Attractive",
    "Bags_Under_Eyes",
    "Bald",
    "Bangs",
    "Big_Lips",
    "Big_Nose",
    "Black_Hair",
    "Blond_Hair",
    "Blurry",
    "Brown_Hair",
    "Bushy_Eyebrows",
    "Chubby",
    "Double_Chin",
    "Eyeglasses",
    "Goatee",
    "Gray_Hair",
    "Heavy_Makeup",
    "High_Cheekbones",
    "Male",
    "Mouth_Slightly_Open",
    "Mustache",
    "Narrow_Eyes",
    "No_Beard",
    "Oval_Face",
    "Pale_Skin",
    "Pointy_Nose",
    "Receding_Hairline",
    "Rosy_Cheeks",
    "Sideburns",
    "Smiling",
    "Straight_Hair",
    "Wavy_Hair",
    "Wearing_Earrings",
    "Wearing_Hat",
    "Wearing_Lipstick",
    "Wearing_Necklace",
    "Wearing_Necktie",
    "Young",
)

# Columns that leave no trace in a picture: drawn by chance, at their rate in CelebA.
NOT_DRAWN = ("Attractive",)

# Sizes that can be drawn.
SMALLEST_PX, LARGEST_PX = 16, 128

# Streams of identities: no identity of one split is ever drawn in another. "fresh" is for evaluators.
FIRST_IDENTITY = {"train": 0, "test": 50_000, "fresh": 100_000}
IDENTITIES_PER_SPLIT = 50_000


@dataclass(frozen=True, kw_only=True)
class Level:
    """How hard the expressions are to read."""

    weakest: float  # strengths are even between this and 1
    noise: float  # standard deviation of an action unit
    jitter: float  # share of the full variety of pose


LEVELS = {
    "easy": Level(weakest=0.75, noise=0.08, jitter=0.35),
    "default": Level(weakest=0.60, noise=0.10, jitter=0.70),
    "hard": Level(weakest=0.45, noise=0.13, jitter=1.0),
}


@dataclass(frozen=True, kw_only=True)
class Framing:
    """How the camera holds the head; units as in `geometry`."""

    zoom: float  # 1: two head units fill the picture
    centre: float  # height of the head at the picture's middle, downwards


FRAMINGS = {
    "close": Framing(zoom=1.10, centre=0.02),  # as FER2013: the face fills the picture
    "portrait": Framing(zoom=0.84, centre=0.09),  # as CelebA: hair, neck and collar are seen
}
