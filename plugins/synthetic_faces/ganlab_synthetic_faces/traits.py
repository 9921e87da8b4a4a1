"""CelebA's forty columns, read from what is drawn."""

from __future__ import annotations

import torch
from torch import Tensor

from ganlab_synthetic_faces.anatomy import Identity
from ganlab_synthetic_faces.expressions import ActionUnits
from ganlab_synthetic_faces.names import ATTRIBUTES

# Action units from which on a mouth counts as smiling, and as open.
SMILING_CORNER = 0.3
OPEN_MOUTH = 0.15


def attributes(identity: Identity, expression: Tensor) -> Tensor:
    """Return 0 or 1 for each of ATTRIBUTES, uint8 [N, 40], of persons who wear the action units [N, 14]."""
    traits = identity.traits
    units = ActionUnits(*expression.unbind(1))
    derived = {
        "5_o_Clock_Shadow": traits.stubble,
        "Mouth_Slightly_Open": units.open > OPEN_MOUTH,
        "No_Beard": (traits.stubble + traits.goatee + traits.mustache) == 0,
        "Smiling": units.corner > SMILING_CORNER,
        "Straight_Hair": (1 - traits.wavy_hair) * (1 - traits.bald),
    }
    columns = [derived[name] if name in derived else getattr(traits, name.lower()) for name in ATTRIBUTES]
    return torch.stack([column.to(torch.uint8) for column in columns], 1)
