"""Persons from a seed and their numbers: shapes, colours and traits, in the units of `anatomy`."""

from __future__ import annotations

import torch
from torch import Tensor

from ganlab_synthetic_faces.anatomy import Brows, Colours, Eyes, Hair, Head, Identity, Mouth, Nose, Traits
from ganlab_synthetic_faces.hashing import Draws

# From pale to dark; a person's melanin runs along them.
SKIN = (
    (0.98, 0.82, 0.73),
    (0.94, 0.75, 0.62),
    (0.84, 0.64, 0.50),
    (0.68, 0.47, 0.34),
    (0.56, 0.38, 0.27),
    (0.43, 0.29, 0.21),
)
HAIR = ((0.07, 0.06, 0.06), (0.27, 0.16, 0.10), (0.82, 0.68, 0.42), (0.63, 0.62, 0.61), (0.48, 0.21, 0.10))
BLACK, BROWN, BLOND, GRAY, RED = range(5)
IRIS = ((0.20, 0.12, 0.07), (0.30, 0.42, 0.52), (0.33, 0.40, 0.24))
LIPSTICK = (0.66, 0.10, 0.16)
FRAMES = ((0.06, 0.05, 0.05), (0.62, 0.55, 0.42))


def identity(seed: int, index: Tensor) -> Identity:
    """Return the persons of numbers `index`, int64 [N]."""
    draws = Draws(seed, "identity", index)
    chance = draws.uniform("melanin")
    melanin = chance * (0.65 + 0.35 * chance)
    young = draws.claim("young", 0.75)
    hair_kind = _hair_kind(draws, 1 - young, melanin > 0.44)
    traits = _traits(draws, young, melanin, hair_kind)
    return Identity(
        traits=traits,
        head=_head(draws, traits, melanin),
        eyes=_eyes(draws, traits),
        brows=_brows(draws, traits),
        nose=_nose(draws, traits),
        mouth=_mouth(draws, traits),
        hair=_hair(draws, traits),
        colours=_colours(draws, traits, melanin, hair_kind),
        neckline=draws.uniform("neckline", 0.02, 0.12) + 0.10 * traits.wearing_necklace,
        glasses_size=draws.uniform("glasses size"),
        texture=draws.words("texture"),
    )


def _traits(draws: Draws, young: Tensor, melanin: Tensor, hair_kind: Tensor) -> Traits:
    """Return the traits, at rates near CelebA's; `hair_kind` is an index into HAIR."""
    claim = draws.claim
    male = claim("male", 0.44)
    female, old = 1 - male, 1 - young
    bald = claim("bald", 0.10) * male
    receding = claim("receding", 0.40) * male * old * (1 - bald)
    hat = claim("hat", 0.05)
    chubby = claim("chubby", 0.09)
    lipstick = claim("lipstick", 0.70) * female
    goatee = claim("goatee", 0.14) * male
    big_nose = claim("big nose", 0.22)

    def colour(kind: int) -> Tensor:
        return (hair_kind == kind).float() * (1 - bald)

    return Traits(
        attractive=claim("attractive", 0.51),
        male=male,
        young=young,
        stubble=claim("stubble", 0.24) * male * (1 - goatee),
        arched_eyebrows=claim("arched", 0.10 + 0.26 * female),
        bags_under_eyes=claim("bags", 0.12 + 0.30 * old),
        bald=bald,
        bangs=claim("bangs", 0.12) * (1 - bald) * (1 - receding) * (1 - hat),
        big_lips=claim("big lips", 0.23),
        big_nose=big_nose,
        black_hair=colour(BLACK),
        blond_hair=colour(BLOND),
        blurry=claim("blurry", 0.04),
        brown_hair=colour(BROWN),
        bushy_eyebrows=claim("bushy", 0.07 + 0.18 * male),
        chubby=chubby,
        double_chin=claim("double chin", 0.02 + 0.45 * chubby),
        eyeglasses=claim("eyeglasses", 0.07),
        goatee=goatee,
        gray_hair=colour(GRAY),
        heavy_makeup=claim("makeup", 0.60) * lipstick,
        high_cheekbones=claim("cheekbones", 0.40) * (1 - chubby),
        mustache=claim("mustache", 0.13) * male,
        narrow_eyes=claim("narrow", 0.12),
        oval_face=claim("oval", 0.30) * (1 - chubby),
        pale_skin=(melanin < 0.075).float(),
        pointy_nose=claim("pointy", 0.32) * (1 - big_nose),
        receding_hairline=receding,
        rosy_cheeks=claim("rosy", 0.14) * female,
        sideburns=claim("sideburns", 0.16) * male * (1 - bald),
        wavy_hair=claim("wavy", 0.38) * (1 - bald),
        wearing_earrings=claim("earrings", 0.32) * female,
        wearing_hat=hat,
        wearing_lipstick=lipstick,
        wearing_necklace=claim("necklace", 0.22) * female,
        wearing_necktie=claim("necktie", 0.16) * male,
    )


