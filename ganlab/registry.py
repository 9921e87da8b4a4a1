"""Turns the components of all plugins into names that a recipe can use: (kind, name) -> Registered."""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ganlab.errors import GanlabError, PluginError

if TYPE_CHECKING:
    from ganlab.contracts import Component
    from ganlab.plugins import PluginRecord, Plugins


@dataclass(frozen=True, kw_only=True, eq=False)
class Registered:
    """A component, and the plugin and distribution that it comes from."""

    kind: str
    component: Component
    plugin: str
    distribution: str
    distribution_version: str
    is_builtin: bool

    @property
    def name(self) -> str:
        """Return the name that a recipe uses."""
        return self.component.name

    @property
    def full_name(self) -> str:
        """Return "dist:name", which stays right when another plugin offers the same name."""
        return f"{self.distribution}:{self.component.name}"

    def load_target(self) -> Callable[..., Any]:
        """Return what builds the component, imported now if the plugin names it lazily."""
        target = self._load(self.component.target, "target")
        if not callable(target):
            raise self._broken(f"its target {self.component.target!r} is a {type(target).__name__}, not a class")
        return target  # type: ignore[no-any-return]  # callable() leaves Any

    def load_options(self) -> type | None:
        """Return the class of the component's options; None if it has none."""
        if self.component.options is None:
            return None
        options = self._load(self.component.options, "options")
        if not isinstance(options, type):
            raise self._broken(f"its options {self.component.options!r} are a {type(options).__name__}, not a class")
        return options

    def _load(self, named: object, what: str) -> Any:
        if not isinstance(named, str):
            return named
        from importlib import import_module

        module, _, attributes = named.partition(":")
        try:
            with contextlib.redirect_stdout(sys.stderr):  # what the module prints must not mix with the result of a command
                loaded: Any = import_module(module)
                for attribute in attributes.split("."):
                    loaded = getattr(loaded, attribute)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a plugin's code may do anything, sys.exit too
            raise self._broken(f"its {what} {named!r} cannot be imported: {in_one_line(error)}") from error
        return loaded

    def _broken(self, reason: str) -> PluginError:
        return PluginError(
            f"plugin {self.plugin!r} ({self.distribution} {self.distribution_version}): "
            f"the {self.kind} {self.name!r} is broken: {reason}\n"
            f"Mend or update the plugin, or choose another {self.kind}; `ganlab plugin disable {self.plugin}` leaves it out."
        )


