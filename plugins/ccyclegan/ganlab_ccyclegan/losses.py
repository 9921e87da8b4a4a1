"""Logits -> losses as Keras computes them on sigmoids and softmaxes, where the experiments differ from the usual ones."""

import torch
import torch.nn.functional as F
from torch import Tensor


class SigmoidCrossEntropy:
    """Keras' categorical cross-entropy on sigmoids s: -ln(s_k / sum s), k the class of the target."""

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        """Return one loss an image for logits and one-hot targets [N, K]."""
        sigmoids = F.logsigmoid(logits)
        return sigmoids.logsumexp(1) - (target * sigmoids).sum(1)


class SoftmaxDistance:
    """Absolute difference of each share of a softmax and its target (T8's judge, Keras' "mae")."""

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        """Return one loss a class for logits and one-hot targets [N, K]."""
        return (logits.softmax(1) - target).abs()


class CrossEntropyThenSquares:
    """Cross-entropy for the discriminator; for the generator the squared distance of its probability to 1 (T6 to T8)."""

    def discriminator(self, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
        """Return the losses of real logits [N] and fake logits [M]."""
        return F.softplus(-real), F.softplus(fake)

    def generator(self, fake: Tensor) -> Tensor:
        """Return the losses of fake logits [M] that should look real."""
        return torch.sigmoid(-fake).square()
