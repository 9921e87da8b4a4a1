"""What a user types into a recipe: base models, options of the loop, references to losses. Imports no torch."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from ganlab.contracts import DataSpec


class Options(BaseModel):
    """Typed options: unknown keys are refused, as are inf and nan; no coercion between types; nothing changes afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    # With what settings `ganlab plugin check` tries the component: as small and quick as it can be built.
    SMALL: ClassVar[Mapping[str, Any]] = {}


@dataclass(frozen=True)
class Family:
    """Names the families of losses that a field takes: `Annotated[LossName, Family("distance")] = "l1"`."""

    names: tuple[str, ...]

    def __init__(self, *names: str) -> None:
        object.__setattr__(self, "names", names)


class LossChoice(BaseModel):
    """A loss by its registered name, with options for it: `"bce"` or `{ use = "bce", real_low = 0.7 }`."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True)

    use: str

    @property
    def settings(self) -> dict[str, Any]:
        """Return the options that were given with the name."""
        return dict(self.model_extra or {})


def _as_table(value: object) -> object:
    return {"use": value} if isinstance(value, str) else value


# A field of an objective that names a loss; the objective's class gets the loss itself, averaged in fp32 by the core.
LossName = Annotated[LossChoice | str, BeforeValidator(_as_table), Field(validate_default=True)]


class NamesModel:
    """Marks a field that names a trained model."""


# A field of an evaluator that names a trained model: the path of a run or a checkpoint, NAME@N, NAME@ALIAS or NAME of the
# registry. The evaluator's class gets the model itself, a `ganlab.NamedModel`; None stays None.
ModelName = Annotated[str | None, NamesModel()]


def model_fields_of(options: type[BaseModel]) -> list[str]:
    """Return the fields of type `ModelName`."""
    fields = options.model_fields.items()
    return [name for name, info in fields if any(isinstance(mark, NamesModel) for mark in info.metadata)]


class DatasetOptions(Options):
    """The keys that every data set shares; `ganlab run --dataset NAME` keeps them when it swaps the data."""

    size_px: int | None = Field(None, ge=8, le=1024, description="side of the square images; None: the set's own")
    channels: Literal[1, 3] | None = Field(None, description="1 gray, 3 colour; None: the set's own")
    labels: str = Field("expression", description='"expression", "attributes" or the name of one attribute')
    split: Literal["train", "test", "all"] = Field("train", description="which images to train on")
    images: int | None = Field(None, ge=1, description="train on the first so many images only; None: all")
    classes: tuple[str, ...] | None = Field(
        None, description="train and test on the images of these classes only, which are labelled in this order; None: all"
    )

    # Keys that do not decide what is read: which part of it is used, and where it lies.
    BESIDE_CONTENT: ClassVar[frozenset[str]] = frozenset({"split", "images", "classes", "path"})

    def content(self) -> dict[str, Any]:
        """Return the options that, with the content of the sources, decide what is read: the key of its cache."""
        return self.model_dump(mode="json", exclude=set(self.BESIDE_CONTENT))

    def found(self) -> Self:
        """Return the options with what only the files say, such as the names of the labels; raises `DataError`.

        Asked once, when a recipe is checked; a run's recipe states what was found, and is then used without the files.
        """
        return self

    def data_spec(self) -> DataSpec:
        """Return what the images look like; raises ValueError, in one line, for options that do not go together.

        Of every class: ganlab itself takes the images of `classes` out of what is read.
        """
        raise NotImplementedError(f"{type(self).__name__} must define data_spec()")


class ArchitectureOptions(Options):
    """The options of an architecture, and what its networks take and give."""

    # Whether the label that is asked for chooses a network, as where each domain has a generator of its own; else a model
    # of which no network takes or tells labels is one without labels.
    LABEL_CHOOSES_NETWORK: ClassVar[bool] = False
    # Options that name files of weights, which `load_pretrained` reads when a run begins: no network is built by them.
    STARTS_FROM: ClassVar[frozenset[str]] = frozenset()

    def roles(self, data: DataSpec) -> Mapping[str, str]:
        """Return network -> "inputs -> outputs", such as "noise labels -> images"; ValueError if `data` do not fit."""
        raise NotImplementedError(f"{type(self).__name__} must define roles(data)")

    def makes(self) -> frozenset[str]:
        """Return which of "generate", "translate", "classify" the architecture offers."""
        return frozenset()

    def makes_with(self, networks: Collection[str]) -> frozenset[str]:
        """Return what of `makes` can be had of these networks: those that the recipe's objective needs."""
        return self.makes()


