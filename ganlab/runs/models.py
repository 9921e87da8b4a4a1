"""Names of trained models -> the checkpoints that they mean: what `ganlab models` and every NAME@ALIAS go through.

Each name counts its versions 1, 2, 3, and no number is given twice; an alias such as `best` is a version's second name and
moves at once for all who read. The checkpoints lie beside, in folders called by the digest of what they hold.
Imports no torch.
"""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ganlab.errors import RunError, UsageError
from ganlab.home import data_home
from ganlab.registry import did_you_mean, near_names, normalise
from ganlab.runs.model_database import changing, reading

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_LISTED = 12  # names in a message, at most
INCOMING, GONE = ".incoming-", ".gone-"  # begin the names of folders that nobody knows yet, or any more


class UnknownModel(RunError):
    """Reports a name, version or alias that the registry does not know."""


@dataclass(frozen=True, kw_only=True)
class ModelName:
    """A reference as it was typed: NAME, NAME@3 or NAME@best."""

    name: str
    version: int | None = None
    alias: str | None = None


@dataclass(frozen=True, kw_only=True)
class ModelVersion:
    """One version of a model: which checkpoint it is, and what was known of it when it was added."""

    name: str
    version: int
    digest: str
    step: int
    added: str  # ISO 8601, UTC
    source: str  # the checkpoint's folder at that time
    note: str
    facts: Mapping[str, Any]
    aliases: tuple[str, ...]

    @property
    def reference(self) -> str:
        """Return "NAME@N", which always means this version."""
        return f"{self.name}@{self.version}"


@dataclass(frozen=True, kw_only=True)
class Removed:
    """What a removal took from the registry."""

    references: tuple[str, ...]  # versions, as NAME@N, or one alias, as NAME@ALIAS
    aliases: tuple[str, ...]  # that went with the versions
    means: ModelVersion | None = None  # what the alias meant, if an alias it was


def parse_name(text: str) -> ModelName | None:
    """Return what a reference says; None if `text` can be none, since no name has its letters."""
    name, at, tag = text.partition("@")
    if not _NAME.fullmatch(name) or (at and not _NAME.fullmatch(tag)):
        return None
    if tag.isdecimal():
        return ModelName(name=name, version=int(tag))
    return ModelName(name=name, alias=tag or None)


def check_name(name: str) -> str:
    """Return `name` if a model may be called so; raises `UsageError`."""
    if not _NAME.fullmatch(name):
        raise UsageError(f"{name!r} can name no model: say letters, digits, `.`, `_` and `-`, at most 64, such as smile-acgan")
    return name


def check_alias(alias: str) -> str:
    """Return `alias` if a version may be called so; raises `UsageError`."""
    if not _NAME.fullmatch(alias) or alias.isdecimal():
        raise UsageError(f"{alias!r} can be no alias: say a word such as best; a number would be a version")
    return alias


