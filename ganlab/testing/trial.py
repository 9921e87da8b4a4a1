"""A subject -> its objective put together, ready for steps; not applicable where another claim tells what is wrong."""

from __future__ import annotations

from collections.abc import Hashable

from ganlab.registry import in_one_line
from ganlab.resolve import Parts
from ganlab.testing.assembly import Assembly, assemble
from ganlab.testing.kit import Broken, NotApplicable, Subject
from ganlab.testing.steps import phases, take_step

MOST_PHASES = 8  # tried of an objective with many
MOST_UPDATES = 24  # about how many one part of a claim makes, so that 25 critic updates a step do not take minutes


def assembled(subject: Subject, precision: str = "fp32") -> Assembly:
    """Return what the objective goes together with; raises `Broken` or `NotApplicable` if it does not."""
    return assemble(subject.plugins, subject.component, subject.settings(), precision)


def buildable(subject: Subject) -> Assembly:
    """Return what the objective goes together with; raises `NotApplicable` if it cannot be built."""
    try:
        assembly = assembled(subject)
        assembly.parts()
    except NotApplicable:
        raise
    except (Exception, SystemExit) as error:
        raise NotApplicable(f"it cannot be put together ({_reason(error)})") from None
    return assembly


def working(subject: Subject) -> Assembly:
    """Return an assembly whose steps can be taken; raises `NotApplicable`: claims of their own report what cannot."""
    assembly = buildable(subject)
    try:
        parts = assembly.parts()
        for phase in tried(parts):
            take_step(parts, phase)
    except (Exception, SystemExit) as error:
        raise NotApplicable(f"its steps cannot be taken ({_reason(error)})") from None
    return assembly


def tried(parts: Parts) -> list[Hashable]:
    """Return the phases of the objective that are tried."""
    return list(phases(parts.objective))[:MOST_PHASES]


def _reason(error: BaseException) -> str:
    return str(error) if isinstance(error, Broken) else in_one_line(error)
