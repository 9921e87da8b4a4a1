"""What a recipe may say of CCycleGAN: its networks and its training procedure. Imports no torch."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from ganlab import ArchitectureOptions, DataSpec, Family, LossName, ObjectiveOptions, Options
from ganlab.options import Augmentation

KERNEL_PX, STRIDE_PX, LEVELS = 4, 2, 4


def level_sizes_px(size_px: int) -> list[int]:
    """Return the sides of the image and of the four latents: 48, 23, 10, 4, 1; ValueError if they run out."""
    sizes = [size_px]
    for _ in range(LEVELS):
        if sizes[-1] < KERNEL_PX:
            raise ValueError(f"ccyclegan's four 4x4 convolutions need images of 46 px or more, not {size_px}")
        sizes.append((sizes[-1] - KERNEL_PX) // STRIDE_PX + 1)
    return sizes


def check_classes(name: str, data: DataSpec) -> None:
    """Raise ValueError for data without two classes at least."""
    if data.label_kind != "classes" or data.labels < 2:
        kind = "one class" if data.label_kind == "classes" else data.label_kind
        raise ValueError(f'labels are {kind}: {name} needs classes; say dataset.labels = "expression", or one attribute')


class CCycleGanNetworks(ArchitectureOptions):
    """The networks of T26; every default is the published value."""

    width: int = Field(64, ge=4, le=512, description="channels of the first level; each next level has twice as many")
    discriminator_width: int | None = Field(None, ge=4, le=512, description="the same of the discriminator; None: width")
    residual: bool = Field(False, description="the decoder draws a change of the photo and where it counts, not an image")
    transform: bool = Field(True, description="a dense layer joins label and deepest latent; T18 and T19 have none")
    label_at_levels: bool = Field(False, description="the label also biases each level of the decoder, not the latent only")
    spectral_norm: bool = Field(False, description="each layer of the discriminator has 1 as its largest singular value")

    SMALL: ClassVar[Mapping[str, Any]] = {"width": 4}

    def roles(self, data: DataSpec) -> dict[str, str]:
        """Return what the three networks take and give."""
        check_classes("ccyclegan", data)
        level_sizes_px(data.size_px)
        return {
            "encoder": "images -> latents",
            "decoder": "latents labels -> images",
            "discriminator": "images -> logits classes features",
        }

    def makes(self) -> frozenset[str]:
        """Return that the networks translate."""
        return frozenset({"translate"})


class CCycleGanWeights(Options):
    """How much each term counts; the defaults are those of T26's command line."""

    d_adversarial: float = Field(1.0, ge=0, description="discriminator: real or fake")
    d_class: float = Field(1.0, ge=0, description="discriminator: the class of a real image, none of a fake")
    d_penalty: float = Field(10.0, ge=0, description="discriminator: the penalty (lambda or gamma of its paper)")
    g_adversarial: float = Field(2.0, ge=0, description="generator: fakes should look real")
    g_class: float = Field(2.0, ge=0, description="generator: fakes should show the class they were asked for")
    g_reconstruction: float = Field(1.0, ge=0, description="generator: with its own label a photo should come back")


class CCycleGanObjective(ObjectiveOptions):
    """The training procedure of T17 to T26; every default is the published value of T26."""

    # A photo has as many fakes as there are other classes, so a loss of pairs has nothing to pair.
    adversarial: Annotated[LossName, Family("adversarial", "joint")] = Field("bce", description="real or fake")
    d_classification: Annotated[LossName, Family("classification")] = Field(
        "binary",
        description='the discriminator\'s classes; where a fake has none its target is all zeros, so not "categorical"',
    )
    g_classification: Annotated[LossName, Family("classification")] = Field(
        "sigmoid_cce", description='the class of the fakes; the commit before the published one has "binary"'
    )
    distance: Annotated[LossName, Family("distance")] = Field("l1", description="between photo and reconstruction")
    penalty: Annotated[LossName, Family("penalty")] = Field(
        "none", description="on the discriminator's slope, with as many fakes as photos"
    )
    augment: tuple[Augmentation, ...] = Field(
        (), description="changes, in this order, of all that the discriminator sees (DiffAugment)"
    )
    fake_class: Literal["none", "asked", "drawn"] = Field(
        "none",
        description="which class a fake shows to the discriminator: none (T22), the one asked for (T18 to T21), or any "
        "wrong one, drawn anew, which the generator is then paid for too (T17, by mistake)",
    )
    each_label: bool = Field(False, description="the generator moves once for each label, not once for all (T24)")
    generator_every: int = Field(5, ge=1, description="the generator moves in the first of so many steps")
    targets: int = Field(0, ge=0, description="labels that an image is translated to, drawn at random (0: all others)")
    warm_up_steps: int = Field(0, ge=0, description="steps in which the discriminator learns only the classes of photos")
    weights: CCycleGanWeights = Field(
        default_factory=lambda: CCycleGanWeights.model_validate({}), description="how much each term counts"
    )

    SMALL: ClassVar[Mapping[str, Any]] = {"generator_every": 2}

    def players(self) -> dict[str, tuple[str, ...]]:
        """Return who moves what."""
        return {"generator": ("encoder", "decoder"), "discriminator": ("discriminator",)}

    def needs(self) -> dict[str, str]:
        """Return the networks of the procedure."""
        return {
            "encoder": "images -> latents",
            "decoder": "latents labels -> images",
            "discriminator": "images -> logits classes",
        }
