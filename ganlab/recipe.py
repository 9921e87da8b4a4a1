"""Turns a recipe file into a Recipe: `extends` followed, `--set` applied, the place of each value remembered."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ganlab.errors import RecipeError
from ganlab.recipe_files import find_recipe as find_recipe
from ganlab.recipe_files import list_recipes as list_recipes
from ganlab.recipe_text import Key, lines_of_keys, parse_set, parse_toml, read_header
from ganlab.recipe_text import dump_recipe as dump_recipe
from ganlab.registry import did_you_mean, near_names, normalise

# The keys that every data set has (`ganlab.options.DatasetOptions`); they stay when the data set is swapped.
SHARED_DATASET_KEYS = ("size_px", "channels", "labels", "split", "images", "classes")
MOST_BYTES = 2**20


@dataclass(frozen=True)
class Place:
    """Where a value was written: a line of a file, or (`file` is None) a `--set` of the command line."""

    file: Path | None
    line: int = 0  # 0: unknown

    def __str__(self) -> str:
        if self.file is None:
            return "--set"
        return f"{self.file}:{self.line}" if self.line else str(self.file)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A recipe as written, not yet checked against any component."""

    path: Path | None
    name: str  # the stem of the file
    values: dict[str, Any]
    places: Mapping[Key, Place] = field(default_factory=dict)
    header: str = ""  # the comment at the top, without its `#`
    notices: tuple[str, ...] = ()  # what the user must be told, a line each: which keys a `--set` dropped

    def place(self, key: Key) -> Place:
        """Return where the value, or else the nearest table around it, was written."""
        for length in range(len(key), 0, -1):
            if key[:length] in self.places:
                return self.places[key[:length]]
        return Place(self.path)


def load_recipe(path: Path, sets: Sequence[str] = ()) -> Recipe:
    """Return the recipe in `path`, with what it extends and each `key=value` of `sets`; raises RecipeError."""
    return with_sets(_read_with_parents(path, ()), sets)


def with_sets(recipe: Recipe, sets: Sequence[str]) -> Recipe:
    """Return the recipe with each `key=value` of `sets`; raises RecipeError with every fault of theirs."""
    changes: list[tuple[Key, Any]] = []
    faults: list[str] = []
    for text in sets:
        try:
            changes.append(parse_set(text))
        except RecipeError as error:
            faults.append(str(error))
    # Outer tables first, and `use` before its neighbours: so the order on the command line does not matter.
    for key, value in sorted(changes, key=lambda change: (len(change[0]), change[0][-1] != "use")):
        try:
            recipe = _with_value(recipe, key, value, f"--set {'.'.join(key)}")
        except RecipeError as error:
            faults.append(str(error))
    if faults:
        raise RecipeError("\n".join(faults))
    return recipe


def parse_recipe(text: str, path: Path) -> Recipe:
    """Return the recipe that `text` holds, `extends` not followed; `path` gives its name and is named in messages."""
    values = parse_toml(text, path)
    if not values:
        raise RecipeError(f"{path}: the recipe is empty")
    places = {key: Place(path, line) for key, line in lines_of_keys(text).items()}
    return Recipe(path=path, name=path.stem, values=values, places=places, header=read_header(text))


def read_text(path: Path) -> str:
    """Return the text of a recipe file; raises RecipeError for what can be no recipe."""
    try:
        if not path.is_file():
            reason = "is a folder, not a recipe" if path.is_dir() else "is not a file"
            raise RecipeError(f"{path}: {reason if path.exists() else 'there is no such file'}")
        if path.stat().st_size > MOST_BYTES:
            raise RecipeError(f"{path}: is larger than 1 MiB; a recipe is a short text")
        return path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise RecipeError(f"{path}:{line}: is not UTF-8 text") from None
    except (OSError, ValueError) as error:  # ValueError: a name with a null byte
        raise RecipeError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from None


def swap_dataset(recipe: Recipe, name: str) -> tuple[Recipe, tuple[str, ...]]:
    """Return the recipe with another data set, and the line that names the old one's dropped keys, if any."""
    swapped = _with_value(recipe, ("dataset", "use"), name, f"--dataset {name}")
    return swapped, swapped.notices[len(recipe.notices) :]


def near(key: str, keys: Iterable[str]) -> str:
    """Return the end of a message that suggests which of `keys` was meant; nothing if none is near."""
    return did_you_mean(near_names(key, keys))


