"""A critic (images -> logits), real and fake images -> one loss an image: what holds the critic's slope; the core averages."""

from collections.abc import Callable

import torch
from torch import Tensor

Critic = Callable[[Tensor], Tensor]


class NoPenalty:
    """No penalty: an objective asks `if self.penalty` and computes nothing."""

    is_penalty = False

    def __call__(self, critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
        """Return zeros, [N]."""
        return real.new_zeros(len(real))


class GradientPenalty:
    """WGAN-GP (Gulrajani et al., 2017, Eq. 3): slopes of 1 between real and fake images; the term's weight is lambda."""

    def __call__(self, critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
        """Return one loss a real image [N, C, H, W]; the i-th is joined to fake i, counted round if there are fewer fakes."""
        partner = fake[torch.arange(len(real), device=real.device) % len(fake)]
        share = torch.rand(len(real), 1, 1, 1, dtype=real.dtype, device=real.device)
        slopes: Tensor = torch.linalg.vector_norm(_slopes(critic, real.lerp(partner, share)), dim=1)
        return (slopes - 1).square()


class RealPenalty:
    """R1 (Mescheder et al., 2018, Eq. 9): half the squared slope at real images; the term's weight is the paper's gamma."""

    def __call__(self, critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
        """Return one loss a real image, [N]."""
        return _slopes(critic, real).square().sum(1) / 2


class FakePenalty:
    """R2 (Mescheder et al., 2018, Eq. 10): half the squared slope at fake images; the term's weight is the paper's gamma."""

    def __call__(self, critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
        """Return one loss a fake image, [M]."""
        return _slopes(critic, fake).square().sum(1) / 2


def _slopes(critic: Critic, images: Tensor) -> Tensor:
    """Return the gradient of the critic's logits by each image, [N, C * H * W], to be differentiated again."""
    images = images.detach().requires_grad_()
    (slopes,) = torch.autograd.grad(critic(images).sum(), images, create_graph=True)
    return slopes.flatten(1)
