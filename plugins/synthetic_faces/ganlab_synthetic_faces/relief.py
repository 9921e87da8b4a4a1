"""The relief of a face: bumps that the light will find, and the dark marks that no light reaches."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

from ganlab_synthetic_faces.anatomy import Identity
from ganlab_synthetic_faces.expressions import ActionUnits
from ganlab_synthetic_faces.geometry import Frame, mouth_level, nose_tip
from ganlab_synthetic_faces.mouth import Lips
from ganlab_synthetic_faces.scenes import Scene
from ganlab_synthetic_faces.strokes import edge, fade, spot, wave


class Relief(NamedTuple):
    """One band of a face; both tensors are [N, H, W] with the band's H."""

    bump: Tensor  # height above the dome, in head units
    dark: Tensor  # share of light lost
    flush: Tensor | None = None  # share of blood in the skin


def eye_relief(frame: Frame, identity: Identity, scene: Scene, units: ActionUnits) -> Relief:
    """Return sockets, brow ridge, bags, and the wrinkles of forehead, glabella, bridge and temples."""
    across, down, side = frame.across, frame.down, frame.side
    eyes, traits, age = identity.eyes, identity.traits, identity.head.age
    level, spread = eyes.level, eyes.spread

    # The eyeball lies in a hollow below a ridge.
    socket = spot(side, down, spread, level - 0.02, 0.20, 0.125)
    ridge = spot(side, down, 0.0, level - 0.21 - 0.04 * units.brow_inner, 0.52, 0.09)
    bump = ridge.mul_(0.025 + 0.02 * traits.male).sub_(socket * 0.075)
    dark = socket.mul_(0.10 + 0.10 * traits.heavy_makeup)

    bag_height = level + 0.125 - 0.02 * units.squint
    bag = spot(side, down, spread - 0.02, bag_height, 0.13, 0.030)
    bump.add_(spot(side, down, spread - 0.01, bag_height - 0.045, 0.12, 0.045).mul_(0.018 * traits.bags_under_eyes))
    dark.add_(bag.mul_(0.03 + 0.07 * age + 0.28 * traits.bags_under_eyes + 0.10 * units.squint))

    # Wrinkles: between the brows, across the bridge, across the forehead, beside the eyes.
    furrow = spot(side, down, 0.055, level - 0.19, 0.022, 0.085)
    dark.add_(furrow.mul_(0.30 * units.furrow + 0.06 * age))
    bridge = spot(across, down, 0.10 * scene.yaw, level - 0.03, 0.10, 0.10)
    dark.add_(bridge.mul_(wave(down * 8.3).square_()).mul_(0.32 * units.nose))
    forehead = spot(across, down, 0.0, level - 0.42, 0.36, 0.13)
    lines = wave((across * across).mul_(2.7).add_(down * 5.4).add_(level * 2.7)).square_()
    raised = (units.brow_outer + units.brow_inner).clamp(0, 1.6)
    dark.add_(forehead.mul_(lines).mul_(0.10 * age + 0.09 * raised))
    temple = spot(side, down, spread + eyes.half_width + 0.06, level + 0.02, 0.05, 0.07)
    dark.add_(temple.mul_(wave((down - level) * 9.5).square_()).mul_(0.25 * age + 0.15 * units.cheek))
    return Relief(bump, dark)


def nose_relief(frame: Frame, identity: Identity, scene: Scene, units: ActionUnits) -> Relief:
    """Return nose and cheeks, with nostrils, wings and the hollows below the cheekbones."""
    down, side = frame.down, frame.side
    nose, traits, level = identity.nose, identity.traits, identity.eyes.level
    tip_height, half_width = nose_tip(identity, units), nose.half_width
    off_nose = (frame.across - 0.10 * scene.yaw).abs_()  # the nose stands out: it slides further than the face

    along = ((down - level) / (nose.length + 0.05)).clamp_(0, 1)
    ridge = fade((off_nose / (along * (half_width * nose.tip - 0.06)).add_(0.06)).square_())
    ridge.mul_(along).mul_(edge(down - tip_height, 0.35 / 0.042))
    tip = spot(off_nose, down, 0.0, tip_height - 0.02, half_width * nose.tip * 0.78, 0.085)
    cheek_height = level + 0.30 - 0.06 * units.cheek - 0.04 * traits.high_cheekbones
    cheek = spot(side, down, 0.40, cheek_height, 0.19, 0.17 - 0.04 * traits.high_cheekbones)
    bump = ridge.mul_(0.115 * nose.height).add_(tip * (0.085 * nose.height))
    bump.add_(cheek * (0.04 + 0.05 * units.cheek + 0.02 * traits.chubby + 0.03 * traits.high_cheekbones))

    dark = spot(off_nose, down, 0.0, tip_height + 0.085, half_width * 1.05, 0.04).mul_(0.13)
    dark.add_(spot(off_nose, down, half_width * 0.55, tip_height + 0.055, 0.040, 0.024).mul_(0.36))
    wing = spot(off_nose, down, half_width * 1.08 + 0.008 * units.nose, tip_height + 0.02, 0.024, 0.045)
    dark.add_(wing.mul_(0.18 + 0.15 * units.nose))
    hollow = spot(side, down, 0.47, level + 0.50, 0.13, 0.09)
    dark.add_(hollow.mul_(0.13 * traits.high_cheekbones))

    flush = cheek.mul_(0.10 + 0.40 * traits.rosy_cheeks + 0.16 * traits.heavy_makeup).add_(tip.mul_(0.10))
    return Relief(bump, dark, flush.mul_(1 - 0.6 * identity.head.melanin))


def mouth_relief(frame: Frame, identity: Identity, units: ActionUnits, lips: Lips) -> Relief:
    """Return chin and lips, the folds from the nose to the mouth, and the shadow under the lower lip."""
    across, down, side = frame.across, frame.down, frame.side
    head, level = identity.head, mouth_level(identity)
    tip_height = nose_tip(identity, units)

    chin_height = (level + head.chin) * 0.5 + 0.06 + 0.10 * units.open
    chin = spot(across, down, 0.0, chin_height, 0.20, 0.12)
    bump = chin.mul_(0.05 + 0.03 * head.squareness).add_(lips.mask * 0.03)

    fold_side = ((down - tip_height) * 0.55).add_(0.157).mul_(1 + 0.15 * units.cheek)
    fold = fade((side - fold_side).sub_(0.02).mul_(1 / 0.030).square_())
    fold.mul_(edge(tip_height - 0.07 - down, 12.0)).mul_(edge(down - level - 0.02, 12.0))
    dark = fold.mul_(0.05 + 0.18 * head.age + 0.13 * units.cheek + 0.17 * units.nose)
    under = spot(across, down - lips.outer_bottom, 0.0, 0.045, lips.half_width * 0.65, 0.035)
    return Relief(bump, dark.add_(under.mul_(0.17 + 0.08 * units.pout)))
