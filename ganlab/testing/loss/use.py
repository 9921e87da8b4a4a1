"""A loss -> whether every objective that takes its family trains with it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ganlab.options import Family
from ganlab.registry import Registered
from ganlab.testing.kit import Broken, NotApplicable, Subject, reason
from ganlab.testing.loss.examples import family_of, once_it_runs
from ganlab.testing.objective.assembly import assemble
from ganlab.testing.objective.trial import take_each_phase


@once_it_runs
def trains_where_it_fits(subject: Subject) -> str:
    """Trains in every objective that takes it."""
    family = family_of(subject)
    use = {"use": subject.component.full_name, **subject.settings()}
    trained = []
    for objective, field in _places(subject, family):
        fault = _fault(subject.beside(objective), **{field: use})
        if fault is None:
            trained.append(f"{objective.name} ({field})")
        elif _fault(subject.beside(objective)) is None:
            why, where = fault
            raise Broken(f"as {field} of the objective {objective.name}: {why}", where)
        # else the objective is broken without it too, which its own claims tell
    if not trained:
        raise NotApplicable(f"no objective here takes a loss of family {family!r}")
    return ", ".join(trained)


def _places(subject: Subject, family: str) -> Iterator[tuple[Registered, str]]:
    """Yield each objective and field that takes the family."""
    for objective in subject.registry.all("objective"):
        model: Any = objective.load_options()
        for field, info in getattr(model, "model_fields", {}).items():
            if any(isinstance(extra, Family) and family in extra.names for extra in info.metadata):
                yield objective, field


def _fault(objective: Subject, **settings: Any) -> tuple[str, str] | None:
    """Return why two steps of each phase cannot be taken, and where; None if they can."""
    try:
        take_each_phase(assemble(objective, **settings).parts(), times=2)
    except (Exception, NotApplicable) as error:
        return reason(error), getattr(error, "where", "")
    return None
