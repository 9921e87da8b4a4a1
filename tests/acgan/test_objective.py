"""The training step of the AC-GAN with attributes: its updates, whose images and labels they see, and their values."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from ganlab_acgan.objective import AcGanSteps
from ganlab_acgan.options import AcGanObjective
from ganlab_losses.adversarial import BinaryCrossEntropy
from ganlab_losses.formulas import BinaryClassification
from ganlab_losses.penalties import NoPenalty, RealPenalty

from ganlab import Adversarial, Criterion, Penalty

HandStepOf = Callable[..., Any]
REAL, FAKE = ["d_adversarial_real", "d_class_real"], ["d_adversarial_fake", "d_class_fake"]


def make(penalty: Any = None, **options: Any) -> AcGanSteps:
    return AcGanSteps(
        adversarial=Adversarial(BinaryCrossEntropy()),
        classification=Criterion(BinaryClassification()),
        penalty=Penalty(penalty or NoPenalty()),
        **options,
    )


@pytest.mark.parametrize(
    ("d_updates", "expected"),
    [
        ("two", [("discriminator", REAL), ("discriminator", FAKE), ("generator", ["g_adversarial", "g_class"])]),
        ("one", [("discriminator", REAL + FAKE), ("generator", ["g_adversarial", "g_class"])]),
    ],
)
def test_halves_of_64_and_64_for_the_discriminator_and_128_for_the_generator(
    hand_step: HandStepOf, d_updates: str, expected: list[tuple[str, list[str]]]
) -> None:
    s = hand_step(128)
    assert [(update.player, list(update.terms)) for update in make(d_updates=d_updates).step(s)] == expected
    real, fake, generated = s.nets["discriminator"].seen
    assert [len(images) for images in (real, fake, generated)] == [64, 64, 128]
    assert torch.equal(real, s.batches[0].images[:64])
    (_, of_fakes), (_, of_generated) = s.nets["generator"].seen
    assert torch.equal(of_fakes, s.batches[0].labels[:64])  # the labels of the real images
    assert torch.equal(of_generated, torch.full((128, 2), 7.0))  # labels of other real images
    assert s.drawn == 1  # 128 images of the epoch: 1,406 steps in 180,000


@pytest.mark.parametrize(("fakes_in_inference", "mode"), [(True, (False, False)), (False, (True, False))])
def test_the_discriminators_fakes_are_made_as_asked(
    hand_step: HandStepOf, fakes_in_inference: bool, mode: tuple[bool, bool]
) -> None:
    s = hand_step(4)
    list(make(fakes_in_inference=fakes_in_inference).step(s))
    assert s.nets["generator"].modes == [mode, (True, True)]
    assert s.nets["generator"].training


def test_terms_have_the_values_of_the_paper(hand_step: HandStepOf) -> None:
    s = hand_step(4)
    terms = {name: term.item() for update in make().step(s) for name, term in update.terms.items()}
    photos, labels = torch.tensor([0.0, 0.25]), torch.tensor([[0.0, 1.0], [1.0, 0.0]])
    fakes, sevens = labels[:, 0], torch.full((4,), 7.0)

    def classes(mean: torch.Tensor, target: torch.Tensor) -> float:
        return F.binary_cross_entropy_with_logits(torch.stack([mean, -mean], 1), target).item()

    expected = {
        "d_adversarial_real": F.softplus(-(0.5 + photos)).mean().item(),
        "d_class_real": classes(photos, labels),
        "d_adversarial_fake": F.softplus(0.5 + fakes).mean().item(),
        "d_class_fake": classes(fakes, labels),
        "g_adversarial": F.softplus(-(0.5 + sevens)).mean().item(),
        "g_class": classes(sevens, torch.full((4, 2), 7.0)),
    }
    assert terms == pytest.approx(expected, abs=1e-6)
    # Of four labels of real images three are right: 0 is not above 0, and -0 is not either.
    assert {name: value.item() for name, value in s.measures.items()} == {
        "d_accuracy_real": 1.0,
        "d_accuracy_fake": 0.0,
        "d_class_accuracy": 0.75,
    }


def test_every_term_has_a_weight(hand_step: HandStepOf) -> None:
    weights = AcGanObjective().weights.model_dump()
    yielded = [name for update in make(RealPenalty()).step(hand_step(4)) for name in update.terms]
    assert sorted(yielded) == sorted(weights)
    assert {name: weight for name, weight in weights.items() if weight != 1} == {"d_penalty": 10}


def test_updates_reach_their_own_player(hand_step: HandStepOf) -> None:
    s = hand_step(4)
    *of_discriminator, of_generator = make().step(s)
    shift, scale = s.nets["discriminator"].shift, s.nets["generator"].scale
    for update in of_discriminator:
        own, other = torch.autograd.grad(sum(update.terms.values()), [shift, scale], allow_unused=True)
        assert own.abs() > 0
        assert other is None
    assert torch.autograd.grad(of_generator.terms["g_adversarial"], scale)[0] < 0  # brighter would look more real
