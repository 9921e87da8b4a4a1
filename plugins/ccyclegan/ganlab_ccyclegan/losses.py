"""Logits and one-hot targets -> one loss an image."""

import torch.nn.functional as F
from torch import Tensor


class SigmoidCrossEntropy:
    """Keras' categorical cross-entropy on sigmoids s: -ln(s_k / sum s), k the class of the target."""

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        """Return one loss an image for logits and one-hot targets [N, K]."""
        sigmoids = F.logsigmoid(logits)
        return sigmoids.logsumexp(1) - (target * sigmoids).sum(1)