def _read_with_parents(path: Path, children: tuple[Path, ...]) -> Recipe:
    recipe = parse_recipe(read_text(path), path)
    if "extends" not in recipe.values:
        return recipe
    parent_path = _parent_path(recipe, path)
    children = (*children, path.resolve())
    if parent_path.resolve() in children:
        chain = [*children[children.index(parent_path.resolve()) :], parent_path]
        raise RecipeError(f"{recipe.place(('extends',))}: extends loops: {' -> '.join(p.name for p in chain)}")
    parent = _read_with_parents(parent_path, children)
    places = dict(parent.places)
    own = {key: value for key, value in recipe.values.items() if key != "extends"}
    values = _merged(parent.values, own, (), places)
    places.update({key: place for key, place in recipe.places.items() if key != ("extends",)})
    return replace(recipe, values=values, places=places)


def _parent_path(recipe: Recipe, path: Path) -> Path:
    extends, place = recipe.values["extends"], recipe.place(("extends",))
    if not isinstance(extends, str) or not extends.isprintable() or not extends:
        raise RecipeError(f'{place}: extends must be the name of a file in this folder, such as "base.toml"')
    parent, folder = path.parent / extends, path.parent.resolve()
    if not parent.resolve().is_relative_to(folder):
        raise RecipeError(f"{place}: extends {extends!r} leaves the recipe's folder; copy that recipe into {folder}")
    if not parent.is_file():
        raise RecipeError(f"{place}: extends {extends!r}: there is no file {parent}")
    return parent


def _merged(below: Mapping[str, Any], above: Mapping[str, Any], at: Key, places: dict[Key, Place]) -> dict[str, Any]:
    """Return `below` overlaid with `above`; `places` loses those of what is replaced as a whole."""
    merged = dict(below)
    for key, value in above.items():
        old = _as_table(below.get(key)) if isinstance(value, Mapping) else None
        if old is not None and _is_same(value.get("use", old.get("use")), old.get("use")):
            merged[key] = _merged(old, value, (*at, key), places)
        else:  # the keys of another component do not fit this one
            _forget(places, (*at, key))
            merged[key] = value
    return merged


def _with_value(recipe: Recipe, key: Key, value: object, because: str) -> Recipe:
    """Return the recipe with one value set; another `use` drops the other keys of its table, with a notice."""
    if key == ("extends",):
        raise RecipeError(f"{because}: extends can only stand in a file")
    values, places = copy.deepcopy(recipe.values), dict(recipe.places)
    table = values
    for depth, part in enumerate(key[:-1], start=1):
        inner = _as_table(table.get(part, {}))
        if inner is None:
            where = recipe.place(key[:depth])
            raise RecipeError(f"{because}: {'.'.join(key[:depth])} is a value, not a table ({where})")
        table[part] = inner
        table = inner
    owner, dropped = _dropped(table, key, value)
    for gone in dropped or [key]:
        _forget(places, gone)
        if gone != key and len(gone) == len(key):  # a neighbour of `use`
            del table[gone[-1]]
    table[key[-1]] = value
    places[key] = Place(None)
    notices = recipe.notices
    if dropped:
        names = ", ".join(".".join(gone) for gone in dropped)
        notices = (*notices, f"{because}: dropped {names}" + (f", which belonged to {owner!r}" if owner else ""))
    return replace(recipe, values=values, places=places, notices=notices)


def _dropped(table: Mapping[str, Any], key: Key, value: object) -> tuple[object, list[Key]]:
    """Return the component that `value` at `key` replaces, and the keys that go with it."""
    old = table.get(key[-1])
    if key[-1] == "use" and len(key) > 1:
        stays = ("use", *SHARED_DATASET_KEYS) if key[:-1] == ("dataset",) else ("use",)
        gone = [] if _is_same(old, value) else [name for name in table if name not in stays]
        return old, [(*key[:-1], name) for name in gone]
    if not isinstance(old, dict) or "use" not in old:
        return None, []
    kept = ("use", *value) if isinstance(value, Mapping) else ("use",)
    return old["use"], [(*key, name) for name in old if name not in kept]


def _as_table(value: object) -> dict[str, Any] | None:
    """Return a table as it is, and the short form `"bce"` of a component as `{ use = "bce" }`."""
    if isinstance(value, str):
        return {"use": value}
    return value if isinstance(value, dict) else None


def _is_same(use: object, other: object) -> bool:
    return use == other or (isinstance(use, str) and isinstance(other, str) and normalise(use) == normalise(other))


def _forget(places: dict[Key, Place], prefix: Key) -> None:
    for key in [key for key in places if key[: len(prefix)] == prefix]:
        del places[key]
