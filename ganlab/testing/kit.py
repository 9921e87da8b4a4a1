"""A plugin -> cases, one for each component and each claim that its contract makes of it; a case -> what was found."""

from __future__ import annotations

import inspect
import time
import traceback
import unittest
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

from pydantic import BaseModel, ValidationError
from pydantic_core import to_json

from ganlab.errors import GanlabError
from ganlab.options import ArchitectureOptions, DatasetOptions, ObjectiveOptions, model_fields_of
from ganlab.plugins import PluginRecord, Plugins
from ganlab.registry import Registered, Registry, in_one_line
from ganlab.spec_signature import signature_options
from ganlab.testing.source import PluginSource, plugin_source

_OPTIONS = {"architecture": ArchitectureOptions, "dataset": DatasetOptions, "objective": ObjectiveOptions}


class Broken(AssertionError):
    """Says that a component does not do what its contract claims: why, and where if it is not where it is defined."""

    def __init__(self, why: str, where: str = "") -> None:
        super().__init__(why)
        self.where = where


class NotApplicable(unittest.SkipTest):
    """Says why a claim cannot be checked of this component here: its data are absent, it makes no images."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Subject:
    """A component under test, or (`registered` is None) a plugin as a whole, and the built-in plugins beside it."""

    source: PluginSource
    record: PluginRecord
    plugins: Plugins
    registered: Registered | None = None

    @property
    def component(self) -> Registered:
        """Return the component under test."""
        assert self.registered is not None
        return self.registered

    @property
    def registry(self) -> Registry:
        """Return what the component may be combined with: itself and the built-ins."""
        return Registry(self.plugins)

    def beside(self, registered: Registered) -> Subject:
        """Return another component of the same plugins."""
        return replace(self, registered=registered)

    def settings(self, **changes: Any) -> dict[str, Any]:
        """Return what a recipe says to build the component small: the `SMALL` of its options, with `changes`."""
        return {**getattr(self.component.load_options(), "SMALL", {}), **changes}

    def options(self, **changes: Any) -> Any:
        """Return the component's options, small, with `changes`; what pydantic says of those is raised.

        Raises `Broken` for a model that is not of its kind or refuses its own SMALL, `NotApplicable` where only its author
        can say what a field without a default holds.
        """
        model: Any = self.component.load_options()
        wanted = _OPTIONS.get(self.component.kind)
        if wanted and not (model and issubclass(model, wanted)):
            name = model.__name__ if model else "none"
            raise Broken(f"its options ({name}) do not derive from ganlab.{wanted.__name__}", place_of(model))
        model = model or signature_options(self.component)
        try:
            named = dict.fromkeys(model_fields_of(model))  # `build` puts a model there
            return model.model_validate_json(to_json({**named, **self.settings(**changes)}))
        except ValidationError as error:
            if changes and not any(fault["type"] == "missing" for fault in error.errors()):
                raise
            raise _refused(model, error, has_model=self.component.component.options is not None) from None

    def build(self, *, model: Any = None, **changes: Any) -> Any:
        """Return a loss or an evaluator, built as a recipe builds it, with `model` for each option that names a model."""
        options = self.options(**changes)
        arguments = {name: getattr(options, name) for name in type(options).model_fields}
        return self.component.load_target()(**{**arguments, **dict.fromkeys(model_fields_of(type(options)), model)})

    @property
    def place(self) -> str:
        """Return "file:line" of the component's definition, nothing if it cannot be imported; of a plugin, its module."""
        try:
            return place_of(self.component.load_target()) if self.registered else self.source.module
        except GanlabError:
            return ""


Claim = Callable[[Subject], str | None]  # raises Broken or NotApplicable; may return a remark


