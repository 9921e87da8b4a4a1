"""A component -> what a run remembers of it, in the section [components] of its recipe; and what has changed since.

Reads source files as bytes: imports neither torch nor a component that its plugin names lazily.
"""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Iterable, Mapping
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pydantic import Field

from ganlab.contracts import KINDS
from ganlab.errors import PluginError
from ganlab.options import Options
from ganlab.recipe import near
from ganlab.registry import Registered, UnknownComponent, normalise
from ganlab.spec_faults import Faults

SECTION = "components"
_SHORT = 16  # hexadecimal digits of a digest in a recipe


class ComponentRecord(Options):
    """What a component was when a run was made: one line of the section."""

    version: int = Field(ge=1, description="of the component; counts up when what it computes changes")
    distribution: str = Field(pattern=r"^\S.* \S+$", description='name and version of its distribution: "ganlab 0.1.0"')
    source: str | None = Field(
        None,
        pattern=rf"^[0-9a-f]{{{_SHORT},64}}$",
        description="SHA-256 of its package's Python files, or how it begins; None: unknown",
    )


Records = Mapping[tuple[str, str], ComponentRecord]  # by kind and normalised reference


def reference(registered: Registered) -> str:
    """Return the name under which a recipe finds the component again: "dist:name" for strangers."""
    return registered.name if registered.is_builtin else registered.full_name


def records_of(used: Iterable[Registered], digits: int = _SHORT) -> dict[str, dict[str, Any]]:
    """Return "KIND NAME" -> record of each component that a run uses, with so many digits of the digest."""
    records = {}
    for registered in used:
        record = _record(registered).model_dump(exclude_none=True)
        if "source" in record:
            record["source"] = record["source"][:digits]
        records[_key(registered)] = record
    return records


def read_records(faults: Faults, table: Mapping[str, Any]) -> Records:
    """Return what the section `table` of a recipe says; remember each fault of its layout."""
    records = {}
    for key, value in table.items():
        kind, _, name = key.partition(" ")
        if kind not in KINDS or not name:
            faults.add(
                (SECTION, key), f'must be "KIND NAME", such as "loss bce"; kinds are {", ".join(KINDS)}{near(kind, KINDS)}'
            )
        elif not isinstance(value, Mapping):
            layout = '{ version = 1, distribution = "NAME VERSION", source = "DIGEST" }'
            faults.add((SECTION, key), f"must be {layout}, not {value!r}")
        elif record := faults.validated((SECTION, key), ComponentRecord, value):
            records[kind, normalise(name)] = record
    return records


def changes(faults: Faults, records: Records, used: Iterable[Registered]) -> list[str]:
    """Return a line for each change of code since the records; that a component has another version is a fault."""
    changed: dict[str, list[str]] = {}
    for registered in dict.fromkeys(used):
        then = records.get((registered.kind, normalise(reference(registered))))
        if then is None:
            continue
        now, name = _record(registered), f"{registered.kind} {registered.name}"
        if then.version != now.version:
            faults.add((SECTION, _key(registered)), _another_meaning(then, now))
        elif then.distribution != now.distribution:
            what = f"{then.distribution} then, {_distribution(now)[1]} now"
            changed.setdefault(what, []).append(name)
        elif then.source and now.source and not now.source.startswith(then.source):
            changed.setdefault("the source has changed since [components] was written", []).append(name)
    return [f"{', '.join(names)}: {what}" for what, names in changed.items()]


def lost(records: Records, kind: str, name: str, unknown: UnknownComponent) -> tuple[str, int]:
    """Return why `name` is unknown, with what to install if a record knows it, and the exit code."""
    wanted, reason = normalise(name), str(unknown)
    found = (record for (of, known), record in records.items() if of == kind and wanted in (known, known.rpartition(":")[2]))
    then = next(found, None)
    install = _install(then) if then else ""
    if then is None or not install or _is_installed(then):
        return reason, unknown.code
    general = f"`pip install {_distribution(then)[0]}`"  # of whatever version
    if general in reason:
        return reason.replace(general, install), PluginError.code
    return f"{reason}\nThe recipe was made with {then.distribution}: {install}", PluginError.code


def source_digest(module: str) -> str | None:
    """Return the SHA-256 over the Python files of the package that holds `module`; None if it has none.

    The package is the topmost one that is not shared by several distributions.
    """
    names = module.split(".")
    for depth in range(1, len(names) + 1):
        try:
            found = find_spec(".".join(names[:depth]))
        except (ImportError, ValueError, AttributeError):  # a module that was made by hand
            return None
        if found is None:
            return None
        if found.origin is not None:  # not a namespace
            return _digest(tuple(found.submodule_search_locations or [found.origin]))
    return None


@functools.cache
def _digest(places: tuple[str, ...]) -> str | None:
    files = {
        path.relative_to(place).as_posix() if path != place else path.name: path
        for place in map(Path, places)
        for path in ([place] if place.is_file() else place.rglob("*.py"))
    }
    total = hashlib.sha256()
    try:
        for name, path in sorted(files.items()):
            content = path.read_bytes()
            total.update(f"{name}\0{len(content)}\0".encode() + content)
    except OSError:
        return None
    return total.hexdigest() if files else None


def _record(registered: Registered) -> ComponentRecord:
    return ComponentRecord(
        version=registered.component.version,
        distribution=f"{registered.distribution} {registered.distribution_version}",
        source=source_digest(_module(registered.component.target)),
    )


def _module(target: object) -> str:
    """Return the module of a target, without importing it."""
    if isinstance(target, str):
        return target.partition(":")[0]
    while isinstance(target, functools.partial):
        target = target.func
    return str(getattr(target, "__module__", ""))


def _key(registered: Registered) -> str:
    return f"{registered.kind} {reference(registered)}"


def _another_meaning(then: ComponentRecord, now: ComponentRecord) -> str:
    made = f"made with version {then.version}, and version {now.version} is installed: its meaning changed"
    accept = f"delete this line to accept version {now.version}"
    if then.distribution == now.distribution or not _install(then):
        return f"{made}; {accept}"
    return f"{made}; {_install(then)}, or {accept}"


def _install(then: ComponentRecord) -> str:
    """Return the command that brings a distribution back; nothing if its name or version is none that pip takes."""
    name, version = _distribution(then)
    fits = re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?", name) and re.fullmatch(r"[A-Za-z0-9.+!]+", version)
    return f"`pip install {name}=={version}`" if fits else ""


def _is_installed(then: ComponentRecord) -> bool:
    name, version = _distribution(then)
    try:
        return metadata.version(name) == version
    except Exception:  # it is not there, or damaged
        return False


def _distribution(record: ComponentRecord) -> tuple[str, str]:
    name, _, version = record.distribution.rpartition(" ")
    return name, version