class UnknownComponent(GanlabError):
    """Reports a name that no usable plugin offers, or that two strangers offer."""

    def __init__(self, message: str, *, code: int, near: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.code = code
        self.near = tuple(near)


class Registry:
    """Finds components by kind and name; upper and lower case, `-` and `_` are one."""

    def __init__(self, plugins: Plugins) -> None:
        self._records = plugins.records
        self._components = tuple(c for record in plugins.records for c in record.components)
        self._lost = clashes(self._components)

    def all(self, kind: str | None = None) -> tuple[Registered, ...]:
        """Return what recipes may name, built-ins first; a component that lost a clash only goes by `full_name`."""
        return tuple(c for c in self._components if kind in (None, c.kind))

    def names(self, kind: str, families: Collection[str] | None = None) -> tuple[str, ...]:
        """Return the names that `find` takes, each the shortest that is clear; of losses those of `families`."""
        fitting = (c for c in self.all(kind) if families is None or c.component.family in families)
        return tuple(c.full_name if c in self._lost else c.name for c in fitting)

    def find(self, kind: str, name: str, families: Collection[str] | None = None) -> Registered:
        """Return the component that a recipe means by `name` or `dist:name`; raises UnknownComponent.

        Its message lists names of `families` only; a component of another is found all the same.
        """
        distribution, _, short = name.rpartition(":")
        found = [c for c in self.all(kind) if normalise(c.name) == normalise(short)]
        if distribution:
            found = [c for c in found if normalise(c.distribution) == normalise(distribution)]
        else:
            found = [c for c in found if c not in self._lost] or found
        if len(found) == 1:
            return found[0]
        if found:
            raise UnknownComponent(_ambiguous(kind, name, found), code=3)
        raise self._unknown(kind, name, distribution, families)

    def unusable(self) -> list[str]:
        """Return lines that name each plugin that is broken or disabled, and so may hide a component; nothing if none is."""
        return [*_broken_lines(self._records), *_disabled_lines(self._records)]

    def _unknown(self, kind: str, name: str, distribution: str, families: Collection[str] | None) -> UnknownComponent:
        asked = [r for r in self._records if not distribution or normalise(r.distribution) == normalise(distribution)]
        if not asked and distribution:
            of_plugin = [c for c in self.all(kind) if normalise(c.plugin) == normalise(distribution)]
            meant = [c.full_name for c in of_plugin if normalise(c.name) == normalise(name.rpartition(":")[2])]
            if meant:
                reason = f"{distribution!r} is a plugin, not a distribution{did_you_mean(meant)}"
                return UnknownComponent(f"no {kind} is called {name!r}: {reason}", code=3, near=meant)
            message = f"no {kind} is called {name!r}: {_absent(distribution)}\n`ganlab list-plugins` shows what is there."
            return UnknownComponent(message, code=PluginError.code)
        names = self.names(kind, families)
        short_names = {known: known.rpartition(":")[2] for known in names}
        nearest = near_names(name.rpartition(":")[2], set(short_names.values()))
        near = [known for short in nearest for known in names if short_names[known] == short]
        lines = [f"no {kind} is called {name!r}{did_you_mean(near)}"]
        others = [c for c in self._components if c.kind != kind and normalise(c.name) == normalise(name)]
        if others:
            lines[0] += f"; {name!r} is {with_article(others[0].kind)}"
        if not near and not others and names:
            lines[0] += f"; there are {', '.join(names)}"
        # A near name explains more than a plugin that was switched off on purpose, unless that one goes by the name asked for.
        own = [r for r in asked if r.fault and normalise(name) in (normalise(r.name), normalise(r.distribution))]
        ordered = sorted(asked, key=lambda record: record not in own)
        blocks = [_broken_lines(ordered), _disabled_lines(own if near and not distribution else ordered)]
        if any(record.is_disabled for record in own):
            blocks.reverse()
        unusable = [line for block in blocks for line in block]
        lines += [*unusable, "`ganlab list-plugins` shows what is there."]
        return UnknownComponent("\n".join(lines), code=PluginError.code if unusable else 3, near=near)


def clashes(components: Iterable[Registered]) -> dict[Registered, tuple[Registered, ...]]:
    """Return each component that lost its short name, and its rivals: a built-in wins, of two strangers neither."""
    groups: dict[tuple[str, str], list[Registered]] = {}
    for component in components:
        groups.setdefault((component.kind, normalise(component.name)), []).append(component)
    lost: dict[Registered, tuple[Registered, ...]] = {}
    for group in groups.values():
        builtins = [c for c in group if c.is_builtin]
        losers = group if len(builtins) != 1 else [c for c in group if not c.is_builtin]
        if len(group) > 1:
            lost.update({loser: tuple(c for c in group if c is not loser) for loser in losers})
    return lost


def normalise(name: str) -> str:
    """Return the form in which two names are compared."""
    return name.strip().lower().replace("-", "_")


def near_names(name: str, names: Iterable[str]) -> list[str]:
    """Return up to three of `names` that may have been meant, the nearest first."""
    from difflib import SequenceMatcher

    wanted = normalise(name)
    scores = {known: SequenceMatcher(None, wanted, normalise(known)).ratio() for known in names}
    least = max(0.6, max(scores.values(), default=0) - 0.1)  # names with a common beginning are near to every name
    return sorted((known for known, score in scores.items() if score >= least), key=lambda known: (-scores[known], known))[:3]


def did_you_mean(near: Sequence[str]) -> str:
    """Return the end of a message that suggests `near`; nothing if there is none."""
    return f"; did you mean {' or '.join(repr(name) for name in near)}?" if near else ""


def with_article(noun: str) -> str:
    """Return "a loss", "an architecture"."""
    return f"{'an' if noun[0].lower() in 'aeiou' else 'a'} {noun}"


def in_one_line(error: BaseException) -> str:
    """Return "ValueError: why", with the first line of the reason only."""
    try:
        text = str(error)
    except Exception:  # an exception of a plugin may fail to say what it is
        text = ""
    lines = [re.sub(r"\s+", " ", line).strip() for line in text.splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


def _ambiguous(kind: str, name: str, found: Sequence[Registered]) -> str:
    offers = " and ".join(f"{c.plugin} ({c.distribution} {c.distribution_version})" for c in found)
    ways = list(dict.fromkeys(c.full_name for c in found))
    if len(ways) == 1:
        return f"{name!r} is {with_article(kind)} of several plugins of one distribution, to be mended: {offers}"
    return f"{name!r} is {with_article(kind)} of several plugins: {offers}; write {' or '.join(map(repr, ways))}"


def _absent(distribution: str) -> str:
    """Return why no plugin is of the distribution that a recipe names."""
    from importlib import metadata

    try:
        metadata.version(distribution)
    except Exception:  # it is not there, or what the recipe says is no name
        is_name = re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?", distribution)
        return f"the distribution {distribution!r} is not installed{f'; `pip install {distribution}`' if is_name else ''}"
    return f"the distribution {distribution!r} is installed, but offers no plugin"


def _broken_lines(records: Sequence[PluginRecord]) -> list[str]:
    broken = [record for record in records if record.is_quarantined]
    lines = [
        f"  {record.name} ({record.distribution} {record.version}): {record.status}: {record.fault.line}"
        for record in broken
        if record.fault
    ]
    if lines:
        lines = ["A plugin that is broken may offer it:", *lines]
        lines.append(f"Mend or update it, or leave it out: `ganlab plugin disable {' '.join(r.name for r in broken)}`")
    return lines


def _disabled_lines(records: Sequence[PluginRecord]) -> list[str]:
    groups: dict[str, list[str]] = {}
    for record in records:
        if record.is_disabled and record.fault:
            groups.setdefault(record.fault.line, []).append(record.name)
    lines = []
    for reason, names in groups.items():
        way_on = f"; `ganlab plugin enable {' '.join(names)}`" if "plugin disable" in reason else ""
        lines.append(f"  {', '.join(names)} (disabled {reason}){way_on}")
    return ["A plugin that is disabled may offer it:", *lines] if lines else []
