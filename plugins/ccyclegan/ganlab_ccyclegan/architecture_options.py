"""What a recipe may say of the networks of CCycleGAN's other experiments: T1 to T17, C1, C2. Imports no torch."""

from collections.abc import Collection, Mapping
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from ganlab import ArchitectureOptions, DataSpec
from ganlab_ccyclegan.options import check_classes

HALVINGS = 4  # of the side, in every network but ResNet
RESNET_LEAST_PX = 32  # as the published library's

Backbone = Literal["resnet50", "resnet18"]
LabelPlace = Literal["image", "bottleneck", "bottleneck_concat"]
DiscriminatorName = Literal["label_at_image", "label_at_image_dense", "label_at_patches", "classes", "resnet"]

_PRETRAINED = "file with a state dict of torchvision's network, read when a run begins; None: random weights"


def smallest_px(size_px: int) -> int:
    """Return the side of the smallest feature map: 3 of 48."""
    return size_px >> HALVINGS


def check_size(name: str, size_px: int) -> None:
    """Raise ValueError for images that cannot be halved four times."""
    step = 2**HALVINGS
    if size_px % step:
        below, above = size_px // step * step, (size_px // step + 1) * step
        near = f"{below} or {above}" if below else f"{above}"
        raise ValueError(
            f"{name} halves images {HALVINGS} times: it needs a multiple of {step} px, such as {near}, not {size_px}"
        )


def check_resnet_size(name: str, size_px: int) -> None:
    """Raise ValueError for images of which a ResNet would leave less than a pixel."""
    if size_px < RESNET_LEAST_PX:
        raise ValueError(f"{name}'s ResNet needs images of {RESNET_LEAST_PX} px or more, not {size_px}")


class UnetNetworks(ArchitectureOptions):
    """The networks of T1 to T16 without T4, and of C1; the defaults are those of T1 and T2."""

    label_at: LabelPlace = Field(
        "image",
        description="where the generator is told the label: multiplied with the image (T1), multiplied with the smallest "
        "feature map (T11) or concatenated to it (T5)",
    )
    deep: bool = Field(False, description="two more levels at the generator's smallest size (T12)")
    width: int = Field(32, ge=4, le=512, description="channels of the generator's first level; each next has twice as many")
    discriminator: DiscriminatorName = Field(
        "label_at_image",
        description="what judges image and label: the product of both, in patches (T1) or as a whole (_dense, T3); the image, "
        "then its patches times the label (T14); a ResNet beside the label (T6); classes (T9): the image alone, and the class "
        "that it shows, of which one more is that of fakes",
    )
    discriminator_width: int = Field(
        64, ge=4, le=512, description="channels of the discriminator's first level; not of a ResNet"
    )
    backbone: Backbone = Field("resnet50", description='the ResNet of discriminator = "resnet"; resnet18 for quick trials')
    pretrained: str | None = Field(None, description=_PRETRAINED)

    STARTS_FROM: ClassVar[frozenset[str]] = frozenset({"pretrained"})
    SMALL: ClassVar[Mapping[str, Any]] = {"width": 4, "discriminator_width": 4}

    @model_validator(mode="after")
    def _has_a_use_for_weights(self) -> Self:
        if self.pretrained is not None and self.discriminator != "resnet":
            raise ValueError(f'pretrained: the discriminator "{self.discriminator}" has no such weights; "resnet" has')
        return self

    def roles(self, data: DataSpec) -> dict[str, str]:
        """Return what generator and discriminator take and give."""
        check_classes("ccyclegan_unet", data)
        check_size("ccyclegan_unet", data.size_px)
        if self.discriminator == "resnet":
            check_resnet_size("ccyclegan_unet", data.size_px)
        is_told = self.discriminator != "classes"
        return {
            "generator": "images labels -> images",
            "discriminator": "images labels -> logits" if is_told else "images -> logits classes+1",
        }

    def makes(self) -> frozenset[str]:
        """Return that the generator translates, and that the discriminator knows which label fits an image."""
        return frozenset({"translate", "classify"})

    def makes_with(self, networks: Collection[str]) -> frozenset[str]:
        """Return what of it the networks of an objective can do: C1 has no generator."""
        able = {"generator": "translate", "discriminator": "classify"}
        return frozenset(able[network] for network in networks if network in able)


class T17Networks(ArchitectureOptions):
    """The networks of T17; every default is the published value."""

    width: int = Field(32, ge=4, le=512, description="channels of the first level; each next level has twice as many")
    discriminator_width: int = Field(64, ge=4, le=512, description="the same of the discriminator")
    hidden: int = Field(800, ge=1, le=8192, description="units of the layer in each of the discriminator's two heads")

    SMALL: ClassVar[Mapping[str, Any]] = {"width": 4, "discriminator_width": 4, "hidden": 8}

    def roles(self, data: DataSpec) -> dict[str, str]:
        """Return what the three networks take and give: the same as those of T26."""
        check_classes("ccyclegan_t17", data)
        check_size("ccyclegan_t17", data.size_px)
        return {
            "encoder": "images -> latents",
            "decoder": "latents labels -> images",
            "discriminator": "images -> logits classes features",
        }

    def makes(self) -> frozenset[str]:
        """Return that the networks translate."""
        return frozenset({"translate"})


class DomainNetworks(ArchitectureOptions):
    """The networks of T4, a CycleGAN of two classes: a is the first, b the second; the defaults are the published values."""

    width: int = Field(32, ge=4, le=512, description="channels of the generators' first level; each next has twice as many")
    discriminator_width: int = Field(64, ge=4, le=512, description="the same of the discriminators")

    LABEL_CHOOSES_NETWORK: ClassVar[bool] = True
    SMALL: ClassVar[Mapping[str, Any]] = {"width": 4, "discriminator_width": 4}

    def roles(self, data: DataSpec) -> dict[str, str]:
        """Return what the four networks take and give."""
        check_classes("ccyclegan_domains", data)
        if data.labels != 2:
            raise ValueError(
                f"ccyclegan_domains translates between two classes, not {data.labels}: {', '.join(data.label_names)}; "
                'choose two, such as dataset.classes = ["neutral", "happy"]'
            )
        check_size("ccyclegan_domains", data.size_px)
        return {
            "generator_ab": "images -> images",
            "generator_ba": "images -> images",
            "discriminator_a": "images -> logits",
            "discriminator_b": "images -> logits",
        }

    def makes(self) -> frozenset[str]:
        """Return that the generators translate."""
        return frozenset({"translate"})


class ResnetClassifierNetworks(ArchitectureOptions):
    """The network of C2, which T8 takes as a judge; the published one began with ImageNet's weights."""

    backbone: Backbone = Field("resnet50", description="the ResNet; resnet18 for quick trials")
    pretrained: str | None = Field(None, description=_PRETRAINED)

    STARTS_FROM: ClassVar[frozenset[str]] = frozenset({"pretrained"})
    SMALL: ClassVar[Mapping[str, Any]] = {"backbone": "resnet18"}

    def roles(self, data: DataSpec) -> dict[str, str]:
        """Return what the classifier takes and gives."""
        check_classes("resnet_classifier", data)
        check_resnet_size("resnet_classifier", data.size_px)
        return {"classifier": "images -> classes"}

    def makes(self) -> frozenset[str]:
        """Return that the network classifies."""
        return frozenset({"classify"})
