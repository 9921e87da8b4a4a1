"""A subject -> its objective put together, ready for steps; not applicable where another claim tells what is wrong."""

from __future__ import annotations

from collections.abc import Hashable
from functools import lru_cache

from ganlab.resolve import Parts
from ganlab.testing.kit import Subject, told_elsewhere
from ganlab.testing.objective.assembly import Assembly, assemble
from ganlab.testing.objective.steps import phases, take_step

MOST_PHASES = 8  # tried of an objective with many
MOST_UPDATES = 24  # about how many one part of a claim makes, so that 25 critic updates a step do not take minutes

assembled = lru_cache(maxsize=1)(assemble)  # the claims about one objective share what it goes together with


@lru_cache(maxsize=1)
def buildable(subject: Subject) -> Assembly:
    """Return what the objective goes together with; raises `NotApplicable` if it cannot be built."""
    with told_elsewhere("it cannot be put together"):
        assembly = assembled(subject)
        assembly.parts()
    return assembly


@lru_cache(maxsize=1)
def working(subject: Subject) -> Assembly:
    """Return an assembly whose steps can be taken; raises `NotApplicable` if they cannot."""
    assembly = buildable(subject)
    with told_elsewhere("its steps cannot be taken"):
        take_each_phase(assembly.parts())
    return assembly


def take_each_phase(parts: Parts, times: int = 1) -> None:
    """Take so many steps of each phase that is tried; raises what is wrong with them."""
    for phase in tried(parts):
        for _ in range(times):
            take_step(parts, phase)


def tried(parts: Parts) -> list[Hashable]:
    """Return the phases of the objective that are tried."""
    return list(phases(parts.objective))[:MOST_PHASES]
