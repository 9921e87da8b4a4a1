"""The training step of the cGAN: its updates, whose images and labels they see, and their values."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
import torch
from ganlab_cgan.objective import CGanSteps
from ganlab_cgan.options import CGanObjective
from ganlab_losses.adversarial import BinaryCrossEntropy
from ganlab_losses.penalties import GradientPenalty, NoPenalty
from torch import Tensor, nn

from ganlab import Adversarial, Batch, Penalty, Verdict


class Generator(nn.Module):
    """Paints its label's number; remembers what it was asked, and how it was run."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))
        self.seen: list[tuple[Tensor, bool, bool]] = []

    def forward(self, noise: Tensor, labels: Tensor) -> Tensor:
        self.seen.append((labels, self.training, torch.is_grad_enabled()))
        return (self.scale * labels[:, :1, None, None]).expand(-1, 1, 4, 4)


class Discriminator(nn.Module):
    """Gives the logit `shift` + mean of the image; remembers images and labels."""

    def __init__(self) -> None:
        super().__init__()
        self.shift = nn.Parameter(torch.tensor(0.5))
        self.seen: list[tuple[Tensor, Tensor]] = []

    def forward(self, images: Tensor, labels: Tensor) -> Verdict:
        self.seen.append((images, labels))
        return Verdict(logits=self.shift + images.mean((1, 2, 3)))


@dataclass
class HandStep:
    """A step with one given batch; the labels for the generator are all 7."""

    nets: Mapping[str, nn.Module]
    given: Batch
    phase: Any = None
    measures: dict[str, Tensor] = field(default_factory=dict)
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    drawn_images: int = 0

    def batch(self, count: int | None = None, of: int | None = None) -> Batch:
        self.drawn_images += len(self.given)
        return self.given

    def labels(self, count: int) -> Tensor:
        return torch.full((count, 2), 7.0)

    def noise(self, count: int) -> Tensor:
        return torch.zeros(count, 3)

    def log(self, **measures: Tensor) -> None:
        self.measures.update(measures)


def make(penalty: Any = None, **options: Any) -> CGanSteps:
    return CGanSteps(adversarial=Adversarial(BinaryCrossEntropy()), penalty=Penalty(penalty or NoPenalty()), **options)


def hand_step(count: int) -> HandStep:
    images = torch.arange(count).float().view(count, 1, 1, 1).expand(-1, 1, 4, 4) / count
    labels = torch.stack([torch.arange(count), torch.ones(count)], 1).float()
    return HandStep({"generator": Generator(), "discriminator": Discriminator()}, Batch(images=images, labels=labels))


def test_halves_of_64_and_64_for_the_discriminator_and_128_for_the_generator() -> None:
    s = hand_step(128)
    updates = list(make().step(s))
    assert [(update.player, list(update.terms)) for update in updates] == [
        ("discriminator", ["d_adversarial_real"]),
        ("discriminator", ["d_adversarial_fake"]),
        ("generator", ["g_adversarial"]),
    ]
    real, fake, generated = s.nets["discriminator"].seen
    assert [len(images) for images, _ in (real, fake, generated)] == [64, 64, 128]
    assert torch.equal(real[0], s.given.images[:64])
    assert torch.equal(real[1], s.given.labels[:64])
    assert torch.equal(fake[1], real[1])  # the fakes have the labels of the real images
    assert torch.equal(generated[1], torch.full((128, 2), 7.0))  # the generator gets labels of its own


def test_a_step_is_one_batch_of_the_epoch() -> None:
    s = hand_step(128)
    list(make().step(s))
    assert s.drawn_images == 128
    assert 180_000 // s.drawn_images == 1406


def test_the_discriminators_fakes_are_made_in_inference_and_the_generators_in_training() -> None:
    s = hand_step(4)
    s.nets["generator"].train()
    list(make().step(s))
    assert [(was_training, had_graph) for _, was_training, had_graph in s.nets["generator"].seen] == [
        (False, False),
        (True, True),
    ]
    assert s.nets["generator"].training


