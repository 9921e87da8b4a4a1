"""What a recipe may say of the training of GANs without labels. Imports no torch."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field

from ganlab import Family, LossName, ObjectiveOptions, Options
from ganlab.options import Augmentation

_PLAYERS = {"generator": ("generator",), "discriminator": ("discriminator",)}
_NEEDS = {"generator": "noise -> images", "discriminator": "images -> logits"}
_PENALTY = "on the discriminator's slope"
_AUGMENT = "changes, in this order, of all that the discriminator sees (DiffAugment)"
_INPUT_NOISE = "standard deviation of the normal noise added to all that the discriminator sees; 0: none"


class GanWeights(Options):
    """How much each term counts."""

    d_adversarial: float = Field(1.0, ge=0, description="discriminator: real or fake")
    d_penalty: float = Field(10.0, ge=0, description="discriminator: the penalty (lambda or gamma of its paper)")
    g_adversarial: float = Field(1.0, ge=0, description="generator: fakes should look real")


class GanObjective(ObjectiveOptions):
    """One update of the discriminator, then one of the generator."""

    adversarial: Annotated[LossName, Family("adversarial", "joint", "paired")] = Field("bce", description="real or fake")
    penalty: Annotated[LossName, Family("penalty")] = Field("none", description=_PENALTY)
    augment: tuple[Augmentation, ...] = Field((), description=_AUGMENT)
    input_noise: float = Field(0.0, ge=0, le=2, description=_INPUT_NOISE)
    fresh_noise: bool = Field(
        False, description="the generator moves on fakes of its own noise, not on those that the discriminator has just seen"
    )
    weights: GanWeights = Field(default_factory=lambda: GanWeights.model_validate({}), description="how much each term counts")

    SMALL: ClassVar[Mapping[str, Any]] = {}

    def players(self) -> dict[str, tuple[str, ...]]:
        """Return who moves what."""
        return dict(_PLAYERS)

    def needs(self) -> dict[str, str]:
        """Return the networks of the procedure."""
        return dict(_NEEDS)


class WganObjective(ObjectiveOptions):
    """Many updates of a clipped critic, then one of the generator; every default is SMiLEConverter's."""

    adversarial: Annotated[LossName, Family("adversarial", "joint", "paired")] = Field(
        "wasserstein", description="how far the critic tells real from fake"
    )
    penalty: Annotated[LossName, Family("penalty")] = Field(
        "none", description=f"{_PENALTY}; with wgan_gp say clip_limit = 0 (WGAN-GP)"
    )
    clip_limit: float = Field(
        0.01, ge=0, description="after each of its updates every weight of the critic is moved into [-this, this]; 0: not"
    )
    critic_steps: int = Field(5, ge=1, le=1000, description="updates of the critic in a step")
    long_critic_steps: int = Field(25, ge=1, le=1000, description="updates of the critic in a long step")
    long_first_steps: int = Field(24, ge=0, description="the first so many steps are long")
    long_every_steps: int = Field(500, ge=1, description="and so is each step whose number is a multiple of this")
    augment: tuple[Augmentation, ...] = Field((), description=_AUGMENT)
    input_noise: float = Field(0.0, ge=0, le=2, description=_INPUT_NOISE)
    weights: GanWeights = Field(default_factory=lambda: GanWeights.model_validate({}), description="how much each term counts")

    SMALL: ClassVar[Mapping[str, Any]] = {"critic_steps": 1, "long_critic_steps": 2}

    def players(self) -> dict[str, tuple[str, ...]]:
        """Return who moves what."""
        return dict(_PLAYERS)

    def needs(self) -> dict[str, str]:
        """Return the networks of the procedure."""
        return dict(_NEEDS)
