"""The WACGAN's training step: schedule, published values and signs, clipping, and what each player sees."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest
import torch
from ganlab_acgan.smile_networks import SmileAcGan
from ganlab_acgan.smile_options import SmileAcGanNetworks
from ganlab_losses.adversarial import Wasserstein
from ganlab_losses.formulas import L1, L2, BinaryClassification
from ganlab_losses.penalties import NoPenalty, RealPenalty
from ganlab_losses.relativistic import RelativisticPaired
from ganlab_wacgan.objective import WacGan
from ganlab_wacgan.options import WacGanObjective
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

from ganlab import Adversarial, Batch, Criterion, DataSpec, Penalty, Step, Update, Verdict, clip

DATA = DataSpec(size_px=16, channels=3, label_kind="classes", label_names=("Not_Smiling", "Smiling"))
Z = 6


@dataclass
class HandStep:
    """A step with images, labels and noise of its own at every call, which it keeps."""

    nets: Mapping[str, nn.Module]
    phase: Any = 1
    count: int = 4
    seed: int = 0
    dtype: torch.dtype = torch.float32
    measures: dict[str, Tensor] = field(default_factory=dict)
    batches: list[Batch] = field(default_factory=list)
    noises: list[Tensor] = field(default_factory=list)
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    def batch(self, count: int | None = None, of: int | None = None) -> Batch:
        index = len(self.batches)
        is_smiling = (torch.arange(self.count) + index) % 3 % 2
        labels = torch.stack([1 - is_smiling, is_smiling], 1).to(self.dtype)
        self.batches.append(Batch(images=self._draw(0, index, 3, 16, 16).clamp(-1, 1), labels=labels))
        return self.batches[-1]

    def labels(self, count: int) -> Tensor:
        raise AssertionError("fakes have the labels of the real batch")

    def noise(self, count: int) -> Tensor:
        assert count == self.count
        self.noises.append(self._draw(1, len(self.noises), Z))
        return self.noises[-1]

    def log(self, **measures: Tensor) -> None:
        self.measures.update(measures)

    def _draw(self, what: int, index: int, *shape: int) -> Tensor:
        generator = torch.Generator().manual_seed(1000 * self.seed + 100 * what + index)
        return torch.randn(self.count, *shape, generator=generator, dtype=self.dtype)


def wacgan(
    adversarial: Any = None, distance: Any = L2, penalty: Any = None, make: type[WacGan] = WacGan, **options: Any
) -> WacGan:
    return make(
        adversarial=Adversarial(adversarial or Wasserstein()),
        classification=Criterion(BinaryClassification()),
        penalty=Penalty(penalty or NoPenalty()),
        feature_distance=Criterion(distance()),
        **options,
    )


def smile_acgan(dtype: torch.dtype = torch.float32) -> dict[str, nn.Module]:
    torch.manual_seed(0)
    nets = SmileAcGan(SmileAcGanNetworks(width=2, noise=Z), DATA).networks()
    return {name: net.to(dtype) for name, net in nets.items()}


def calls(network: nn.Module) -> list[tuple[Tensor, ...]]:
    """Return what `network` is given from now on, as a list that grows."""
    seen: list[tuple[Tensor, ...]] = []
    network.register_forward_pre_hook(lambda _, given: seen.append(tuple(one.detach() for one in given)))
    return seen


def descend(updates: Iterator[Update], nets: Mapping[str, nn.Module], lr: float = 1e-3) -> list[Update]:
    """Take each update as it comes, by the published RMSProp."""
    optimizers = {name: torch.optim.RMSprop(net.parameters(), lr=lr, alpha=0.9, eps=1e-5) for name, net in nets.items()}
    taken = []
    for update in updates:
        taken.append(update)
        torch.stack(list(update.terms.values())).sum().backward(inputs=list(nets[update.player].parameters()))
        optimizers[update.player].step()
        optimizers[update.player].zero_grad()
    return taken


def largest(network: nn.Module) -> float:
    return max(weight.abs().max().item() for weight in network.parameters())


class Given(nn.Module):
    """Makes images of one value each, or rates images by their mean with the sign turned; its weight does nothing."""

    def __init__(self, values: list[float] | None = None) -> None:
        super().__init__()
        self.values, self.weight = values, nn.Parameter(torch.zeros(()))

    def forward(self, given: Tensor, labels: Tensor | None = None) -> Any:
        if self.values is not None:
            return torch.tensor(self.values).view(-1, 1, 1, 1).expand(-1, 1, 2, 2)
        return Verdict(logits=-given.mean((1, 2, 3)), classes=torch.tensor([[2.0, -1.0]] * 2), features=given.flatten(1))


class GivenStep(HandStep):
    def batch(self, count: int | None = None, of: int | None = None) -> Batch:
        images = torch.tensor([1.0, 3.0]).view(-1, 1, 1, 1).expand(-1, 1, 2, 2)
        return Batch(images=images, labels=torch.tensor([[1.0, 0.0]] * 2))


def test_terms_have_the_published_values() -> None:
    """Rated as published, real images have [1, 3] and fakes [0, 2]: 1 for the critic, 1 for the generator."""
    nets = {"generator": Given([0.0, 2.0]), "discriminator": Given()}
    terms = [update.terms for update in wacgan(feature_matching=True).step(GivenStep(nets, count=2))]
    assert [{name: term.item() for name, term in of.items()} for of in terms] == [
        pytest.approx({"d_adversarial": 1, "d_class_real": 0.220095, "d_class_fake": 0.220095}, abs=1e-6),
        # Eight features that differ by 1, half their squares over 2 x 2 pixels.
        pytest.approx({"g_adversarial": 1, "g_class": 0.220095, "g_features": 1}, abs=1e-6),
    ]


@pytest.mark.parametrize(
    ("distance", "scale", "expected"),
    [(L2, "half_sum", 32.0), (L1, "mean", 6.1035e-5), (L1, "half_sum", 32.0), (L2, "mean", 6.1035e-5)],
)
def test_features_that_all_differ_by_1_cost_what_is_published(distance: Any, scale: str, expected: float) -> None:
    real, images = torch.zeros(64, 16_384), torch.empty(64, 3, 128, 128, device="meta")
    term = wacgan(distance=distance, feature_scale=scale).features(real + 1, real, images)
    assert term.item() == pytest.approx(expected, rel=1e-5)


def test_the_critic_moves_25_times_at_first_and_every_500th_step_else_5_times() -> None:
    objective = wacgan()
    assert [objective.phase(index) for index in (1, 24, 25, 499, 500, 501, 1000)] == [25, 25, 5, 5, 25, 5, 25]
    assert sum(objective.phase(index) for index in range(1, 1001)) == 5520
    assert sum(objective.phase(index) for index in range(1, 100_001)) == 504_480


@pytest.mark.parametrize("phase", [5, 25])
def test_each_update_has_images_labels_and_noise_of_its_own(phase: int) -> None:
    nets = smile_acgan()
    step, given = HandStep(nets, phase=phase), calls(nets["generator"])
    players = [update.player for update in descend(wacgan().step(step), nets)]
    assert players == ["discriminator"] * phase + ["generator"]
    assert len(step.batches) == len(step.noises) == len(given) == phase + 1
    assert len({images.sum().item() for images in (*(b.images for b in step.batches), *step.noises)}) == 2 * phase + 2
    for (noise, labels), drawn, batch in zip(given, step.noises, step.batches, strict=True):
        assert torch.equal(noise, drawn)
        assert torch.equal(labels, batch.labels)


@pytest.mark.parametrize("matching", [False, True])
def test_real_and_fake_are_judged_apart_and_real_again_only_for_their_features(matching: bool) -> None:
    nets = smile_acgan()
    step, given = HandStep(nets, phase=2), calls(nets["discriminator"])
    made: list[Tensor] = []
    nets["generator"].register_forward_hook(lambda _, __, images: made.append(images.detach()))
    updates = list(wacgan(feature_matching=matching).step(step))
    real = [batch.images for batch in step.batches]
    expected = [real[0], made[0], real[1], made[1], made[2], *([real[2]] if matching else [])]
    assert len(given) == len(expected)
    assert all(torch.equal(images, other) for (images,), other in zip(given, expected, strict=True))
    assert list(updates[-1].terms) == ["g_adversarial", "g_class", *(["g_features"] if matching else [])]
    assert WacGanObjective(feature_matching=matching).needs()["discriminator"].endswith("features") == matching


def test_each_class_term_compares_its_own_images_with_the_labels() -> None:
    nets = smile_acgan()
    step = HandStep(nets)
    updates = wacgan().step(step)
    critic, first = nets["discriminator"], next(updates).terms
    with torch.no_grad():
        fakes = nets["generator"](step.noises[0], step.batches[0].labels)
        real, fake = critic(step.batches[0].images), critic(fakes)
    torch.testing.assert_close(first["d_class_real"], cross_entropy(real.classes, step.batches[0].labels))
    torch.testing.assert_close(first["d_class_fake"], cross_entropy(fake.classes, step.batches[0].labels))
    last = next(updates).terms
    with torch.no_grad():
        fake = critic(nets["generator"](step.noises[1], step.batches[1].labels))
    torch.testing.assert_close(last["g_class"].detach(), cross_entropy(fake.classes, step.batches[1].labels))
    is_smiling = step.batches[0].labels > 0.5
    assert step.measures["d_class_accuracy_real"] == ((real.classes > 0) == is_smiling).float().mean()


def test_after_each_of_its_updates_every_weight_of_the_critic_is_within_the_limit() -> None:
    """Those of batch normalisation, which start at 1, and of the class head, too; a limit of 0 clips nothing."""
    nets = smile_acgan()
    critic, before = nets["discriminator"], []
    for update in wacgan().step(HandStep(nets, phase=3)):
        before.append(largest(critic))
        weights = list(nets[update.player].parameters())
        torch.stack(list(update.terms.values())).sum().backward(inputs=weights)
        torch.optim.RMSprop(weights, 0.1).step()
        assert update.player == "generator" or largest(critic) > 0.05  # each update leaves the limit
    assert before[0] > 0.5
    assert before[1:] == pytest.approx([0.01] * 3, abs=1e-9)
    for name in ("norms.1.weight", "norms.1.bias", "classes.weight", "classes.bias", "reality.weight", "halvings.0.bias"):
        assert critic.get_parameter(name).abs().max() <= 0.01, name
    assert largest(nets["generator"]) > 0.5
    descend(wacgan(clip_limit=0.0).step(HandStep(kept := smile_acgan(), phase=2)), kept)
    assert largest(kept["discriminator"]) > 0.5


def test_clipping_leaves_next_to_nothing_of_feature_matching() -> None:
    """With scale and shift in [-0.01, 0.01], a feature's mean square is at most 2e-4, that of a difference 8e-4."""
    nets = smile_acgan()
    updates = descend(wacgan(feature_matching=True).step(HandStep(nets, phase=3, count=32)), nets, lr=1e-2)
    features = nets["discriminator"].get_submodule("classes").in_features
    assert 0 < updates[-1].terms["g_features"].item() <= 8e-4 * 32 * features / 2 / 16**2


