"""What a recipe may say of SMiLE's AC-GAN: its networks and its training procedure. Imports no torch."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from ganlab import ArchitectureOptions, DataSpec, Family, LossName, ObjectiveOptions, Options
from ganlab.options import halvings


class SmileAcGanNetworks(ArchitectureOptions):
    """The networks; every default is the published value."""

    width: int = Field(
        32, ge=1, le=128, description="half of the discriminator's first channels (gen_dimension); each next has twice"
    )
    noise: int = Field(100, ge=1, le=4096, description="length of the noise, which is uniform in [-1, 1)")
    start_px: int = Field(4, ge=1, le=512, description="side of the smallest map; doubled, it makes the image")

    SMALL: ClassVar[Mapping[str, Any]] = {"width": 2, "noise": 5}

    def roles(self, data: DataSpec) -> dict[str, str]:
        """Return what both networks take and give."""
        if not data.labels:
            raise ValueError("images have no labels, and smile_acgan makes images of labels")
        halvings(data.size_px, self.start_px, "start_px")
        return {"generator": "noise labels -> images", "discriminator": "images -> logits classes features"}

    def makes(self) -> frozenset[str]:
        """Return that the networks generate and classify."""
        return frozenset({"generate", "classify"})


class SmileAcGanWeights(Options):
    """How much each term counts."""

    d_adversarial: float = Field(1.0, ge=0, description="discriminator: real or fake")
    d_class_real: float = Field(1.0, ge=0, description="discriminator: the labels of real images")
    d_class_fake: float = Field(1.0, ge=0, description="discriminator: the labels that fakes were asked for")
    d_penalty: float = Field(10.0, ge=0, description="discriminator: the penalty (lambda or gamma of its paper)")
    g_adversarial: float = Field(1.0, ge=0, description="generator: fakes should look real")
    g_class: float = Field(1.0, ge=0, description="generator: fakes should show the labels they were asked for")
    g_features: float = Field(0.1, ge=0, description="generator: fakes should have the features of real images")


class SmileAcGanObjective(ObjectiveOptions):
    """The training procedure; every default is the published value."""

    adversarial: Annotated[LossName, Family("adversarial", "joint", "paired")] = Field("bce", description="real or fake")
    classification: Annotated[LossName, Family("classification")] = Field("binary", description="the labels")
    penalty: Annotated[LossName, Family("penalty")] = Field("none", description="on the discriminator")
    feature_matching: bool = Field(True, description="each fake should have the features of the real image with its label")
    feature_distance: Annotated[LossName, Family("distance")] = Field("l2", description="between features")
    feature_scale: Literal["half_sum", "mean"] = Field(
        "half_sum",
        description="half the sum over batch and features (published for l2), or their mean (published for l1, and next to "
        "nothing); either is divided by the pixels of an image",
    )
    weights: SmileAcGanWeights = Field(
        default_factory=lambda: SmileAcGanWeights.model_validate({}), description="how much each term counts"
    )

    def players(self) -> dict[str, tuple[str, ...]]:
        """Return who moves what."""
        return {"discriminator": ("discriminator",), "generator": ("generator",)}

    def needs(self) -> dict[str, str]:
        """Return the networks of the procedure."""
        features = " features" if self.feature_matching else ""
        return {"generator": "noise labels -> images", "discriminator": f"images -> logits classes{features}"}
