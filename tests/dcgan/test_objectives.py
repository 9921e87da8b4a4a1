"""The training steps without labels: order, values, schedule, clipping, and what the discriminator sees."""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest
import torch
from ganlab_dcgan import radford, smile
from ganlab_dcgan.gan import Gan
from ganlab_dcgan.objective_options import GanObjective, WganObjective
from ganlab_dcgan.options import DcganNetworks, SmileNetworks
from ganlab_dcgan.wgan import Wgan
from ganlab_losses.adversarial import BinaryCrossEntropy, Wasserstein
from ganlab_losses.penalties import NoPenalty, RealPenalty
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from ganlab import Adversarial, Batch, DataSpec, Penalty, Step, Update, clip

DATA = DataSpec(size_px=16, channels=3)
Z = 8


@dataclass
class HandStep:
    """A step with images and noise of its own, which counts what it lends."""

    nets: Mapping[str, nn.Module]
    phase: Any = None
    count: int = 3
    seed: int = 0
    dtype: torch.dtype = torch.float32
    measures: dict[str, Tensor] = field(default_factory=dict)
    batches: list[Tensor] = field(default_factory=list)
    noises: list[Tensor] = field(default_factory=list)
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    def batch(self, count: int | None = None, of: int | None = None) -> Batch:
        self.batches.append(self._draw(0, len(self.batches), 3, 16, 16).clamp(-1, 1))
        return Batch(images=self.batches[-1], labels=torch.zeros(self.count, 0))

    def labels(self, count: int) -> Tensor:
        raise AssertionError("labels are not used")

    def noise(self, count: int) -> Tensor:
        assert count == self.count
        self.noises.append(self._draw(1, len(self.noises), Z))
        return self.noises[-1]

    def log(self, **measures: Tensor) -> None:
        self.measures.update(measures)

    def _draw(self, what: int, index: int, *shape: int) -> Tensor:
        generator = torch.Generator().manual_seed(1000 * self.seed + 100 * what + index)
        return torch.randn(self.count, *shape, generator=generator, dtype=self.dtype)


def gan(loss: Any = None, penalty: Any = None, **options: Any) -> Gan:
    return Gan(adversarial=Adversarial(loss or BinaryCrossEntropy()), penalty=Penalty(penalty or NoPenalty()), **options)


def wgan(penalty: Any = None, **options: Any) -> Wgan:
    return Wgan(adversarial=Adversarial(Wasserstein()), penalty=Penalty(penalty or NoPenalty()), **options)


def dcgan(**options: Any) -> dict[str, nn.Module]:
    torch.manual_seed(0)
    return radford.dcgan(DcganNetworks(width=4, noise_length=Z, **options), DATA).networks()


def smile_wgan(dtype: torch.dtype = torch.float32) -> dict[str, nn.Module]:
    torch.manual_seed(0)
    options = SmileNetworks(width=4, discriminator_width=4, noise_length=Z)
    return {name: net.to(dtype) for name, net in smile.smile_wgan(options, DATA).networks().items()}


def calls(network: nn.Module) -> list[Tensor]:
    """Return what `network` is given from now on, as a list that grows."""
    seen: list[Tensor] = []
    network.register_forward_pre_hook(lambda _, given: seen.append(given[0].detach()))
    return seen


def descend(updates: Iterator[Update], nets: Mapping[str, nn.Module], optimizer: Any = None) -> list[Update]:
    """Take each update as it comes."""
    make = optimizer or partial(torch.optim.SGD, lr=0.1)
    optimizers = {name: make(net.parameters()) for name, net in nets.items()}
    taken = []
    for update in updates:
        taken.append(update)
        weights = list(nets[update.player].parameters())
        torch.stack(list(update.terms.values())).sum().backward(inputs=weights)
        optimizers[update.player].step()
        optimizers[update.player].zero_grad()
    return taken


def test_losses_have_the_published_values() -> None:
    probability = partial(torch.tensor, dtype=torch.double)
    for target, p, expected in ((1.0, 0.8, 0.223144), (0.9, 0.5, 0.693147), (1.2, 0.8, -0.054115)):
        loss = Adversarial(BinaryCrossEntropy(real_low=target, real_high=target))
        assert loss.real(probability([p]).logit()).item() == pytest.approx(expected, abs=1e-6)
    # The published critic has the other sign: real [1, 3], fake [0, 2] give 1 and 1.
    mirrored = Adversarial(Wasserstein())
    real, fake = -torch.tensor([1.0, 3.0]), -torch.tensor([0.0, 2.0])
    assert (mirrored.discriminator(real, fake).item(), mirrored.generator(fake, lambda: real).item()) == (1, 1)


