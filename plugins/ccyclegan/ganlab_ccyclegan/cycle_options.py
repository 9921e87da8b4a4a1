"""What a recipe may say of the training of CCycleGAN's T1 to T16 and of C1, and of their losses. Imports no torch."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from ganlab import Family, LossName, ObjectiveOptions, Options


class CycleWeights(Options):
    """How much each term counts; the defaults are those of CycleGAN, as the author's log says of T1."""

    d_adversarial: float = Field(1.0, ge=0, description="discriminator: does the label fit, and is the image real")
    d_class: float = Field(1.0, ge=0, description="discriminator: the class of a real image, one of its own for fakes (T9)")
    g_adversarial: float = Field(1.0, ge=0, description="generator: fakes should look real, with the label they were asked for")
    g_class: float = Field(1.0, ge=0, description="generator: fakes should show the class they were asked for (T8, T9)")
    g_cycle: float = Field(10.0, ge=0, description="generator: a fake, translated back, should be the photo")
    g_identity: float = Field(1.0, ge=0, description="generator: with its own label a photo should stay as it is")


class CycleObjective(ObjectiveOptions):
    """The training procedure of T1 to T16, without T4; the defaults are those of T1."""

    # Photos, photos with a wrong label and fakes are judged in updates of their own, so a loss must be one of halves.
    adversarial: Annotated[LossName, Family("adversarial")] = Field("lsgan", description="real or fake, of pairs with a label")
    distance: Annotated[LossName, Family("distance")] = Field("l1", description="between photo and cycle, photo and identity")
    class_from: Literal["none", "discriminator", "classifier"] = Field(
        "none",
        description="who says which class an image shows: nobody (the discriminator is told the label); the discriminator, "
        "which is not told it and has one class more for fakes (T9); a frozen network `classifier` (T8)",
    )
    d_classification: Annotated[LossName, Family("classification")] = Field(
        "categorical", description='the discriminator\'s K + 1 classes, if it has any; published is "softmax_bce"'
    )
    g_classification: Annotated[LossName, Family("classification")] = Field(
        "categorical", description="the class of the fakes, if anybody tells it"
    )
    wrong_labels: bool = Field(True, description="the discriminator also sees each photo with a wrong label, as a fake")
    together: bool = Field(False, description="one update for all that the discriminator sees, not one for each kind")
    identity: bool = Field(True, description="a photo with its own label should stay as it is")
    weights: CycleWeights = Field(
        default_factory=lambda: CycleWeights.model_validate({}), description="how much each term counts"
    )

    @model_validator(mode="after")
    def _wrong_labels_are_told(self) -> Self:
        if self.wrong_labels and self.class_from == "discriminator":
            raise ValueError('wrong_labels: with class_from = "discriminator" none is told to it; say wrong_labels = false')
        return self

    def players(self) -> dict[str, tuple[str, ...]]:
        """Return who moves what."""
        return {"generator": ("generator",), "discriminator": ("discriminator",)}

    def needs(self) -> dict[str, str]:
        """Return the networks of the procedure."""
        is_told = self.class_from != "discriminator"
        needs = {
            "generator": "images labels -> images",
            "discriminator": "images labels -> logits" if is_told else "images -> logits classes+1",
        }
        return {**needs, "classifier": "images -> classes"} if self.class_from == "classifier" else needs


class DomainWeights(Options):
    """How much each term counts, a sum over both directions; the defaults are the published values."""

    d_adversarial: float = Field(1.0, ge=0, description="discriminators: real or fake")
    g_adversarial: float = Field(1.0, ge=0, description="generators: fakes should look real")
    g_cycle: float = Field(10.0, ge=0, description="generators: there and back a photo should be the same")
    g_identity: float = Field(1.0, ge=0, description="generators: an image that is there already should stay as it is")


class DomainObjective(ObjectiveOptions):
    """The training procedure of T4, a CycleGAN between class 0 (a) and class 1 (b); every default is the published value."""

    adversarial: Annotated[LossName, Family("adversarial")] = Field("lsgan", description="real or fake")
    distance: Annotated[LossName, Family("distance")] = Field("l1", description="between photo and cycle, photo and identity")
    identity: bool = Field(True, description="an image that is there already should stay as it is")
    weights: DomainWeights = Field(
        default_factory=lambda: DomainWeights.model_validate({}), description="how much each term counts"
    )

    def players(self) -> dict[str, tuple[str, ...]]:
        """Return who moves what."""
        return {
            "generator": ("generator_ab", "generator_ba"),
            "discriminator": ("discriminator_a", "discriminator_b"),
        }

    def needs(self) -> dict[str, str]:
        """Return the networks of the procedure."""
        return {
            "generator_ab": "images -> images",
            "generator_ba": "images -> images",
            "discriminator_a": "images -> logits",
            "discriminator_b": "images -> logits",
        }


class MatchingObjective(ObjectiveOptions):
    """The training procedure of C1, a discriminator of pairs alone."""

    adversarial: Annotated[LossName, Family("adversarial")] = Field("bce", description="the label fits, or it does not")

    def players(self) -> dict[str, tuple[str, ...]]:
        """Return who moves what."""
        return {"discriminator": ("discriminator",)}

    def needs(self) -> dict[str, str]:
        """Return the network of the procedure."""
        return {"discriminator": "images labels -> logits"}


class MatchingScoresOptions(Options):
    """Which wrong labels are tried."""

    seed: int = Field(0, ge=0, lt=2**31, description="draws the wrong label of each test image")


class NoOptions(Options):
    """A loss without options."""
