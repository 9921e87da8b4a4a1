"""The registry's file of facts: SQLite, whole after any kill, changed by one process at a time. The only door to sqlite3.

Every change is also written as text, to `registry.json`, from which a damaged or lost file is made anew. The journal is
SQLite's old one: unlike the write-ahead log it works on network file systems and lets a read-only folder be read.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from ganlab.errors import DeviceError, RunError
from ganlab.files import lock, sync_folder, write_text_atomic

FILE, TEXT = "registry.sqlite", "registry.json"
SCHEMA = 1  # counts up when an older ganlab can no longer read the file
WAIT_SECONDS = 60.0  # for other processes: one that copies a large model holds the registry meanwhile

_APPLICATION = 0x67616E6C  # "ganl": tells ganlab's file from another's
# versions_given counts on when versions are removed, so that a number never means two models.
_TABLES = {
    "names": "key TEXT PRIMARY KEY, name TEXT NOT NULL, versions_given INTEGER NOT NULL",
    "versions": (
        "key TEXT NOT NULL REFERENCES names, version INTEGER NOT NULL, digest TEXT NOT NULL, step INTEGER NOT NULL, "
        "added TEXT NOT NULL, source TEXT NOT NULL, note TEXT NOT NULL, facts TEXT NOT NULL, PRIMARY KEY (key, version)"
    ),
    "aliases": (
        "key TEXT NOT NULL, word TEXT NOT NULL, alias TEXT NOT NULL, version INTEGER NOT NULL, PRIMARY KEY (key, word), "
        "FOREIGN KEY (key, version) REFERENCES versions"
    ),
}


class Damaged(RunError):
    """Reports a registry that cannot be read, though it can be made anew."""

    def __init__(self, file: Path, reason: str) -> None:
        super().__init__(f"{file}: the registry of models is damaged: {reason}. `ganlab models rebuild` makes it anew.")


@contextmanager
def reading(folder: Path) -> Iterator[sqlite3.Connection | None]:
    """Yield a connection that sees one state of the registry in `folder`; None if nothing was ever added."""
    file = folder / FILE
    with _explained(file):
        if not file.exists():
            _check_never_made(folder)
            yield None
            return
        with closing(_connected(file)) as connection:
            connection.execute("BEGIN")
            is_made = _is_made(connection, file)
            if not is_made:
                _check_never_made(folder)
            yield connection if is_made else None
            connection.execute("ROLLBACK")


@contextmanager
def changing(folder: Path) -> Iterator[sqlite3.Connection]:
    """Yield a connection whose changes hold together or not at all; no other process changes the registry meanwhile."""
    file = folder / FILE
    if not file.exists():
        _check_never_made(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DeviceError(f"{folder}: cannot be made ({error.strerror}); name another folder in GANLAB_HOME") from None
    with _explained(file), closing(_connected(file)) as connection:
        _make(connection, file)
        connection.execute("BEGIN IMMEDIATE")
        yield connection
        # Before the commit, so that a kill in between leaves the text ahead by one change, never behind.
        write_text_atomic(folder / TEXT, _as_text(connection))
        connection.execute("COMMIT")


def rebuild(folder: Path) -> tuple[int, Path | None]:
    """Make the registry anew from its text; return how many versions it holds, and where the damaged file lies now."""
    text, file = folder / TEXT, folder / FILE
    with _rebuilding(folder):
        if _is_whole(folder):
            raise RunError(f"{file}: is whole; there is nothing to rebuild")
        rows = _read_text(text)
        new = file.with_suffix(".new")
        for leftover in (new, _journal(new)):
            leftover.unlink(missing_ok=True)
        with _explained(new), closing(_connected(new)) as connection:
            _make(connection, new)
            connection.execute("BEGIN IMMEDIATE")
            for table, of_table in rows.items():
                for row in of_table:
                    marks = ", ".join("?" * len(row))
                    connection.execute(f"INSERT INTO {table} VALUES ({marks})", row)
            connection.execute("COMMIT")
        aside = _put_aside(file)
        new.replace(file)
        sync_folder(folder)
    return len(rows["versions"]), aside


def _connected(file: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(file, timeout=WAIT_SECONDS, isolation_level=None)  # transactions begin where we say so
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def _make(connection: sqlite3.Connection, file: Path) -> None:
    """Make the tables of a new file; a kill leaves all or none."""
    connection.execute("BEGIN IMMEDIATE")
    if not _is_made(connection, file):
        if file.name == FILE:
            _check_never_made(file.parent)
        for table, columns in _TABLES.items():
            connection.execute(f"CREATE TABLE {table} ({columns})")
        connection.execute(f"PRAGMA application_id = {_APPLICATION}")
        connection.execute(f"PRAGMA user_version = {SCHEMA}")
    connection.execute("COMMIT")


def _is_made(connection: sqlite3.Connection, file: Path) -> bool:
    """Return whether the file holds a registry, False if it is empty; raises `RunError` for one of another kind."""
    schema: int = connection.execute("PRAGMA user_version").fetchone()[0]
    application: int = connection.execute("PRAGMA application_id").fetchone()[0]
    tables: int = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if not (schema or application or tables):
        return False
    if application != _APPLICATION:
        raise RunError(f"{file}: is not a registry of ganlab's; move it away")
    if schema > SCHEMA:
        newer = f"{file}: was written by a newer ganlab (schema {schema}, this one reads {SCHEMA})"
        raise RunError(f"{newer}; `pip install --upgrade ganlab`")
    return True


def _check_never_made(folder: Path) -> None:
    """Raise `Damaged` if the text tells of models that an empty or absent file does not know."""
    if (folder / TEXT).exists():
        raise Damaged(folder / FILE, f"it is empty or gone, and {TEXT} beside it is not")


def _as_text(connection: sqlite3.Connection) -> str:
    tables = {table: connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall() for table in _TABLES}
    return json.dumps({"schema": SCHEMA, **tables}, indent=1) + "\n"


def _read_text(text: Path) -> dict[str, list[list[Any]]]:
    """Return the rows of each table; raises `RunError` if there is no text, or none that can be read."""
    try:
        content = json.loads(text.read_bytes())
        if content["schema"] != SCHEMA:
            raise ValueError(f"schema {content['schema']}")
        return {table: [list(row) for row in content[table]] for table in _TABLES}
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise RunError(
            f"{text}: cannot be read either ({type(error).__name__}). Move {FILE} and {TEXT} away, then add the models anew: "
            f"`ganlab models add {text.parent}/DIGEST --name NAME`"
        ) from None


def _is_whole(folder: Path) -> bool:
    try:
        with reading(folder) as connection:
            if connection is None:  # never made
                return True
            verdict = connection.execute("PRAGMA integrity_check").fetchone()[0]
            return verdict == "ok" and not connection.execute("PRAGMA foreign_key_check").fetchall()
    except Damaged:
        return False


def _put_aside(file: Path) -> Path | None:
    """Move a damaged file away, with the journal that would undo changes in its successor."""
    if not file.exists():
        _journal(file).unlink(missing_ok=True)
        return None
    number = 1
    while (aside := file.with_name(f"{file.name}.damaged-{number}")).exists():
        number += 1
    if _journal(file).exists():
        _journal(file).replace(_journal(aside))
    file.replace(aside)
    return aside


def _journal(file: Path) -> Path:
    return file.with_name(f"{file.name}-journal")


@contextmanager
def _rebuilding(folder: Path) -> Iterator[None]:
    if not folder.is_dir():
        raise RunError(f"{folder}: there is no registry of models yet; `ganlab models add` begins one")
    with (folder / "rebuild.lock").open("a+") as stream:
        if not lock(stream.fileno()):
            raise RunError(f"{folder}: another process is rebuilding the registry")
        yield


@contextmanager
def _explained(file: Path) -> Iterator[None]:
    """Tell SQLite's errors in a user's words. A connection that closes undoes what it had not committed."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if not code:  # not the file's fault
            raise
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            reason = f"another process has been changing the registry for {WAIT_SECONDS:.0f} seconds"
            raise DeviceError(f"{file}: {reason}; try again") from None
        if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CONSTRAINT):
            raise Damaged(file, str(error)) from None
        with suppress(OSError):
            if file.is_dir():
                raise RunError(f"{file}: is a folder, not a registry; move it away") from None
        raise DeviceError(f"{file}: cannot be used ({error}); mend that, or name another folder in GANLAB_HOME") from None