def halvings(size_px: int, end_px: int, key: str) -> int:
    """Return how often images of `size_px` are halved until their side is `end_px`: once or more. For `roles`.

    Raises ValueError, naming the sides that fit, if they never are; `key` is the option that says `end_px`.
    """
    ends = [size_px >> n for n in range(1, size_px.bit_length()) if size_px % (1 << n) == 0]
    if end_px not in ends:
        which = f"{key} may be {', '.join(map(str, ends))}" if ends else "an odd side has no half"
        raise ValueError(f"{size_px} px, halved, is never {key} {end_px}; {which}")
    return ends.index(end_px) + 1


class ObjectiveOptions(Options):
    """The options of an objective: who moves what, which networks it needs, and (field `weights`) its terms' weights."""

    def players(self) -> Mapping[str, tuple[str, ...]]:
        """Return player -> the networks that it moves."""
        raise NotImplementedError(f"{type(self).__name__} must define players()")

    def needs(self) -> Mapping[str, str]:
        """Return network -> "inputs -> outputs", in the notation of `ArchitectureOptions.roles`."""
        raise NotImplementedError(f"{type(self).__name__} must define needs()")


class AdamOptions(Options):
    """Adam (Kingma and Ba, 2015), fused."""

    use: Literal["adam"] = "adam"
    learning_rate: float = Field(2e-4, gt=0, le=1, description="step size")
    betas: tuple[float, float] = Field((0.5, 0.999), description="decay of the two moments, each in [0, 1)")
    epsilon: float = Field(1e-8, gt=0, description="added to the root of the second moment")


class RmsPropOptions(Options):
    """RMSProp (Hinton, 2012)."""

    use: Literal["rmsprop"]
    learning_rate: float = Field(5e-5, gt=0, le=1, description="step size")
    decay: float = Field(0.9, ge=0, lt=1, description="decay of the mean square")
    epsilon: float = Field(1e-8, gt=0, description="added to the root of the mean square")


class SgdOptions(Options):
    """Stochastic gradient descent, with momentum."""

    use: Literal["sgd"]
    learning_rate: float = Field(0.01, gt=0, le=10, description="step size")
    momentum: float = Field(0.0, ge=0, lt=1, description="share of the last step that is kept")


OptimizerOptions = Annotated[AdamOptions | RmsPropOptions | SgdOptions, Field(discriminator="use")]

Precision = Literal["auto", "fp32", "bf16"]

# What `ganlab.layers.diff_augment` may do to images.
Augmentation = Literal["colour", "translation", "cutout"]


class WatchOptions(Options):
    """What a run is watched for while it trains, and what an alarm does; shares are of 1."""

    then: Literal["warn", "keep_best", "stop"] = Field(
        "warn",
        description="at an alarm: tell it in one line; keep_best: and keep the best checkpoint from before it, however many "
        "come later; stop: and end the run, with exit status 9",
    )
    every_steps: int = Field(100, ge=1, description="a look every so many steps; it makes the pictures of 8 noises or photos")
    begin_step: int = Field(1000, ge=1, description="nothing before this step counts for an alarm: what is made is still gray")
    patience: int = Field(3, ge=2, description="an alarm takes so many bad looks, or scores, in a row")
    least_diversity: float = Field(
        0.05,
        ge=0,
        le=1,
        description="alarm below it: difference of images made of different noise or photos for one label, as a share of that "
        "of real images; 0: never",
    )
    least_change: float = Field(
        0.002,
        ge=0,
        le=1,
        description="alarm below it: difference of translations of one photo to different labels, as such a share; 0: never",
    )
    most_accuracy: float = Field(
        0.999, gt=0, le=1, description="alarm above it: how often the discriminator tells real from made images; 1: never"
    )
    most_score_loss: float = Field(
        0.5, gt=0, description="alarm if `best` is behind its best value by more than this share of it, and does not come back"
    )


