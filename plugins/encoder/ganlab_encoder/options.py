"""What a recipe may say of SMiLE's encoder: its network and its training procedure. Imports no torch."""

from collections.abc import Collection, Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from ganlab import ArchitectureOptions, DataSpec, Family, LossName, ObjectiveOptions, Options
from ganlab.options import halvings


class SmileEncoderNetworks(ArchitectureOptions):
    """The encoder; every default is the published value."""

    width: int = Field(64, ge=1, le=512, description="channels after the first halving of the side; each next has twice")
    noise: int = Field(100, ge=1, le=4096, description="length of the noise, as the frozen generator takes it")
    end_px: int = Field(4, ge=1, le=512, description="side of the smallest map, to which the image is halved")
    output: Literal["sigmoid", "tanh", "linear"] = Field(
        "sigmoid", description="last activation; the noise of a generator trained on [-1, 1) goes with tanh"
    )
    slope: float = Field(0.0, ge=0, lt=1, description="of the LeakyReLU after each convolution; 0: ReLU")

    SMALL: ClassVar[Mapping[str, Any]] = {"width": 4, "noise": 5}

    def roles(self, data: DataSpec) -> dict[str, str]:
        """Return what the encoder takes and gives."""
        halvings(data.size_px, self.end_px, "end_px")
        return {"encoder": "images -> noise"}

    def makes(self) -> frozenset[str]:
        """Return that encoder and generator translate."""
        return frozenset({"translate"})

    def makes_with(self, networks: Collection[str]) -> frozenset[str]:
        """Return that without a generator nothing is translated."""
        return self.makes() if "generator" in networks else frozenset()


class EncoderWeights(Options):
    """How much each term counts."""

    e_image: float = Field(1.0, ge=0, description="the image should come back")
    e_features: float = Field(1.0, ge=0, description="and its features in the eyes of a discriminator; only if `perceptual`")
    e_noise: float = Field(1.0, ge=0, description="the noise should be that of the generator; only with `noise_match`")


class EncoderObjective(ObjectiveOptions):
    """The training procedure; every default is the published value of experiment 6."""

    distance: Annotated[LossName, Family("distance")] = Field("l1", description="between image and reconstruction")
    distance_scale: Literal["mean", "half_sum"] = Field(
        "mean", description="mean over batch and pixels (published for l1), or half their sum (tf.nn.l2_loss, for l2)"
    )
    perceptual: bool = Field(False, description="compare features of a frozen discriminator too")
    feature_distance: Annotated[LossName, Family("distance")] = Field("l2", description="between features")
    noise_match: Literal["none", "moments", "energy"] = Field(
        "none",
        description="draw a batch's noise to that of the generator: mean and variance of each number, or energy distance",
    )
    weights: EncoderWeights = Field(
        default_factory=lambda: EncoderWeights.model_validate({}), description="how much each term counts"
    )

    def players(self) -> dict[str, tuple[str, ...]]:
        """Return that the encoder alone moves."""
        return {"encoder": ("encoder",)}

    def needs(self) -> dict[str, str]:
        """Return the networks of the procedure; all but the encoder come frozen from another run."""
        needs = {"encoder": "images -> noise", "generator": "noise labels -> images"}
        return {**needs, "discriminator": "images -> logits features"} if self.perceptual else needs
