"""The words shared by core and plugins. Importing this module imports no torch.

Letters of tensor shapes, here and everywhere: N images, C channels, H height, W width, Z noise length, K labels
(classes or attributes). Images are in [-1, 1] in training code and uint8 in [0, 255] in data.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, runtime_checkable

if TYPE_CHECKING:
    from pathlib import Path

    import torch
    from torch import Tensor, nn

API_VERSION = 1  # of this contract; a plugin may say for which it was written: GANLAB_API = 1
KINDS = ("dataset", "architecture", "loss", "objective", "evaluator")
# The families of losses, and what each asks of an objective. Halves, masks and unequal counts suit an adversarial loss;
# relativistic averages and LeCam are joint ones.
FAMILIES = {
    "adversarial": "real and fake logits, each on its own",
    "joint": "real and fake logits at once, any number of each",
    "paired": "one fake to each real",
    "distance": "two images",
    "classification": "logits and labels",
    "penalty": "the discriminator itself, real and fake images",
}

LabelKind = Literal["classes", "attributes", "none"]


@dataclass(frozen=True, kw_only=True)
class WeightsFile:
    """A published file of weights that a component reads and no package brings: what `ganlab weights` lists and fetches."""

    name: str  # of the file, as its publisher calls it
    size: int  # bytes
    sha256: str
    url: str  # the publisher's address, https
    variable: str = ""  # the environment variable that may name another place for it, or for its folder
    summary: str = ""


@dataclass(frozen=True)
class Component:
    """One thing that a plugin offers; its kind is that of the hook that returns it.

    `target` is what builds it: the object itself, or `"package.module:Name"`, imported when a recipe first needs it.
    `options` is a pydantic model, by the same two ways; `None` takes the constructor's signature (losses and evaluators
    only: what a recipe must know of data, networks and objectives before they are built stands in their options).
    `family` says which losses may stand in for each other. `weights` are published files of which it needs one, the first
    before the others; the component itself looks for them, and nothing but `ganlab weights fetch` downloads.
    """

    name: str
    target: str | Callable[..., object]
    options: str | type | None = None
    family: str | None = None
    version: int = 1
    summary: str = ""
    paper: str = ""
    weights: tuple[WeightsFile, ...] = ()


@dataclass(frozen=True, kw_only=True)
class DataSpec:
    """What a recipe's data look like, known before any is read."""

    size_px: int  # images are square
    channels: int  # 1 gray, 3 colour
    label_kind: LabelKind = "none"
    label_names: tuple[str, ...] = ()  # K names, in the order of the label's columns
    test_seen: bool = False  # the test images are part of the training images; every score says so

    @property
    def labels(self) -> int:
        """Return K."""
        return len(self.label_names)


@dataclass(frozen=True, kw_only=True)
class ImageSet:
    """One split as a data set reads it; arrays are numpy arrays or torch tensors on the CPU."""

    images: Any  # uint8 [N, C, H, W], or `Pieces` of them
    labels: Any = None  # class indices [N], or 0/1 [N, K]; None: no labels
    identities: Any = None  # int64 [N]: whose face it is; None: unknown
    names: Sequence[str] | None = None  # N: where a person finds each, such as "cats/1.png" or "line 5"; None: unknown


@dataclass(frozen=True, kw_only=True)
class Pieces:
    """Images that are read a piece at a time, since they would fill the memory or take minutes.

    ganlab puts each piece on disk, tells the user how far it is, and goes on where a kill ended it. `make` returns the
    images from row `begin` up to `end`, always the same ones; it raises `DataError` with a line for each damaged image.
    """

    count: int  # N
    make: Callable[[int, int], Any]  # begin, end -> uint8 [end - begin, C, H, W]

    def __len__(self) -> int:
        return self.count


class Dataset(Protocol):
    """Reads images; built as `Class(options)`."""

    def sources(self) -> Sequence[Path]:
        """Return the files whose content decides what `read` returns; empty if nothing is read.

        Raises `DataError` naming each file that is missing, where it was looked for and how to get it.
        """

    def read(self) -> Mapping[str, ImageSet]:
        """Return the splits "train" and "test"; raises `DataError` that names each damaged row or file."""


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Images and their labels, on the run's device."""

    images: Tensor  # [N, C, H, W] in [-1, 1]
    labels: Tensor  # [N, K] float: one-hot classes or 0/1 attributes; K = 0: no labels

    def __len__(self) -> int:
        return self.images.shape[0]

    def __getitem__(self, part: slice) -> Batch:
        return Batch(images=self.images[part], labels=self.labels[part])


class Verdict(NamedTuple):
    """What a discriminator says of N images; never squashed by a sigmoid or softmax."""

    logits: Tensor  # [N], or patches [N, 1, h, w]
    classes: Tensor | None = None  # logits [N, K]
    features: Tensor | None = None  # the layer that feature matching compares


class Update:
    """One descent: the weights of `player` move down the weighted sum of the named raw terms."""

    __slots__ = ("player", "terms")

    def __init__(self, player: str, /, **terms: Tensor) -> None:
        self.player = player
        self.terms = terms


class Step(Protocol):
    """What one training step may use. There is no step number: code that changes with time reads `phase`."""

    @property
    def nets(self) -> Mapping[str, nn.Module]: ...

    @property
    def phase(self) -> Any:
        """Return `objective.phase(index)` of this step."""

    @property
    def device(self) -> torch.device:
        """Return where to draw random numbers; the default generator there is seeded and saved by the core."""

    def batch(self, count: int | None = None, of: int | None = None) -> Batch:
        """Return fresh training images at every call: `count` of them (the recipe's batch), all `of` one class."""

    def labels(self, count: int) -> Tensor:
        """Return the labels of random training images, [count, K]."""

    def noise(self, count: int) -> Tensor:
        """Return noise as the architecture defines it, [count, Z]."""

    def log(self, **measures: Tensor) -> None:
        """Record scalars that are not descended (accuracy, F1), as tensors on the device.

        A watch reads how often the discriminator is right: `d_accuracy`, or one each of real and made images,
        `d_accuracy_real` and `d_accuracy_fake`.
        """


