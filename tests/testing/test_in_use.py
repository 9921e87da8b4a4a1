"""A loss is trained with by every objective that takes its family, built-in or its neighbour."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType
from typing import Annotated, Any, ClassVar

import pytest
import torch
from torch import Tensor

from ganlab import Adversarial, Component, Step, Update, hookimpl
from ganlab.options import Family, LossName, ObjectiveOptions, Options
from ganlab.testing import Finding, cases, findings
from ganlab.testing.loss.use import trains_where_it_fits


class Hinge:
    def discriminator(self, real: Tensor, fake: Tensor) -> Any:
        return (1 - real).relu(), (1 + fake).relu()

    def generator(self, fake: Tensor) -> Any:
        return -fake


class Pairs:
    """One fake to each real."""

    def discriminator(self, real: Tensor, fake: Tensor) -> Any:
        return torch.nn.functional.softplus(fake - real)

    def generator(self, fake: Tensor, real: Tensor) -> Any:
        return torch.nn.functional.softplus(real - fake)


class Coupled(Hinge):
    """Takes as many fakes as reals only, and does not say so."""

    def discriminator(self, real: Tensor, fake: Tensor) -> Any:
        return (1 - real + fake).relu(), (1 + fake - real).relu()


class Explosive(Hinge):
    """Infinite for the eight fakes that four photos have in ccyclegan."""

    def generator(self, fake: Tensor) -> Any:
        return fake.abs() * (torch.inf if len(fake) == 8 else 1.0)


class Margin(Hinge):
    def __init__(self, margin: float) -> None:
        self.margin = margin

    def generator(self, fake: Tensor) -> Any:
        return self.margin - fake


class MarginOptions(Options):
    margin: float

    SMALL: ClassVar[dict[str, Any]] = {"margin": 2.0}


class CriticOptions(ObjectiveOptions):
    loss: Annotated[LossName, Family("adversarial", "paired")] = "hinge"

    def players(self) -> dict[str, tuple[str, ...]]:
        return {"critic": ("critic",)}

    def needs(self) -> dict[str, str]:
        return {"critic": "images -> logits"}


class Critic:
    def __init__(self, loss: Adversarial) -> None:
        self.loss = loss

    def step(self, s: Step) -> Iterator[Update]:
        real, fake = (s.nets["critic"](s.batch().images).logits for _ in range(2))
        yield Update("critic", d_adversarial=self.loss.discriminator(real, fake))


class BrokenCritic(Critic):
    def step(self, s: Step) -> Iterator[Update]:
        raise RuntimeError("never works")
        yield


def found(loss: type, family: str, *, objective: type | None = Critic, options: type | None = None) -> Finding:
    plugin = ModuleType("under_test")
    plugin.ganlab_losses = hookimpl(lambda: [Component("mine", loss, options, family)])  # type: ignore[attr-defined]
    critic = [] if objective is None else [Component("critic", objective, CriticOptions)]
    plugin.ganlab_objectives = hookimpl(lambda: critic)  # type: ignore[attr-defined]
    case = next(case for case in cases(plugin) if case.about == "loss mine" and case.claim is trains_where_it_fits)
    return next(findings([case]))


def test_the_objectives_that_train_with_a_loss_are_named() -> None:
    finding = found(Hinge, "adversarial")
    assert (finding.case.text, finding.verdict) == ("Trains in every objective that takes it", "holds")
    assert set(finding.why.split(", ")) >= {"ccyclegan (adversarial)", "critic (loss)"}


def test_a_paired_loss_trains_where_pairs_are_compared() -> None:
    finding = found(Pairs, "paired")
    assert finding.verdict == "holds"
    assert "critic (loss)" in finding.why.split(", ")
    assert not [where for where in finding.why.split(", ") if where.startswith("ccyclegan")]


@pytest.mark.parametrize(
    ("loss", "why"),
    [
        (Coupled, "as adversarial of the objective ccyclegan: RuntimeError: The size of tensor a (4) must match the size of"),
        (Explosive, "as adversarial of the objective ccyclegan: the term g_adversarial is inf"),
    ],
)
def test_a_loss_that_does_not_train_is_found_with_the_objective(loss: type, why: str) -> None:
    finding = found(loss, "adversarial")
    assert (finding.verdict, finding.why[: len(why)]) == ("broken", why)


def test_a_loss_that_cannot_be_called_is_not_tried() -> None:
    finding = found(type("Silent", (), {}), "adversarial")
    assert finding.verdict == "not applicable"
    assert finding.why.startswith("it cannot be called (")


def test_an_objective_that_is_broken_without_the_loss_is_no_fault_of_it() -> None:
    finding = found(Hinge, "adversarial", objective=BrokenCritic)
    assert finding.verdict == "holds"
    assert "critic" not in finding.why


def test_a_loss_is_built_with_its_small_settings() -> None:
    assert found(Margin, "adversarial", options=MarginOptions).verdict == "holds"