@dataclass(frozen=True, kw_only=True)
class Case:
    """One claim about one component; `run` raises what is wrong."""

    subject: Subject
    claim: Claim

    def __str__(self) -> str:
        """Return a name for a test: "loss hinge_x: gives one loss a logit"."""
        return f"{self.about}: {self.text}"

    @property
    def about(self) -> str:
        """Return whose claim it is: "loss hinge_x", or "plugin hinge_x"."""
        registered = self.subject.registered
        return f"{registered.kind} {registered.name}" if registered else f"plugin {self.subject.record.name}"

    @property
    def text(self) -> str:
        """Return the claim in words: the first line of its docstring."""
        return (inspect.getdoc(self.claim) or self.claim.__name__).partition("\n")[0].removesuffix(".")

    def run(self) -> str | None:
        """Check the claim; return a remark, if there is one. Raises Broken, NotApplicable, or what the component raises."""
        import torch

        from ganlab.training.random_state import kept_random_state

        # What is drawn here moves no random number of whoever calls, and is the same each time.
        with kept_random_state(torch.device("cpu")), torch.enable_grad():
            torch.default_generator.manual_seed(0)
            return self.claim(self.subject)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What was found of one claim."""

    case: Case
    verdict: Literal["holds", "broken", "not applicable"]
    why: str = ""  # of a claim that holds: a remark, or nothing
    where: str = ""  # "file:line", of what is broken
    seconds: float = 0.0


def cases(plugin: str | Path | ModuleType) -> list[Case]:
    """Return every case of a plugin: an installed one by its name, a folder with its pyproject.toml, or its module.

    Raises `PluginError` if there is no such plugin; one that cannot be loaded has one case, which says why.
    """
    source = plugin_source(plugin)
    found = []
    for record, plugins in source.loaded():
        whole = Subject(source=source.of(record), record=record, plugins=plugins)
        for subject in (whole, *map(whole.beside, record.components)):
            kind = subject.registered.kind if subject.registered else "plugin"
            claims: Iterable[Claim] = import_module(f"ganlab.testing.{kind}.claims").claims(subject)
            found += [Case(subject=subject, claim=claim) for claim in claims]
    return found


def findings(of: Iterable[Case]) -> Iterator[Finding]:
    """Check one case after the other; yield what was found as soon as it is known."""
    for case in of:
        start = time.perf_counter()
        facts: Mapping[str, Any]
        try:
            facts = {"verdict": "holds", "why": case.run() or ""}
        except NotApplicable as skip:
            facts = {"verdict": "not applicable", "why": str(skip)}
        except Broken as fault:
            facts = {"verdict": "broken", "why": str(fault), "where": fault.where or case.subject.place}
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a plugin's code may do anything, sys.exit too
            if isinstance(error, GanlabError):
                why = str(error)
            else:
                why = reason(error) if isinstance(error, ValidationError) else f"raises {reason(error)}"
            facts = {"verdict": "broken", "why": why, "where": _raised_at(error, case.subject)}
        yield Finding(case=case, seconds=time.perf_counter() - start, **facts)


@contextmanager
def told_elsewhere(what: str) -> Iterator[None]:
    """Raise `NotApplicable`, "`what` (why)", for anything wrong in the block: a claim of its own says that it is broken."""
    try:
        yield
    except NotApplicable:
        raise
    except (Exception, SystemExit) as error:
        raise NotApplicable(f"{what} ({reason(error)})") from None


def reason(error: BaseException) -> str:
    """Return why, in one line; of a `Broken` without its type, of options the faults of each."""
    if isinstance(error, ValidationError):
        faults = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()]
        return f"{error.title} is refused: {'; '.join(faults)}"
    return str(error) if isinstance(error, Broken) else in_one_line(error)


def place_of(thing: object) -> str:
    """Return "file:line" of a class or function; nothing if Python does not know it."""
    try:
        file = inspect.getsourcefile(thing) or ""  # type: ignore[arg-type]  # TypeError says what it cannot be asked of
        return f"{file}:{inspect.getsourcelines(thing)[1]}"  # type: ignore[arg-type]
    except (TypeError, OSError):
        return ""


def _refused(model: type[BaseModel], error: ValidationError, *, has_model: bool) -> Broken | NotApplicable:
    """Return what it means that a model refuses its own SMALL."""
    faults = {".".join(map(str, fault["loc"])): fault for fault in error.errors()}
    missing = [name for name, fault in faults.items() if fault["type"] == "missing"]
    if missing:
        it, are = ("it", "is") if len(missing) == 1 else ("each", "are")
        place = f"{model.__name__}.SMALL" if has_model else "the SMALL of an options model"
        return NotApplicable(f"{', '.join(missing)}: {are} missing; give {it} a default, or name {it} in {place}")
    name, fault = next(iter(faults.items()))
    return Broken(f"{model.__name__}.SMALL is refused by its own options: {name}: {fault['msg']}", place_of(model))


def _raised_at(error: BaseException, subject: Subject) -> str:
    """Return the innermost line of the plugin's own code that the exception came through, or where it is defined."""
    package = subject.source.module.partition(".")[0]
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if package in (Path(frame.filename).stem, *Path(frame.filename).parts)]
    return f"{own[-1].filename}:{own[-1].lineno}" if own else subject.place