@runtime_checkable
class Objective(Protocol):
    """A published training procedure; built as `Class(**options)` with loss names replaced by losses, no weights."""

    def step(self, s: Step) -> Iterator[Update]:
        """Yield updates in the paper's order; each is descended before the next line runs."""


class Phased(Protocol):
    """An objective whose steps differ with time."""

    def phase(self, index: int) -> Hashable:
        """Return what distinguishes step `index`, counted from 1; steps of one phase have one shape."""


class Architecture(Protocol):
    """Named networks and how they make images; built as `Class(options, data)`.

    Offers `noise` if a network takes noise, and those of `generate`, `translate`, `classify` that its options' `makes`
    names.
    """

    def networks(self) -> dict[str, nn.Module]:
        """Return freshly initialised networks, by the names that `roles` uses."""


class Generates(Architecture, Protocol):
    """An architecture that makes images from noise."""

    def noise(self, count: int, device: torch.device) -> Tensor:
        """Return [count, Z]."""

    def generate(self, nets: Mapping[str, nn.Module], noise: Tensor, labels: Tensor) -> Tensor:
        """Return one image a row of `noise` [N, Z] and `labels` [N, K], [N, C, H, W] in [-1, 1]."""


class Translates(Architecture, Protocol):
    """An architecture that changes images towards labels."""

    def translate(self, nets: Mapping[str, nn.Module], images: Tensor, labels: Tensor) -> Tensor:
        """Return `images` [N, C, H, W] as they would look with `labels` [N, K], in [-1, 1]."""


class Classifies(Architecture, Protocol):
    """An architecture that reads labels from images."""

    def classify(self, nets: Mapping[str, nn.Module], images: Tensor) -> Tensor:
        """Return logits [N, K]."""


class StartsFromFiles(Architecture, Protocol):
    """An architecture whose options name files of weights that a new run starts from."""

    def load_pretrained(self, nets: Mapping[str, nn.Module]) -> Mapping[str, str]:
        """Load them into fresh networks; return the SHA-256 of each file by the option that names it.

        Called once, when a run begins, and raises `GanlabError` for a file that is missing or does not fit. Later on the
        weights come from checkpoints, and the files may be gone.
        """


class Model(Protocol):
    """A trained architecture as an evaluator sees it: uint8 images on the CPU in and out, in batches of its own."""

    @property
    def data(self) -> DataSpec: ...

    @property
    def makes(self) -> frozenset[str]: ...

    @property
    def device(self) -> torch.device:
        """Return where the model computes; an evaluator's own networks and sums may go there."""

    def generate(self, labels: Tensor, seed: int) -> Tensor:
        """Return one image a row of `labels` [N, K], uint8 [N, C, H, W]."""

    def translate(self, images: Tensor, labels: Tensor) -> Tensor:
        """Return `images` uint8 [N, C, H, W] moved to `labels` [N, K], uint8 of the same shape."""

    def classify(self, images: Tensor) -> Tensor:
        """Return logits [N, K] for uint8 images [N, C, H, W]."""


class NamedModel(Model, Protocol):
    """A trained model that a recipe names, such as a judge: what a component gets for an option of type `ModelName`."""

    @property
    def name(self) -> str:
        """Return what people call it: NAME@N, or its path."""

    @property
    def digest(self) -> str:
        """Return the SHA-256 of its weights: other weights, another digest."""

    def features(self, images: Tensor) -> Tensor:
        """Return what the last linear layer of `classify` reads, float32 [N, D], for uint8 images [N, C, H, W].

        Raises `ValueError` for a model whose `classify` has no such layer.
        """


class Evaluator(Protocol):
    """Scores a model; built, like a loss, as `Class(**options)`: each option by its name, a `ModelName` as the model.

    May have an attribute `split = "train"`: then it gets, in the place of the test images, those that the model was
    trained on.
    """

    def score(self, model: Model, test: ImageSet) -> Mapping[str, float]:
        """Return named scores; `test` holds the test images, uint8 [N, C, H, W], with labels 0/1 [N, K].

        Evaluators of one model may ask it for the same images: these are made once.
        """


class Explains(Evaluator, Protocol):
    """An evaluator that needs more than the model, or whose scores rest on more than its options and the test images."""

    def protocol(self, model: Model, test: ImageSet) -> Mapping[str, Any]:
        """Return facts for the scores' protocol card, such as the digest of a file, as JSON has them.

        Called with the arguments of `score` before any image is made, and before training starts, of every evaluator of a
        recipe; it makes none either. Raises `GanlabError` that says what is missing, `ValueError` what does not fit.
        """


class Details(Evaluator, Protocol):
    """An evaluator that finds more than numbers, such as which class is taken for which."""

    def details(self, model: Model, test: ImageSet) -> Mapping[str, Any]:
        """Return it as JSON has it, for scores.json; called after `score` with its arguments.

        Two keys are shown to the user: `alarm`, a text that says why the scores mislead, and `confusion`, asked class ->
        seen class -> share, of which `ganlab eval` draws a picture.
        """


@dataclass(frozen=True, kw_only=True)
class RunInfo:
    """What an observer is told of a run."""

    path: Path
    recipe: Mapping[str, Any]  # the resolved recipe, as in recipe.toml
