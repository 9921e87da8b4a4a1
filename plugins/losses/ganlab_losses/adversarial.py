"""Logits of real and fake images, each on its own -> one loss a logit; the core averages."""

import torch
import torch.nn.functional as F
from torch import Tensor


class BinaryCrossEntropy:
    """Non-saturating GAN loss (Goodfellow et al., 2014, Section 3); a logit's target is drawn from [low, high)."""

    def __init__(
        self,
        real_low: float = 1.0,
        real_high: float = 1.0,
        fake_low: float = 0.0,
        fake_high: float = 0.0,
        smooth_generator: bool = False,
    ) -> None:
        self.real, self.fake = (real_low, real_high), (fake_low, fake_high)
        self.generated = self.real if smooth_generator else (1.0, 1.0)

    def discriminator(self, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
        """Return the losses of real logits [N] and fake logits [M]."""
        return _cross_entropy(real, *self.real), _cross_entropy(fake, *self.fake)

    def generator(self, fake: Tensor) -> Tensor:
        """Return the losses of fake logits [M] that should look real."""
        return _cross_entropy(fake, *self.generated)


class Hinge:
    """Hinge loss (Lim and Ye, 2017; Miyato et al., 2018, Eq. 16 and 17): real logits above 1, fake logits below -1."""

    def discriminator(self, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
        """Return the losses of real logits [N] and fake logits [M]."""
        return F.relu(1 - real), F.relu(1 + fake)

    def generator(self, fake: Tensor) -> Tensor:
        """Return the losses of fake logits [M] that should look real."""
        return -fake


class LeastSquares:
    """LSGAN (Mao et al., 2017, Eq. 2): half the squared distance to targets b of real, a of fake images, c of the generator."""

    def __init__(
        self, real_target: float = 1.0, fake_target: float = 0.0, generator_target: float = 1.0, factor: float = 0.5
    ) -> None:
        self.real_target, self.fake_target, self.generator_target = real_target, fake_target, generator_target
        self.factor = factor

    def discriminator(self, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
        """Return the losses of real logits [N] and fake logits [M]."""
        return self.factor * (real - self.real_target).square(), self.factor * (fake - self.fake_target).square()

    def generator(self, fake: Tensor) -> Tensor:
        """Return the losses of fake logits [M] that should look real."""
        return self.factor * (fake - self.generator_target).square()


class Wasserstein:
    """WGAN (Arjovsky et al., 2017, Eq. 3): the logits themselves; wants a critic with bounded slope (a penalty, clipping)."""

    def discriminator(self, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
        """Return the losses of real logits [N] and fake logits [M]."""
        return -real, fake

    def generator(self, fake: Tensor) -> Tensor:
        """Return the losses of fake logits [M] that should look real."""
        return -fake


def _cross_entropy(logits: Tensor, low: float, high: float) -> Tensor:
    """Return the cross-entropy of each logit with a target of its own from [low, high)."""
    if low == high and low in (0.0, 1.0):
        return F.softplus(-logits if low else logits)
    target = low + (high - low) * torch.rand_like(logits)
    return F.softplus(logits) - target * logits  # also right for targets above 1
