"""The training step of SMiLE's AC-GAN: its updates, the batches and noise they share, and the published scales."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from ganlab_acgan.smile_objective import SmileAcGanSteps
from ganlab_acgan.smile_options import SmileAcGanObjective
from ganlab_losses.adversarial import BinaryCrossEntropy
from ganlab_losses.formulas import L1, L2, BinaryClassification
from ganlab_losses.penalties import NoPenalty, RealPenalty
from ganlab_losses.relativistic import RelativisticPaired

from ganlab import Adversarial, Criterion, Penalty

HandStepOf = Callable[..., Any]


def make(adversarial: Any = None, distance: Any = L2, penalty: Any = None, **options: Any) -> SmileAcGanSteps:
    return SmileAcGanSteps(
        adversarial=Adversarial(adversarial or BinaryCrossEntropy()),
        classification=Criterion(BinaryClassification()),
        penalty=Penalty(penalty or NoPenalty()),
        feature_distance=Criterion(distance()),
        **options,
    )


@pytest.mark.parametrize(
    ("distance", "scale", "expected"),
    [(L2, "half_sum", 32.0), (L1, "mean", 6.1035e-5), (L1, "half_sum", 32.0), (L2, "mean", 6.1035e-5)],
)
def test_features_that_all_differ_by_1_cost_what_is_published(distance: Any, scale: str, expected: float) -> None:
    real, images = torch.zeros(64, 16_384), torch.empty(64, 3, 128, 128, device="meta")
    term = make(distance=distance, feature_scale=scale).features(real + 1, real, images)
    assert term.item() == pytest.approx(expected, rel=1e-5)


def test_default_options_are_experiment_2() -> None:
    options = SmileAcGanObjective()
    assert (options.feature_matching, options.feature_distance.use, options.feature_scale) == (True, "l2", "half_sum")
    weights = options.weights.model_dump()
    assert {name: weight for name, weight in weights.items() if weight != 1} == {"d_penalty": 10, "g_features": 0.1}


def test_one_update_each_with_the_same_noise_and_batches_of_their_own(hand_step: HandStepOf) -> None:
    s = hand_step(4, batches=2)
    updates = list(make().step(s))
    assert [(update.player, list(update.terms)) for update in updates] == [
        ("discriminator", ["d_adversarial", "d_class_real", "d_class_fake"]),
        ("generator", ["g_adversarial", "g_class", "g_features"]),
    ]
    (noise, labels), (same_noise, new_labels) = s.nets["generator"].seen
    assert torch.equal(noise, same_noise)
    assert (labels is s.batches[0].labels, new_labels is s.batches[1].labels) == (True, True)
    assert s.nets["generator"].modes == [(True, False), (True, True)]  # in training both times, as published
    real, _, _, matched = s.nets["discriminator"].seen
    assert torch.equal(real, s.batches[0].images)
    assert torch.equal(matched, s.batches[1].images)


def test_terms_have_the_published_values(hand_step: HandStepOf) -> None:
    s = hand_step(4, batches=2)
    terms = {name: term.item() for update in make().step(s) for name, term in update.terms.items()}
    photos, fakes = torch.arange(4) / 4, torch.tensor([0.0, 1.0, 0.0, 1.0])
    labels = s.batches[0].labels

    def classes(mean: torch.Tensor) -> float:
        return F.binary_cross_entropy_with_logits(torch.stack([mean, -mean], 1), labels).item()

    expected = {
        "d_adversarial": (F.softplus(-(0.5 + photos)).mean() + F.softplus(0.5 + fakes).mean()).item(),
        "d_class_real": classes(photos),
        "d_class_fake": classes(fakes),
        "g_adversarial": F.softplus(-(0.5 + fakes)).mean().item(),
        "g_class": classes(fakes),
        # 16 features an image, each of them its pixel; half their squared differences, over 4 x 4 pixels.
        "g_features": (16 * (fakes - (1 + photos)).square()).sum().item() / 2 / 16,
    }
    assert terms == pytest.approx(expected, abs=1e-5)


def test_without_feature_matching_real_images_are_not_judged_for_the_generator(hand_step: HandStepOf) -> None:
    s = hand_step(4, batches=2)
    _, update = make(feature_matching=False).step(s)
    assert list(update.terms) == ["g_adversarial", "g_class"]
    assert len(s.nets["discriminator"].seen) == 3
    options = SmileAcGanObjective.model_validate({"feature_matching": False})
    assert options.needs()["discriminator"] == "images -> logits classes"


def test_a_paired_loss_gets_the_real_images_of_the_generators_batch(hand_step: HandStepOf) -> None:
    s = hand_step(4, batches=2)
    _, update = make(RelativisticPaired(), feature_matching=False).step(s)
    assert torch.equal(s.nets["discriminator"].seen[3], s.batches[1].images)
    difference = torch.tensor([0.0, 1.0, 0.0, 1.0]) - (1 + torch.arange(4) / 4)
    assert update.terms["g_adversarial"].item() == pytest.approx(F.softplus(-difference).mean().item(), abs=1e-6)


def test_updates_reach_their_own_player(hand_step: HandStepOf) -> None:
    s = hand_step(4)
    of_discriminator, of_generator = make(penalty=RealPenalty()).step(s)
    shift, scale = s.nets["discriminator"].shift, s.nets["generator"].scale
    own, other = torch.autograd.grad(sum(of_discriminator.terms.values()), [shift, scale], allow_unused=True)
    assert own.abs() > 0
    assert other is None
    for term in of_generator.terms.values():
        assert torch.autograd.grad(term, scale, retain_graph=True)[0].abs() > 0
