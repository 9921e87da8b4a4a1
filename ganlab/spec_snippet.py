"""A component -> lines of a recipe that use it, ready to be pasted: each default as its value, each meaning as a comment."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

from ganlab.registry import Registered
from ganlab.spec_words import Option, toml

WIDTH = 80  # columns, of the printed lines
LEAST_COMMENT = 34  # columns; where fewer are left beside the value, the comment stands above it


def snippets(registered: Registered, name: str, options: Sequence[Option], field: str = "") -> tuple[str, ...]:
    """Return the section for the component that recipes call `name`; for a loss both forms of an objective's `field`."""
    if registered.kind == "loss":
        short = f"[objective]\n{field} = {toml(name)}"
        whole = _loss_table(name, options, field)
        return (whole,) if any(option.is_required for option in options) else (short, whole) if options else (short,)
    if registered.kind == "evaluator":
        section = f"evaluation.{_bare(registered.name)}"
        return (_section(section, [] if name == registered.name else [("use", name)], options),)
    return (_section(registered.kind, [("use", name)], options),)


def example(option: Option) -> Any:
    """Return a value for an option without a default: the least that fits its type."""
    words = option.limits.replace(",", "").split()
    least = next((float(word) for word in words if word.replace(".", "", 1).lstrip("-").isdigit()), 1.0)
    match option.type:
        case "whole number":
            return int(least)
        case "number":
            return least + 1e-3 if "above" in words else least
        case "true or false":
            return False
        case kind if kind.startswith('"'):
            return kind.split('"')[1]
        case kind if kind.startswith("list"):
            return []
        case _:
            return "..."


def _section(name: str, head: Iterable[tuple[str, str]], options: Sequence[Option]) -> str:
    """Return `[name]` with its keys, then the tables inside it."""
    tables = [option for option in options if option.inner and (option.value is not None or option.is_required)]
    lines = [(f"{key} = {toml(value)}", "") for key, value in head]
    lines += [_line(option) for option in options if option not in tables]
    blocks = ["\n".join([f"[{name}]", *_aligned(lines)])]
    for table in tables:
        heading = textwrap.fill(table.meaning, WIDTH, initial_indent="# ", subsequent_indent="# ")
        inner = _section(f"{name}.{_bare(table.key)}", [], table.inner)
        blocks.append(f"{heading}\n{inner}" if table.meaning else inner)
    return "\n\n".join(blocks)


def _line(option: Option) -> tuple[str, str]:
    """Return `key = value` and its comment; a key that is left out by default is a comment as a whole."""
    if option.is_required:
        return f"{_bare(option.key)} = {toml(example(option))}", _joined("required", option.meaning)
    if option.value is None:
        without = option.default.strip("()")
        return f"# {_bare(option.key)} = ...", _joined(option.meaning, "" if without == "left out" else f"left out: {without}")
    return f"{_bare(option.key)} = {toml(option.value)}", option.meaning


def _joined(*parts: str) -> str:
    return "; ".join(filter(None, parts))


def _aligned(lines: Sequence[tuple[str, str]]) -> list[str]:
    """Return lines whose comments begin in one column; a long comment goes on below, one of a long value stands above."""
    column = max((len(code) + 2 for code, _ in lines if len(code) + 2 <= WIDTH - LEAST_COMMENT), default=0)
    made = []
    for code, comment in lines:
        if len(code) + 2 > column:
            made += [*_comment(comment, 0), code]
        else:
            first, *rest = _comment(comment, column) or [""]
            made += [(code.ljust(column) + first.lstrip()).rstrip(), *rest]
    return made


def _comment(text: str, column: int) -> list[str]:
    indent = " " * column + "# "
    return textwrap.wrap(text, WIDTH, initial_indent=indent, subsequent_indent=indent, break_long_words=False)


def _loss_table(name: str, options: Sequence[Option], field: str) -> str:
    """Return the form `field = { use = "bce", real_low = 1.0 }`; its options are explained above, on lines of their own."""
    values: dict[str, Any] = {"use": name}
    lines = ["[objective]"]
    for option in options:
        code, comment = _line(option)
        key = code.removeprefix("# ").partition(" = ")[0]
        lines += _comment(f"{key}: {comment}" if comment else key, 0)
        if option.is_required or option.value is not None:
            values[option.key] = example(option) if option.is_required else option.value
    return "\n".join([*lines, f"{field} = {toml(values)}"])


def _bare(key: str) -> str:
    """Return a key, in quotes where TOML asks for them."""
    return toml({key: 0}).removeprefix("{ ").removesuffix(" = 0 }")
