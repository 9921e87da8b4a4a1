"""A wrong distance, classification or penalty is found, by the claim that it breaks and with the reason; a right one holds."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from _pytest.mark import ParameterSet
from torch import Tensor

from ganlab.testing import Finding

Found = Callable[..., list[Finding]]
Claimed = Callable[..., set[str]]


Critic = Callable[[Tensor], Tensor]


def findings_of(found: Found, family: str, loss: Callable[..., object]) -> list[Finding]:
    target = loss if isinstance(loss, type) else lambda: loss
    return found("ganlab_losses", target, "trains_where_it_fits", family=family)  # that has tests of its own


def broken(of: list[Finding]) -> dict[str, str]:
    """Return why, by the name of the claim."""
    return {finding.case.claim.__name__: finding.why for finding in of if finding.verdict == "broken"}


def wrong(family: str, loss: Callable[..., object], **why: str) -> ParameterSet:
    """Return a case: a loss, and the whole of what is broken of it."""
    return pytest.param(family, loss, why, id=f"{family}-{loss.__name__}")


def l1(a: Tensor, b: Tensor) -> Tensor:
    return (a - b).abs()


def mean_l1(a: Tensor, b: Tensor) -> Tensor:
    return (a - b).abs().mean()


def euclidean(a: Tensor, b: Tensor) -> Tensor:
    return (a - b).square().flatten(1).sum(1).sqrt()


def brightness(a: Tensor, b: Tensor) -> Tensor:
    return -(a - b).square()


def categorical(logits: Tensor, target: Tensor) -> Tensor:
    return -(target * logits.log_softmax(1)).sum(1)


def log_of_softmax(logits: Tensor, target: Tensor) -> Tensor:
    return -(target * logits.softmax(1).log()).sum(1)


def wrong_class(logits: Tensor, target: Tensor) -> Tensor:
    return (target * logits.sigmoid()).sum(1)


def r1(critic: Critic, real: Tensor, fake: Tensor, *, create_graph: bool = True) -> Tensor:
    real = real.detach().requires_grad_()
    (slope,) = torch.autograd.grad(critic(real).sum(), real, create_graph=create_graph)
    return slope.square().flatten(1).sum(1)


def r1_once(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    return r1(critic, real, fake, create_graph=False)


def r1_in_place(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    real.requires_grad_()
    (slope,) = torch.autograd.grad(critic(real).sum(), real, create_graph=True)
    return slope.square().flatten(1).sum(1)


def lipschitz(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    """The slope's length by a root, which has no gradient where the critic is flat."""
    return (r1(critic, real, fake).sqrt() - 1).square()


def below_zero(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    return r1(critic, real, fake) - 1


class NotCallable:
    """No loss at all."""


class NoPenalty:
    is_penalty = False

    def __call__(self, critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
        return real.new_zeros(len(real))


# Losses on logits break these in test_loss_claims.py; the code is the same.
OF_ALL_FAMILIES = {"goes_on_after_a_checkpoint", "computes_in_full_precision", "stays_on_the_device"}
RIGHT = [("distance", l1), ("classification", categorical), ("penalty", r1)]


@pytest.mark.parametrize(("family", "loss"), RIGHT)
def test_a_right_loss_holds_in_every_claim(found: Found, family: str, loss: Callable[..., object]) -> None:
    of = findings_of(found, family, loss)
    remarks = {"", "keeps mean", "tried logits from -1000 to 1000, in fp32"}
    assert {(finding.verdict, finding.why) for finding in of} <= {("holds", remark) for remark in remarks}
    assert len(of) >= 8


WRONG = [
    wrong(
        "distance",
        NotCallable,
        has_the_methods_of_its_family="has no __call__: a loss of family 'distance' is called",
    ),
    wrong(
        "distance",
        euclidean,
        is_finite="the gradient of the loss is nan for two images that are equal",
    ),
    wrong(
        "distance",
        brightness,
        is_least_where_both_agree="0 for images that are equal is not less than -0.01022 for similar ones",
    ),
    wrong(
        "distance",
        mean_l1,
        gives_one_loss_each="the loss is one number for 5 colour images of 16 px; return the losses as they are: "
        "ganlab takes the mean, in fp32",
    ),
    wrong(
        "classification",
        log_of_softmax,
        is_finite="the gradient of the loss is inf for all-one targets and logits of 50 for the class, -50 for the others",
    ),
    wrong(
        "classification",
        wrong_class,
        is_least_for_the_right_class="0.8808 for the right class is not less than 0.1192 for a wrong one",
    ),
    wrong(
        "penalty",
        r1_once,
        has_the_gradient_of_its_values="the penalty, 5 colour images of 16 px: its gradient says 0 along a line where "
        "its values change by 0.0728862; is there a detach, no_grad or own backward too"
        " many?",
        reaches_the_critic="no gradient reaches the critic's weights with 5 colour images of 16 px; "
        "torch.autograd.grad needs create_graph=True",
    ),
    wrong(
        "penalty",
        r1_in_place,
        leaves_its_inputs_as_they_are="calls requires_grad_() on its argument (real): take a copy, x.detach().requires_grad_()",
    ),
    wrong(
        "penalty",
        lipschitz,
        is_finite="the gradient of the penalty is nan for a critic that is flat",
    ),
    wrong(
        "penalty",
        below_zero,
        is_never_negative="-0.7659 for 5 colour images of 16 px",
    ),
]


@pytest.mark.parametrize(("family", "loss", "why"), WRONG)
def test_a_wrong_loss_is_found(found: Found, family: str, loss: Callable[..., object], why: dict[str, str]) -> None:
    assert broken(findings_of(found, family, loss)) == why


def test_every_claim_finds_some_wrong_loss(claimed: Claimed) -> None:
    of = set().union(*(claimed("ganlab_losses", loss, family=family) for family, loss in RIGHT)) - {"trains_where_it_fits"}
    assert of - OF_ALL_FAMILIES == {claim for case in WRONG for claim in case.values[2]}


def test_a_penalty_that_is_none_is_not_asked_for_one(found: Found) -> None:
    why = {f.case.claim.__name__: f.why for f in findings_of(found, "penalty", NoPenalty) if f.verdict != "holds"}
    assert why == {"reaches_the_critic": "says that it is no penalty (is_penalty = False), so nothing asks it for one"}
