"""Options of the shared losses. Imports no torch."""

from typing import Literal, Self

from pydantic import Field, model_validator

from ganlab import Options


class NoOptions(Options):
    """A loss without options."""


class BinaryCrossEntropyOptions(Options):
    """Targets, drawn uniformly from [low, high) for each logit; one that is wider than a point smooths the labels."""

    real_low: float = Field(1.0, ge=0, le=2, description="lowest target of a real image")
    real_high: float = Field(1.0, ge=0, le=2, description="highest target of a real image; above 1 the loss has no lower bound")
    fake_low: float = Field(0.0, ge=0, le=1, description="lowest target of a fake image")
    fake_high: float = Field(0.0, ge=0, le=1, description="highest target of a fake image; 0: one-sided smoothing at most")
    smooth_generator: bool = Field(False, description="draw the generator's targets like those of real images, not 1")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.real_low > self.real_high:
            raise ValueError(f"real_low {self.real_low} is above real_high {self.real_high}")
        if self.fake_low > self.fake_high:
            raise ValueError(f"fake_low {self.fake_low} is above fake_high {self.fake_high}")
        return self


class SmoothedOptions(Options):
    """Label smoothing."""

    smoothing: float = Field(
        0.0, ge=0, lt=1, description="share of each target that is spread evenly: over the K classes, or yes and no"
    )


class LeastSquaresOptions(Options):
    """Targets; 0, 1 and 1 are the paper's Eq. 9, and fake -1, real 1, generator 0 its Eq. 8."""

    real_target: float = Field(1.0, ge=-10, le=10, description="b: target of a real image")
    fake_target: float = Field(0.0, ge=-10, le=10, description="a: target of a fake image")
    generator_target: float = Field(1.0, ge=-10, le=10, description="c: target of a fake image for the generator")
    factor: float = Field(0.5, gt=0, le=10, description="of the squares: 0.5 in the paper, 1 in much code, CycleGAN's too")


class LeCamOptions(Options):
    """What LeCam is added to, and how much of it."""

    base: Literal["bce", "hinge", "lsgan", "wasserstein"] = Field("hinge", description="the loss that is regularised")
    decay: float = Field(0.99, ge=0, lt=1, description="share of the moving averages that an update of the discriminator keeps")
    weight: float = Field(0.3, ge=0, description="lambda: how much the regulariser counts beside the base loss")
