"""A classifier and the test images -> how often it is right, label by label, and how sure it is of it."""

from __future__ import annotations

from collections.abc import Mapping

import torch.nn.functional as F
from torch import Tensor

from ganlab import ImageSet, Model


class Accuracy:
    """Scores what `classify` says of the test images."""

    def score(self, model: Model, test: ImageSet) -> Mapping[str, float]:
        """Return accuracies in [0, 1] and the log loss in nats; raises ValueError for a model that does not classify.

        Of classes: `accuracy` counts images, `macro_accuracy` classes (the mean of `accuracy_NAME`, which is the share of
        the class's images that are told as it), so that chance is 1/K however uneven the classes are. A class without a
        test image has no score. Of attributes: `accuracy_NAME` counts images, `accuracy` is their mean;
        `balanced_accuracy` is the mean, over the attributes that have both, of the mean of both answers' accuracies.
        """
        if "classify" not in model.makes:
            raise ValueError("the model classifies no image")
        if not model.data.labels:
            raise ValueError("the data have no labels")
        logits, labels = model.classify(test.images).double(), test.labels.double()
        names = model.data.label_names
        return (
            _of_classes(logits, labels, names) if model.data.label_kind == "classes" else _of_attributes(logits, labels, names)
        )


def _of_classes(logits: Tensor, labels: Tensor, names: tuple[str, ...]) -> dict[str, float]:
    """Score logits [N, K] by one-hot labels [N, K]."""
    is_right = (logits.argmax(1) == labels.argmax(1)).double()
    each = {name: float(is_right[is_its].mean()) for name, is_its in zip(names, labels.T.bool(), strict=True) if is_its.any()}
    return {
        "accuracy": float(is_right.mean()),
        "macro_accuracy": sum(each.values()) / len(each),
        "log_loss": float(F.cross_entropy(logits, labels)),
        **{f"accuracy_{name}": value for name, value in each.items()},
    }


def _of_attributes(logits: Tensor, labels: Tensor, names: tuple[str, ...]) -> dict[str, float]:
    """Score logits [N, K] by labels 0/1 [N, K]."""
    is_right = ((logits > 0) == labels.bool()).double()
    positives, negatives = labels.sum(0), (1 - labels).sum(0)
    both = (positives > 0) & (negatives > 0)
    balanced = (
        (is_right * labels).sum(0)[both] / positives[both] + (is_right * (1 - labels)).sum(0)[both] / negatives[both]
    ) / 2
    return {
        "accuracy": float(is_right.mean()),
        **({"balanced_accuracy": float(balanced.mean())} if len(balanced) else {}),
        "log_loss": float(F.binary_cross_entropy_with_logits(logits, labels)),
        **{f"accuracy_{name}": float(value) for name, value in zip(names, is_right.mean(0), strict=True)},
    }