class Models:
    """The registry in a folder; made when the first model is added."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or data_home() / "models"

    def all(self) -> list[ModelVersion]:
        """Return every version, by name, the newest first."""
        with reading(self.folder) as connection:
            return [] if connection is None else _versions(connection)

    def find(self, reference: str) -> ModelVersion:
        """Return the version that `reference` means, of a bare name the newest; raises `UnknownModel`."""
        with reading(self.folder) as connection:
            return _found([] if connection is None else _versions(connection), _parsed(reference))

    def folder_of(self, model: ModelVersion) -> Path:
        """Return the folder of the model's files: that of a run with one checkpoint."""
        return self.folder / model.digest

    def insert(
        self,
        name: str,
        *,
        digest: str,
        step: int,
        source: str,
        note: str,
        facts: Mapping[str, Any],
        aliases: Sequence[str],
        place: Callable[[], None],
    ) -> ModelVersion:
        """Add the next version of `name`; `place` brings its files while no other process adds or removes."""
        key = normalise(check_name(name))
        for alias in aliases:
            check_alias(alias)
        with changing(self.folder) as connection:
            place()
            connection.execute("INSERT OR IGNORE INTO names VALUES (?, ?, 0)", (key, name))
            connection.execute("UPDATE names SET versions_given = versions_given + 1 WHERE key = ?", (key,))
            version: int = connection.execute("SELECT versions_given FROM names WHERE key = ?", (key,)).fetchone()[0]
            now = datetime.now(UTC).isoformat(timespec="seconds")
            row = (key, version, digest, step, now, source, note, json.dumps(facts))
            connection.execute("INSERT INTO versions VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
            for alias in aliases:
                _point(connection, key, alias, version)
            return _found(_versions(connection), ModelName(name=name, version=version))

    def promote(self, reference: str, alias: str) -> tuple[ModelVersion, ModelVersion | None]:
        """Let `alias` mean the version of `reference`; return it, and what the alias meant before."""
        check_alias(alias)
        parsed = _parsed(reference)
        with changing(self.folder) as connection:
            known = _versions(connection)
            model = _found(known, parsed)
            before = [other for other in _of_name(known, model.name) if normalise(alias) in map(normalise, other.aliases)]
            _point(connection, normalise(model.name), alias, model.version)
            return _found(_versions(connection), ModelName(name=model.name, version=model.version)), next(iter(before), None)

    def would_remove(self, reference: str) -> list[ModelVersion]:
        """Return the versions that `remove` would take away: none for an alias."""
        parsed = _parsed(reference)
        model = self.find(reference)
        if parsed.alias:
            return []
        return [model] if parsed.version else _of_name(self.all(), model.name)

    def remove(self, reference: str, *, force: bool = False) -> Removed:
        """Take away a version (NAME@N), all versions (NAME), or an alias alone (NAME@ALIAS).

        A version that an alias means is only removed by `force`. Files that no version needs any more are deleted; the runs
        that they came from are not touched.
        """
        parsed = _parsed(reference)
        with changing(self.folder) as connection:
            known = _versions(connection)
            model = _found(known, parsed)
            key = normalise(model.name)
            if parsed.alias:
                connection.execute("DELETE FROM aliases WHERE key = ? AND word = ?", (key, normalise(parsed.alias)))
                return Removed(references=(f"{model.name}@{parsed.alias}",), aliases=(), means=model)
            gone = [model] if parsed.version else _of_name(known, model.name)
            aliases = tuple(f"{each.name}@{alias}" for each in gone for alias in each.aliases)
            if aliases and not force:
                raise RunError(_held(gone))
            for each in gone:
                connection.execute("DELETE FROM aliases WHERE key = ? AND version = ?", (key, each.version))
                connection.execute("DELETE FROM versions WHERE key = ? AND version = ?", (key, each.version))
        self.sweep()  # after the commit: a kill in between leaves files too many, not too few
        return Removed(references=tuple(each.reference for each in gone), aliases=aliases)

    def sweep(self) -> None:
        """Delete the folders that no version needs, and what killed processes left."""
        with changing(self.folder) as connection:
            needed = {row[0] for row in connection.execute("SELECT digest FROM versions")}
            for entry in list(self.folder.iterdir()):
                if _DIGEST.fullmatch(entry.name) and entry.name not in needed:
                    hidden = entry.with_name(f"{GONE}{entry.name}")
                    shutil.rmtree(hidden, ignore_errors=True)
                    entry.rename(hidden)  # so that a kill leaves no half folder under the digest
                    shutil.rmtree(hidden, ignore_errors=True)
                elif entry.name.startswith((INCOMING, GONE)):
                    shutil.rmtree(entry, ignore_errors=True)


def _versions(connection: sqlite3.Connection) -> list[ModelVersion]:
    aliases: dict[tuple[str, int], list[str]] = {}
    for key, alias, version in connection.execute("SELECT key, alias, version FROM aliases ORDER BY alias"):
        aliases.setdefault((key, version), []).append(alias)
    query = (
        "SELECT names.name, versions.* FROM versions JOIN names ON names.key = versions.key "
        "ORDER BY versions.key, versions.version DESC"
    )
    with closing(connection.execute(query)) as rows:
        return [
            ModelVersion(
                name=name,
                version=version,
                digest=digest,
                step=step,
                added=added,
                source=source,
                note=note,
                facts=json.loads(facts),
                aliases=tuple(aliases.get((key, version), ())),
            )
            for name, key, version, digest, step, added, source, note, facts in rows
        ]


def _parsed(reference: str) -> ModelName:
    parsed = parse_name(reference)
    if parsed is None:
        raise UsageError(f"{reference!r} can name no model; say NAME, NAME@N or NAME@ALIAS, such as smile-acgan@best")
    return parsed


def _of_name(known: Sequence[ModelVersion], name: str) -> list[ModelVersion]:
    return [model for model in known if normalise(model.name) == normalise(name)]


def _found(known: Sequence[ModelVersion], wanted: ModelName) -> ModelVersion:
    """Return the version of `known`, the newest first, that is wanted; raises `UnknownModel` with the near names."""
    own = _of_name(known, wanted.name)
    if not own:
        names = sorted({model.name for model in known})
        near = did_you_mean(near_names(wanted.name, names))
        there = f"; there are {', '.join(names[:_LISTED])}" if known else "; the registry holds none yet"
        raise UnknownModel(f"no model is called {wanted.name!r}{near or there}\n`ganlab models list` shows the models.")
    for model in own:
        named = wanted.alias is not None and normalise(wanted.alias) in map(normalise, model.aliases)
        if named or wanted.version == model.version or (wanted.version is None and wanted.alias is None):
            return model
    versions = ", ".join(str(model.version) for model in reversed(own))
    held = f"{own[0].name} has version{'s' if len(own) > 1 else ''} {versions}"
    if wanted.version is not None:
        raise UnknownModel(f"{own[0].name} has no version {wanted.version}; {held}")
    aliases = {alias: model.version for model in own for alias in model.aliases}
    near = did_you_mean(near_names(str(wanted.alias), aliases))
    told = ", ".join(f"{alias} ({version})" for alias, version in sorted(aliases.items())) or "none"
    raise UnknownModel(f"{own[0].name} has no alias {wanted.alias!r}{near}; aliases: {told}; {held}")


def _point(connection: sqlite3.Connection, key: str, alias: str, version: int) -> None:
    connection.execute("INSERT OR REPLACE INTO aliases VALUES (?, ?, ?, ?)", (key, normalise(alias), alias, version))


def _held(gone: Sequence[ModelVersion]) -> str:
    held = [f"{model.name}@{alias} means {model.reference}" for model in gone for alias in model.aliases]
    return f"{'; '.join(held)}. Promote another version first, or say --force."
