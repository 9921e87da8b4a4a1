"""What a recipe may say of the cGAN: its networks and its training procedure. Imports no torch."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from ganlab import ArchitectureOptions, DataSpec, Family, LossName, ObjectiveOptions, Options
from ganlab.options import halvings


class CGanNetworks(ArchitectureOptions):
    """The networks; the text gives embedding, noise and first size, the rest follows the tutorials of its time."""

    width: int = Field(128, ge=2, le=1024, description="channels of every convolution")
    noise: int = Field(128, ge=1, le=4096, description="length of the noise")
    embedding: int = Field(128, ge=1, le=1024, description="length of the vector that stands for one label")
    start_px: int = Field(4, ge=1, le=512, description="side of the generator's first map; doubled, it makes the image")
    label_map: Literal["single", "per_label"] = Field("single", description="all labels make one map together, or one each")
    dropout: float = Field(0.4, ge=0, lt=1, description="before the discriminator's last layer")

    SMALL: ClassVar[Mapping[str, Any]] = {"width": 4, "noise": 5, "embedding": 3}

    def roles(self, data: DataSpec) -> dict[str, str]:
        """Return what both networks take and give."""
        if not data.labels:
            raise ValueError("images have no labels, and cgan is told them")
        halvings(data.size_px, self.start_px, "start_px")
        return {"generator": "noise labels -> images", "discriminator": "images labels -> logits"}

    def makes(self) -> frozenset[str]:
        """Return that the networks generate."""
        return frozenset({"generate"})


class CGanWeights(Options):
    """How much each term counts."""

    d_adversarial_real: float = Field(1.0, ge=0, description="discriminator: real images with their labels are real")
    d_adversarial_fake: float = Field(1.0, ge=0, description="discriminator: fakes with the same labels are fake")
    d_adversarial_wrong: float = Field(
        1.0, ge=0, description="discriminator: real images with labels of others are fake; only with wrong_labels"
    )
    d_penalty: float = Field(10.0, ge=0, description="discriminator: the penalty (lambda or gamma of its paper)")
    g_adversarial: float = Field(1.0, ge=0, description="generator: fakes should look real")


class CGanObjective(ObjectiveOptions):
    """The training procedure; every default is the published value."""

    # Real and fake images are judged in updates of their own, so a loss that compares them has nothing to compare.
    adversarial: Annotated[LossName, Family("adversarial")] = Field("bce", description="real or fake")
    penalty: Annotated[LossName, Family("penalty")] = Field("none", description="on the discriminator, when it sees fakes")
    wrong_labels: bool = Field(
        False,
        description="the discriminator, when it sees fakes, is also shown real images with labels of others, as fake; "
        "not published for this GAN, but by Reed et al., 2016, where these and the fakes count half each",
    )
    d_updates: Literal["two", "one"] = Field(
        "two", description="the discriminator moves for real and fake images apart, or once"
    )
    weights: CGanWeights = Field(
        default_factory=lambda: CGanWeights.model_validate({}), description="how much each term counts"
    )

    def players(self) -> dict[str, tuple[str, ...]]:
        """Return who moves what."""
        return {"discriminator": ("discriminator",), "generator": ("generator",)}

    def needs(self) -> dict[str, str]:
        """Return the networks of the procedure."""
        return {"generator": "noise labels -> images", "discriminator": "images labels -> logits"}
