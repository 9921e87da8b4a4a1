"""Logits and 0/1 labels -> one loss a label."""

from torch import Tensor


class TanhHinge:
    """Keras' hinge on a tanh, with labels of -1 and 1: max(0, 1 - label * tanh(logit))."""

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        """Return one loss a label for logits and 0/1 targets [N, K]."""
        # 1 - label * tanh is never negative, so there is nothing to cut off.
        return 1 - (2 * target - 1) * logits.tanh()
