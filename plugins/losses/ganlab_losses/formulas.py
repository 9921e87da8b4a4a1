"""Logits and labels, or two images -> one loss a label, image or pixel; the core averages."""

import torch.nn.functional as F
from torch import Tensor


class BinaryClassification:
    """Binary cross-entropy of K independent sigmoids."""

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        """Return one loss a label for logits and 0/1 targets [N, K]."""
        return F.softplus(logits) - target * logits


class CategoricalClassification:
    """Cross-entropy of a softmax over K classes."""

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        """Return one loss an image for logits and one-hot targets [N, K]."""
        return -(target * logits.log_softmax(1)).sum(1)


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
