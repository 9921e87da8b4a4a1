"""Logits and 0/1 targets -> one loss a label."""

import torch
from torch import Tensor

_LARGEST_LOGARITHM = -1e-7  # of a probability: Keras, too, holds it 1e-7 below 1


class SoftmaxBinaryCrossEntropy:
    """Keras' binary cross-entropy on a softmax p over K labels: -ln p of those that are there, -ln(1 - p) of the others."""

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        """Return one loss a label for logits and 0/1 targets [N, K]."""
        yes = logits.log_softmax(1)
        no = torch.log(-torch.expm1(yes.clamp(max=_LARGEST_LOGARITHM)))
        return -target * yes - (1 - target) * no