class TrainingOptions(Options):
    """How long, in which portions and how carefully a run trains."""

    seed: int = Field(0, ge=0, lt=2**32, description="seed of weights, noise and the order of the images")
    epochs: float | None = Field(None, gt=0, description="the end, in passes over as many images as the set has")
    steps: int | None = Field(None, ge=1, description="the end, in steps; given both, the earlier end counts")
    batch_images: int = Field(64, ge=1, description="images that one call of the step's batch() draws")
    with_replacement: bool = Field(False, description="draw each image from the whole set (as CCycleGAN), not by epochs")
    flip: bool = Field(False, description="mirror each training image left to right with probability 1/2")
    precision: Precision = Field("fp32", description="arithmetic of networks; auto: bf16 where the device is built for it")
    learning_rate_schedule: Literal["constant", "linear", "cosine", "plateau"] = Field(
        "constant",
        description="linear, cosine: the learning rate falls from its value to 0 between decay_start and the end; "
        "plateau: by plateau_factor whenever the score `best` stands still",
    )
    decay_start: float = Field(
        0.0, ge=0, lt=1, description="linear, cosine: share of the run after which the learning rate falls"
    )
    plateau_patience: int = Field(
        10, ge=1, description="plateau: the rate falls at every so many evaluations in a row that are not better than the best"
    )
    plateau_factor: float = Field(0.1, gt=0, lt=1, description="plateau: what the learning rate is multiplied by")
    plateau_least_rate: float = Field(0.0, ge=0, le=1, description="plateau: the learning rate falls no lower than to this")
    stop_after: int | None = Field(
        None, ge=1, description="end early when `best` was not better in so many evaluations in a row; None: never"
    )
    averaging_decay: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="keep averaged weights (EMA) beside the raw ones, with this decay a step; None: none",
    )
    start_from: str | None = Field(
        None, description="run, checkpoint or model (NAME@ALIAS) whose networks the run starts from; None: fresh"
    )
    log_every_steps: int = Field(100, ge=1, description="rows of log.csv; terms are means since the row before")
    sample_every_steps: int = Field(1000, ge=1, description="a picture every so many steps, and one at the end")
    checkpoint_every_steps: int = Field(1000, ge=1, description="a checkpoint every so many steps, and one at the end")
    checkpoint_every_minutes: float = Field(10.0, gt=0, description="and at least every so many minutes")
    keep_checkpoints: int = Field(5, ge=1, description="how many of the newest checkpoints stay on disk, beside the best")
    evaluate_every_steps: int | None = Field(None, ge=1, description="score every so many steps; None: only at the end")
    best: str | None = Field(None, description='"EVALUATOR.SCORE" whose best checkpoint is kept; None: no best')
    best_is: Literal["highest", "lowest"] = Field("highest", description="which value of `best` is the best")
    watch: WatchOptions | None = Field(None, description="a watch for collapse; None: nobody watches")


class FrozenOptions(Options):
    """A network that nobody trains, taken from another run."""

    run: str = Field(description="run, checkpoint, or model of the registry: NAME@ALIAS, NAME@N or NAME")
    step: int | None = Field(None, ge=0, description="which checkpoint of the run; None: the newest")
    architecture: dict[str, Any] | None = Field(
        None, description="what it was built by, as [architecture] of that run: { use = NAME, ... }; None: this recipe's"
    )