def _hair_kind(draws: Draws, old: Tensor, is_dark: Tensor) -> Tensor:
    """Return indices into HAIR, int64 [N]; dark skin has black or gray hair."""
    chance = draws.uniform("hair colour")
    kind = torch.full_like(chance, RED, dtype=torch.int64)
    kind[chance < 0.92] = BLOND
    kind[chance < 0.66] = BROWN
    kind[(chance < 0.36) | (is_dark & (kind > BROWN))] = BLACK
    kind[draws.claim("gray", 0.45 * old) > 0] = GRAY
    return kind


def _colours(draws: Draws, traits: Traits, melanin: Tensor, hair_kind: Tensor) -> Colours:
    tones = melanin.new_tensor(SKIN)
    tone = melanin * (len(SKIN) - 1)
    lower = tone.long().clamp(0, len(SKIN) - 2)
    share = (tone - lower).unsqueeze(1)
    skin = (tones[lower] * (1 - share) + tones[lower + 1] * share) * (1 + draws.normal("skin", 0.03)).unsqueeze(1)
    hair = melanin.new_tensor(HAIR)[hair_kind] * draws.uniform("hair shade", 0.8, 1.15).unsqueeze(1)
    lipstick = traits.wearing_lipstick.unsqueeze(1)
    chance = draws.uniform("iris")
    iris = torch.where((melanin > 0.45) | (chance < 0.5), 0, torch.where(chance < 0.8, 1, 2))
    return Colours(
        skin=skin,
        hair=hair,
        brow=torch.minimum(hair * 0.62, skin * 0.52),  # read against the skin, even gray ones
        lips=skin * skin.new_tensor((0.86, 0.52, 0.50)) * (1 - lipstick) + skin.new_tensor(LIPSTICK) * lipstick,
        iris=skin.new_tensor(IRIS)[iris],
        clothes=draws.colour("clothes", 0.05, 0.85),
        hat=draws.colour("hat", 0.10, 0.80),
        frame=skin.new_tensor(FRAMES)[draws.claim("light frame", 0.25).long()],
    )


def _head(draws: Draws, traits: Traits, melanin: Tensor) -> Head:
    male, chubby, oval = traits.male, traits.chubby, traits.oval_face
    young = draws.uniform("age, young", 0.0, 0.3)
    old = draws.uniform("age, old", 0.45, 1.0)
    squareness = draws.uniform("squareness", 0.25, 1.0) + 0.25 * male
    jaw_taper = 0.21 + draws.normal("jaw", 0.05) - 0.05 * male - 0.10 * chubby + 0.05 * oval
    return Head(
        half_width=0.665 + draws.normal("head width", 0.042) + 0.015 * male + 0.05 * chubby - 0.02 * oval,
        crown=1.0 + draws.normal("crown", 0.04),
        chin=0.92 + draws.normal("chin", 0.04) + 0.03 * male - 0.02 * chubby + 0.05 * oval,
        jaw_taper=jaw_taper.clamp(0.02, 0.42),
        squareness=squareness * (1 - 0.9 * oval),
        asymmetry=draws.normal("asymmetry", 0.02),
        age=torch.where(traits.young > 0, young, old),
        melanin=melanin,
    )


