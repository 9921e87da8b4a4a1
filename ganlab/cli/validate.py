"""`ganlab validate`: check a recipe without reading data."""

from __future__ import annotations

from typing import Annotated

import typer

from ganlab.cli.choices import DatasetChoice, Sets
from ganlab.cli.console import progress, result
from ganlab.cli.recipe_arguments import read_spec
from ganlab.errors import GanlabError
from ganlab.runs.references import locate
from ganlab.spec import Spec


def command(
    recipe: Annotated[str, typer.Argument(help="recipe file, or the name of a shipped recipe", show_default=False)],
    sets: Sets = None,
    dataset: DatasetChoice = None,
) -> None:
    """Check a recipe: names, types, limits, and whether its parts fit. Reads no data."""
    spec, _ = read_spec(recipe, sets=sets or [], dataset=dataset)
    for line in (*spec.recipe.notices, *spec.notices):
        progress(line)
    for warning in _absent(spec):
        progress(f"warning: {warning}")
    data = spec.data
    result(
        f"{spec.recipe.path}: valid: {spec.objective.name} with {spec.architecture.name} on {spec.dataset.name}, "
        f"{data.size_px} px, {data.channels} channel{'s' if data.channels > 1 else ''}, {data.labels} labels"
    )


def _absent(spec: Spec) -> list[str]:
    """Return a line for each thing that a run would need and that is not here: data, models."""
    warnings = []
    try:
        spec.dataset.registered.load_target()(spec.dataset.options).sources()
    except GanlabError as error:
        warnings.append(str(error))
    models = {f"frozen.{name}.run": frozen.run for name, frozen in spec.frozen.items()}
    if spec.training.start_from is not None:
        models["training.start_from"] = spec.training.start_from
    for key, reference in models.items():
        try:
            locate(reference)
        except GanlabError as error:
            warnings.append(f"{key}: {str(error).splitlines()[0]}")
    return warnings
