"""What the hooks of one plugin return -> checked components and recipe files."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganlab.contracts import FAMILIES, Component, WeightsFile
from ganlab.registry import normalise, with_article

if TYPE_CHECKING:
    import pluggy

HOOK_OF_KIND = {
    "dataset": "ganlab_datasets",
    "architecture": "ganlab_architectures",
    "loss": "ganlab_losses",
    "objective": "ganlab_objectives",
    "evaluator": "ganlab_evaluators",
}


class BadComponent(Exception):
    """Says what a hook returned that ganlab cannot use."""


def ask(plugin: object, manager: pluggy.PluginManager) -> dict[str, object]:
    """Return what each hook of this plugin returned; called apart, since one that raises loses the results of all."""
    offers: dict[str, object] = {}
    for hook in (*HOOK_OF_KIND.values(), "ganlab_recipes"):
        for implementation in getattr(manager.hook, hook).get_hookimpls():
            if implementation.plugin is plugin:
                offers[hook] = implementation.function()
    return offers


def offered_components(offers: Mapping[str, object]) -> Iterator[tuple[str, Component]]:
    """Yield each component with its kind; raises BadComponent at the first that cannot be used."""
    seen: set[tuple[str, str]] = set()
    for kind, hook in HOOK_OF_KIND.items():
        for component in _list(hook, offers.get(hook, [])):
            reason = _wrong_component(kind, component)
            if reason:
                raise BadComponent(f"{hook}: {reason}")
            if (kind, normalise(component.name)) in seen:
                raise BadComponent(f"{hook}: two components are called {component.name!r}")
            seen.add((kind, normalise(component.name)))
            yield kind, component


def offered_recipes(offers: Mapping[str, object]) -> list[Path]:
    """Return the recipe files, those of a folder in order; raises BadComponent for what is no path or not there."""
    files: list[Path] = []
    for offered in _list("ganlab_recipes", offers.get("ganlab_recipes", [])):
        if not isinstance(offered, str | os.PathLike):
            raise BadComponent(f"ganlab_recipes: the list holds {_what(offered)}, not a path")
        path = Path(offered)
        if not path.exists():
            raise BadComponent(f"ganlab_recipes: there is no {path}")
        files += sorted(path.glob("*.toml")) if path.is_dir() else [path]
    return files


def _list(hook: str, offered: object) -> list[Any]:
    if not isinstance(offered, list | tuple):
        raise BadComponent(f"{hook}: returned {_what(offered)}, not a list")
    return list(offered)


def _wrong_component(kind: str, component: object) -> str | None:
    """Return why `component` cannot be used; None if it can."""
    if not isinstance(component, Component):
        return f"the list holds {_what(component)}, not a Component"
    name, target, options = component.name, component.target, component.options
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", name):
        return f"the name {name!r} is not made of letters, digits, `_`, `-` and `.`"
    if not (_is_place(target) if isinstance(target, str) else callable(target)):
        return f'{name!r}: the target {target!r} is neither callable nor "package.module:Name"'
    if not (options is None or (_is_place(options) if isinstance(options, str) else isinstance(options, type))):
        return f'{name!r}: the options {options!r} are neither a class nor "package.module:Name"'
    if options is None and kind in ("dataset", "architecture", "objective"):
        return f"{name!r}: {with_article(kind)} must have options"
    if kind == "loss" and component.family not in FAMILIES:
        given = f"not {component.family!r}" if component.family is not None else "none is given"
        return f"{name!r}: the family of a loss is one of {', '.join(FAMILIES)}; {given}"
    if not isinstance(component.version, int) or isinstance(component.version, bool) or component.version < 1:
        return f"{name!r}: the version {component.version!r} is not a whole number from 1"
    if not isinstance(component.summary, str) or not isinstance(component.paper, str):
        return f"{name!r}: summary and paper must be text"
    if not isinstance(component.weights, tuple):
        return f"{name!r}: its weights are {_what(component.weights)}, not a tuple"
    return next((f"{name!r}: {reason}" for reason in map(_wrong_weights, component.weights) if reason), None)


def _wrong_weights(file: object) -> str | None:
    """Return why a file of weights can be neither fetched nor checked; None if it can."""
    if not isinstance(file, WeightsFile):
        return f"its weights hold {_what(file)}, not a WeightsFile"
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}", file.name):
        return f"the file of weights {file.name!r} is not named by letters, digits, `_`, `-` and `.`"
    if not re.fullmatch(r"[0-9a-f]{64}", file.sha256) or not isinstance(file.size, int) or file.size < 1:
        return f"the file of weights {file.name} needs its size in bytes and its SHA-256 in 64 small hexadecimal digits"
    if not file.url.startswith("https://"):
        return f"the file of weights {file.name} has the address {file.url!r}, which is not https"
    return None


def _is_place(text: str) -> bool:
    module, colon, attribute = text.partition(":")
    return bool(colon) and all(part.isidentifier() for part in f"{module}.{attribute}".split("."))


def _what(value: object) -> str:
    return "None" if value is None else with_article(type(value).__name__)
