"""A family of losses -> what its losses are tried on; a loss and such an example -> the losses, by name."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache, wraps
from itertools import product
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganlab.testing.kit import Broken, Claim, Subject, told_elsewhere

ON_LOGITS = ("adversarial", "joint", "paired")  # families with a discriminator's and a generator's side
JOINT = 'register it with family="joint"'
EXTREMES = (0.0, 1.0, -1.0, 50.0, -50.0, 1e3, -1e3)  # logits; exp overflows in fp32 beyond 88
_N, _K, _SIZE_PX, _PATCHES_PX = 5, 3, 16, 3


@dataclass(frozen=True, kw_only=True)
class Example:
    """Two tensors for a loss: real and fake logits or images, logits and target, or two images.

    A penalty also gets a critic, which computes with `weights`: a kernel [D, C, 3, 3] and a head [D].
    """

    text: str
    first: Tensor
    second: Tensor
    weights: tuple[Tensor, ...] = ()
    has_patches: bool = False  # the critic gives [N, 1, h, w]
    has_target: bool = False  # `second` is no variable

    @property
    def variables(self) -> tuple[Tensor, ...]:
        """Return the tensors that a gradient flows back to."""
        if self.weights or self.has_target:
            return self.weights or (self.first,)
        return self.first, self.second

    def at(self, *variables: Tensor) -> Example:
        """Return the same example with other variables."""
        if self.weights:
            return replace(self, weights=variables)
        return replace(self, first=variables[0], second=self.second if self.has_target else variables[1])

    def double(self) -> Example:
        """Return the same example in float64."""
        weights = tuple(weight.double() for weight in self.weights)
        return replace(self, first=self.first.double(), second=self.second.double(), weights=weights)

    def critic(self, images: Tensor) -> Tensor:
        """Return logits [N] or [N, 1, h, w] of images [N, C, H, W]; smooth, so that it can be differentiated twice."""
        kernel, head = self.weights
        patches = (F.conv2d(images, kernel, stride=4).tanh() * head.view(1, -1, 1, 1)).sum(1, keepdim=True)
        return patches if self.has_patches else patches.mean((1, 2, 3))


def losses_of(family: str, loss: Any, example: Example) -> dict[str, Tensor]:
    """Return what `loss` gives, by the name under which a user knows it: "discriminator[0]", "generator", "the loss"."""
    given: dict[str, Any] = {}
    if family in ON_LOGITS:
        real, fake = example.first, example.second
        given["discriminator"] = loss.discriminator(real, fake)
        given["generator"] = loss.generator(fake, real) if wants_real(loss) else loss.generator(fake)
    elif family == "penalty":
        given["the penalty"] = loss(example.critic, example.first, example.second)
    else:
        given["the loss"] = loss(example.first, example.second)
    two = given.get("discriminator")
    if family == "adversarial" and not (isinstance(two, tuple) and len(two) == 2):
        raise Broken("discriminator must return two: the losses of the real logits and the losses of the fake ones")
    parts: dict[str, Tensor] = {}
    for name, value in given.items():
        of_name = {name: value}
        if isinstance(value, tuple) and family in ON_LOGITS:
            of_name = {f"{name}[{index}]": part for index, part in enumerate(value)}
        for part, losses in of_name.items():
            if not isinstance(losses, Tensor):
                raise Broken(f"{part} is of type {type(losses).__name__}, not a tensor of losses")
        parts |= of_name
    return parts


def wants_real(loss: Any) -> bool:
    """Return whether the generator's side of a loss takes the real logits too, as ganlab itself asks."""
    return "real" in inspect.signature(loss.generator).parameters


def ordinary(family: str, seed: int = 1, *, fakes: int = _N, count: int = _N) -> Example:
    """Return random inputs as training has them, in no special place; of penalties and distances colour images."""
    draw = torch.Generator().manual_seed(seed)
    if family in ON_LOGITS:
        first, second = (torch.randn(n, generator=draw) * 2 for n in (count, fakes))
        return Example(text=f"{count} real and {fakes} fake logits", first=first, second=second)
    if family == "classification":
        target = F.one_hot((torch.arange(count) + seed) % _K, _K).float()
        logits = torch.randn(count, _K, generator=draw) * 2
        return Example(text=f"logits and one-hot targets of {count} images", first=logits, second=target, has_target=True)
    first, second = (torch.rand(count, 3, _SIZE_PX, _SIZE_PX, generator=draw) * 2 - 1 for _ in range(2))
    images = Example(text=f"{count} colour images of {_SIZE_PX} px", first=first, second=second)
    if family == "distance":
        return images
    weights = (torch.randn(4, 3, 3, 3, generator=draw) / 3, torch.randn(4, generator=draw))
    return replace(images, weights=weights)


