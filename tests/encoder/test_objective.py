"""One step moves the encoder by the published distance; what is frozen stays, batch statistics included."""

from collections.abc import Mapping
from typing import Any

import pytest
import torch
from ganlab_encoder.objective import EncoderSteps, energy_distance, moments_apart
from ganlab_losses.formulas import L1, L2
from torch import Tensor, nn

from ganlab import Batch, GanlabError, Verdict
from ganlab.losses import Criterion


class Encoder(nn.Module):
    """Gives the mean of an image, scaled, three times."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, images: Tensor) -> Tensor:
        return (self.scale * images.mean((1, 2, 3)))[:, None].expand(-1, 3)


class Generator(nn.Module):
    """Paints the noise's first number plus half of the second label."""

    def forward(self, noise: Tensor, labels: Tensor) -> Tensor:
        return (noise[:, 0] + labels[:, 1] / 2)[:, None, None, None].expand(-1, 1, 2, 2)


class Discriminator(nn.Module):
    """Sees an image doubled."""

    def forward(self, images: Tensor) -> Verdict:
        return Verdict(logits=images.mean((1, 2, 3)), features=2 * images.flatten(1))


class HandStep:
    """A step on four images of 0, 1/4, 1/2, 3/4 whose second label is 1, 0, 1, 0."""

    phase = None
    device = torch.device("cpu")

    def __init__(self, noise_length: int = 3) -> None:
        self.nets: Mapping[str, nn.Module] = {"encoder": Encoder(), "generator": Generator(), "discriminator": Discriminator()}
        self.noise_length = noise_length
        self.measures: dict[str, Tensor] = {}

    def batch(self, count: int | None = None, of: int | None = None) -> Batch:
        images = (torch.arange(4) / 4)[:, None, None, None].expand(-1, 1, 2, 2)
        second = torch.tensor([1.0, 0, 1, 0])
        return Batch(images=images, labels=torch.stack([1 - second, second], 1))

    def labels(self, count: int) -> Tensor:
        raise AssertionError("an image comes back with its own label")

    def noise(self, count: int) -> Tensor:
        return torch.full((count, self.noise_length), 0.5)

    def log(self, **measures: Tensor) -> None:
        self.measures |= measures


def terms_of(s: HandStep, distance: Any = L1, **options: Any) -> dict[str, float]:
    steps = EncoderSteps(distance=Criterion(distance()), feature_distance=Criterion(L2()), **options)
    (update,) = steps.step(s)
    assert update.player == "encoder"
    return {name: term.item() for name, term in update.terms.items()}


def test_published_distances() -> None:
    # Two images of four pixels are 1/2 off: means 1/4 and 1/8; half the sum of 8 squares of 1/4 is 1.
    assert terms_of(HandStep()) == {"e_image": 0.25}
    assert terms_of(HandStep(), L2) == {"e_image": 0.125}
    assert terms_of(HandStep(), L2, distance_scale="half_sum") == {"e_image": 1.0}


def test_features_are_compared_through_the_discriminator() -> None:
    assert terms_of(HandStep(), perceptual=True) == {"e_image": 0.25, "e_features": 0.5}


def test_the_noise_may_be_drawn_to_the_generators() -> None:
    # Means of noise 3/8 and 1/2; variances 5/64 and 0.
    terms = terms_of(HandStep(), noise_match="moments")
    assert terms["e_noise"] == pytest.approx((1 / 8) ** 2 + (5 / 64) ** 2)
    assert terms_of(HandStep(), noise_match="energy")["e_noise"] > 0


def test_energy_and_moments_are_0_for_the_same_noise_and_fall_towards_it() -> None:
    torch.manual_seed(0)
    wanted = torch.rand(64, 5) * 2 - 1
    for apart in (moments_apart, energy_distance):
        assert apart(wanted, wanted).item() == pytest.approx(0, abs=1e-6)
        noise = torch.rand(64, 5).requires_grad_()  # a sigmoid's half of it
        far = apart(noise, wanted)
        far.backward()
        assert noise.grad is not None
        assert noise.grad.isfinite().all()
        assert apart(noise.detach() - 0.1 * noise.grad / noise.grad.norm(), wanted) < far
    flat = torch.zeros(64, 5, requires_grad=True)  # collapsed: all distances within it are 0
    energy_distance(flat, wanted).backward()
    assert flat.grad is not None
    assert flat.grad.isfinite().all()


def test_a_collapse_shows_in_the_log() -> None:
    s = HandStep()
    terms_of(s)
    assert s.measures["noise_deviation"].item() == pytest.approx((5 / 64) ** 0.5)
    assert s.measures["generator_noise_deviation"].item() == 0


def test_noise_of_another_length_is_told_before_the_generator_fails() -> None:
    with pytest.raises(GanlabError, match=r"gives 3 numbers of noise and the generator takes 7: set architecture.noise = 7$"):
        terms_of(HandStep(noise_length=7))