def _eyes(draws: Draws, traits: Traits) -> Eyes:
    half_height = 0.088 + draws.normal("eye height", 0.010) - 0.009 * traits.male
    return Eyes(
        spread=0.325 + draws.normal("eye spread", 0.020),
        level=-0.10 + draws.normal("eye level", 0.032),
        half_width=0.182 + draws.normal("eye width", 0.015) - 0.006 * traits.male,
        half_height=half_height * (1 - 0.33 * traits.narrow_eyes),
        tilt=draws.normal("eye tilt", 0.10),
    )


def _brows(draws: Draws, traits: Traits) -> Brows:
    male = traits.male
    return Brows(
        half_width=0.20 + draws.normal("brow width", 0.018),
        thickness=0.034 + draws.normal("brow thickness", 0.005) + 0.011 * male + 0.018 * traits.bushy_eyebrows,
        arch=0.042 + draws.normal("brow arch", 0.013) + 0.055 * traits.arched_eyebrows,
        lift=0.215 + draws.normal("brow lift", 0.020) - 0.028 * male,
        tilt=draws.normal("brow tilt", 0.045),
    )


def _nose(draws: Draws, traits: Traits) -> Nose:
    big, pointy = traits.big_nose, traits.pointy_nose
    return Nose(
        half_width=0.128 + draws.normal("nose width", 0.012) + 0.010 * traits.male + 0.035 * big - 0.022 * pointy,
        length=0.25 + draws.normal("nose length", 0.028) + 0.015 * traits.male + 0.03 * pointy,
        height=draws.uniform("nose height", 0.55, 1.0) + 0.2 * big + 0.15 * pointy,
        tip=1 - 0.30 * pointy,
    )


def _mouth(draws: Draws, traits: Traits) -> Mouth:
    male, big = traits.male, traits.big_lips
    return Mouth(
        half_width=0.285 + draws.normal("mouth width", 0.023),
        drop=0.235 + draws.normal("mouth drop", 0.023) + 0.010 * male,
        upper_lip=0.047 + draws.normal("upper lip", 0.007) - 0.008 * male + 0.018 * big,
        lower_lip=0.066 + draws.normal("lower lip", 0.009) - 0.008 * male + 0.024 * big,
        rest=draws.normal("mouth rest", 0.10),
    )


def _hair(draws: Draws, traits: Traits) -> Hair:
    male, bald, hat = traits.male, traits.bald, traits.wearing_hat
    receding, bangs = traits.receding_hairline, traits.bangs
    long = draws.claim("long hair", 0.74 - 0.67 * male) * (1 - bald)
    end = torch.where(long > 0, draws.uniform("hair end, long", 0.55, 1.5), draws.uniform("hair end, short", -0.15, 0.12))
    curve = 0.95 + draws.normal("hair line curve", 0.22) - 0.55 * bangs - 0.35 * receding
    return Hair(
        line=-0.63 + draws.normal("hair line", 0.045) - 0.16 * receding + 0.19 * bangs - 1.6 * bald,
        line_curve=curve.clamp(0.15, 1.6),
        part=draws.normal("hair part", 0.06),
        top=draws.uniform("hair top", 0.05, 0.19) * (1 - bald) * (1 - 0.6 * hat),
        side=(draws.uniform("hair side", 0.06, 0.15) + 0.06 * long) * (1 - bald),
        end=end - 2.5 * bald,
        long=long,
        curtain=draws.uniform("curtain", 0.52, 0.66),
        strands=draws.uniform("strands", 2.9, 5.4),
    )
