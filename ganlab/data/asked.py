"""A data set's name and the `--set` of a command line -> its options, and its images, without a recipe around them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ganlab.contracts import DataSpec
from ganlab.data.cache import CachedImages, open_images
from ganlab.data.classes import data_of, keep_classes
from ganlab.data.pieces import Progress, untold
from ganlab.errors import GanlabError, PluginError, UsageError
from ganlab.options import DatasetOptions
from ganlab.recipe import Place, Recipe
from ganlab.recipe_text import Key, parse_set
from ganlab.registry import Registered
from ganlab.spec_faults import Faults


def asked_options(
    registered: Registered, sets: Sequence[str], given: Mapping[str, Any], refused: Mapping[str, str]
) -> tuple[DatasetOptions, DataSpec]:
    """Return the options, those that are `given` changed by `sets`, and what they promise.

    `refused` holds options that may not be set, and why. Raises RecipeError with every fault.
    """
    model = registered.load_options()
    if model is None or not issubclass(model, DatasetOptions):
        raise PluginError(f"plugin {registered.plugin}: options of {registered.name} must derive from DatasetOptions")
    table = dict(given)
    for text in sets:
        key, value = parse_set(text.removeprefix("dataset."))
        if len(key) != 1:
            raise UsageError(f"--set {text}: only options of the data set can be set here")
        if key[0] in refused:
            raise UsageError(f"--set {text}: {refused[key[0]]}")
        table[key[0]] = value
    places: dict[Key, Place] = {("dataset", key): Place(None) for key in table}
    faults = Faults(Recipe(path=None, name=f"data set {registered.name}", values={"dataset": table}, places=places))
    options = faults.validated(("dataset",), model, table)
    try:
        if options is not None:
            options = options.found()
            if spec := data_of(faults, options):
                return options, spec
    except GanlabError as error:
        faults.add(("dataset",), str(error), code=error.code)
    faults.raise_all()
    raise AssertionError("there was a fault")


def open_asked(registered: Registered, options: DatasetOptions, spec: DataSpec, progress: Progress = untold) -> CachedImages:
    """Return every image of the data set, through the cache that runs use."""
    dataset: Any = registered.load_target()(options)
    images = open_images(
        registered.full_name,
        registered.component.version,
        options.content(),
        dataset,
        size_px=spec.size_px,
        channels=spec.channels,
        progress=progress,
    )
    return keep_classes(images, options)
