"""ganlab: conditional and image-to-image GANs as plugins and recipes. The names that a plugin may import."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ganlab.contracts import (
    API_VERSION,
    Architecture,
    Batch,
    Classifies,
    Component,
    Dataset,
    DataSpec,
    Details,
    Evaluator,
    Explains,
    Generates,
    ImageSet,
    Model,
    NamedModel,
    Objective,
    Phased,
    Pieces,
    RunInfo,
    StartsFromFiles,
    Step,
    Translates,
    Update,
    Verdict,
    WeightsFile,
)
from ganlab.errors import DataError, GanlabError
from ganlab.hookspecs import hookimpl

if TYPE_CHECKING:
    from ganlab.layers import clip, inference
    from ganlab.losses import Adversarial, Criterion, Penalty
    from ganlab.options import (
        ArchitectureOptions,
        DatasetOptions,
        Family,
        LossName,
        ModelName,
        ObjectiveOptions,
        Options,
    )

__all__ = [
    "API_VERSION",
    "Adversarial",
    "Architecture",
    "ArchitectureOptions",
    "Batch",
    "Classifies",
    "Component",
    "Criterion",
    "DataError",
    "DataSpec",
    "Dataset",
    "DatasetOptions",
    "Details",
    "Evaluator",
    "Explains",
    "Family",
    "GanlabError",
    "Generates",
    "ImageSet",
    "LossName",
    "Model",
    "ModelName",
    "NamedModel",
    "Objective",
    "ObjectiveOptions",
    "Options",
    "Penalty",
    "Phased",
    "Pieces",
    "RunInfo",
    "StartsFromFiles",
    "Step",
    "Translates",
    "Update",
    "Verdict",
    "WeightsFile",
    "clip",
    "hookimpl",
    "inference",
]

# Names whose modules import pydantic or torch are imported when first asked for, so that listing plugins stays quick.
_LAZY = {
    "Adversarial": "ganlab.losses",
    "ArchitectureOptions": "ganlab.options",
    "Criterion": "ganlab.losses",
    "DatasetOptions": "ganlab.options",
    "Family": "ganlab.options",
    "LossName": "ganlab.options",
    "ModelName": "ganlab.options",
    "ObjectiveOptions": "ganlab.options",
    "Options": "ganlab.options",
    "Penalty": "ganlab.losses",
    "clip": "ganlab.layers",
    "inference": "ganlab.layers",
}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        from importlib import import_module

        return getattr(import_module(_LAZY[name]), name)
    if name == "__version__":
        from importlib.metadata import version

        return version("ganlab")
    raise AttributeError(f"module 'ganlab' has no attribute {name!r}")
