"""A recipe -> the text of a copy that stands alone: what `extends` gave is written in, with the comments of each value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import fill
from typing import Any

from ganlab.errors import RecipeError, UsageError
from ganlab.files import write_text_atomic
from ganlab.recipe import dump_recipe, load_recipe, read_text
from ganlab.recipe_files import SUFFIX
from ganlab.recipe_text import AS_RUN, Key, lines_of_keys, parse_toml, without_as_run

_COMMENT_COLUMN = 38  # where our recipes have the comments beside values
_HEADER_COLUMNS = 120  # a recipe may extend one that extends one, sixteen times


def copy_recipe(source: Path, target: Path | None, name: str, *, force: bool = False) -> Path:
    """Write a copy of `source` and return its path: `target`, or `name`.toml in the folder that it names, or here."""
    path = target or Path()
    path = path / f"{name}{SUFFIX}" if path.is_dir() else path
    if path.suffix != SUFFIX:
        raise UsageError(f"{path}: a recipe's file ends in {SUFFIX}, such as {path.name}{SUFFIX}")
    if not path.parent.is_dir():
        raise UsageError(f"{path}: there is no folder {path.parent}")
    if path.exists():
        if path.samefile(source):
            raise UsageError(f"{path}: is that recipe itself; name another file")
        if not force:
            raise UsageError(f"{path}: exists; name another file, or write over it with --force")
    write_text_atomic(path, standing_alone(source))
    return path


def standing_alone(path: Path) -> str:
    """Return the text of the recipe as one file that needs no other.

    A recipe that extends none is returned as it is. A run's recipe loses what binds it to that run: the line that begins
    its header, and the record of its components.
    """
    text, recipe = read_text(path), load_recipe(path)
    is_of_run = recipe.header.startswith(AS_RUN)
    chain = _chain(path)
    if len(chain) == 1 and not is_of_run:
        return text
    values = {key: value for key, value in recipe.values.items() if not (is_of_run and key == "components")}
    header = without_as_run(recipe.header)
    if len(chain) > 1:
        told = f"A copy of {path.stem} with what it extends written in: {', '.join(file.stem for file in chain[1:])}."
        header += "\n\n" + fill(told, _HEADER_COLUMNS, break_long_words=False, break_on_hyphens=False)
    lines = {file: read_text(file).split("\n") for file in chain}
    copied = dump_recipe(values, header.strip())
    written = {key: (lines[place.file], place.line) for key, place in recipe.places.items() if place.file in lines}
    copied = _as_written(copied, written)
    if parse_toml(copied, path) != values:
        raise RecipeError(f"{path}: cannot be written as one file; copy it, and the files that it extends")
    return copied


def _chain(path: Path) -> list[Path]:
    """Return the file and those that it extends, of a recipe that could be loaded."""
    chain = [path]
    while extends := parse_toml(read_text(chain[-1]), chain[-1]).get("extends"):
        chain.append(chain[-1].parent / extends)
    return chain


def _as_written(text: str, written: Mapping[Key, tuple[Sequence[str], int]]) -> str:
    """Return `text` with values spelt, and comments put, as in the lines from which each key came."""
    lines = text.split("\n")
    for key, number in sorted(lines_of_keys(text).items(), key=lambda at: -at[1]):  # from below, as lines are added
        source, at = written.get(key, ((), 0))
        code, comment = _split(source[at - 1]) if at else ("", "")
        line = lines[number - 1]
        if not line.startswith("[") and _parsed(code) == _parsed(line):
            line = code
        lines[number - 1] = f"{line:<{_COMMENT_COLUMN - 1}} {comment}".rstrip()
        lines[number - 1 : number - 1] = _comments_above(source, at)
    return "\n".join(lines)


def _split(line: str) -> tuple[str, str]:
    """Return the code and the comment of a line that holds a whole statement; nothing of any other line."""
    ends = [index for index, letter in enumerate(line) if letter == "#"]
    for end in (*ends, len(line)):
        if _parsed(line[:end]) is not None:
            return line[:end].strip(), line[end:].strip()
    return "", ""


def _parsed(line: str) -> dict[str, Any] | None:
    """Return what a line of TOML says by itself; None if it is no whole statement."""
    try:
        return parse_toml(line, Path())
    except RecipeError:
        return None


def _comments_above(lines: Sequence[str], number: int) -> list[str]:
    """Return the lines of comment directly above line `number`, but none of the header at the top."""
    end_of_header = next((index for index, line in enumerate(lines) if not line.startswith("#")), 0)
    first = max(number - 1, 0)
    while first > end_of_header and lines[first - 1].startswith("#"):
        first -= 1
    return list(lines[first : number - 1]) if number else []
