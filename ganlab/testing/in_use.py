"""A loss -> whether every objective that takes its family trains with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ganlab.options import Family
from ganlab.plugins import Plugins
from ganlab.registry import Registered, in_one_line
from ganlab.testing.assembly import assemble
from ganlab.testing.kit import Broken, NotApplicable, Subject
from ganlab.testing.loss_examples import once_it_runs
from ganlab.testing.steps import take_step
from ganlab.testing.trial import tried


@once_it_runs
def trains_where_it_fits(subject: Subject) -> str:
    """Trains in every objective that takes it."""
    loss = subject.component
    use = {"use": loss.full_name, **subject.settings()}
    trained = []
    for objective, field in _places(subject, str(loss.component.family)):
        small: Mapping[str, Any] = getattr(objective.load_options(), "SMALL", {})
        fault = _fault(subject.plugins, objective, {**small, field: use})
        if fault is None:
            trained.append(f"{objective.name} ({field})")
        elif _fault(subject.plugins, objective, small) is None:
            why, where = fault
            raise Broken(f"as {field} of the objective {objective.name}: {why}", where)
        # else the objective is broken without it too, which its own claims tell
    if not trained:
        raise NotApplicable(f"no objective here takes a loss of family {loss.component.family!r}")
    return ", ".join(trained)


def _places(subject: Subject, family: str) -> Iterator[tuple[Registered, str]]:
    """Yield each objective and field that takes the family."""
    for objective in subject.registry.all("objective"):
        model: Any = objective.load_options()
        for field, info in getattr(model, "model_fields", {}).items():
            if any(isinstance(extra, Family) and family in extra.names for extra in info.metadata):
                yield objective, field


def _fault(plugins: Plugins, objective: Registered, settings: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return why two steps of each phase cannot be taken, and where; None if they can."""
    try:
        parts = assemble(plugins, objective, settings).parts()
        for phase in tried(parts):
            for _ in range(2):
                take_step(parts, phase)
    except (Broken, NotApplicable) as fault:
        return str(fault), getattr(fault, "where", "")
    except Exception as error:
        return in_one_line(error), ""
    return None
