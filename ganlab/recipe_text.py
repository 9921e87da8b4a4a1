"""TOML text <-> values, with the line of each key; the only door of the libraries that read and write TOML."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import dropwhile, takewhile
from pathlib import Path
from typing import Any

import tomli

from ganlab.errors import RecipeError

Key = tuple[str, ...]
AS_RUN = "As run. "  # begins the first line of the recipe in a run's folder

_ONE_LINE_EACH = ("components",)  # sections whose tables are rows, written each on a line


def parse_toml(text: str, path: Path) -> dict[str, Any]:
    """Return the values in `text`; `path` is only named in the message of the RecipeError."""
    try:
        return tomli.loads(text)
    except tomli.TOMLDecodeError as error:
        raise RecipeError(_syntax_fault(str(error), text, path)) from None
    except RecursionError:
        raise RecipeError(f"{path}: brackets are nested too deeply") from None
    except ValueError as error:  # an integer of thousands of digits
        raise RecipeError(f"{path}: {_lower(str(error))}") from None


def parse_set(text: str) -> tuple[Key, Any]:
    """Return key and value of "training.epochs=3"; what is no TOML is a string, so that words need no quotes."""
    written_key, equals, written_value = text.partition("=")
    key, value = written_key.strip(), written_value.strip()
    if not equals:
        raise RecipeError(f"--set {text}: there is no `=`; write it as training.epochs=3")
    if not re.fullmatch(_KEY, key):
        raise RecipeError(f"--set {text}: {key!r} is no key; write it as training.epochs=3")
    if not value:
        raise RecipeError(f"--set {text}: there is no value; an empty string is written '\"\"'")
    if not value.isprintable():
        raise RecipeError(f"--set {key}: the value holds a line break or another control character")
    try:
        tomli.loads(f"value = [{value}]")  # fails where `#` would silently begin a comment
        return _parts(key), tomli.loads(f"value = {value}")["value"]
    except (ValueError, RecursionError) as error:
        if value[0] in "[{\"'":
            raise RecipeError(f"--set {text}: {_lower(str(error).partition(' (at ')[0])}") from None
        return _parts(key), value


def dump_recipe(values: Mapping[str, Any], header: str = "") -> str:
    """Return TOML that reads back as `values` in the same order; None is left out, since TOML has none."""
    comment = [f"# {line}".rstrip() for line in header.splitlines()]
    text = "\n".join(_table_lines(values, "")).strip("\n") + "\n"
    return "\n".join([*comment, "", text]) if comment else text


def read_header(text: str) -> str:
    """Return the comment at the top of a recipe, without its `#`; a line `#:schema FILE` is for editors and none of it."""
    written = dropwhile(lambda line: not line.strip() or line.startswith("#:"), text.lstrip().splitlines())
    comment = takewhile(lambda line: line.startswith("#"), written)
    return "\n".join(line[1:].removeprefix(" ").rstrip() for line in comment if not line.startswith("#:"))


def without_as_run(header: str) -> str:
    """Return a header without the line that tells of the run."""
    return "\n".join(line for line in header.splitlines() if not line.startswith(AS_RUN))


# The place of each key, by a small scan: tomli gives none.

_PART = r"""(?:[A-Za-z0-9_-]+|"(?:\\.|[^"\\\n])*"|'[^'\n]*')"""
_KEY = rf"{_PART}(?:[ \t]*\.[ \t]*{_PART})*"
_STATEMENT = re.compile(rf"[ \t]*(?:\[\[?[ \t]*(?P<table>{_KEY})[ \t]*\]\]?|(?P<key>{_KEY})[ \t]*=)")
_TOKEN = re.compile(
    r'''"""(?:\\.|[^\\])*?"{3,5}|\'{3}.*?\'{3,5}|"(?:\\.|[^"\\\n])*"|'[^'\n]*'|#[^\n]*|[\[\]{}]|\n''', re.DOTALL
)


def lines_of_keys(text: str) -> dict[Key, int]:
    """Return the line of each key and table header of a valid TOML text; keys inside inline tables are left out."""
    lines: dict[Key, int] = {}
    table: Key = ()
    position, line, depth, is_start = 0, 1, 0, True
    while True:
        statement = _STATEMENT.match(text, position) if is_start else None
        if statement and statement["table"]:
            table = _parts(statement["table"])
            lines.setdefault(table, line)
        elif statement:
            lines.setdefault((*table, *_parts(statement["key"])), line)
        token = _TOKEN.search(text, statement.end() if statement else position)
        if token is None:
            return lines
        position = token.end()
        depth += (token[0] in "[{") - (token[0] in "]}")
        line += token[0].count("\n")
        is_start = token[0] == "\n" and depth == 0


def _parts(key: str) -> Key:
    return tuple(part[1:-1] if part[0] in "\"'" else part for part in re.findall(_PART, key))


def _syntax_fault(message: str, text: str, path: Path) -> str:
    found = re.fullmatch(r"(.*) \(at line (\d+), column (\d+)\)", message, re.DOTALL)
    if found:
        return f"{path}:{found[2]}:{found[3]}: {_lower(found[1])}"
    lines = text.rstrip("\n").split("\n")  # the message says "at end of document"
    return f"{path}:{len(lines)}:{len(lines[-1]) + 1}: {_lower(message.partition(' (at ')[0])}"


def _lower(message: str) -> str:
    return message[:1].lower() + message[1:] if message[1:2].islower() else message


def _table_lines(table: Mapping[str, Any], at: str) -> list[str]:
    values = {key: value for key, value in table.items() if value is not None and not isinstance(value, Mapping)}
    tables = {key: value for key, value in table.items() if isinstance(value, Mapping)}
    if at in _ONE_LINE_EACH:
        values, tables = {**values, **tables}, {}
    lines = ["", f"[{at}]"] if at and (values or not tables) else []
    lines += [f"{_key(key)} = {toml_value(value)}" for key, value in values.items()]
    for key, inner in tables.items():
        lines += _table_lines(inner, f"{at}.{_key(key)}" if at else _key(key))
    return lines


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else toml_value(key)


def toml_value(value: object) -> str:
    """Return a value as it is written on one line of TOML."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(k)} = {toml_value(v)}" for k, v in value.items() if v is not None) + " }"
    if isinstance(value, list | tuple):  # on one line; the library would give each its own
        return "[" + ", ".join(toml_value(item) for item in value) + "]"
    import tomli_w

    return tomli_w.dumps({"value": str(value) if isinstance(value, Path) else value})[len("value = ") : -1]
