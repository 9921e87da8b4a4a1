"""The formulas of the shared losses, against values worked out by hand from the papers."""

import math

import pytest
import torch
from ganlab_losses.adversarial import BinaryCrossEntropy, Hinge, LeastSquares, Wasserstein
from ganlab_losses.formulas import BinaryClassification, CategoricalClassification
from ganlab_losses.lecam import LeCam
from ganlab_losses.options import BinaryCrossEntropyOptions
from ganlab_losses.penalties import FakePenalty, GradientPenalty, RealPenalty
from ganlab_losses.relativistic import RelativisticAverage, RelativisticPaired
from pydantic import ValidationError
from torch import Tensor, nn

from ganlab import Adversarial, Penalty

REAL, FAKE = torch.tensor([2.0, -0.5]), torch.tensor([0.0, 1.5, -3.0])


def close(values: Tensor, expected: list[float]) -> None:
    torch.testing.assert_close(values, torch.tensor(expected, dtype=values.dtype), rtol=0, atol=1e-6)


def softplus(x: float) -> float:
    """Return ln(1 + e^x)."""
    return math.log1p(math.exp(x))


# Each logit on its own


def test_bce_is_the_cross_entropy_with_1_and_0() -> None:
    real, fake = BinaryCrossEntropy().discriminator(REAL, FAKE)
    close(real, [0.126928, 0.974077])  # ln(1 + e^-2), ln(1 + e^0.5)
    close(fake, [0.693147, 1.701413, 0.048587])  # ln 2, ln(1 + e^1.5), ln(1 + e^-3)
    close(BinaryCrossEntropy().generator(FAKE), [0.693147, 0.201413, 3.048587])


def test_bce_of_a_soft_target_is_its_cross_entropy_also_above_1() -> None:
    logit = torch.tensor([math.log(4.0)])  # a sigmoid of 0.8
    for target, value in ((0.9, 0.361773), (1.2, -0.054115)):  # -t ln 0.8 - (1 - t) ln 0.2
        loss = BinaryCrossEntropy(real_low=target, real_high=target, smooth_generator=True)
        close(loss.discriminator(logit, logit)[0], [value])
        close(loss.generator(logit), [value])
    two_sided = BinaryCrossEntropy(fake_low=0.1, fake_high=0.1)
    close(two_sided.discriminator(logit, logit)[1], [1.470808])  # -0.1 ln 0.8 - 0.9 ln 0.2
    close(two_sided.discriminator(logit, logit)[0], [0.223144])  # -ln 0.8


def test_bce_draws_real_then_fake_targets_from_their_ranges() -> None:
    logits = torch.ones(2000)
    torch.manual_seed(0)
    real, fake = BinaryCrossEntropy(real_low=0.7, real_high=1.2, fake_low=0.0, fake_high=0.3).discriminator(logits, logits)
    targets = softplus(1.0) - torch.cat([real, fake]).view(2, -1)
    assert 0.7 - 1e-6 <= targets[0].min() < 0.71
    assert 1.19 < targets[0].max() <= 1.2 + 1e-6
    assert -1e-6 <= targets[1].min() < 0.01
    assert 0.29 < targets[1].max() <= 0.3 + 1e-6
    torch.manual_seed(0)
    close(targets[0], (0.7 + 0.5 * torch.rand(2000)).tolist())


def test_bce_draws_nothing_with_the_targets_1_and_0() -> None:
    before = torch.get_rng_state()
    BinaryCrossEntropy(smooth_generator=True).discriminator(REAL, FAKE)
    BinaryCrossEntropy(smooth_generator=True).generator(FAKE)
    assert torch.equal(before, torch.get_rng_state())


def test_bce_refuses_a_range_that_is_upside_down() -> None:
    with pytest.raises(ValidationError, match=r"fake_low 0.2 is above fake_high 0.1"):
        BinaryCrossEntropyOptions.model_validate({"fake_low": 0.2, "fake_high": 0.1})


def test_hinge_asks_for_logits_beyond_1() -> None:
    real, fake = Hinge().discriminator(REAL, FAKE)
    close(real, [0, 1.5])
    close(fake, [1, 2.5, 0])
    close(Hinge().generator(FAKE), [0, -1.5, 3])


def test_lsgan_is_half_the_squared_distance_to_its_targets() -> None:
    real, fake = LeastSquares().discriminator(REAL, FAKE)
    close(real, [0.5, 1.125])  # (2 - 1)^2 / 2, (-0.5 - 1)^2 / 2
    close(fake, [0, 1.125, 4.5])
    close(LeastSquares().generator(FAKE), [0.5, 0.125, 8])
    coded = LeastSquares(real_target=1, fake_target=-1, generator_target=0)  # the paper's Eq. 8
    close(coded.discriminator(REAL, FAKE)[1], [0.5, 3.125, 2])
    close(coded.generator(FAKE), [0, 1.125, 4.5])


