"""What a recipe may say of the networks of GANs without labels. Imports no torch."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field

from ganlab import ArchitectureOptions, DataSpec

Noise = Literal["normal", "uniform"]  # N(0, 1), or uniform in [-1, 1)

_SMALLEST_MAP_PX, _FEWEST_LEVELS = 4, 2
_ROLES = {"generator": "noise -> images", "discriminator": "images -> logits features"}
_NOISE = "what noise is drawn from: normal N(0, 1), or uniform in [-1, 1)"
_SPECTRAL_NORM = "each layer of the discriminator has 1 as its largest singular value"


def first_map(size_px: int) -> tuple[int, int]:
    """Return the side of the smallest map, 4 to 7 px, and how often it doubles to `size_px`: 64 is 4 doubled 4 times.

    Raises ValueError for a side that is none of these, doubled twice at least.
    """
    doublings = (size_px // _SMALLEST_MAP_PX).bit_length() - 1
    if doublings < _FEWEST_LEVELS or size_px % 2**doublings:
        raise ValueError(
            f"images of {size_px} px: the convolutions need a side of 4, 5, 6 or 7 px doubled twice or more, "
            "such as 16, 28, 32, 48, 64 or 128"
        )
    return size_px >> doublings, doublings


class FaceMlpNetworks(ArchitectureOptions):
    """Fully connected networks; every default is that of the published base model."""

    noise_length: int = Field(100, ge=1, le=4096, description="Z: numbers that an image is made from")
    noise: Noise = Field("normal", description=_NOISE)
    width: int = Field(
        256, ge=1, le=4096, description="units of the first layer of both networks; later ones have 2 or 4 times"
    )
    generator_slope: float = Field(
        0.0, ge=0, lt=1, description="LeakyReLU of the generator below 0; 0: ReLU (base), 0.01: improved"
    )
    discriminator_slope: float = Field(
        0.01, ge=0, lt=1, description="LeakyReLU of the discriminator below 0; the notebook's prose says 0.2"
    )
    dropout: float = Field(
        0.0, ge=0, lt=1, description="share of the discriminator's units left out, after each LeakyReLU; 0: base, 0.1: improved"
    )
    extra_layer: bool = Field(False, description="the discriminator has the second layer of 512 units that its diagram shows")
    spectral_norm: bool = Field(False, description=_SPECTRAL_NORM)

    SMALL: ClassVar[Mapping[str, Any]] = {"width": 8, "noise_length": 8}

    def roles(self, data: DataSpec) -> dict[str, str]:
        """Return what the networks take and give; images of any size fit."""
        return dict(_ROLES)

    def makes(self) -> frozenset[str]:
        """Return that the networks generate."""
        return frozenset({"generate"})


class DcganNetworks(ArchitectureOptions):
    """Radford's convolutional networks; every default is the published value."""

    noise_length: int = Field(100, ge=1, le=4096, description="Z: numbers that an image is made from")
    noise: Noise = Field("normal", description=f"{_NOISE}; the paper has uniform, most code normal")
    width: int = Field(
        64, ge=1, le=1024, description="channels of both networks beside the image; twice as many each time the map halves"
    )
    generator_slope: float = Field(0.0, ge=0, lt=1, description="LeakyReLU of the generator below 0; 0: ReLU")
    discriminator_slope: float = Field(0.2, ge=0, lt=1, description="LeakyReLU of the discriminator below 0")
    dropout: float = Field(
        0.0, ge=0, lt=1, description="share of the discriminator's activations left out, after each LeakyReLU; 0: none"
    )
    spectral_norm: bool = Field(False, description=_SPECTRAL_NORM)

    SMALL: ClassVar[Mapping[str, Any]] = {"width": 4, "noise_length": 8}

    def roles(self, data: DataSpec) -> dict[str, str]:
        """Return what the networks take and give; ValueError for a side that no doubling reaches."""
        first_map(data.size_px)
        return dict(_ROLES)

    def makes(self) -> frozenset[str]:
        """Return that the networks generate."""
        return frozenset({"generate"})


class SmileNetworks(ArchitectureOptions):
    """The networks of SMiLEConverter's GAN and WGAN; every default is the published value."""

    noise_length: int = Field(100, ge=1, le=4096, description="Z: numbers that an image is made from")
    noise: Noise = Field("uniform", description=_NOISE)
    width: int = Field(
        128, ge=1, le=1024, description="channels of the generator beside the image; twice as many each time the map halves"
    )
    discriminator_width: int = Field(64, ge=1, le=1024, description="the same of the discriminator")
    spectral_norm: bool = Field(False, description=_SPECTRAL_NORM)

    SMALL: ClassVar[Mapping[str, Any]] = {"width": 4, "discriminator_width": 4, "noise_length": 8}

    def roles(self, data: DataSpec) -> dict[str, str]:
        """Return what the networks take and give; ValueError for a side that no doubling reaches."""
        first_map(data.size_px)
        return dict(_ROLES)

    def makes(self) -> frozenset[str]:
        """Return that the networks generate."""
        return frozenset({"generate"})
