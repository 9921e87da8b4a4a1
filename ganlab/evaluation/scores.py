"""A model and the recipe's evaluators -> scores.json: every score with the protocol that it was measured by."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import torch

from ganlab.contracts import ImageSet, Model
from ganlab.data.bank import one_hot
from ganlab.errors import PluginError
from ganlab.registry import in_one_line
from ganlab.resolve import evaluator
from ganlab.runs.directory import Run
from ganlab.spec import Spec
from ganlab.training.random_state import kept_random_state


def evaluate(
    spec: Spec, model: Model, test: ImageSet, run: Run, device: torch.device, facts: Mapping[str, Any]
) -> dict[str, float]:
    """Score `model` by each evaluator of the recipe, add the scores to scores.json, return them by "evaluator.score"."""
    labelled = ImageSet(
        images=test.images, labels=one_hot(test.labels, spec.data.labels, len(test.images)), identities=test.identities
    )
    entries, values = [], {}
    for name, chosen in spec.evaluation.items():
        try:
            with kept_random_state(device):
                scores = {key: float(value) for key, value in evaluator(chosen).score(model, labelled).items()}
        except Exception as error:  # whatever a plugin raises is told as its fault
            raise PluginError(f"evaluator {name} (plugin {chosen.registered.plugin}) failed: {in_one_line(error)}") from error
        values.update({f"{name}.{key}": value for key, value in scores.items()})
        entries.append({**facts, "evaluator": name, "scores": scores, "protocol": _protocol(spec, name, test)})
    if entries:
        before = json.loads(run.scores.read_text(encoding="utf-8"))["scores"] if run.scores.exists() else []
        kept = [entry for entry in before if entry["step"] < facts["step"]]
        run.write_json(run.scores.name, {"scores": [*kept, *entries]})
    return values


def scored_steps(run: Run) -> set[int]:
    """Return the steps that scores.json holds scores of."""
    if not run.scores.exists():
        return set()
    return {entry["step"] for entry in json.loads(run.scores.read_text(encoding="utf-8"))["scores"]}


def _protocol(spec: Spec, name: str, test: ImageSet) -> dict[str, Any]:
    chosen = spec.evaluation[name]
    return {
        "evaluator": chosen.registered.full_name,
        "version": chosen.registered.component.version,
        "options": dict(chosen.settings),
        "data": spec.dataset.name,
        "split": "test",
        "test_split_was_trained_on": spec.data.test_seen,
        "test_images": len(test.images),
        "weights": "averaged" if spec.training.averaging_decay else "raw",
        "ganlab": version("ganlab"),
    }
