"""What a recipe may say of the WACGAN's training. Imports no torch."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from ganlab import Family, LossName, ObjectiveOptions, Options
from ganlab.options import Augmentation


class WacGanWeights(Options):
    """How much each term counts."""

    d_adversarial: float = Field(1.0, ge=0, description="critic: how far it tells real from fake")
    d_class_real: float = Field(1.0, ge=0, description="critic: the labels of real images")
    d_class_fake: float = Field(1.0, ge=0, description="critic: the labels that fakes were asked for")
    d_penalty: float = Field(10.0, ge=0, description="critic: the penalty (lambda or gamma of its paper)")
    g_adversarial: float = Field(1.0, ge=0, description="generator: fakes should look real")
    g_class: float = Field(1.0, ge=0, description="generator: fakes should show the labels they were asked for")
    g_features: float = Field(0.1, ge=0, description="generator: fakes should have the features of real images")


class WacGanObjective(ObjectiveOptions):
    """Many updates of a clipped critic, then one of the generator; every default is run_wacgan's."""

    adversarial: Annotated[LossName, Family("adversarial", "joint", "paired")] = Field(
        "wasserstein", description="how far the critic tells real from fake"
    )
    classification: Annotated[LossName, Family("classification")] = Field("binary", description="the labels")
    penalty: Annotated[LossName, Family("penalty")] = Field(
        "none", description="on the critic's slope; with wgan_gp say clip_limit = 0 (WGAN-GP)"
    )
    clip_limit: float = Field(
        0.01, ge=0, description="after each of its updates every weight of the critic is moved into [-this, this]; 0: not"
    )
    critic_steps: int = Field(5, ge=1, le=1000, description="updates of the critic in a step")
    long_critic_steps: int = Field(25, ge=1, le=1000, description="updates of the critic in a long step")
    long_first_steps: int = Field(24, ge=0, description="the first so many steps are long")
    long_every_steps: int = Field(500, ge=1, description="and so is each step whose number is a multiple of this")
    augment: tuple[Augmentation, ...] = Field(
        (), description="changes, in this order, of all that the critic sees (DiffAugment)"
    )
    feature_matching: bool = Field(False, description="each fake should have the features of the real image with its label")
    feature_distance: Annotated[LossName, Family("distance")] = Field("l2", description="between features")
    feature_scale: Literal["half_sum", "mean"] = Field(
        "half_sum",
        description="half the sum over batch and features (published for l2), or their mean (published for l1, and next to "
        "nothing); either is divided by the pixels of an image",
    )
    weights: WacGanWeights = Field(
        default_factory=lambda: WacGanWeights.model_validate({}), description="how much each term counts"
    )

    SMALL: ClassVar[Mapping[str, Any]] = {"critic_steps": 1, "long_critic_steps": 2, "feature_matching": True}

    def players(self) -> dict[str, tuple[str, ...]]:
        """Return who moves what."""
        return {"discriminator": ("discriminator",), "generator": ("generator",)}

    def needs(self) -> dict[str, str]:
        """Return the networks of the procedure."""
        features = " features" if self.feature_matching else ""
        return {"generator": "noise labels -> images", "discriminator": f"images -> logits classes{features}"}