def test_soft_targets_of_real_images_lie_in_0_7_to_1_2_and_leave_the_generator_alone() -> None:
    logits = torch.ones(20_000, dtype=torch.double)
    loss = BinaryCrossEntropy(real_low=0.7, real_high=1.2)
    targets = nn.functional.softplus(logits) - loss.discriminator(logits, logits)[0]
    assert (targets.min() >= 0.7, targets.max() < 1.2, abs(targets.mean() - 0.95) < 0.01) == (True, True, True)
    torch.testing.assert_close(loss.generator(logits), nn.functional.softplus(-logits))
    as_code = BinaryCrossEntropy(real_low=0.7, real_high=1.2, smooth_generator=True).generator(logits)
    assert (nn.functional.softplus(logits) - as_code).max() > 1.1


def test_the_discriminator_moves_on_real_and_fake_then_the_generator_meets_it_as_it_has_become() -> None:
    nets = dcgan()
    step = HandStep(nets)
    updates = gan().step(step)
    first = next(updates)
    real, fake = step.batches[0], nets["generator"](step.noises[0])
    discriminator = nets["discriminator"]
    expected = binary_cross_entropy_with_logits(discriminator(real).logits, torch.ones(3))
    expected = expected + binary_cross_entropy_with_logits(discriminator(fake).logits, torch.zeros(3))
    assert (first.player, list(first.terms)) == ("discriminator", ["d_adversarial"])
    torch.testing.assert_close(first.terms["d_adversarial"], expected)
    with torch.no_grad():
        for weight in discriminator.parameters():
            weight.add_(0.1)
    second = next(updates)
    expected = binary_cross_entropy_with_logits(discriminator(fake).logits, torch.ones(3))
    assert (second.player, list(second.terms)) == ("generator", ["g_adversarial"])
    torch.testing.assert_close(second.terms["g_adversarial"], expected)
    assert list(updates) == []


@pytest.mark.parametrize("fresh", [False, True])
def test_both_players_share_noise_and_fakes_unless_it_shall_be_fresh(fresh: bool) -> None:
    nets = dcgan()
    step, given = HandStep(nets), calls(nets["generator"])
    list(gan(fresh_noise=fresh).step(step))
    assert len(given) == len(step.noises) == 1 + fresh
    assert len(step.batches) == 1


def test_accuracies_of_real_and_fake_are_logged_apart() -> None:
    nets = dcgan()
    step = HandStep(nets, count=5)
    updates = gan().step(step)
    next(updates)
    with torch.no_grad():
        on_real = nets["discriminator"](step.batches[0]).logits
        on_fake = nets["discriminator"](nets["generator"](step.noises[0])).logits
    list(updates)
    assert step.measures == {
        "d_real_accuracy": (on_real > 0).float().mean(),
        "d_fake_accuracy": (on_fake <= 0).float().mean(),
    }


@pytest.mark.parametrize(("objective", "sees"), [(gan(input_noise=0.5), 3), (wgan(input_noise=0.5), 2 * 2 + 1)])
def test_input_noise_is_in_all_that_the_discriminator_sees_and_in_nothing_else(objective: Gan | Wgan, sees: int) -> None:
    nets = dcgan()
    step = HandStep(nets, phase=2, count=200)
    given = calls(nets["discriminator"])
    made: list[Tensor] = []
    nets["generator"].register_forward_hook(lambda _, __, images: made.append(images.detach()))
    list(objective.step(step))
    clean = [*itertools.chain.from_iterable(zip(step.batches, made, strict=False)), made[-1]]
    assert len(given) == sees
    for images, before in zip(given, clean, strict=True):
        assert abs((images - before).mean()) < 0.01
        assert abs((images - before).std() - 0.5) < 0.01
        assert not torch.equal(*(images - before)[:2])


@pytest.mark.parametrize("objective", [gan(augment=("cutout",)), wgan(augment=("cutout",))])
def test_augmentation_changes_all_that_the_discriminator_sees(objective: Gan | Wgan) -> None:
    nets = dcgan()
    given = calls(nets["discriminator"])
    list(objective.step(HandStep(nets, phase=1)))
    assert len(given) == 3
    for images in given:
        assert (images == 0).all(1).flatten(1).sum(1).min() >= 8 * 8 // 4  # a quarter of the rectangle, at a corner


@pytest.mark.parametrize("objective", [gan(penalty=RealPenalty()), wgan(penalty=RealPenalty())])
def test_a_penalty_is_a_term_of_the_discriminator(objective: Gan | Wgan) -> None:
    nets = dcgan()
    first, second = descend(objective.step(HandStep(nets, phase=1)), nets)
    assert (list(first.terms), list(second.terms)) == (["d_adversarial", "d_penalty"], ["g_adversarial"])
    assert first.terms["d_penalty"] > 0


