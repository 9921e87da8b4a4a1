"""A wrong loss on logits is found, by the claim that it breaks and with the reason; a right one of each family holds."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from _pytest.mark import ParameterSet
from torch import Tensor, nn

from ganlab.testing import Finding

Found = Callable[..., list[Finding]]
Claimed = Callable[..., set[str]]


def findings_of(found: Found, family: str, loss: Callable[..., object]) -> list[Finding]:
    target = loss if isinstance(loss, type) else lambda: loss
    return found("ganlab_losses", target, "trains_where_it_fits", family=family)  # that has tests of its own


def broken(of: list[Finding]) -> dict[str, str]:
    """Return why, by the name of the claim."""
    return {finding.case.claim.__name__: finding.why for finding in of if finding.verdict == "broken"}


def wrong(family: str, loss: Callable[..., object], **why: str) -> ParameterSet:
    """Return a case: a loss, and the whole of what is broken of it."""
    return pytest.param(family, loss, why, id=f"{family}-{loss.__name__}")


class Hinge:
    def discriminator(self, real: Tensor, fake: Tensor) -> Any:
        return (1 - real).relu(), (1 + fake).relu()

    def generator(self, fake: Tensor) -> Any:
        return -fake


class SoftTargets(Hinge):
    """Draws the target of each real logit."""

    def discriminator(self, real: Tensor, fake: Tensor) -> Any:
        return F.softplus(real) - (0.7 + 0.5 * torch.rand_like(real)) * real, F.softplus(fake)


class Averaged(Hinge):
    def discriminator(self, real: Tensor, fake: Tensor) -> Any:
        real, fake = super().discriminator(real, fake)
        return real.mean(), fake.mean()

    def generator(self, fake: Tensor) -> Any:
        return -fake.mean()


class Summed(Hinge):
    def discriminator(self, real: Tensor, fake: Tensor) -> Any:
        real, fake = super().discriminator(real, fake)
        return real + fake


class OnePerImage(Hinge):
    def generator(self, fake: Tensor) -> Any:
        return -fake.flatten(1).mean(1) if fake.dim() > 1 else -fake


class NotATensor(Hinge):
    def generator(self, fake: Tensor) -> Any:
        return [-fake]


class WithoutGenerator:
    def discriminator(self, real: Tensor, fake: Tensor) -> Any:
        return (1 - real).relu(), (1 + fake).relu()


class CannotBeBuilt(Hinge):
    def __init__(self) -> None:
        raise RuntimeError("no licence")


class LogOfSigmoid(Hinge):
    """The formula as the paper prints it."""

    def discriminator(self, real: Tensor, fake: Tensor) -> Any:
        return -real.sigmoid().log(), -(1 - fake.sigmoid()).log()


class Upside(Hinge):
    def discriminator(self, real: Tensor, fake: Tensor) -> Any:
        return (1 + real).relu(), (1 - fake).relu()


class UpsideGenerator(Hinge):
    def generator(self, fake: Tensor) -> Any:
        return fake


class Detached(Hinge):
    def discriminator(self, real: Tensor, fake: Tensor) -> Any:
        return (real - 1).square().detach() * 0.5 + (real - 1).square() * 0.5, fake.square()


class CastsToFloat(Hinge):
    def generator(self, fake: Tensor) -> Any:
        return -fake.float()


class CastsToHalf(Hinge):
    def generator(self, fake: Tensor) -> Any:
        return -fake.bfloat16() if fake.dtype == torch.float32 else -fake


class WritesInPlace(Hinge):
    def generator(self, fake: Tensor) -> Any:
        return (fake if fake.requires_grad or fake.dtype == torch.float64 else fake.neg_().clone().neg_()).neg()


class ReadsTheHost(Hinge):
    def generator(self, fake: Tensor) -> Any:
        return -fake * (1.0 if fake.max().item() < 1000 else 0.5)


class RelativisticAverage:
    def discriminator(self, real: Tensor, fake: Tensor) -> Any:
        return F.softplus(fake.mean() - real), F.softplus(fake - real.mean())

    def generator(self, fake: Tensor, real: Tensor) -> Any:
        return F.softplus(real.mean() - fake)


class RelativisticHalves(RelativisticAverage):
    """Hides the real logits, so that its signature is that of an adversarial loss."""

    def generator(self, fake: Tensor) -> Any:  # type: ignore[override]
        return F.softplus(-fake)


class OverTheBatch(Hinge):
    def generator(self, fake: Tensor) -> Any:
        return F.softplus(fake.mean() - fake) - fake


class Paired:
    def discriminator(self, real: Tensor, fake: Tensor) -> Any:
        return F.softplus(fake - real)

    def generator(self, fake: Tensor, real: Tensor) -> Any:
        return F.softplus(real - fake)


class CountsCalls(Hinge):
    """Softens with time; a plain attribute remembers it."""

    def __init__(self) -> None:
        self.calls = 0

    def generator(self, fake: Tensor) -> Any:
        self.calls += 1
        return -fake / self.calls


class Moving(nn.Module):
    """Pulls real logits to their moving average, kept in a buffer: LeCam in short."""

    persistent = True

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(()), persistent=self.persistent)

    def discriminator(self, real: Tensor, fake: Tensor) -> Any:
        with torch.no_grad():
            self.mean.lerp_(real.mean(), 0.1)
        return (1 - real).relu() + (real - self.mean).square(), (1 + fake).relu()

    def generator(self, fake: Tensor) -> Any:
        return -fake


class MovingLost(Moving):
    persistent = False


class MovingPlain(Moving):
    def __init__(self) -> None:
        nn.Module.__init__(self)
        self.mean = torch.zeros(())

    def discriminator(self, real: Tensor, fake: Tensor) -> Any:
        self.mean = self.mean.to(real.dtype) + 0.1 * (real.detach().mean() - self.mean)
        return (1 - real).relu() + self.mean.square(), (1 + fake).relu()


class MovingText(Moving):
    def get_extra_state(self) -> str:
        return "1.0"

    def set_extra_state(self, state: Any) -> None: ...


class MovingSized(Moving):
    """Takes the shape of what it saw, which a new one has not seen."""

    def discriminator(self, real: Tensor, fake: Tensor) -> Any:
        with torch.no_grad():
            self.mean = real.mean().expand(3).clone()
        return (1 - real).relu(), (1 + fake).relu()


RIGHT = [
    ("adversarial", Hinge),
    ("adversarial", SoftTargets),
    ("joint", Hinge),
    ("joint", RelativisticAverage),
    ("joint", Moving),
    ("paired", Paired),
]


@pytest.mark.parametrize(("family", "loss"), RIGHT)
def test_a_right_loss_holds_in_every_claim(found: Found, family: str, loss: Callable[..., object]) -> None:
    of = findings_of(found, family, loss)
    remarks = {"", "keeps mean", "tried logits from -1000 to 1000, in fp32"}
    assert {(finding.verdict, finding.why) for finding in of} <= {("holds", remark) for remark in remarks}
    assert len(of) >= 8


WRONG = [
    wrong(
        "adversarial",
        CannotBeBuilt,
        has_the_methods_of_its_family="raises RuntimeError: no licence",
    ),
    wrong(
        "adversarial",
        WithoutGenerator,
        has_the_methods_of_its_family="has no method generator: a loss of family 'adversarial' has discriminator(real,"
        " fake) and generator(fake)",
    ),
    wrong(
        "adversarial",
        RelativisticAverage,
        has_the_methods_of_its_family="its generator takes real logits too, which an objective that updates by halves "
        'has not: register it with family="joint"',
    ),
    wrong(
        "adversarial",
        Averaged,
        gives_one_loss_each="discriminator[0] is one number for 5 real and 5 fake logits; return the losses as they "
        "are: ganlab takes the mean, in fp32",
    ),
    wrong(
        "adversarial",
        Summed,
        gives_one_loss_each="discriminator must return two: the losses of the real logits and the losses of the fake ones",
    ),
    wrong(
        "adversarial",
        OnePerImage,
        gives_one_loss_each="generator has the shape (5,) for logits of the patches of 5 real and 5 fake images, not "
        "(5, 1, 3, 3); return the losses as they are: ganlab takes the mean, in fp32",
    ),
    wrong(
        "adversarial",
        NotATensor,
        gives_one_loss_each="generator is of type list, not a tensor of losses",
    ),
    wrong(
        "adversarial",
        LogOfSigmoid,
        is_finite="discriminator[1] is inf for real logits of 0 and fake logits of 50",
    ),
    wrong(
        "adversarial",
        Upside,
        tells_real_from_fake="discriminator: 3 for real 1 and fake 0 is not less than 1 for real 0 and fake 1",
    ),
    wrong(
        "adversarial",
        UpsideGenerator,
        tells_real_from_fake="generator: 0 for fake logits of 0 is not less than -1 for those of -1",
    ),
    wrong(
        "adversarial",
        Detached,
        has_the_gradient_of_its_values="discriminator[0], 5 real and 5 fake logits: its gradient says 4.38199 along a "
        "line where its values change by 8.76397; is there a detach, no_grad or own "
        "backward too many?",
    ),
    wrong(
        "adversarial",
        CastsToFloat,
        has_the_gradient_of_its_values="generator is float32 for inputs in float64: leave out the cast, ganlab calls "
        "it in fp32",
    ),
    wrong(
        "adversarial",
        CastsToHalf,
        computes_in_full_precision="generator is bfloat16 under bf16: leave out casts and autocast, ganlab hands it fp32",
    ),
    wrong(
        "adversarial",
        WritesInPlace,
        leaves_its_inputs_as_they_are="writes into its argument (fake): x.relu_() changes x for everyone, x.relu() does not",
    ),
    wrong(
        "adversarial",
        ReadsTheHost,
        stays_on_the_device=".item() reads a value on the host, which waits for the device",
    ),
    wrong(
        "adversarial",
        RelativisticHalves,
        judges_each_logit_on_its_own="discriminator[0]: the loss of real logits changes with the fake ones: register "
        'it with family="joint" (0.08028 becomes 0.1671)',
    ),
    wrong(
        "adversarial",
        OverTheBatch,
        judges_each_logit_on_its_own="generator: the loss of a logit changes with the others of its batch: register it"
        ' with family="joint" (5.073 becomes 4.913)',
    ),
    wrong(
        "adversarial",
        CountsCalls,
        judges_each_logit_on_its_own="generator: the loss of a logit changes with what the loss saw before: register "
        'it with family="joint" (0.3323 becomes 0.1661)',
        goes_on_after_a_checkpoint="generator is 0.539239 in call 1 after a checkpoint, 0.0449366 without one: it "
        "keeps calls in plain attributes, which no checkpoint holds; make it an nn.Module "
        "and keep its state in register_buffer(...)",
    ),
    wrong(
        "adversarial",
        Moving,
        judges_each_logit_on_its_own="discriminator[0]: the loss of a logit changes with the others of its batch: "
        'register it with family="joint" (0.7038 becomes 0.7144)',
    ),
    wrong(
        "joint",
        Averaged,
        gives_one_loss_each="discriminator[0] is one number for 5 real and 5 fake logits; return the losses as they "
        "are: ganlab takes the mean, in fp32",
    ),
    wrong(
        "joint",
        Paired,
        takes_any_counts="fails with 5 real and 7 fake logits (RuntimeError: The size of tensor a (7) must match the "
        "size of tensor b (5) at non-singleton dimension 0); a loss that needs a fake to each real is"
        ' of family="paired"',
    ),
    wrong(
        "joint",
        MovingLost,
        goes_on_after_a_checkpoint="discriminator[0] is 2.15655 in call 1 after a checkpoint, 2.16842 without one: its"
        " buffers mean are not persistent; make it an nn.Module and keep its state in "
        "register_buffer(...)",
    ),
    wrong(
        "joint",
        MovingPlain,
        goes_on_after_a_checkpoint="discriminator[0] is 4.54047e-05 in call 1 after a checkpoint, 7.31193e-06 without "
        "one: it keeps mean in plain attributes, which no checkpoint holds; make it an "
        "nn.Module and keep its state in register_buffer(...)",
    ),
    wrong(
        "joint",
        MovingText,
        goes_on_after_a_checkpoint="its state holds loss._extra_state, a str: a checkpoint holds tensors only",
    ),
    wrong(
        "joint",
        MovingSized,
        goes_on_after_a_checkpoint="what a checkpoint holds of it does not fit a new one: size mismatch for loss.mean:"
        " copying a param with shape torch.Size([3]) from checkpoint, the shape in current "
        "model is torch.Size([]).",
    ),
]


@pytest.mark.parametrize(("family", "loss", "why"), WRONG)
def test_a_wrong_loss_is_found(found: Found, family: str, loss: Callable[..., object], why: dict[str, str]) -> None:
    assert broken(findings_of(found, family, loss)) == why


def test_every_claim_finds_some_wrong_loss(claimed: Claimed) -> None:
    of = set().union(*(claimed("ganlab_losses", loss, family=family) for family, loss in RIGHT)) - {"trains_where_it_fits"}
    assert of == {claim for case in WRONG for claim in case.values[2]}


def test_what_cannot_be_called_is_reported_once_and_the_rest_says_so(found: Found) -> None:
    of = findings_of(found, "adversarial", CannotBeBuilt)
    assert {finding.why for finding in of if finding.verdict == "not applicable"} == {
        "it cannot be called (RuntimeError: no licence)"
    }
    assert [finding.verdict for finding in of].count("holds") == 0


def test_a_fault_is_told_with_its_place(found: Found) -> None:
    lines, start = inspect.getsourcelines(ReadsTheHost)
    line = next(start + index for index, text in enumerate(lines) if ".item()" in text)
    where = {finding.verdict: finding.where for finding in findings_of(found, "adversarial", ReadsTheHost)}
    assert where["broken"] == f"{__file__}:{line}"
    where = {finding.verdict: finding.where for finding in findings_of(found, "adversarial", Upside)}
    assert where["broken"] == f"{__file__}:{inspect.getsourcelines(Upside)[1]}"


class LogCosh(Hinge):
    """Overflows in fp32 beyond 88, and its values are right below."""

    def discriminator(self, real: Tensor, fake: Tensor) -> Any:
        return (real - 1).cosh().log(), (fake + 1).cosh().log()


def test_logits_are_tried_beyond_the_range_of_exp(found: Found) -> None:
    assert broken(findings_of(found, "adversarial", LogCosh)) == {
        "is_finite": "discriminator[1] is inf for real logits of 0 and fake logits of 1000"
    }
    told = {f.case.claim.__name__: f.why for f in findings_of(found, "adversarial", Hinge)}
    assert told["is_finite"] == "tried logits from -1000 to 1000, in fp32"


class NeedsMargin(Hinge):
    def __init__(self, margin: float) -> None:
        self.margin = margin


def test_a_constructor_that_must_be_told_something_says_what(found: Found) -> None:
    why = "margin: is missing; give it a default, or name it in the SMALL of an options model"
    assert {(f.verdict, f.why) for f in findings_of(found, "adversarial", NeedsMargin)} == {("not applicable", why)}