class PublishedWacGan(WacGan):
    """The procedure with the signs of the published code, and its generator's loss with the class term of real images."""

    def step(self, s: Step) -> Iterator[Update]:
        generator, critic = s.nets["generator"], s.nets["discriminator"]
        for player in ["discriminator"] * s.phase + ["generator"]:
            batch = s.batch()
            real, fake = critic(batch.images), critic(generator(s.noise(len(batch)), batch.labels))
            classes = cross_entropy(real.classes, batch.labels) + cross_entropy(fake.classes, batch.labels)
            if player == "discriminator":
                yield Update(player, source=(real.logits - fake.logits).mean(), classes=classes)
                clip(critic, 0.01)
            else:
                features = (real.features - fake.features).square().sum() / 2 / 16**2
                yield Update(player, source=fake.logits.mean(), classes=classes, features=features)


def test_with_the_head_of_reality_negated_the_published_signs_take_the_same_steps() -> None:
    ours, theirs = smile_acgan(torch.double), smile_acgan(torch.double)
    with torch.no_grad():
        theirs["discriminator"].get_parameter("reality.weight").neg_()
    start = {name: [weight.detach().clone() for weight in net.parameters()] for name, net in ours.items()}
    for objective, nets in ((wacgan(feature_matching=True), ours), (wacgan(make=PublishedWacGan), theirs)):
        for seed in range(3):
            descend(objective.step(HandStep(nets, phase=3, seed=seed, dtype=torch.double)), nets)
    for name, net in ours.items():
        for key, weight in net.named_parameters():
            sign = -1 if key.startswith("reality.") else 1
            torch.testing.assert_close(weight, sign * theirs[name].get_parameter(key), msg=key)
        moved = [not torch.equal(*pair) for pair in zip(start[name], net.parameters(), strict=True)]
        assert sum(moved) > 0.8 * len(moved)  # biases before batch norm need not


