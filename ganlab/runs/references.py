"""What a user types where a trained model is wanted -> the folder that holds it: the one rule for commands and recipes.

NAME@N and NAME@ALIAS are models of the registry, NAME alone the newest version; all else is the path of a run or of a
checkpoint. A path that exists goes before a bare NAME. Imports no torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ganlab.errors import RunError
from ganlab.recipe_files import find_recipe
from ganlab.registry import did_you_mean, near_names
from ganlab.runs.model_folder import verified_folder
from ganlab.runs.models import Models, ModelVersion, UnknownModel, parse_name

RECIPE = "recipe.toml"  # in the folder of a run or a model


@dataclass(frozen=True, kw_only=True)
class Located:
    """Where a trained model lies."""

    path: Path  # the folder of a run, of a checkpoint, or of a model of the registry, which is like a run's
    model: ModelVersion | None = None  # None: it was named by its path

    @property
    def name(self) -> str:
        """Return what to call it."""
        return self.model.reference if self.model else str(self.path)


def locate(text: str) -> Located:
    """Return what `text` means; raises `RunError` for a path that does not exist and a name that nobody knows."""
    path = Path(text)
    name = parse_name(text)
    if name is None or (_exists(path) and "@" not in text):
        if not _exists(path):
            raise RunError(f"{text}: no such run or checkpoint")
        return Located(path=path)
    models = Models()
    try:
        model = models.find(text)
    except UnknownModel:
        if _exists(path):
            return Located(path=path)
        if "@" in text:
            raise
        near = did_you_mean(near_names(text, {model.name for model in models.all()}))
        raise RunError(f"{text}: no such run or checkpoint{near}") from None
    return Located(path=verified_folder(models, model), model=model)


def pinned(text: str) -> str:
    """Return NAME@N for a model of the registry, whatever its aliases will mean later; else `text` as it is."""
    model = _known(text)
    return model.reference if model else text


def lasting(text: str) -> str:
    """Return what a run's recipe records: NAME@N, or a path that names the same folder from any working folder."""
    name, path = parse_name(text), Path(text)
    if name is not None and name.version is not None and not _exists(path):
        return text  # of a model that may have been removed since
    model = _known(text)
    if model is not None:
        return model.reference
    is_lost = name is not None and name.alias is not None and not _exists(path)
    return text if is_lost else str(path.absolute())


def locate_recipe(text: str, plugin_recipes: Sequence[Path] = ()) -> Path:
    """Return the recipe that `text` means: that of a run's folder or of a model of the registry, a file, or a name."""
    if "@" in text and parse_name(text) is not None and not _exists(Path(text)):
        return locate(text).path / RECIPE
    as_run = Path(text) / RECIPE
    return as_run if _exists(as_run) else find_recipe(text, plugin_recipes)


def _known(text: str) -> ModelVersion | None:
    """Return the model of the registry that `text` means; None if it means a path, or nothing."""
    if parse_name(text) is None or (_exists(Path(text)) and "@" not in text):
        return None
    try:
        return Models().find(text)
    except UnknownModel:
        return None


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # too long, a null byte
        return False
