"""Parts -> single steps, driven by the loop's own code, with a look at what lies between two descents."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from ganlab.contracts import Batch, Update
from ganlab.errors import PluginError
from ganlab.registry import in_one_line, with_article
from ganlab.resolve import Parts
from ganlab.testing.kit import Broken, place_of
from ganlab.testing.objective.assembly import BATCH_IMAGES
from ganlab.training.step import TrainingStep, run_step

Recorded = list[tuple[str, Tensor]]

# The steps whose phases are asked for: the first, and some of every later age of a run.
_INDEXES = (*range(1, 61), *(2**power + more for power in range(6, 21) for more in range(16)))
# What torch says of a graph that cannot be descended, and what it means here.
_GRAPH_FAULTS = {
    "modified by an inplace operation": "was computed with weights that have moved since: compute it anew after they have",
    "backward through the graph a second time": "goes back through what an earlier update went through already: "
    "compute it anew, or detach it",
    "does not require grad": "has no gradient: its terms were computed under no_grad, or detached",
}


@dataclass(frozen=True, kw_only=True)
class Look:
    """What is done beside a step: around each segment (the lines up to a yield), and with each update before its descent."""

    segment: Callable[[], AbstractContextManager[object]] = nullcontext
    yielded: Callable[[Update], None] = lambda update: None
    lent: Callable[[], AbstractContextManager[object]] = nullcontext  # around what the core does for the step: batches


def phases(objective: Any) -> dict[Hashable, int]:
    """Return each phase and the first step that is in it; raises `Broken` for a phase that is not its step's alone."""
    if not hasattr(objective, "phase"):
        return {None: 1}
    where = place_of(type(objective).phase)
    first: dict[Hashable, int] = {}
    told = {}
    for index in _INDEXES:
        phase = told[index] = objective.phase(index)
        try:
            first.setdefault(phase, index)
        except TypeError:
            kind = with_article(type(phase).__name__)
            raise Broken(f"phase({index}) is {kind}, {phase!r}, which cannot be hashed; a tuple can", where) from None
    for index in reversed(_INDEXES):
        again = objective.phase(index)
        if again != told[index]:
            why = "it must depend on the number alone, for a run goes on anywhere"
            raise Broken(f"phase({index}) is {told[index]!r} when first asked and {again!r} when asked again: {why}", where)
    return first


def take_step(parts: Parts, phase: Hashable, look: Look | None = None) -> Recorded:
    """Take one step and return its raw terms and measures; raises `Broken` at the yield for what the core refuses."""
    walk = _Walk(parts.objective, look or Look())
    step = TrainingStep(parts, phase, batch_images=BATCH_IMAGES, flip=False)
    try:
        recorded = run_step(replace(parts, objective=walk), step)
    except Broken as fault:
        fault.where = fault.where or walk.line
        raise
    except PluginError as error:
        name = type(walk).__name__
        raise Broken(str(error).replace(f"{name}.step", f"{type(parts.objective).__name__}.step"), walk.line) from None
    except RuntimeError as error:
        if not walk.is_descending:
            raise  # in the objective's own lines
        meaning = next((text for words, text in _GRAPH_FAULTS.items() if words in str(error)), None)
        why = meaning or f"cannot be descended: {in_one_line(error)}"
        raise Broken(f"the update of {walk.player} {why}", walk.line) from error
    finally:
        walk.close()  # a step that stands inside a `with` would keep the process in its mode
    for name, value in step.measures:
        _check_scalar("measure", name, value, walk.line)
    return recorded


class _Walk:
    """An objective whose step is another's, each segment inside a look."""

    def __init__(self, objective: Any, look: Look) -> None:
        self._objective, self._look = objective, look
        self._updates: Any = None
        self.player: str | None = None
        self.is_descending = False
        self.line = ""  # "file:line" of the last yield

    def step(self, s: TrainingStep) -> Iterator[Update]:
        """Yield what the objective yields."""
        self._updates = self._objective.step(_Lent(s, self._look.lent))
        if not isinstance(self._updates, Iterator):
            kind = with_article(type(self._updates).__name__)
            raise Broken(f"step must be a generator, which yields its updates; it returns {kind}", _step_place(self._objective))
        try:
            while (update := self._next()) is not _END:
                self.player = update.player
                self._look.yielded(update)
                self.is_descending = True
                yield update
                self.is_descending = False
        finally:
            self.close()

    def _next(self) -> Any:
        with self._look.segment():
            update = next(self._updates, _END)
        if update is not _END:
            self.line = _line(self._updates) or self.line
            self._check(update)
        return update

    def close(self) -> None:
        """Break the step off, if it is not at its end."""
        try:
            getattr(self._updates, "close", lambda: None)()
        except RuntimeError:
            raise Broken("step goes on when it is broken off: let GeneratorExit pass", self.line) from None

    def _check(self, update: Any) -> None:
        if not isinstance(update, Update):
            raise Broken(f"step yields {with_article(type(update).__name__)}, not a ganlab.Update")
        for name, term in update.terms.items():
            _check_scalar("term", name, term, self.line)


class _Lent:
    """The step as the objective gets it, with a look away from what the core does for it."""

    def __init__(self, step: TrainingStep, lent: Callable[[], AbstractContextManager[object]]) -> None:
        self._step, self._lent = step, lent

    @property
    def nets(self) -> Mapping[str, nn.Module]:
        return self._step.nets

    @property
    def phase(self) -> Any:
        return self._step.phase

    @property
    def device(self) -> torch.device:
        return self._step.device

    def batch(self, count: int | None = None, of: int | None = None) -> Batch:
        with self._lent():
            return self._step.batch(count, of)

    def labels(self, count: int) -> Tensor:
        with self._lent():
            return self._step.labels(count)

    def noise(self, count: int) -> Tensor:
        return self._step.noise(count)

    def log(self, **measures: Tensor) -> None:
        for name, value in measures.items():
            if not isinstance(value, Tensor):
                raise Broken(f"the measure {name} is {with_article(type(value).__name__)}, not a tensor on the device")
        with self._lent():
            self._step.log(**measures)


_END = object()


def _check_scalar(what: str, name: str, value: Any, where: str) -> None:
    if not isinstance(value, Tensor):
        raise Broken(f"the {what} {name} is {with_article(type(value).__name__)}, not a tensor", where)
    if value.dim():
        raise Broken(f"the {what} {name} has the shape {list(value.shape)}, not [] of one mean", where)
    if not value.isfinite():
        raise Broken(f"the {what} {name} is {value.item():g}", where)


def _line(updates: Any) -> str:
    """Return "file:line" of the yield at which a generator stands."""
    while getattr(getattr(updates, "gi_yieldfrom", None), "gi_frame", None) is not None:
        updates = updates.gi_yieldfrom
    frame = getattr(updates, "gi_frame", None)
    return f"{frame.f_code.co_filename}:{frame.f_lineno}" if frame is not None else ""


def _step_place(objective: Any) -> str:
    return place_of(type(objective).step)