def test_augmentation_changes_all_that_the_critic_sees() -> None:
    nets = smile_acgan()
    given = calls(nets["discriminator"])
    list(wacgan(augment=("cutout",), feature_matching=True).step(HandStep(nets)))
    assert len(given) == 4
    for (images,) in given:
        assert (images == 0).all(1).flatten(1).sum(1).min() >= 8 * 8 // 4  # a quarter of the rectangle, at a corner


def test_a_penalty_is_a_term_of_the_critic() -> None:
    nets = smile_acgan()
    first, second = descend(wacgan(penalty=RealPenalty()).step(HandStep(nets)), nets)
    assert list(first.terms) == ["d_adversarial", "d_class_real", "d_class_fake", "d_penalty"]
    assert list(second.terms) == ["g_adversarial", "g_class"]
    assert first.terms["d_penalty"] > 0


def test_a_paired_loss_gets_the_real_images_of_the_generators_batch() -> None:
    nets = smile_acgan()
    step, given = HandStep(nets), calls(nets["discriminator"])
    list(wacgan(RelativisticPaired()).step(step))
    assert torch.equal(given[-1][0], step.batches[1].images)


def test_every_term_reaches_its_player_and_the_critics_terms_nobody_else() -> None:
    nets = smile_acgan()
    for update in wacgan(feature_matching=True).step(HandStep(nets)):
        slopes_of = partial(torch.autograd.grad, retain_graph=True, allow_unused=True)
        for name, term in update.terms.items():
            slopes = slopes_of(term, list(nets[update.player].parameters()))
            assert any(slope is not None and slope.abs().max() > 0 for slope in slopes), name
            if update.player == "discriminator":
                assert set(slopes_of(term, list(nets["generator"].parameters()))) == {None}, name


def test_defaults_are_those_of_the_classes_and_of_experiment_3() -> None:
    options, objective = WacGanObjective(), wacgan()
    given = {"adversarial": "wasserstein", "classification": "binary", "penalty": "none", "feature_distance": "l2"}
    for name, value in options:
        if name in given:
            assert value.use == given[name], name
        elif name != "weights":
            assert getattr(objective, name) == value, name
    weights = options.weights.model_dump()
    assert {name: weight for name, weight in weights.items() if weight != 1} == {"d_penalty": 10, "g_features": 0.1}
