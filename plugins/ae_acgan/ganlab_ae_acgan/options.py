"""What a recipe may say of AE-AC-GAN: its networks and its training procedure. Imports no torch."""

from collections.abc import Collection, Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from ganlab import ArchitectureOptions, DataSpec, Family, LossName, ObjectiveOptions, Options
from ganlab.options import LossChoice

HALVINGS = 3  # of the side of an image, on its way to the dense layers
SMALLEST_PX, LARGEST_PX = 16, 128

ENCODER = "images -> labels noise"
GENERATOR = "noise labels -> images"


class AeAcGanNetworks(ArchitectureOptions):
    """The networks; every default is the published value."""

    depth: int = Field(32, ge=4, le=512, description="channels at the images; each halving of the side doubles them")
    noise_length: int = Field(200, ge=1, le=4096, description="Z, numbers of noise an image")
    noise: Literal["normal", "uniform"] = Field("normal", description="noise in training: N(0, 1) or U[0, 1)")
    sampling_noise: Literal["uniform", "as_trained"] = Field(
        "uniform", description="noise of samples: U[0, 1), or as in training"
    )
    encoder_noise: Literal["sigmoid", "tanh", "linear"] = Field("sigmoid", description="last activation of the encoder's noise")
    label_range: Literal["0/1", "-1/1"] = Field(
        "0/1", description='what the generator is told of an attribute; "-1/1" goes with the loss tanh_hinge'
    )
    slope: float = Field(0.3, ge=0, lt=1, description="of the LeakyReLU after each hidden layer")
    input_noise: float = Field(
        0.0, ge=0, le=1, description="deviation of noise on what encoder and discriminator see; its author tried 0.05"
    )
    dropout: float = Field(0.0, ge=0, lt=1, description="share dropped after each hidden layer; its author tried 0.4")
    batch_norm: bool = Field(False, description="normalise each hidden layer but the first of encoder and discriminator")

    SMALL: ClassVar[Mapping[str, Any]] = {"depth": 4, "noise_length": 6}

    def roles(self, data: DataSpec) -> dict[str, str]:
        """Return what the three networks take and give."""
        if not data.labels:
            raise ValueError('ae_acgan needs labels; say dataset.labels = "attributes", or one attribute')
        step_px = 2**HALVINGS
        if not SMALLEST_PX <= data.size_px <= LARGEST_PX or data.size_px % step_px:
            raise ValueError(
                f"ae_acgan needs images of {SMALLEST_PX} to {LARGEST_PX} px in steps of {step_px}, not {data.size_px}: "
                f"the side is halved {HALVINGS} times, and its dense layers grow with the area"
            )
        return {"encoder": ENCODER, "generator": GENERATOR, "discriminator": "images -> logits classes features"}

    def makes(self) -> frozenset[str]:
        """Return that the networks generate, and by the encoder translate."""
        return frozenset({"generate", "translate"})

    def makes_with(self, networks: Collection[str]) -> frozenset[str]:
        """Return that without an encoder nothing is translated."""
        return self.makes() if "encoder" in networks else frozenset({"generate"})


class AeAcGanWeights(Options):
    """How much each term counts; all are 1 as published."""

    d_adversarial: float = Field(1.0, ge=0, description="discriminator: real or fake")
    d_class: float = Field(1.0, ge=0, description="discriminator: the labels of real images, and those fakes were asked for")
    g_adversarial: float = Field(1.0, ge=0, description="generator: fakes should look real")
    g_class: float = Field(1.0, ge=0, description="generator: fakes should show the labels they were asked for")
    ae_reconstruction: float = Field(1.0, ge=0, description="auto-encoder: an image should come back")
    ae_class: float = Field(1.0, ge=0, description="auto-encoder: the encoder should read the labels; only if supervised")


class AeAcGanObjective(ObjectiveOptions):
    """The training procedure; every default is the published value."""

    # The discriminator sees a shuffled half of real and fake images, so a loss of both at once has nothing to compare.
    adversarial: Annotated[LossName, Family("adversarial")] = Field(
        LossChoice.model_validate({"use": "bce", "real_low": 0.9, "real_high": 0.9, "smooth_generator": True}),
        description="real or fake; the smoothed target 0.9 is the generator's too",
    )
    classification: Annotated[LossName, Family("classification")] = Field(
        "binary", description="of each label, for discriminator and generator"
    )
    distance: Annotated[LossName, Family("distance")] = Field("l1", description="between image and reconstruction")
    autoencoder: bool = Field(True, description="whether there is an auto-encoder; without it nothing needs the encoder")
    supervised: bool = Field(False, description="the encoder's labels are taught too, by `classification`")
    fake_labels: Literal["random", "real"] = Field(
        "random", description="labels of fakes: drawn at random, or those of random training images"
    )
    label_draws: int = Field(
        10, ge=1, description="labels drawn at random for a fake, each from all K, so that it has 1 to 10; classes want 1"
    )
    kept: float = Field(0.5, gt=0, le=1, description="share of a step's real and fake images that the discriminator sees")
    inference_fakes: bool = Field(
        False,
        description="the discriminator's fakes are made in inference, as Keras does; the same without dropout and batch norm",
    )
    measure_every: int = Field(8, ge=0, description="accuracies and F1 are measured once in so many steps; 0: never")
    weights: AeAcGanWeights = Field(
        default_factory=lambda: AeAcGanWeights.model_validate({}), description="how much each term counts"
    )

    SMALL: ClassVar[Mapping[str, Any]] = {"measure_every": 2}

    def players(self) -> dict[str, tuple[str, ...]]:
        """Return who moves what: two players move the generator, each with an optimizer of its own."""
        players: dict[str, tuple[str, ...]] = {"discriminator": ("discriminator",), "generator": ("generator",)}
        return {**players, "autoencoder": ("encoder", "generator")} if self.autoencoder else players

    def needs(self) -> dict[str, str]:
        """Return the networks of the procedure."""
        needs = {"generator": GENERATOR, "discriminator": "images -> logits classes"}
        return {"encoder": ENCODER, **needs} if self.autoencoder else needs


class TanhHingeOptions(Options):
    """The hinge of labels of -1 and 1 has no options."""