def patches(family: str, *, fakes: int = _N) -> Example:
    """Return the same for logits [N, 1, h, w] of patches."""
    if family == "penalty":
        return replace(ordinary(family), text="a critic of patches", has_patches=True)
    draw = torch.Generator().manual_seed(2)
    first, second = (torch.randn(n, 1, _PATCHES_PX, _PATCHES_PX, generator=draw) * 2 for n in (_N, fakes))
    return Example(text=f"logits of the patches of {_N} real and {fakes} fake images", first=first, second=second)


def shapes(family: str) -> Iterator[Example]:
    """Yield inputs of each shape that a loss of this family must take, one image alone among them."""
    yield ordinary(family)
    yield ordinary(family, count=1, fakes=1)
    if family in (*ON_LOGITS, "penalty"):
        yield patches(family)
    if family == "classification":
        one_label = ordinary(family)
        yield replace(one_label, text=f"one label of {_N} images", first=one_label.first[:, :1], second=one_label.second[:, :1])
    if family == "distance":
        colour = ordinary(family)
        yield replace(colour, text=f"{_N} gray images", first=colour.first[:, :1], second=colour.second[:, :1])


def extremes(family: str) -> Iterator[Example]:
    """Yield inputs at which a careless formula is infinite or has no gradient."""
    if family in ON_LOGITS:
        for real, fake in product(EXTREMES, EXTREMES):
            text = f"real logits of {real:g} and fake logits of {fake:g}"
            yield Example(text=text, first=torch.full((_N,), real), second=torch.full((_N,), fake))
    elif family == "classification":
        right = F.one_hot(torch.arange(_N) % _K, _K).float()
        targets = {"one-hot": right, "all-zero": torch.zeros(_N, _K), "all-one": torch.ones(_N, _K)}
        for logit, (name, target) in product(EXTREMES, targets.items()):
            text = f"{name} targets and logits of {logit:g} for the class, {-logit:g} for the others"
            yield Example(text=text, first=logit * (2 * right - 1), second=target, has_target=True)
    else:
        some = ordinary(family)
        black, white = torch.full_like(some.first, -1), torch.full_like(some.first, 1)
        yield some
        yield replace(some, text="two images that are equal", second=some.first.clone())
        yield replace(some, text="black and white images", first=black, second=white)
        yield replace(some, text="images that are black both", first=black, second=black.clone())
        if family == "penalty":
            kernel, head = some.weights
            yield replace(some, text="a critic that is flat", weights=(kernel, torch.zeros_like(head)))
            yield replace(some, text="a critic that is steep", weights=(kernel, 50 * head))


def family_of(subject: Subject) -> str:
    """Return the family that the loss under test is registered with."""
    return str(subject.component.component.family)


def once_it_runs(claim: Claim) -> Claim:
    """Make a claim apply only to a loss that can be built and called: claims of their own report what cannot."""

    @wraps(claim)
    def checked(subject: Subject) -> str | None:
        _run(subject)
        return claim(subject)

    return checked


@lru_cache(maxsize=1)  # once for the claims about one loss
def _run(subject: Subject) -> None:
    with told_elsewhere("it cannot be called"):
        losses_of(family_of(subject), whole(subject), ordinary(family_of(subject)))


def whole(subject: Subject) -> Any:
    """Return a loss that has seen nothing; raises `Broken` if it lacks what its family has."""
    loss = fresh(subject)
    if fault := _lacks(loss, family_of(subject)):
        raise Broken(fault)
    return loss


def fresh(subject: Subject, *, double: bool = False) -> Any:
    """Return a loss that has seen nothing, drawn from one seed; `double`: what it keeps in float64."""
    torch.default_generator.manual_seed(0)  # torch.manual_seed takes milliseconds, for devices that are not used
    loss = subject.build()
    return loss.double() if double and isinstance(loss, nn.Module) else loss


def values_of(subject: Subject, example: Example, loss: Any = None) -> dict[str, Tensor]:
    """Return the losses as numbers, drawn from one seed; of a loss that has seen nothing, unless one is given."""
    loss = fresh(subject) if loss is None else loss
    example = replace(example, first=example.first.clone(), second=example.second.clone())  # a loss may write into them
    torch.default_generator.manual_seed(1)
    return {part: losses.detach() for part, losses in losses_of(family_of(subject), loss, example).items()}


def _lacks(loss: Any, family: str) -> str | None:
    """Return what a loss of `family` lacks to be called; None if it has all."""
    if family not in ON_LOGITS:
        return None if callable(loss) else f"has no __call__: a loss of family {family!r} is called"
    for method in ("discriminator", "generator"):
        if not callable(getattr(loss, method, None)):
            return f"has no method {method}: a loss of family {family!r} has discriminator(real, fake) and generator(fake)"
    if family == "adversarial" and wants_real(loss):
        return f"its generator takes real logits too, which an objective that updates by halves has not: {JOINT}"
    return None
