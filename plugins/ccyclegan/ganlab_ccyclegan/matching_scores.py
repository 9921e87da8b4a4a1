"""A model that knows which label fits an image -> how often it is right about true and wrong labels of test images."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from ganlab import ImageSet, Model


class MatchingScores:
    """Scores C1 as published: every test image with its label and with one wrong label, which `seed` draws."""

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def score(self, model: Model, test: ImageSet) -> Mapping[str, float]:
        """Return accuracy (chance: 0.5), log loss in nats and AUC of the pairs, and accuracy of the best label (chance: 1/K).

        The last is what the author's 70 % was compared with: a classifier of K classes.
        """
        if "classify" not in model.makes:
            raise ValueError("the model does not tell which label fits an image")
        count = test.labels.shape[1]
        if model.data.label_kind != "classes" or count < 2:
            raise ValueError("an image has no wrong label: matching needs two classes or more")
        logits, own = model.classify(test.images).double(), test.labels.argmax(1)
        shifts = torch.randint(1, count, (len(own), 1), generator=torch.Generator().manual_seed(self.seed))
        fits = logits.gather(1, own[:, None])[:, 0]
        fits_not = logits.gather(1, (own[:, None] + shifts) % count)[:, 0]
        return {
            "accuracy": float(torch.cat([fits > 0, fits_not <= 0]).double().mean()),
            "log_loss": float(torch.cat([F.softplus(-fits), F.softplus(fits_not)]).mean()),
            "auc": area_under_curve(fits, fits_not),
            "class_accuracy": float((logits.argmax(1) == own).double().mean()),
        }


def area_under_curve(positive: Tensor, negative: Tensor) -> float:
    """Return the share of pairs of which the positive score, [N], is above the negative one, [M]; a tie counts half."""
    ordered = negative.sort().values
    below = torch.searchsorted(ordered, positive)
    not_above = torch.searchsorted(ordered, positive, right=True)
    return float((below + not_above).double().mean() / (2 * len(negative)))
