"""What a recipe calls a trained model by, such as a judge -> that model, as an evaluator gets it."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from ganlab.contracts import DataSpec
from ganlab.errors import GanlabError
from ganlab.evaluation.model import TrainedModel
from ganlab.evaluation.remembering import RememberingModel
from ganlab.evaluation.sampling import load_model, open_model
from ganlab.resolve import evaluator
from ganlab.runs.checkpoints import find_checkpoint, open_checkpoint
from ganlab.runs.references import locate
from ganlab.spec import Chosen
from ganlab.spec_resolved import named_models
from ganlab.training.random_state import kept_random_state


def build_evaluator(section: str, chosen: Chosen, device: torch.device) -> tuple[Any, dict[str, OpenedModel]]:
    """Return the evaluator of `[evaluation.SECTION]`, and by option the models that its options name, on `device`.

    Raises what opening one raises, with the key that names it.
    """
    models: dict[str, OpenedModel] = {}
    for option, text in named_models(chosen).items():
        try:
            models[option] = open_named_model(text, device)
        except GanlabError as error:
            error.args = (f"evaluation.{section}.{option}: {error}",)
            raise
    return evaluator(chosen, models), models


def open_named_model(text: str, device: torch.device) -> OpenedModel:
    """Return the model that a path, NAME@N, NAME@ALIAS or NAME means: of a run, its newest checkpoint, averaged if it is."""
    located = locate(text)
    checkpoint = open_checkpoint(find_checkpoint(located.path))
    digest = checkpoint.state["digests"]["averaged" if checkpoint.averaged else "networks"]
    return _opened(located.name, str(checkpoint.path), digest, device)


class OpenedModel:
    """A `ganlab.NamedModel`: what it says of images is computed once for those seen last."""

    def __init__(self, name: str, digest: str, model: TrainedModel) -> None:
        self._name, self._digest = name, digest
        self._model, self._remembering = model, RememberingModel(model)

    @property
    def name(self) -> str:
        """Return NAME@N, or the path as the recipe has it."""
        return self._name

    @property
    def digest(self) -> str:
        """Return the SHA-256 of its file of weights."""
        return self._digest

    @property
    def data(self) -> DataSpec:
        """Return what its images look like."""
        return self._model.data

    @property
    def makes(self) -> frozenset[str]:
        """Return which of "generate", "translate", "classify" can be called."""
        return self._model.makes

    @property
    def device(self) -> torch.device:
        """Return where it computes."""
        return self._model.device

    def generate(self, labels: Tensor, seed: int) -> Tensor:
        """Return one image a row of `labels` [N, K], uint8 [N, C, H, W]."""
        return self._remembering.generate(labels, seed)

    def translate(self, images: Tensor, labels: Tensor) -> Tensor:
        """Return `images` uint8 [N, C, H, W] moved to `labels` [N, K], uint8 of the same shape."""
        return self._remembering.translate(images, labels)

    def classify(self, images: Tensor) -> Tensor:
        """Return logits [N, K] for uint8 images [N, C, H, W]."""
        return self._remembering.classify(images)

    def features(self, images: Tensor) -> Tensor:
        """Return what the last linear layer of `classify` reads, float32 [N, D]."""
        return self._model.features(images)


@lru_cache(maxsize=4)
def _opened(name: str, path: str, digest: str, device: torch.device) -> OpenedModel:
    """Return the model of a checkpoint, opened once while its weights have that digest."""
    opened = open_model(path)
    with kept_random_state(device):  # building draws weights, before those of the checkpoint take their place
        return OpenedModel(name, digest, load_model(opened.spec, opened.checkpoint, device))