def test_the_critic_moves_25_times_at_first_and_every_500th_step_else_5_times() -> None:
    objective = wgan()
    assert [objective.phase(index) for index in (1, 24, 25, 499, 500, 501, 1000)] == [25, 25, 5, 5, 25, 5, 25]
    assert sum(objective.phase(index) for index in range(1, 1001)) == 5520
    assert sum(objective.phase(index) for index in range(1, 100_001)) == 504_480


@pytest.mark.parametrize("phase", [5, 25])
def test_each_update_of_the_critic_has_images_and_noise_of_its_own(phase: int) -> None:
    nets = smile_wgan()
    step = HandStep(nets, phase=phase)
    players = [update.player for update in descend(wgan().step(step), nets)]
    assert players == ["discriminator"] * phase + ["generator"]
    assert (len(step.batches), len(step.noises)) == (phase, phase + 1)
    assert len({images.sum().item() for images in (*step.batches, *step.noises)}) == 2 * phase + 1


def test_after_each_of_its_updates_every_weight_of_the_critic_is_within_the_limit() -> None:
    nets = smile_wgan()
    largest = []
    updates = wgan().step(HandStep(nets, phase=2))
    for update in updates:
        weights = list(nets[update.player].parameters())
        if update.player == "generator" or largest:
            largest.append(max(weight.abs().max().item() for weight in nets["discriminator"].parameters()))
        else:
            largest.append(0.0)
        torch.stack(list(update.terms.values())).sum().backward(inputs=weights)
        torch.optim.RMSprop(weights, 1e-2).step()
        assert update.player == "generator" or max(weight.abs().max().item() for weight in weights) > 0.01
    assert largest[1:] == pytest.approx([0.01, 0.01], abs=1e-9)  # batch normalisation starts at 1, so the limit is reached
    assert max(weight.abs().max().item() for weight in nets["generator"].parameters()) > 0.5


def test_a_limit_of_0_clips_nothing() -> None:
    nets = smile_wgan()
    descend(wgan(clip_limit=0.0).step(HandStep(nets, phase=2)), nets)
    assert max(weight.abs().max().item() for weight in nets["discriminator"].parameters()) > 0.5


class PublishedWgan(Wgan):
    """The procedure with the signs of the published code."""

    def step(self, s: Step) -> Iterator[Update]:
        generator, critic = s.nets["generator"], s.nets["discriminator"]
        for _ in range(s.phase):
            images, noise = s.batch().images, s.noise(3)
            difference = critic(images).logits - critic(generator(noise).detach()).logits
            yield Update("discriminator", d_adversarial=difference.mean())
            clip(critic, 0.01)
        yield Update("generator", g_adversarial=critic(generator(s.noise(3))).logits.mean())


def test_with_the_last_layer_negated_the_published_signs_take_the_same_steps() -> None:
    ours, theirs = smile_wgan(torch.double), smile_wgan(torch.double)
    with torch.no_grad():
        theirs["discriminator"].reality.weight.neg_()
    published = PublishedWgan(adversarial=Adversarial(Wasserstein()), penalty=Penalty(NoPenalty()))
    start = [weight.detach().clone() for weight in ours["generator"].parameters()]
    rmsprop = partial(torch.optim.RMSprop, lr=1e-3, alpha=0.9, eps=1e-5)
    runs = [
        [
            update
            for seed in range(3)
            for update in descend(objective.step(HandStep(nets, phase=3, seed=seed, dtype=torch.double)), nets, rmsprop)
        ]
        for objective, nets in ((wgan(), ours), (published, theirs))
    ]
    for one, other in zip(*runs, strict=True):
        torch.testing.assert_close(one.terms, other.terms)
    for name in ours:
        for key, weight in ours[name].named_parameters():
            sign = -1 if key == "reality.weight" else 1
            torch.testing.assert_close(weight, sign * theirs[name].get_parameter(key))
    assert not any(torch.equal(*pair) for pair in zip(start, ours["generator"].parameters(), strict=True))


@pytest.mark.parametrize(("objective", "options"), [(gan(), GanObjective()), (wgan(), WganObjective())])
def test_an_update_reaches_only_its_players_network(objective: Gan | Wgan, options: GanObjective | WganObjective) -> None:
    assert options.players() == {"generator": ("generator",), "discriminator": ("discriminator",)}
    nets = dcgan()
    for update in objective.step(HandStep(nets, phase=1)):
        (network,) = options.players()[update.player]
        torch.stack(list(update.terms.values())).sum().backward(inputs=list(nets[network].parameters()))
        assert [name for name, net in nets.items() if any(w.grad is not None for w in net.parameters())] == [network]
        assert all(weight.grad is not None for weight in nets[network].parameters())
        nets[network].zero_grad()


def test_defaults_of_the_options_are_those_of_the_classes() -> None:
    for options, objective in ((GanObjective(), gan()), (WganObjective(), wgan())):
        for name, value in options:
            if name not in ("adversarial", "penalty", "weights"):
                assert getattr(objective, name) == value, name