def test_terms_have_the_values_of_the_paper() -> None:
    s = hand_step(2)
    s.given = Batch(images=torch.full((2, 1, 4, 4), 1.0), labels=torch.full((2, 2), 0.25))
    real, fake, generated = (next(iter(update.terms.values())) for update in make().step(s))
    softplus = nn.functional.softplus
    assert real.item() == pytest.approx(softplus(torch.tensor(-1.5)).item(), abs=1e-6)  # 0.5 + 1, target 1
    assert fake.item() == pytest.approx(softplus(torch.tensor(0.75)).item(), abs=1e-6)  # 0.5 + 0.25, target 0
    assert generated.item() == pytest.approx(softplus(torch.tensor(-7.5)).item(), abs=1e-6)  # 0.5 + 7, target 1
    assert {name: value.item() for name, value in s.measures.items()} == {"d_accuracy_real": 1.0, "d_accuracy_fake": 0.0}


def test_updates_reach_their_own_player() -> None:
    s = hand_step(4)
    *of_discriminator, of_generator = make().step(s)
    shift, scale = s.nets["discriminator"].shift, s.nets["generator"].scale
    for update in of_discriminator:
        (term,) = update.terms.values()
        own, other = torch.autograd.grad(term, [shift, scale], allow_unused=True)
        assert own.abs() > 0
        assert other is None
    assert torch.autograd.grad(of_generator.terms["g_adversarial"], scale)[0] < 0  # brighter would look more real


def test_a_penalty_joins_each_real_image_to_the_fake_with_its_label() -> None:
    s = hand_step(6)
    real, fake, _ = make(GradientPenalty()).step(s)
    assert (list(real.terms), list(fake.terms)) == (["d_adversarial_real"], ["d_adversarial_fake", "d_penalty"])
    assert fake.terms["d_penalty"].item() == pytest.approx((1 / 4 - 1) ** 2)  # a mean of 16 pixels has the slope 1 / 4
    judged = s.nets["discriminator"].seen[2]
    assert torch.equal(judged[1], s.given.labels[:3])


def test_wrong_labels_of_real_images_are_fake() -> None:
    s = hand_step(4)
    s.given = Batch(images=torch.full((4, 1, 4, 4), 1.0), labels=torch.full((4, 2), 0.25))
    _, second, _ = make(wrong_labels=True).step(s)
    assert list(second.terms) == ["d_adversarial_fake", "d_adversarial_wrong"]
    assert second.terms["d_adversarial_wrong"].item() == pytest.approx(math.log1p(math.exp(1.5)), abs=1e-6)  # 0.5 + 1, target 0
    images, labels = s.nets["discriminator"].seen[2]
    assert torch.equal(images, s.given.images[:2])
    assert torch.equal(labels, torch.full((2, 2), 7.0))  # of other images


def test_one_update_of_the_discriminator_holds_what_two_hold() -> None:
    first, second, _ = make(wrong_labels=True).step(hand_step(4))
    once, generator = make(wrong_labels=True, d_updates="one").step(hand_step(4))
    assert (once.player, generator.player) == ("discriminator", "generator")
    assert {name: term.item() for name, term in once.terms.items()} == {
        name: term.item() for update in (first, second) for name, term in update.terms.items()
    }


def test_every_term_has_a_weight() -> None:
    weights = CGanObjective().weights.model_dump()
    yielded = [name for update in make(GradientPenalty(), wrong_labels=True).step(hand_step(4)) for name in update.terms]
    assert sorted(yielded) == sorted(weights)
    assert weights == {
        "d_adversarial_real": 1,
        "d_adversarial_fake": 1,
        "d_adversarial_wrong": 1,
        "d_penalty": 10,
        "g_adversarial": 1,
    }


def test_a_batch_of_one_image_serves_whole() -> None:
    s = hand_step(1)
    list(make().step(s))
    assert [len(images) for images, _ in s.nets["discriminator"].seen] == [1, 1, 1]
