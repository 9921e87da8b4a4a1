"""What an architecture makes outside training (`generate`, `translate`, `classify`), as samples and scores ask for it."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from ganlab.registry import did_you_mean, near_names
from ganlab.testing.architecture.networks import Built, each_form, working
from ganlab.testing.kit import Broken, NotApplicable, Subject
from ganlab.testing.roles import fault_of

MAKES = {"generate": ("noise", "labels"), "translate": ("images", "labels"), "classify": ("images",)}
_GROWTH = 10.0  # of all weights: an image that is bounded by construction stays in range


def makes_what_it_promises(subject: Subject) -> str | None:
    """Makes what it promises, each image whatever the others are."""
    options = subject.options()
    every = sorted(options.makes())
    for name in every:
        if name not in MAKES:
            near = did_you_mean(near_names(name, MAKES)) or f"; it may name {', '.join(MAKES)}"
            raise Broken(f"makes() names {name!r}{near}")
    unnamed: set[str] = set()
    tried: set[str] = set()
    for data in each_form(subject):
        built = working(subject, data)
        unnamed |= {name for name in MAKES if hasattr(built.architecture, name)} - set(every)
        promised = sorted(options.makes_with(built.roles))  # the rest needs frozen networks
        tried |= set(promised)
        for name in promised:
            _check_made(built, name)
        grown = working(subject, data)
        with torch.no_grad():
            for net in grown.nets.values():
                for weight in net.parameters():
                    weight.mul_(_GROWTH)
        for name in promised:
            _check_bounds(grown, name)
    if every and not tried:
        raise NotApplicable(f"with its own networks alone it makes nothing; {', '.join(every)} needs a frozen one")
    if not every:
        hint = f"; it has {', '.join(sorted(unnamed))}, which nothing will call" if unnamed else ""
        raise NotApplicable(f"its makes() name nothing{hint}")
    return f"makes() does not name {', '.join(sorted(unnamed))}, so nothing calls it" if unnamed else None


def _check_made(built: Built, name: str) -> None:
    if not callable(getattr(built.architecture, name, None)):
        raise Broken(f"makes() names {name!r}, and the architecture has no such method")
    if name == "generate" and not built.has_noise:
        raise Broken("makes() names 'generate', and the architecture has no method noise(count, device)")
    given = built.given(3)
    three = _made(built, name, given)
    one = _made(built, name, {word: value[:1] for word, value in given.items()})
    if not torch.allclose(three[:1], one, rtol=1e-3, atol=1e-3):
        difference = (three[:1] - one).abs().max()
        raise Broken(f"{name}, {built}: an image differs by {difference:.2g} with those that are made beside it")


def _check_bounds(grown: Built, name: str) -> None:
    images = _call(grown, name, grown.given(3)) if name != "classify" else torch.zeros(1)
    if (images.abs() > 1.001).any():
        reached = images[images.isfinite()].abs().max()
        raise Broken(f"{name}, {grown}: images reach {reached:.3g} when weights grow; bound them, by tanh or clamp, to [-1, 1]")


def _made(built: Built, name: str, given: Mapping[str, Tensor]) -> Tensor:
    made = _call(built, name, given)
    word = "classes" if name == "classify" else "images"
    fault = fault_of(word, made, len(given["images"]), built.data, None)
    if fault:
        raise Broken(f"{name}, {built}: {fault}")
    return made


def _call(built: Built, name: str, given: Mapping[str, Tensor]) -> Tensor:
    for net in built.nets.values():
        net.eval()
    with torch.inference_mode():
        torch.default_generator.manual_seed(1)
        made: Tensor = getattr(built.architecture, name)(built.nets, *(given[word] for word in MAKES[name]))
    return made
