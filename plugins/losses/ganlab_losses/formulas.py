"""Logits, images or labels -> one loss a logit, pixel or label; the core averages."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor


class BinaryCrossEntropy:
    """Non-saturating GAN loss (Goodfellow et al., 2014) with targets of real images from [real_low, real_high)."""

    def __init__(self, real_low: float = 1.0, real_high: float = 1.0, smooth_generator: bool = False) -> None:
        self.real_low, self.real_high, self.smooth_generator = real_low, real_high, smooth_generator

    def discriminator(self, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
        """Return the losses of real logits [N] and fake logits [M]."""
        return self._towards_real(real), F.softplus(fake)

    def generator(self, fake: Tensor) -> Tensor:
        """Return the losses of fake logits [N] that should look real."""
        return self._towards_real(fake) if self.smooth_generator else F.softplus(-fake)

    def _towards_real(self, logits: Tensor) -> Tensor:
        if self.real_low == self.real_high == 1.0:
            return F.softplus(-logits)
        target = self.real_low + (self.real_high - self.real_low) * torch.rand_like(logits)
        return F.softplus(logits) - target * logits  # also right for targets above 1


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


class NoPenalty:
    """No penalty: an objective asks `if self.penalty` and computes nothing."""

    is_penalty = False

    def __call__(self, critic: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor) -> Tensor:
        """Return zeros, [N]."""
        return real.new_zeros(len(real))
