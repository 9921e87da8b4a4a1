"""What a plugin as a whole must do: load, quickly and alone, and say what it offers."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pydantic import BaseModel

from ganlab.errors import DataError, GanlabError, RecipeError
from ganlab.recipe import load_recipe, parse_recipe, read_text
from ganlab.registry import Registered
from ganlab.spec import make_spec
from ganlab.spec_signature import signature_options
from ganlab.testing.kit import Broken, Claim, NotApplicable, Subject, place_of
from ganlab.testing.plugin import probe

_SECONDS = {"built-in": 0.25, "third party": 1.0}  # of CPU time
_TIMEOUT_SECONDS = 120
_FAULTS = 3  # told of a recipe with many


def claims(subject: Subject) -> Iterable[Claim]:
    """Return the claims; those about the import share one new process."""
    imported = _Import(subject)
    claims_of_all = (
        loads,
        imported.works_in_a_new_process,
        imported.is_quick,
        imported.waits_for_no_library,
        imported.reads_options_without_torch,
        imported.uses_no_network,
        imported.leaves_cuda_alone,
        imported.prints_nothing,
        can_be_imported,
        says_what_each_component_is,
        says_what_each_option_is,
    )
    return (*claims_of_all, offers_valid_recipes) if _recipes(subject) else claims_of_all


def loads(subject: Subject) -> str:
    """Loads without a fault, and every name that it offers is its own."""
    fault = subject.record.fault
    if fault:
        raise Broken(f"{fault.stage}: {fault.line}")
    offered = [f"{registered.kind} {registered.name}" for registered in subject.record.components]
    return f"offers {', '.join(offered)}" if offered else "offers no component"


class _Import:
    """The import of a plugin's module in a process of its own."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject

    def works_in_a_new_process(self, subject: Subject) -> None:
        """Imports in a new process."""
        if subject.record.fault and subject.record.fault.stage == "import":
            raise NotApplicable("it cannot be imported here either")
        if self._answer["is_absent"]:
            raise NotApplicable(f"no new process finds the module {subject.source.module}")
        if self._answer["error"]:
            raise Broken(self._answer["error"])

    def is_quick(self, subject: Subject) -> str:
        """Imports quickly, torch and pydantic not counted."""
        seconds, limit = self._report["seconds"], _SECONDS[subject.record.origin]
        if seconds > limit:
            raise Broken(f"takes {seconds:.2f} s of CPU time, which every command waits for; at most {limit:g} s are allowed")
        return f"{seconds:.2f} s"

    def waits_for_no_library(self, subject: Subject) -> str | None:
        """Imports neither torch nor pydantic at its top.

        `ganlab --help` would wait for them.
        """
        heavy = self._report["heavy"]
        if not heavy:
            return None
        why = (
            f"imports {' and '.join(heavy)} ({self._report['shared_seconds']:.1f} s), for which `ganlab --help` and "
            'list-plugins wait; name target and options lazily: "package.module:Name"'
        )
        if subject.record.origin == "built-in":
            raise Broken(why)
        return why

    def reads_options_without_torch(self, subject: Subject) -> str | None:
        """Keeps torch out of its options.

        Recipes are checked without it.
        """
        lazy = [registered for registered in subject.record.components if isinstance(registered.component.options, str)]
        if self._report["heavy"]:
            raise NotApplicable(f"its module imports {' and '.join(self._report['heavy'])} already")
        if not lazy:
            raise NotApplicable("names no options lazily")
        late = self._report["heavy_after_options"]
        why = f"importing the options {', '.join(late)} imports torch; keep them in a module without it"
        if late and subject.record.origin == "built-in":
            raise Broken(why)
        return why if late else None

    def uses_no_network(self, subject: Subject) -> None:
        """Uses no network while it is imported."""
        # The import may have ended where the network was refused.
        for event, where in self._answer["network"] or self._report["network"]:
            raise Broken(f"asks the network ({event}) while it is imported", where)

    def leaves_cuda_alone(self, subject: Subject) -> None:
        """Leaves CUDA alone while it is imported."""
        for where in self._report["cuda"]:
            raise Broken("starts CUDA while it is imported", where)

    def prints_nothing(self, subject: Subject) -> None:
        """Prints nothing while it is imported.

        Standard output belongs to results.
        """
        printed = self._report["printed"].strip().splitlines()
        if printed:
            raise Broken(f"prints {printed[0]!r}")

    @property
    def _report(self) -> dict[str, Any]:
        """Return what the new process saw; raises `NotApplicable` if it did not get to the end."""
        if self._answer["error"] or self._answer["is_absent"]:
            raise NotApplicable("no new process imports it")
        return self._answer

    @cached_property
    def _answer(self) -> dict[str, Any]:
        """Return what the new process said; "error": why it did not get to the end."""
        source = self._subject.source
        options = [registered.component.options for registered in self._subject.record.components]
        asked = {
            "path": [*source.search, *sys.path],
            "module": source.module,
            "options": [place for place in options if isinstance(place, str)],
        }
        none: dict[str, Any] = {"is_absent": False, "network": []}
        with TemporaryDirectory(prefix="ganlab-check-") as folder:
            file = Path(folder) / "report.json"
            # -P: the folder of the script, with its losses.py, is no place to import from.
            command = [sys.executable, "-P", probe.__file__, str(file)]
            try:
                done = subprocess.run(
                    command, input=json.dumps(asked), capture_output=True, text=True, timeout=_TIMEOUT_SECONDS, check=False
                )
            except subprocess.TimeoutExpired:
                return {**none, "error": f"its import takes more than {_TIMEOUT_SECONDS} s"}
            if not file.exists():
                last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
                return {**none, "error": f"its import ends the process: {last}"}
            report: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        is_absent = bool(report["missing"]) and source.module.partition(".")[0] == report["missing"].partition(".")[0]
        error = f"raises {report['error']} in a new process" if report["error"] else ""
        return {**report, "error": error, "is_absent": is_absent, "printed": done.stdout}


