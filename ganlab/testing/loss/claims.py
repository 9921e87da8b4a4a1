"""What a loss must do to fit every objective that takes its family."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

from ganlab.losses import wrap
from ganlab.registry import in_one_line
from ganlab.testing.kit import Broken, Claim, NotApplicable, Subject, told_elsewhere
from ganlab.testing.loss.directions import (
    is_least_for_the_right_class,
    is_least_where_both_agree,
    is_never_negative,
    tells_real_from_fake,
)
from ganlab.testing.loss.examples import (
    EXTREMES,
    JOINT,
    ON_LOGITS,
    Example,
    extremes,
    family_of,
    fresh,
    losses_of,
    once_it_runs,
    ordinary,
    patches,
    shapes,
    values_of,
    whole,
)
from ganlab.testing.loss.gradients import analytic_and_numeric
from ganlab.testing.loss.state import goes_on_after_a_checkpoint
from ganlab.testing.loss.use import trains_where_it_fits
from ganlab.testing.purity import refuse, watched

_MEAN = "return the losses as they are: ganlab takes the mean, in fp32"


def claims(subject: Subject) -> Iterable[Claim]:
    """Return the claims that the family of the loss makes."""
    family = family_of(subject)
    yield has_the_methods_of_its_family
    yield gives_one_loss_each
    if family in ("adversarial", "joint"):
        yield takes_any_counts
    if family == "adversarial":
        yield judges_each_logit_on_its_own
    yield from (is_finite, has_the_gradient_of_its_values)
    if family in ON_LOGITS:
        yield tells_real_from_fake
    if family == "classification":
        yield is_least_for_the_right_class
    if family == "distance":
        yield is_least_where_both_agree
    if family == "penalty":
        yield from (is_never_negative, reaches_the_critic)
    yield from (leaves_its_inputs_as_they_are, goes_on_after_a_checkpoint, computes_in_full_precision)
    yield from (stays_on_the_device, trains_where_it_fits)


def has_the_methods_of_its_family(subject: Subject) -> None:
    """Is built from its options, with the methods of its family."""
    whole(subject)


def gives_one_loss_each(subject: Subject) -> None:
    """Gives one loss for each logit, image or label, no mean."""
    with told_elsewhere("it cannot be called"):
        whole(subject)
    for example in shapes(family_of(subject)):
        fault = _shape_fault(subject, example)
        if fault:
            raise Broken(fault)


@once_it_runs
def takes_any_counts(subject: Subject) -> None:
    """Takes any number of real and of fake logits."""
    family = family_of(subject)
    if any(_shape_fault(subject, example) for example in shapes(family)):
        raise NotApplicable("it does not give one loss a logit")
    unequal = (ordinary(family, fakes=7), ordinary(family, count=7), ordinary(family, fakes=1), patches(family, fakes=7))
    for example in unequal:
        try:
            fault = _shape_fault(subject, example)
        except (RuntimeError, ValueError, IndexError) as error:
            fault = f"fails with {example.text} ({in_one_line(error)})"
        if fault:
            raise Broken(f'{fault}; a loss that needs a fake to each real is of family="paired"')


@once_it_runs
def judges_each_logit_on_its_own(subject: Subject) -> None:
    """Gives a logit the same loss whatever the others are."""
    loss, base = fresh(subject), ordinary("adversarial")
    other = ordinary("adversarial", seed=2)
    before = values_of(subject, base)
    if not all(losses.dim() for losses in before.values()):
        raise NotApplicable("it does not give one loss a logit")

    other_fakes = values_of(subject, base.at(base.first, other.second))
    _compare("discriminator[0]", before, other_fakes, f"of real logits changes with the fake ones: {JOINT}")
    other_reals = values_of(subject, base.at(other.first, base.second))
    _compare("discriminator[1]", before, other_reals, f"of fake logits changes with the real ones: {JOINT}")

    other_first = [torch.cat([new[:1], old[1:]]) for new, old in zip(other.variables, base.variables, strict=True)]
    after = values_of(subject, base.at(*other_first))
    for part in before:
        _compare(
            part, {part: before[part][1:]}, {part: after[part][1:]}, f"of a logit changes with the others of its batch: {JOINT}"
        )

    values_of(subject, other, loss)
    after = values_of(subject, base, loss)
    for part in before:
        _compare(part, before, after, f"of a logit changes with what the loss saw before: {JOINT}")


@once_it_runs
def is_finite(subject: Subject) -> str | None:
    """Stays finite at the extremes, its gradient too."""
    family = family_of(subject)
    for example in extremes(family):
        at = example.at(*(variable.clone().requires_grad_() for variable in example.variables))
        for part, losses in losses_of(family, fresh(subject), at).items():
            if not losses.isfinite().all():
                raise Broken(f"{part} is {_odd(losses)} for {example.text}")
            for gradient in _gradients(losses.sum(), at):
                if not gradient.isfinite().all():
                    raise Broken(f"the gradient of {part} is {_odd(gradient)} for {example.text}")
    on_logits = family in (*ON_LOGITS, "classification")
    return f"tried logits from {min(EXTREMES):g} to {max(EXTREMES):g}, in fp32" if on_logits else None


@once_it_runs
def has_the_gradient_of_its_values(subject: Subject) -> None:
    """Has the gradient that its values show, measured in float64."""
    for example in (*shapes(family_of(subject)), ordinary(family_of(subject), seed=2)):
        for part, dtype, analytic, numeric in analytic_and_numeric(subject, example):
            if dtype != torch.float64:
                name = str(dtype).removeprefix("torch.")
                raise Broken(f"{part} is {name} for inputs in float64: leave out the cast, ganlab calls it in fp32")
            if abs(analytic - numeric) > 1e-5 * (abs(analytic) + abs(numeric)) + 1e-6:
                why = f"its gradient says {analytic:.6g} along a line where its values change by {numeric:.6g}"
                raise Broken(f"{part}, {example.text}: {why}; is there a detach, no_grad or own backward too many?")


@once_it_runs
def reaches_the_critic(subject: Subject) -> None:
    """Moves the critic's weights.

    What it differentiates can be differentiated again.
    """
    if getattr(fresh(subject), "is_penalty", True) is False:
        raise NotApplicable("says that it is no penalty (is_penalty = False), so nothing asks it for one")
    for example in (ordinary("penalty"), patches("penalty")):
        at = example.at(*(weight.clone().requires_grad_() for weight in example.weights))
        penalty = losses_of("penalty", fresh(subject), at)["the penalty"].sum()
        if not any(gradient.any() for gradient in _gradients(penalty, at)):
            hint = "torch.autograd.grad needs create_graph=True"
            raise Broken(f"no gradient reaches the critic's weights with {example.text}; {hint}")


@once_it_runs
def leaves_its_inputs_as_they_are(subject: Subject) -> None:
    """Leaves its inputs as they are."""
    family = family_of(subject)
    example = ordinary(family)
    names = {"classification": ("logits", "target"), "distance": ("first", "second")}.get(family, ("real", "fake"))
    inputs = {names[0]: example.first, names[1]: example.second}
    before = {name: value.clone() for name, value in inputs.items()}
    losses_of(family, fresh(subject), example)
    for name, value in inputs.items():
        if not torch.equal(value, before[name]):
            raise Broken(f"writes into its argument ({name}): x.relu_() changes x for everyone, x.relu() does not")
        if value.requires_grad:
            raise Broken(f"calls requires_grad_() on its argument ({name}): take a copy, x.detach().requires_grad_()")


@once_it_runs
def computes_in_full_precision(subject: Subject) -> None:
    """Computes in fp32 where networks compute in bf16."""
    family = family_of(subject)
    rounded = ordinary(family)
    rounded = rounded.at(*(variable.bfloat16().float() for variable in rounded.variables))
    low = Example(
        text="",
        first=rounded.first.bfloat16(),
        second=rounded.second.bfloat16(),
        weights=rounded.weights,
        has_target=rounded.has_target,
    )
    high = Example(text="", first=low.first.float(), second=low.second.float(), weights=low.weights, has_target=low.has_target)
    with torch.autocast("cpu", torch.bfloat16):
        mixed = _terms(subject, low)
    for name, value in _terms(subject, high).items():
        if mixed[name].dtype != torch.float32:
            dtype = str(mixed[name].dtype).removeprefix("torch.")
            raise Broken(f"{name} is {dtype} under bf16: leave out casts and autocast, ganlab hands it fp32")
        if not torch.equal(mixed[name], value):
            raise Broken(f"{name} is {mixed[name]:.6g} under bf16 and {value:.6g} in fp32, for the same inputs")


@once_it_runs
def stays_on_the_device(subject: Subject) -> None:
    """Stays on the device: reads no value on the host, and no shape depends on the data."""
    family = family_of(subject)
    example, loss = ordinary(family), fresh(subject)
    with watched() as seen:
        losses_of(family, loss, example)
    refuse(seen)


def _terms(subject: Subject, example: Example) -> dict[str, Tensor]:
    """Return every term that ganlab makes of a loss, as an objective calls for it."""
    family = family_of(subject)
    wrapped: Any = wrap(family, fresh(subject))
    first, second = example.first, example.second
    terms: dict[str, Callable[[], Tensor]]
    if family in ON_LOGITS:
        terms = {
            "discriminator": lambda: wrapped.discriminator(first, second),
            "generator": lambda: wrapped.generator(second, lambda: first),
        }
    elif family == "penalty":
        terms = {"the penalty": lambda: wrapped(example.critic, first, second)}
    else:
        terms = {"the loss": lambda: wrapped(first, second)}
    if family == "adversarial":
        is_real = torch.arange(len(first)) % 2 == 0
        terms["mixed"] = lambda: wrapped.mixed(first, is_real)
    values = {}
    for name, term in terms.items():
        torch.default_generator.manual_seed(1)
        values[name] = term().detach()
    return values


def _shape_fault(subject: Subject, example: Example) -> str | None:
    """Return which part of the loss has not one loss for each logit (or image), in words."""
    family = family_of(subject)
    real, fake = tuple(example.first.shape), tuple(example.second.shape)
    for part, losses in losses_of(family, fresh(subject), example).items():
        shape = tuple(losses.shape)
        if not shape:
            return f"{part} is one number for {example.text}; {_MEAN}"
        if family == "adversarial":
            exact = real if part == "discriminator[0]" else fake
            fits, wanted = shape == exact, str(exact)
        elif family in ON_LOGITS:
            fits, wanted = shape in (real, fake), " or ".join(map(str, dict.fromkeys((real, fake))))
        else:
            fits, wanted = shape[0] == real[0], f"({real[0]},) or ({real[0]}, ...)"
        if not fits:
            return f"{part} has the shape {shape} for {example.text}, not {wanted}; {_MEAN}"
    return None


def _gradients(value: Tensor, at: Example) -> list[Tensor]:
    if not value.requires_grad:
        return []
    found = torch.autograd.grad(value, at.variables, retain_graph=True, allow_unused=True)
    return [gradient for gradient in found if gradient is not None]


def _compare(part: str, before: dict[str, Tensor], after: dict[str, Tensor], why: str) -> None:
    different = (before[part] != after[part]).flatten().nonzero()
    if len(different):
        old, new = (values[part].flatten()[different[0, 0]] for values in (before, after))
        raise Broken(f"{part}: the loss {why} ({old:.4g} becomes {new:.4g})")


def _odd(values: Tensor) -> str:
    return str(values[~values.isfinite()].flatten()[0].item())