def test_lsgan_without_the_half_is_keras_mean_squared_error() -> None:
    patches = torch.full((2, 1, 3, 3), 0.5)
    loss = Adversarial(LeastSquares(factor=1.0))
    assert loss.generator(patches, lambda: patches).item() == 0.25


def test_wasserstein_is_the_logits() -> None:
    real, fake = Wasserstein().discriminator(REAL, FAKE)
    close(real, [-2, 0.5])
    close(fake, [0, 1.5, -3])
    close(Wasserstein().generator(FAKE), [0, -1.5, 3])


# Against each other


def test_relativistic_average_compares_with_the_mean_of_the_other_kind() -> None:
    # The means are 0.75 and -0.5: real logits stand 2.5 and 0 above the fakes, fakes -0.75, 0.75, -3.75 above the real.
    real, fake = RelativisticAverage().discriminator(REAL, FAKE)
    close(real, [0.078889, 0.693147])  # ln(1 + e^-2.5), ln 2
    close(fake, [0.386871, 1.136871, 0.023245])  # ln(1 + e^-0.75), ln(1 + e^0.75), ln(1 + e^-3.75)
    on_fake, on_real = RelativisticAverage().generator(FAKE, REAL)
    close(on_fake, [1.136871, 0.386871, 3.773245])
    close(on_real, [2.578889, 0.693147])


def test_relativistic_paired_compares_a_real_with_its_fake() -> None:
    fake = FAKE[:2]  # real logits stand 2 and -2 above them
    close(RelativisticPaired().discriminator(REAL, fake), [0.126928, 2.126928])
    close(RelativisticPaired().generator(fake, REAL), [2.126928, 0.126928])


def test_lecam_starts_with_the_first_means_and_then_follows_them() -> None:
    loss = LeCam(decay=0.9, weight=0.1)
    # Averages 0.75 and -0.5. Hinge gives 0 and 1.5; to that come 0.1 (2 + 0.5)^2 and 0.1 (-0.5 + 0.5)^2.
    real, fake = loss.discriminator(REAL, FAKE)
    close(real, [0.625, 1.5])
    close(fake, [1 + 0.05625, 2.5 + 0.05625, 0 + 1.40625])  # 0.1 (0 - 0.75)^2, 0.1 (1.5 - 0.75)^2, 0.1 (-3 - 0.75)^2
    # The means of these are 4 and 0.5, so the averages move to 0.9 * 0.75 + 0.1 * 4 = 1.075 and -0.4.
    real, fake = loss.discriminator(torch.tensor([4.0]), torch.tensor([0.5]))
    close(loss.averages.values, [1.075, -0.4])
    close(real, [0.1 * 4.4**2])
    close(fake, [1.5 + 0.1 * 0.575**2])


def test_lecam_takes_the_base_that_it_is_told_and_leaves_the_generator_alone() -> None:
    for base, plain in (("hinge", Hinge()), ("bce", BinaryCrossEntropy()), ("lsgan", LeastSquares())):
        loss = LeCam(base, weight=0.0)
        assert all(
            torch.equal(a, b) for a, b in zip(loss.discriminator(REAL, FAKE), plain.discriminator(REAL, FAKE), strict=True)
        )
        assert torch.equal(loss.generator(FAKE), plain.generator(FAKE))


def test_lecam_moves_its_averages_in_updates_of_the_discriminator_only() -> None:
    loss = LeCam()
    loss.generator(FAKE)
    assert loss.averages.values.tolist() == [0, 0]
    loss.discriminator(REAL, FAKE)
    before = loss.averages.values.clone()
    loss.generator(FAKE + 100)
    loss.eval()
    loss.discriminator(REAL + 100, FAKE)
    assert torch.equal(loss.averages.values, before)


# Penalties of a critic whose slope is known


def slope_of_3(images: Tensor) -> Tensor:
    """Return logits whose gradient by each image [1, 1, 3] is (2, 2, 1), of length 3."""
    return (images.flatten(1) * torch.tensor([2.0, 2.0, 1.0], dtype=images.dtype)).sum(1)


def half_square(images: Tensor) -> Tensor:
    """Return logits whose gradient is the image itself."""
    return images.square().flatten(1).sum(1) / 2


def images_of(*rows: list[float]) -> Tensor:
    return torch.tensor(rows, dtype=torch.float32)[:, None, None, :]


