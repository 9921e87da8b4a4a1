"""A plugin -> cases, one for each component and each claim that its contract makes of it; a case -> what was found."""

from __future__ import annotations

import inspect
import time
import traceback
import unittest
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

from pydantic import BaseModel
from pydantic_core import to_json

from ganlab.errors import GanlabError
from ganlab.plugins import PluginRecord, Plugins
from ganlab.registry import Registered, Registry, in_one_line
from ganlab.spec_signature import signature_options
from ganlab.testing.source import PluginSource, plugin_source

# Where the claims of each kind live, in the order in which they are checked; "plugin" is the plugin as a whole.
_CLAIMS = {
    "plugin": "ganlab.testing.importing",
    "loss": "ganlab.testing.losses",
    "architecture": "ganlab.testing.architectures",
    "objective": "ganlab.testing.objectives",
    "dataset": "ganlab.testing.datasets",
    "evaluator": "ganlab.testing.evaluators",
}


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

    def settings(self, **changes: Any) -> dict[str, Any]:
        """Return what a recipe says to build the component small: the `SMALL` of its options, with `changes`."""
        model = self.component.load_options()
        return {**getattr(model, "SMALL", {}), **changes}

    def options(self, **changes: Any) -> BaseModel:
        """Return the component's options, small, with `changes`."""
        model: type[BaseModel] = self.component.load_options() or signature_options(self.component)
        return model.model_validate_json(to_json(self.settings(**changes)))

    def build(self, **changes: Any) -> Any:
        """Return a loss or an evaluator, built as a recipe builds it."""
        options = self.options(**changes)
        return self.component.load_target()(**{name: getattr(options, name) for name in type(options).model_fields})

    @property
    def place(self) -> str:
        """Return "file:line" of the component's definition."""
        return place_of(self.component.load_target()) if self.registered else self.source.module


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
            torch.manual_seed(0)
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
        found += [Case(subject=whole, claim=claim) for claim in _claims(whole)]
        for registered in record.components:
            subject = Subject(source=source.of(record), record=record, plugins=plugins, registered=registered)
            found += [Case(subject=subject, claim=claim) for claim in _claims(subject)]
    return found


def findings(of: Iterable[Case]) -> Iterator[Finding]:
    """Check one case after the other; yield what was found as soon as it is known."""
    for case in of:
        start = time.perf_counter()
        facts: Mapping[str, Any]
        try:
            facts = {"verdict": "holds", "why": case.run() or ""}
        except NotApplicable as reason:
            facts = {"verdict": "not applicable", "why": str(reason)}
        except Broken as fault:
            facts = {"verdict": "broken", "why": str(fault), "where": fault.where or _place(case.subject)}
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a plugin's code may do anything, sys.exit too
            why = str(error) if isinstance(error, GanlabError) else f"raises {in_one_line(error)}"
            facts = {"verdict": "broken", "why": why, "where": _raised_at(error, case.subject)}
        yield Finding(case=case, seconds=time.perf_counter() - start, **facts)


def place_of(thing: object) -> str:
    """Return "file:line" of a class or function; nothing if Python does not know it."""
    try:
        file = inspect.getsourcefile(thing) or ""  # type: ignore[arg-type]  # TypeError says what it cannot be asked of
        return f"{file}:{inspect.getsourcelines(thing)[1]}"  # type: ignore[arg-type]
    except (TypeError, OSError):
        return ""


def _claims(subject: Subject) -> Iterable[Claim]:
    kind = subject.registered.kind if subject.registered else "plugin"
    claims: Callable[[Subject], Iterable[Claim]] = import_module(_CLAIMS[kind]).claims
    return claims(subject)


def _place(subject: Subject) -> str:
    try:
        return subject.place
    except GanlabError:  # the target cannot be imported, which is what is broken
        return ""


def _raised_at(error: BaseException, subject: Subject) -> str:
    """Return the innermost line of the plugin's own code that the exception came through, or where it is defined."""
    package = subject.source.module.partition(".")[0]
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if package in (Path(frame.filename).stem, *Path(frame.filename).parts)]
    return f"{own[-1].filename}:{own[-1].lineno}" if own else _place(subject)
