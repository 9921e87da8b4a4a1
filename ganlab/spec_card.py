"""A component -> its card: what it is, where it comes from, what fits it, its options, and lines to paste into a recipe."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import product
from typing import Any

from pydantic import BaseModel

from ganlab.contracts import DataSpec, LabelKind
from ganlab.errors import GanlabError, PluginError
from ganlab.options import DatasetOptions
from ganlab.registry import Registered, Registry, in_one_line
from ganlab.spec_options import answer, default_options, loss_families, options_model, short_name
from ganlab.spec_snippet import snippets
from ganlab.spec_words import Option, options_in_words


@dataclass(frozen=True, kw_only=True)
class Card:
    """All that a user who writes a recipe asks of one component."""

    registered: Registered
    name: str  # the shortest by which a recipe finds it
    place: str  # "package.module:Class"
    file: str  # of that module; nothing if Python does not know it
    facts: tuple[tuple[str, str], ...]  # what is special to its kind: players, roles, losses that fit
    options: tuple[Option, ...]  # its own
    shared: tuple[Option, ...]  # the keys that every data set has
    snippets: tuple[str, ...]


def card(registry: Registry, registered: Registered) -> Card:
    """Return the card of a component; raises `PluginError` if its options cannot be imported or say nothing."""
    try:
        return _card(registry, registered)
    except GanlabError:
        raise
    except Exception as error:  # a plugin's code may do anything
        raise PluginError(
            f"plugin {registered.plugin}: the options of {registered.kind} {registered.name} fail: {in_one_line(error)}"
        ) from error


def _card(registry: Registry, registered: Registered) -> Card:
    model = options_model(registered)
    options = options_in_words(model)
    is_shared = set(DatasetOptions.model_fields) if issubclass(model, DatasetOptions) else set()
    own = tuple(option for option in options if option.key not in is_shared)
    shared = tuple(option for option in options if option.key in is_shared)
    name = short_name(registry, registered)
    fields = list(takers(registry, registered.component.family)) if registered.kind == "loss" else []
    place, file = _place(registered)
    return Card(
        registered=registered,
        name=name,
        place=place,
        file=file,
        facts=tuple(_facts(registry, registered, model, fields)),
        options=own,
        shared=shared,
        snippets=snippets(registered, name, (*own, *shared), _field(registered.component.family, fields)),
    )


def takers(registry: Registry, family: str | None) -> Iterator[tuple[str, str]]:
    """Yield objective and field, for each field that takes losses of a family."""
    for objective in registry.all("objective"):
        try:
            model = options_model(objective)
        except GanlabError:  # a broken plugin, which this component does not need
            continue
        for key, field in model.model_fields.items():
            if family in (loss_families(field) or ()):
                yield objective.name, key


def _field(family: str | None, fields: Sequence[tuple[str, str]]) -> str:
    """Return the key for an example: one named like the family, the first that takes it, or else the family."""
    keys = [key for _, key in fields]
    return str(family) if not keys or family in keys else keys[0]


def _facts(
    registry: Registry, registered: Registered, model: type[BaseModel], fields: Sequence[tuple[str, str]]
) -> Iterator[tuple[str, str]]:
    options = default_options(model)
    if registered.kind == "loss":
        yield "taken by", ", ".join(f"objective.{key} of {name}" for name, key in fields) or "no objective that is installed"
    if options is None:
        return  # the answers depend on what a recipe must say
    if registered.kind == "objective":
        for player, networks in answer(registered, options, "players").items():
            yield "players", f"{player} moves {', '.join(networks)}"
        for network, need in answer(registered, options, "needs").items():
            yield "needs", f"{network}: {need}"
        for key, field in model.model_fields.items():
            families = loss_families(field)
            if families is not None:
                fitting = [short_name(registry, loss) for loss in registry.all("loss") if loss.component.family in families]
                yield "losses", f"{key}: {', '.join(fitting) or 'none is installed'}"
    elif registered.kind == "architecture":
        yield from _roles(registered, options)
        yield "makes", ", ".join(sorted(answer(registered, options, "makes"))) or "nothing by itself"
    elif registered.kind == "dataset":
        try:
            yield "data", _in_words(answer(registered, options, "data_spec"))
        except ValueError as error:
            yield "data", f"by its defaults none: {error}"


def _roles(registered: Registered, options: Any) -> Iterator[tuple[str, str]]:
    """Yield the networks for the first of some typical data that the architecture takes."""
    reason = ""
    kinds: tuple[tuple[LabelKind, int], ...] = (("classes", 7), ("attributes", 40), ("none", 0))
    for (kind, labels), size_px, channels in product(kinds, (64, 48, 32, 128, 256), (1, 3)):
        names = tuple(f"label {number}" for number in range(labels))
        data = DataSpec(size_px=size_px, channels=channels, label_kind=kind, label_names=names)
        try:
            roles = answer(registered, options, "roles", data)
        except ValueError as error:
            reason = reason or str(error)
            continue
        yield "roles", f"for {_in_words(data)}:"
        for network, role in roles.items():
            yield "roles", f"{network}: {role}"
        return
    yield "roles", f"for none of the usual data: {reason}"


def _in_words(data: DataSpec) -> str:
    channels = "1 channel" if data.channels == 1 else f"{data.channels} channels"
    labels = f"{data.labels} {data.label_kind}" if data.labels else "no labels"
    return f"{data.size_px} px, {channels}, {labels}"


def _place(registered: Registered) -> tuple[str, str]:
    """Return "package.module:Class" and the file; what is named lazily is not imported for it."""
    target = registered.component.target
    if not isinstance(target, str):
        target = f"{target.__module__}:{getattr(target, '__qualname__', type(target).__qualname__)}"
    try:
        spec = find_spec(target.partition(":")[0])
    except (ImportError, ValueError):  # no such module; told when the component is built
        spec = None
    return target, spec.origin or "" if spec and spec.has_location else ""