def test_penalties_of_a_linear_critic() -> None:
    real, fake = torch.randn(3, 1, 1, 3), torch.randn(3, 1, 1, 3)
    close(GradientPenalty()(slope_of_3, real, fake), [4, 4, 4])  # (3 - 1)^2
    close(RealPenalty()(slope_of_3, real, fake), [4.5, 4.5, 4.5])  # 3^2 / 2
    close(FakePenalty()(slope_of_3, real, fake), [4.5, 4.5, 4.5])


def test_r1_looks_at_real_and_r2_at_fake_images() -> None:
    real, fake = images_of([1, 2, 2], [0, 0, 0]), images_of([0, 3, 4])
    close(RealPenalty()(half_square, real, fake), [4.5, 0])
    close(FakePenalty()(half_square, real, fake), [12.5])


def test_wgan_gp_looks_between_each_real_image_and_its_fake() -> None:
    # Half-squares have the point itself as slope: from (3, 0, 0) to (7, 0, 0) the lengths are 3 to 7.
    real, fake = images_of([3, 0, 0]).repeat(500, 1, 1, 1), images_of([7, 0, 0]).repeat(500, 1, 1, 1)
    torch.manual_seed(0)
    lengths = GradientPenalty()(half_square, real, fake).sqrt() + 1
    assert 3 <= lengths.min() < 3.05
    assert 6.95 < lengths.max() <= 7
    torch.manual_seed(0)
    torch.testing.assert_close(lengths, 3 + 4 * torch.rand(500, 1, 1, 1)[:, 0, 0, 0])


@pytest.mark.parametrize(("fakes", "partners"), [(2, [10, 20, 10]), (4, [10, 20, 30])])
def test_wgan_gp_counts_the_fakes_round_or_leaves_the_last_out(fakes: int, partners: list[int]) -> None:
    seen: list[Tensor] = []

    def critic(images: Tensor) -> Tensor:
        seen.append(images.detach()[:, 0, 0, 0])
        return slope_of_3(images)

    fake = 10 * images_of([1, 0, 0], [2, 0, 0], [3, 0, 0], [4, 0, 0])[:fakes]
    torch.manual_seed(0)
    GradientPenalty()(critic, torch.zeros(3, 1, 1, 3), fake)
    torch.manual_seed(0)
    torch.testing.assert_close(seen[0], torch.rand(3, 1, 1, 1)[:, 0, 0, 0] * torch.tensor(partners, dtype=torch.float32))


@pytest.mark.parametrize("loss", [GradientPenalty(), RealPenalty(), FakePenalty()])
def test_a_penalty_moves_the_critic_with_the_gradient_of_its_values(loss: object) -> None:
    torch.manual_seed(0)
    critic = nn.Sequential(nn.Flatten(), nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1)).double()
    real, fake = torch.randn(2, 5, 1, 1, 3, dtype=torch.double)
    weights = critic[1].weight

    def value() -> Tensor:
        torch.manual_seed(1)
        penalty: Tensor = Penalty(loss)(critic, real, fake)
        return penalty

    (gradient,) = torch.autograd.grad(value(), weights)
    weights.data[0, 0] += 1e-6
    above = value().item()
    weights.data[0, 0] -= 2e-6
    below = value().item()
    assert gradient[0, 0].item() == pytest.approx((above - below) / 2e-6, rel=1e-5)
    assert real.requires_grad is False


def test_penalties_of_a_flat_critic_are_finite_with_their_gradients() -> None:
    critic = nn.Sequential(nn.Flatten(), nn.Linear(3, 1))
    nn.init.zeros_(critic[1].weight)
    for loss, value in ((GradientPenalty(), 1.0), (RealPenalty(), 0.0), (FakePenalty(), 0.0)):
        penalty = Penalty(loss)(critic, torch.randn(2, 1, 1, 3), torch.randn(2, 1, 1, 3))
        (gradient,) = torch.autograd.grad(penalty, critic[1].weight)
        assert (penalty.item(), bool(gradient.isfinite().all())) == (value, True)


# Labels


def test_classification_is_the_cross_entropy_and_smoothing_spreads_a_share_of_each_target() -> None:
    logits, target = torch.tensor([[3.0, 1.0, 0.0, -2.0]]), torch.eye(4)[[1]]
    for smoothing in (0.0, 0.2):
        categorical = nn.functional.cross_entropy(logits, torch.tensor([1]), label_smoothing=smoothing)
        close(CategoricalClassification(smoothing)(logits, target), [float(categorical)])
        soft = target * (1 - smoothing) + smoothing / 2  # yes and no share it
        binary = nn.functional.binary_cross_entropy_with_logits(logits, soft, reduction="none")
        close(BinaryClassification(smoothing)(logits, target)[0], binary[0].tolist())
    assert torch.equal(BinaryClassification()(logits, target), BinaryClassification(0.0)(logits, target))
