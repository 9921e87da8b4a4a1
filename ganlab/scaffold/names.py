"""What a user types as the name of a new plugin -> its names as distribution, package and class; or why it cannot be."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import metadata

from ganlab.contracts import KINDS
from ganlab.errors import UsageError
from ganlab.plugins import GROUP, is_builtin, load_plugins
from ganlab.recipe_files import list_recipes
from ganlab.registry import normalise, with_article

MOST_LETTERS = 30


@dataclass(frozen=True)
class PluginName:
    """One name in its forms; `short` is that of the component, the recipe and the entry point: hinge_x."""

    short: str

    @property
    def distribution(self) -> str:
        """Return what is installed: ganlab-hinge-x."""
        return f"ganlab-{self.short.replace('_', '-')}"

    @property
    def package(self) -> str:
        """Return what is imported: ganlab_hinge_x."""
        return f"ganlab_{self.short}"

    @property
    def class_prefix(self) -> str:
        """Return the beginning of each class: HingeX."""
        return "".join(part[0].upper() + part[1:] for part in self.short.split("_"))


def plugin_name(written: str, kind: str) -> PluginName:
    """Return the name of a new plugin; raises `UsageError` for one that cannot be, or that ganlab itself has."""
    short = normalise(written).removeprefix("ganlab_")
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", short) or len(short) > MOST_LETTERS:
        raise UsageError(
            f"{written!r} can be no plugin's name: a name begins with a letter and has letters, digits and single - or _ "
            f"between them, at most {MOST_LETTERS}, such as hinge-x"
        )
    if short in KINDS:
        raise UsageError(f"{written!r} is a kind; name the plugin after what it does, such as hinge-x")
    taken = _taken(short, kind)
    if taken:
        raise UsageError(f"{written!r}: ganlab has {taken} of this name; choose another, such as my-{short.replace('_', '-')}")
    return PluginName(short)


def _taken(short: str, kind: str) -> str | None:
    """Return what of ganlab's own has this name and would hide the new one: a component, a plugin, a recipe."""
    builtins = [point for point in metadata.entry_points(group=GROUP) if is_builtin(point)]
    own = {normalise(c.name) for record in load_plugins(builtins).records for c in record.components if c.kind == kind}
    if short in own:
        return with_article(kind)
    if short in {normalise(point.name) for point in builtins}:
        return "a plugin"
    if short in {normalise(path.stem) for path in list_recipes()}:
        return "a recipe"
    return None
