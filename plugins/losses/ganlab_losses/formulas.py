"""Logits and labels, or two images -> one loss a label, image or pixel; the core averages."""

import torch.nn.functional as F
from torch import Tensor


class BinaryClassification:
    """Binary cross-entropy of K independent sigmoids; `smoothing` moves the targets towards a half."""

    def __init__(self, smoothing: float = 0.0) -> None:
        self.smoothing = smoothing

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        """Return one loss a label for logits and 0/1 targets [N, K]."""
        return F.softplus(logits) - _smoothed(target, self.smoothing, 2) * logits


class CategoricalClassification:
    """Cross-entropy of a softmax over K classes; `smoothing` moves the targets towards 1/K (Szegedy et al., 2016)."""

    def __init__(self, smoothing: float = 0.0) -> None:
        self.smoothing = smoothing

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        """Return one loss an image for logits and one-hot targets [N, K]."""
        return -(_smoothed(target, self.smoothing, logits.shape[1]) * logits.log_softmax(1)).sum(1)


class L1:
    """Absolute difference."""

    def __call__(self, a: Tensor, b: Tensor) -> Tensor:
        """Return one loss a value, of the shape of both."""
        return (a - b).abs()


class L2:
    """Squared difference."""

    def __call__(self, a: Tensor, b: Tensor) -> Tensor:
        """Return one loss a value, of the shape of both."""
        return (a - b).square()


def _smoothed(target: Tensor, smoothing: float, answers: int) -> Tensor:
    """Return 0/1 targets with a share of each moved evenly to all answers."""
    return target * (1 - smoothing) + smoothing / answers if smoothing else target
