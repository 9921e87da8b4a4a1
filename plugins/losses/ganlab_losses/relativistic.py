"""Logits of real and fake images, judged against each other -> one loss a logit; the core averages."""

import torch.nn.functional as F
from torch import Tensor


class RelativisticAverage:
    """RaSGAN (Jolicoeur-Martineau, 2018, Section 4): real against the mean fake and fake against the mean real."""

    def discriminator(self, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
        """Return the losses of real logits [N] and fake logits [M]."""
        return F.softplus(fake.mean() - real), F.softplus(fake - real.mean())

    def generator(self, fake: Tensor, real: Tensor) -> tuple[Tensor, Tensor]:
        """Return the losses of fake logits [M] that should look more real than the real ones [N], and of those."""
        return F.softplus(real.mean() - fake), F.softplus(real - fake.mean())


class RelativisticPaired:
    """RpGAN (Jolicoeur-Martineau, 2018), as in R3GAN (Huang et al., 2024, Eq. 2): is a real image more real than its fake."""

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """Return one loss a pair of real and fake logits [N]."""
        return F.softplus(fake - real)

    def generator(self, fake: Tensor, real: Tensor) -> Tensor:
        """Return one loss a pair of fake and real logits [N]."""
        return F.softplus(real - fake)
