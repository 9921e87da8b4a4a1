"""A model's folder in the registry <-> the digest that it is called by.

The folder is that of a run with one checkpoint, so whatever reads runs reads models. Imports no torch.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from ganlab.errors import RunError
from ganlab.runs.models import Models, ModelVersion

KEPT = ("networks", "averaged")  # files of a checkpoint that a model needs; the third serves `ganlab resume` alone


def model_digest(step: int, files: Mapping[str, str], recipe: bytes) -> str:
    """Return the digest of a model: of its step, its weights and the recipe that says what they are."""
    what = {
        "step": step,
        "files": {name: files[name] for name in KEPT if name in files},
        "recipe": hashlib.sha256(recipe).hexdigest(),
    }
    return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()


def checkpoint_of(folder: Path) -> Path:
    """Return the one checkpoint of a model's folder; raises `OSError` or `ValueError` if there is none."""
    (path,) = (folder / "checkpoints").glob("step-*")
    return path


def is_called_rightly(folder: Path) -> bool:
    """Return whether a model's folder still says what its name, the digest, says.

    The weights themselves are compared with the digests that the folder states when they are read.
    """
    try:
        state = json.loads((checkpoint_of(folder) / "state.json").read_bytes())
        return model_digest(state["step"], state["digests"], (folder / "recipe.toml").read_bytes()) == folder.name
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return False


def verified_folder(models: Models, model: ModelVersion) -> Path:
    """Return the folder of a model; raises `RunError` if it is gone or not what was added."""
    folder = models.folder_of(model)
    if is_called_rightly(folder):
        return folder
    state = "damaged: its files are not those that were added" if folder.exists() else "its files are gone"
    again = f"`ganlab models add {model.source} --name {model.name}` adds them again, if the run is still there"
    raise RunError(f"{model.reference}: {state} ({folder}). {again}.")
