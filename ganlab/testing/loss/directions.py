"""Whether the descent of a loss leads where its family says."""

from __future__ import annotations

import torch
from torch import Tensor

from ganlab.testing.kit import Broken, Subject
from ganlab.testing.loss.examples import Example, extremes, once_it_runs, ordinary, values_of


@once_it_runs
def tells_real_from_fake(subject: Subject) -> None:
    """Points both players the right way.

    Less for the discriminator where real logits are high and fake ones low; for the generator where fake ones are high.
    """

    def side(name: str, real: float, fake: float) -> float:
        example = Example(text="", first=torch.full((5,), real), second=torch.full((5,), fake))
        values = values_of(subject, example)
        return sum(float(part.mean()) for key, part in values.items() if key.partition("[")[0] == name)

    right, wrong = side("discriminator", 1.0, 0.0), side("discriminator", 0.0, 1.0)
    if not right < wrong:
        raise Broken(f"discriminator: {right:.4g} for real 1 and fake 0 is not less than {wrong:.4g} for real 0 and fake 1")
    better, worse = side("generator", 1.0, 0.0), side("generator", 1.0, -1.0)
    if not better < worse:
        raise Broken(f"generator: {better:.4g} for fake logits of 0 is not less than {worse:.4g} for those of -1")


@once_it_runs
def is_least_for_the_right_class(subject: Subject) -> None:
    """Is less for the right class than for a wrong one."""
    target = ordinary("classification").second

    def of(shown: Tensor) -> Tensor:
        example = Example(text="", first=4 * shown - 2, second=target, has_target=True)
        return values_of(subject, example)["the loss"].reshape(len(target), -1).sum(1)

    for right, wrong in zip(of(target).tolist(), of(target.roll(1, 1)).tolist(), strict=True):
        if not right < wrong:
            raise Broken(f"{right:.4g} for the right class is not less than {wrong:.4g} for a wrong one")


@once_it_runs
def is_least_where_both_agree(subject: Subject) -> None:
    """Is least for two equal images."""
    same = ordinary("distance")
    agree = values_of(subject, same.at(same.first, same.first.clone()))["the loss"].mean()
    near = same.first + 0.1 * torch.randn_like(same.first)
    for text, other in (("similar", near), ("different", same.second), ("inverted", -same.first)):
        differ = values_of(subject, same.at(same.first, other))["the loss"].mean()
        if not agree < differ:
            raise Broken(f"{agree:.4g} for images that are equal is not less than {differ:.4g} for {text} ones")


@once_it_runs
def is_never_negative(subject: Subject) -> None:
    """Is never negative."""
    for example in extremes("penalty"):
        least = values_of(subject, example)["the penalty"].min()
        if least < 0:
            raise Broken(f"{least:.4g} for {example.text}")