def can_be_imported(subject: Subject) -> None:
    """Names targets and options that can be imported."""
    for registered in _components(subject):
        try:
            registered.load_target()
            registered.load_options()
        except GanlabError as error:
            raise Broken(str(error).partition("\n")[0]) from error


def says_what_each_component_is(subject: Subject) -> None:
    """Gives each component a summary."""
    for registered in _components(subject):
        if not registered.component.summary.strip():
            raise Broken(f'{registered.kind} {registered.name} has no summary; Component(..., summary="what it is, in a line")')


def says_what_each_option_is(subject: Subject) -> str | None:
    """Gives each option a description."""
    silent = []
    for registered in _components(subject):
        try:
            model = registered.load_options()
            arguments = None if model else signature_options(registered)
        except GanlabError:
            raise NotApplicable(f"the options of {registered.kind} {registered.name} cannot be imported") from None
        if arguments is not None:
            silent += [f"{registered.name}.{name}" for name in arguments.model_fields]
            continue
        assert model is not None
        for name, where in _undescribed(model):
            raise Broken(
                f'{registered.kind} {registered.name}: {name} has no description; Field(..., description="...")', where
            )
    return f"a constructor cannot describe {', '.join(silent)}; an options model can" if silent else None


def offers_valid_recipes(subject: Subject) -> str | None:
    """Offers recipes that are valid.

    With the plugin and ganlab's own; a recipe that is incomplete is valid where another one extends it.
    """
    faults: dict[Path, RecipeError] = {}
    extended: set[Path] = set()
    for path in _recipes(subject):
        try:
            make_spec(load_recipe(path), subject.registry)
        except RecipeError as error:
            faults[path] = error
        if path not in faults or faults[path].code == DataError.code:
            extended.update(_ancestors(path))
    for path, found in faults.items():
        if found.code != DataError.code and path.resolve() not in extended:
            first, *lines = (line.strip() for line in str(found).splitlines())
            more = f"; and {len(lines) - _FAULTS} more" if len(lines) > _FAULTS else ""
            raise Broken("; ".join(lines[:_FAULTS] or [first]) + more, str(path))
    absent = [path.name for path, found in faults.items() if found.code == DataError.code]
    return f"the data of {', '.join(absent)} are not here: not checked to the end" if absent else None


def _recipes(subject: Subject) -> tuple[Path, ...]:
    """Return the recipe files that the plugin offers, not those of the plugins beside it."""
    points = tuple(point for point in subject.source.entry_points if point.name == subject.record.name)
    return replace(subject.source, entry_points=points).alone().recipes


def _ancestors(path: Path) -> Iterator[Path]:
    """Yield the file that a recipe extends, and what that one extends in turn."""
    while extends := parse_recipe(read_text(path), path).values.get("extends"):
        path = path.parent / extends
        yield path.resolve()


def _undescribed(model: type) -> Iterator[tuple[str, str]]:
    """Yield the fields without a description, those of tables within too, and where their model is."""
    if not issubclass(model, BaseModel):
        return
    for name, field in model.model_fields.items():
        if not (field.description or "").strip():
            yield name, place_of(model)
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            for inner, where in _undescribed(field.annotation):
                yield f"{name}.{inner}", where


def _components(subject: Subject) -> tuple[Registered, ...]:
    found = subject.record.components
    if not found:
        raise NotApplicable("it offers no component")
    return found
