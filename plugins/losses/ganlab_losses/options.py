"""Options of the shared losses."""

from typing import Self

from pydantic import Field, model_validator

from ganlab import Options


class NoOptions(Options):
    """A loss without options."""


class BinaryCrossEntropyOptions(Options):
    """Targets of real images, drawn uniformly from [real_low, real_high) for each image."""

    real_low: float = Field(1.0, ge=0, le=2, description="lowest target of a real image")
    real_high: float = Field(1.0, ge=0, le=2, description="highest target of a real image; above 1 as seed 001 has it")
    smooth_generator: bool = Field(False, description="draw the generator's targets like those of real images, not 1")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.real_low > self.real_high:
            raise ValueError(f"real_low {self.real_low} is above real_high {self.real_high}")
        return self
