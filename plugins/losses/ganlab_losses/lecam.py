"""A loss that keeps something between steps, and so is an `nn.Module`: the core moves, saves and resumes its buffers."""

import torch
from torch import Tensor, nn

from ganlab_losses.adversarial import BinaryCrossEntropy, Hinge, LeastSquares, Wasserstein

_BASES = {"bce": BinaryCrossEntropy, "hinge": Hinge, "lsgan": LeastSquares, "wasserstein": Wasserstein}


class LeCam(nn.Module):
    """LeCam (Tseng et al., 2021, Eq. 3): a base loss, and logits held near the moving average of the other kind's logits."""

    def __init__(self, base: str = "hinge", decay: float = 0.99, weight: float = 0.3) -> None:
        super().__init__()
        self.base, self.averages, self.weight = _BASES[base](), Averages(decay), weight

    def discriminator(self, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
        """Return the losses of real logits [N] and fake logits [M]; the averages follow both first."""
        of_real, of_fake = self.averages(real, fake)
        on_real, on_fake = self.base.discriminator(real, fake)
        # As in the paper; its code cuts both differences at 0 before it squares them.
        return on_real + self.weight * (real - of_fake).square(), on_fake + self.weight * (fake - of_real).square()

    def generator(self, fake: Tensor) -> Tensor:
        """Return the losses of fake logits [M] that should look real: the base loss, unchanged."""
        losses: Tensor = self.base.generator(fake)
        return losses


class Averages(nn.Module):
    """Moving averages of real and fake logits: the first update sets them, each later one moves them by 1 - decay."""

    values: Tensor  # of real and of fake logits, [2]
    started: Tensor  # 0 before the first update, then 1

    def __init__(self, decay: float) -> None:
        super().__init__()
        self.decay = decay
        self.register_buffer("values", torch.zeros(2))
        self.register_buffer("started", torch.zeros(()))

    @torch.no_grad()
    def forward(self, real: Tensor, fake: Tensor) -> Tensor:
        """Return both averages, [2], after they have followed the logits (in training); nothing is read on the host."""
        if self.training:
            now = torch.stack([real.mean(), fake.mean()]).to(self.values.dtype)
            self.values.lerp_(now, 1 - self.decay * self.started)
            self.started.fill_(1)
        return self.values.clone()
