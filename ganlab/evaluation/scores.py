"""A model and the recipe's evaluators -> scores.json: every score with the protocol that it was measured by."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from importlib.metadata import version
from typing import Any

import torch

from ganlab.contracts import ImageSet, Model
from ganlab.data.bank import one_hot
from ganlab.errors import GanlabError, PluginError, RecipeError
from ganlab.evaluation.named_models import build_evaluator
from ganlab.evaluation.remembering import RememberingModel
from ganlab.registry import in_one_line
from ganlab.runs.directory import Run
from ganlab.runs.scores import add_scores, read_scores
from ganlab.spec import Chosen, Spec
from ganlab.training.random_state import kept_random_state

Training = Callable[[], ImageSet]  # the images that a model was trained on, copied when somebody asks for them


def evaluate(
    spec: Spec,
    model: Model,
    test: ImageSet,
    run: Run,
    device: torch.device,
    facts: Mapping[str, Any],
    *,
    training: Training | None = None,
) -> dict[str, float]:
    """Score `model` by each evaluator of the recipe, add the scores to scores.json, return them by "evaluator.score"."""
    model = RememberingModel(model)
    cards = protocols(spec, model, test, training=training)
    entries = [
        {**facts, **found_by(spec, name, model, test, device, training=training), "protocol": cards[name]}
        for name in spec.evaluation
    ]
    if entries:  # those of later steps are from before the run went back
        add_scores(run, entries, replaces=lambda entry: bool(entry["step"] >= facts["step"]))
    return {f"{entry['evaluator']}.{key}": value for entry in entries for key, value in entry["scores"].items()}


def found_by(
    spec: Spec,
    name: str,
    model: Model,
    test: ImageSet,
    device: torch.device,
    *,
    split: str = "test",
    training: Training | None = None,
) -> dict[str, Any]:
    """Return what the evaluator of the section `name` finds: the part of an entry of scores.json that it decides."""
    chosen = spec.evaluation[name]
    with _blamed(name, chosen), kept_random_state(device):
        built, _ = build_evaluator(name, chosen, device)
        images = _labelled(spec, _given(name, built, test, split, training)[0])
        scores = {key: float(value) for key, value in built.score(model, images).items()}
        told = dict(getattr(built, "best_is", {}))
        if strange := sorted(set(map(str, told.values())) - {"lowest", "highest"}):
            raise ValueError(f"its best_is says {', '.join(strange)}; a score is best when lowest or highest")
        details = dict(built.details(model, images)) if hasattr(built, "details") else {}
        json.dumps(details, allow_nan=False)  # what JSON cannot hold is the plugin's fault
    best_is = {key: which for key, which in told.items() if key in scores}
    return {
        "evaluator": name,
        "scores": scores,
        **({"best_is": best_is} if best_is else {}),
        **({"details": details} if details else {}),
    }


def protocols(
    spec: Spec,
    model: Model,
    test: ImageSet,
    *,
    split: str = "test",
    raw: bool = False,
    training: Training | None = None,
) -> dict[str, dict[str, Any]]:
    """Return the protocol card of each evaluator of the recipe, before any image is made.

    `test` are the images of `split`; `raw`: of the model the raw weights, though averaged ones were kept; `training`: the
    images that it learned from. Raises what an evaluator says is missing, and `RecipeError` where one does not fit the model
    or the data.
    """
    cards = {}
    for name, chosen in spec.evaluation.items():
        with _blamed(name, chosen):
            built, models = build_evaluator(name, chosen, model.device)
            explain = getattr(built, "protocol", None)
            try:
                images, its_split = _given(name, built, test, split, training)
                facts = {} if explain is None else dict(explain(model, _labelled(spec, images)))
            except ValueError as error:
                raise RecipeError(f"evaluation.{name}: {in_one_line(error).removeprefix('ValueError: ')}") from error
            json.dumps(facts, allow_nan=False)  # what JSON cannot hold is the plugin's fault
        named = {option: {"name": named.name, "digest": named.digest} for option, named in models.items()}
        cards[name] = {
            **_protocol(spec, name, images, its_split, raw),
            **({"models": named} if named else {}),
            **({"facts": facts} if facts else {}),
        }
    return cards


def _given(name: str, built: Any, test: ImageSet, split: str, training: Training | None) -> tuple[ImageSet, str]:
    """Return the images that an evaluator gets, and of which split they are."""
    wanted = getattr(built, "split", None)
    if wanted is None:
        return test, split
    if wanted != "train" or training is None:
        at_hand = f"what is at hand are those of {split}, of data that it may not have learned from"
        raise ValueError(f"wants the images of the split {wanted!r}, those that the model learned from; {at_hand}")
    return training(), wanted


def is_scored(spec: Spec, run: Run, step: int) -> bool:
    """Return whether scores.json holds what each evaluator of the recipe found after `step`."""
    return set(spec.evaluation) <= {entry["evaluator"] for entry in read_scores(run) if entry["step"] == step}


@contextmanager
def _blamed(name: str, chosen: Chosen) -> Iterator[None]:
    """Tell what an evaluator raises as its fault, unless it says what the user can mend."""
    try:
        yield
    except GanlabError:
        raise
    except Exception as error:
        raise PluginError(f"evaluator {name} (plugin {chosen.registered.plugin}) failed: {in_one_line(error)}") from error


def _labelled(spec: Spec, test: ImageSet) -> ImageSet:
    """Return the test images as an evaluator gets them: labels 0/1 [N, K]."""
    return replace(test, labels=one_hot(test.labels, spec.data.labels, len(test.images)))


def _protocol(spec: Spec, name: str, test: ImageSet, split: str, raw: bool) -> dict[str, Any]:
    chosen = spec.evaluation[name]
    trained_on = getattr(spec.dataset.options, "split", None)
    return {
        "evaluator": chosen.registered.full_name,
        "version": chosen.registered.component.version,
        "options": dict(chosen.settings),
        "data": spec.dataset.name,
        "split": split,
        "test_split_was_trained_on": spec.data.test_seen if split == "test" else trained_on in (split, "all"),
        "test_images": len(test.images),
        "weights": "averaged" if spec.training.averaging_decay and not raw else "raw",
        "ganlab": version("ganlab"),
    }
