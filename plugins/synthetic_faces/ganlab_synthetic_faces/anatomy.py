"""The records that describe a person: what stays the same in all pictures.

Lengths are in head units: the head is about two high, its middle is 0, downwards and rightwards count positive. Every
tensor is [N] unless it says otherwise. Traits are 0 or 1, and bear CelebA's names in lower case.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Traits:
    """Claims about a person."""

    attractive: Tensor
    male: Tensor
    young: Tensor
    stubble: Tensor  # CelebA's 5_o_Clock_Shadow
    arched_eyebrows: Tensor
    bags_under_eyes: Tensor
    bald: Tensor
    bangs: Tensor
    big_lips: Tensor
    big_nose: Tensor
    black_hair: Tensor
    blond_hair: Tensor
    blurry: Tensor
    brown_hair: Tensor
    bushy_eyebrows: Tensor
    chubby: Tensor
    double_chin: Tensor
    eyeglasses: Tensor
    goatee: Tensor
    gray_hair: Tensor
    heavy_makeup: Tensor
    high_cheekbones: Tensor
    mustache: Tensor
    narrow_eyes: Tensor
    oval_face: Tensor
    pale_skin: Tensor
    pointy_nose: Tensor
    receding_hairline: Tensor
    rosy_cheeks: Tensor
    sideburns: Tensor
    wavy_hair: Tensor
    wearing_earrings: Tensor
    wearing_hat: Tensor
    wearing_lipstick: Tensor
    wearing_necklace: Tensor
    wearing_necktie: Tensor


@dataclass(frozen=True, kw_only=True)
class Head:
    half_width: Tensor
    crown: Tensor  # height of the skull above the middle
    chin: Tensor  # depth of the chin below the middle
    jaw_taper: Tensor  # share of the width lost at one unit below the middle
    squareness: Tensor  # 0 round to about 1.2 square
    asymmetry: Tensor  # slope of the features against the head
    age: Tensor  # 0 to 1, how deep wrinkles are
    melanin: Tensor  # 0 to 1


@dataclass(frozen=True, kw_only=True)
class Eyes:
    spread: Tensor  # from the middle of the face to the middle of an eye
    level: Tensor
    half_width: Tensor
    half_height: Tensor
    tilt: Tensor


@dataclass(frozen=True, kw_only=True)
class Brows:
    half_width: Tensor
    thickness: Tensor
    arch: Tensor
    lift: Tensor  # above the eye's middle
    tilt: Tensor


@dataclass(frozen=True, kw_only=True)
class Nose:
    half_width: Tensor
    length: Tensor
    height: Tensor  # 1: how far it stands out, as a factor
    tip: Tensor  # width of the tip, as a factor


@dataclass(frozen=True, kw_only=True)
class Mouth:
    half_width: Tensor
    drop: Tensor  # below the tip of the nose
    upper_lip: Tensor
    lower_lip: Tensor
    rest: Tensor  # the corners at rest, as an action unit


@dataclass(frozen=True, kw_only=True)
class Hair:
    line: Tensor  # where it ends on the forehead
    line_curve: Tensor
    part: Tensor
    top: Tensor  # thickness above the skull
    side: Tensor  # thickness beside it
    end: Tensor  # how far down the sides reach
    long: Tensor  # 0 or 1
    curtain: Tensor  # half width of the face that long hair leaves free
    strands: Tensor  # turns a unit


@dataclass(frozen=True, kw_only=True)
class Colours:
    """Reflectances [N, 3] in [0, 1]."""

    skin: Tensor
    hair: Tensor
    brow: Tensor
    lips: Tensor
    iris: Tensor
    clothes: Tensor
    hat: Tensor
    frame: Tensor  # of the glasses


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Persons, one a row."""

    traits: Traits
    head: Head
    eyes: Eyes
    brows: Brows
    nose: Nose
    mouth: Mouth
    hair: Hair
    colours: Colours
    neckline: Tensor  # depth of the collar's opening
    glasses_size: Tensor  # 0 to 1
    texture: Tensor  # int64, which noise the skin has
