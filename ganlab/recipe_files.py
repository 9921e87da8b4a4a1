"""Finds recipes: by path, among those that ganlab ships, and among those of plugins."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from ganlab.errors import RecipeError
from ganlab.registry import did_you_mean, near_names, normalise

SUFFIX = ".toml"


def find_recipe(reference: str, plugin_recipes: Sequence[Path] = ()) -> Path:
    """Return the file that `reference` means: a path, or the name of a recipe; raises RecipeError.

    "recipes/NAME.toml", as the README writes it, means the shipped recipe also where there is no such folder.
    """
    try:
        written = Path(reference).expanduser()
        for path in (written, written.with_name(written.name + SUFFIX)):
            if path.is_file():
                return path
        is_folder, exists = written.is_dir(), written.exists()
    except (OSError, ValueError, RuntimeError):  # too long, a null byte, no name, no such user
        written, is_folder, exists = Path("?"), False, False
    known = list_recipes(plugin_recipes)
    if written.parent in (Path(), Path("recipes")):
        for path in known:
            if normalise(path.stem) == normalise(written.name.removesuffix(SUFFIX)):
                return path
    if exists:
        raise RecipeError(f"{reference}: {'is a folder' if is_folder else 'is not a file'}, not a recipe")
    near = did_you_mean(near_names(written.name.removesuffix(SUFFIX), [path.stem for path in known]))
    places = [str(Path.cwd()), str(shipped_recipes())] if written.parent == Path() else [str(written.parent)]
    raise RecipeError(f"no recipe {reference!r}{near}\nlooked in {', '.join(places)}\n`ganlab recipes list` shows the recipes.")


def list_recipes(plugin_recipes: Sequence[Path] = ()) -> tuple[Path, ...]:
    """Return the shipped recipes by name, then those of plugins whose names are not taken."""
    return (*_distinct([*sorted(shipped_recipes().glob("*" + SUFFIX)), *plugin_recipes]),)


def shipped_recipes() -> Path:
    """Return the folder of ganlab's own recipes: the checkout's, or else the wheel's.

    An editable install has a stale copy of the wheel's folder or none, so the checkout comes first.
    """
    package = Path(__file__).parent
    checkout = package.parent
    if (checkout / "pyproject.toml").is_file() and (checkout / "recipes").is_dir():
        return checkout / "recipes"
    return package / "_recipes"


def _distinct(paths: Iterable[Path]) -> list[Path]:
    first: dict[str, Path] = {}
    for path in paths:
        first.setdefault(normalise(path.stem), path)
    return list(first.values())
