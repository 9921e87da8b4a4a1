"""What a recipe may say of the AC-GAN with attributes: its networks and its training procedure. Imports no torch."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from ganlab import ArchitectureOptions, DataSpec, Family, LossName, ObjectiveOptions, Options
from ganlab.options import halvings


class AcGanNetworks(ArchitectureOptions):
    """The networks; the text gives noise, first width and first size, the rest follows the tutorials of its time."""

    noise: int = Field(128, ge=1, le=4096, description="length of the noise")
    start_width: int = Field(256, ge=2, le=2048, description="channels of the generator's first map")
    start_px: int = Field(8, ge=1, le=512, description="side of the generator's first map; doubled, it makes the image")
    width: int = Field(128, ge=2, le=1024, description="channels of every convolution, in both networks")
    label_input: Literal["joined", "embedding"] = Field(
        "joined", description="labels beside the noise, or an embedding's map beside the first map (as the cGAN's generator)"
    )
    embedding: int = Field(128, ge=1, le=1024, description="length of the vector that stands for one label, in an embedding")
    batch_norm: bool = Field(True, description="batch normalisation in the generator's doublings, as Keras has it")
    dropout: float = Field(0.4, ge=0, lt=1, description="before the discriminator's heads")

    SMALL: ClassVar[Mapping[str, Any]] = {"noise": 5, "start_width": 6, "width": 4, "start_px": 4}

    def roles(self, data: DataSpec) -> dict[str, str]:
        """Return what both networks take and give."""
        if not data.labels:
            raise ValueError("images have no labels, and acgan makes images of labels")
        halvings(data.size_px, self.start_px, "start_px")
        return {"generator": "noise labels -> images", "discriminator": "images -> logits classes features"}

    def makes(self) -> frozenset[str]:
        """Return that the networks generate and classify."""
        return frozenset({"generate", "classify"})


class AcGanWeights(Options):
    """How much each term counts."""

    d_adversarial_real: float = Field(1.0, ge=0, description="discriminator: real images are real")
    d_class_real: float = Field(1.0, ge=0, description="discriminator: the labels of real images")
    d_adversarial_fake: float = Field(1.0, ge=0, description="discriminator: fakes are fake")
    d_class_fake: float = Field(1.0, ge=0, description="discriminator: the labels that fakes were asked for")
    d_penalty: float = Field(10.0, ge=0, description="discriminator: the penalty (lambda or gamma of its paper)")
    g_adversarial: float = Field(1.0, ge=0, description="generator: fakes should look real")
    g_class: float = Field(1.0, ge=0, description="generator: fakes should show the labels they were asked for")


class AcGanObjective(ObjectiveOptions):
    """The training procedure; every default is the published value, but sigmoids for the softmax of the text."""

    # Real and fake images are judged in updates of their own, so a loss that compares them has nothing to compare.
    adversarial: Annotated[LossName, Family("adversarial")] = Field("bce", description="real or fake")
    classification: Annotated[LossName, Family("classification")] = Field(
        "binary", description='the labels; "softmax_bce" as the text says, "categorical" for classes'
    )
    penalty: Annotated[LossName, Family("penalty")] = Field("none", description="on the discriminator, when it sees fakes")
    d_updates: Literal["two", "one"] = Field(
        "two", description="the discriminator moves for real and fake images apart, or once"
    )
    fakes_in_inference: bool = Field(
        True, description="the discriminator's fakes are made with stored batch statistics, as Keras predicts"
    )
    weights: AcGanWeights = Field(
        default_factory=lambda: AcGanWeights.model_validate({}), description="how much each term counts"
    )

    def players(self) -> dict[str, tuple[str, ...]]:
        """Return who moves what."""
        return {"discriminator": ("discriminator",), "generator": ("generator",)}

    def needs(self) -> dict[str, str]:
        """Return the networks of the procedure."""
        return {"generator": "noise labels -> images", "discriminator": "images -> logits classes"}


class SoftmaxBinaryCrossEntropyOptions(Options):
    """The classification loss has no options."""
