"""A conditional model and a judge -> whether the labels that were asked for are seen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from ganlab import ImageSet, Model, NamedModel
from ganlab.scores import Sampling, asked_labels, made_images, real_images, sampling_card
from ganlab_scores.judging import accuracies, confusion, fitting_judge, judge_card, seen


class Conditional:
    """Asks for the labels of the real images; a translator moves each real image to the labels of another."""

    best_is: Mapping[str, str] = {
        "accuracy": "highest",
        "macro_accuracy": "highest",
        "balanced_accuracy": "highest",
        "f1": "highest",
    }

    def __init__(self, judge: NamedModel | None, images: int | None, seed: int) -> None:
        self._judge, self._sampling = judge, Sampling(images=images, seed=seed)

    def protocol(self, model: Model, test: ImageSet) -> Mapping[str, Any]:
        """Return the judge's own scores on the real images too; raises `DataError` without judge, `ValueError` for misfits."""
        card = sampling_card(model, test, self._sampling)
        judge = fitting_judge(self._judge, model)
        return {**card, **judge_card(judge, real_images(test, self._sampling), model)}

    def score(self, model: Model, test: ImageSet) -> Mapping[str, float]:
        """Return accuracies and, of attributes, F1, as `judging.accuracies` names them."""
        return accuracies(*self._answers(model, test), model.data.label_names, model.data.label_kind)

    def details(self, model: Model, test: ImageSet) -> Mapping[str, Any]:
        """Return the confusion of classes: asked -> seen -> share."""
        if model.data.label_kind != "classes":
            return {}
        return {"confusion": confusion(*self._answers(model, test), model.data.label_names)}

    def _answers(self, model: Model, test: ImageSet) -> tuple[Tensor, Tensor]:
        """Return the judge's logits and the labels that were asked for, each [N, K]."""
        sampling_card(model, test, self._sampling)  # refuses a model that makes nothing
        judge, real = fitting_judge(self._judge, model), real_images(test, self._sampling)
        made = made_images(model, real, self._sampling, self._sampling.seed)
        return seen(judge, made, model.data.label_names), asked_labels(model, real, self._sampling, self._sampling.seed)
