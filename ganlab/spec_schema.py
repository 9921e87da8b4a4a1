"""The registry -> JSON Schema (draft 2020-12) of a recipe, or of one component's table: for completion in editors.

What a schema cannot know stays with `ganlab validate`: whether the parts fit each other, whether a recipe is complete.
Nothing is required, since a recipe may extend another, or be there to be extended.

An editor that completes looks into `anyOf`, and not behind `if`; one that marks faults does it best behind `if`, where
there is one reason. So each choice is told twice: as an `anyOf` that always holds, and as an `if` that may not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel

from ganlab.errors import GanlabError
from ganlab.options import FrozenOptions, OptimizerOptions, TrainingOptions
from ganlab.registry import Registered, Registry, in_one_line
from ganlab.spec import SECTIONS
from ganlab.spec_options import (
    answer,
    default_options,
    loss_families,
    one_line,
    options_model,
    options_schema,
    plain_default,
    short_name,
)

DRAFT = "https://json-schema.org/draft/2020-12/schema"
Schema = dict[str, Any]

_HEAD = ("title", "description", "type", "properties")  # of a component's table, written here


def recipe_schema(registry: Registry) -> tuple[Schema, tuple[str, ...]]:
    """Return the schema of a whole recipe, and a line for each component of which it knows only the name."""
    known = _Definitions(registry)
    architectures = known.members("architecture")
    frozen = known.table(FrozenOptions, "frozen")
    frozen["properties"]["architecture"] = _choice(frozen["properties"]["architecture"]["description"], architectures)
    sections = {
        "dataset": _choice("the images to train on", known.members("dataset")),
        "architecture": _choice("the networks", architectures),
        "objective": _choice("the training procedure and its losses", known.members("objective")),
        "optimizer": known.optimizer(),
        "training": {**known.table(TrainingOptions, "training"), "description": "how long and how carefully a run trains"},
        "frozen": {
            "description": "networks that nobody trains, each taken from another run: [frozen.NETWORK]",
            "type": "object",
            "additionalProperties": frozen,
        },
        "evaluation": known.evaluation(),
    }
    # A section that ganlab itself writes into the recipe of a run.
    recorded = {"description": "written by ganlab", "type": "object", "additionalProperties": {"type": "object"}}
    extends = {"type": "string", "description": "a recipe in the same folder, of which this one states only what differs"}
    schema = {
        "$schema": DRAFT,
        "title": "a recipe of ganlab",
        "type": "object",
        "properties": {"extends": extends, **{name: sections.get(name, recorded) for name in SECTIONS}},
        "additionalProperties": False,
        "$defs": known.definitions,
    }
    return schema, tuple(known.notices)


def component_schema(registry: Registry, registered: Registered) -> tuple[Schema, tuple[str, ...]]:
    """Return the schema of one component's table, and lines as above; raises `PluginError` if it has no options model."""
    options_model(registered)
    known = _Definitions(registry)
    key = known.component(registered).key
    table = known.definitions.pop(key)
    return {"$schema": DRAFT, **table, **({"$defs": known.definitions} if known.definitions else {})}, tuple(known.notices)


@dataclass(frozen=True, kw_only=True)
class _Member:
    """One of several tables that may stand in a place: the names by which it is chosen, and its definition."""

    names: tuple[str, ...]
    key: str
    schema: Schema

    @property
    def reference(self) -> Schema:
        return {"$ref": f"#/$defs/{self.key}"}


class _Definitions:
    """The `$defs` of one schema, filled by what refers to them."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.definitions: Schema = {}
        self.notices: dict[str, None] = {}

    def members(self, kind: str, families: Sequence[str] | None = None) -> list[_Member]:
        """Return each component of a kind, of losses those of some `families`."""
        found = self.registry.all(kind)
        return [self.component(c) for c in found if families is None or c.component.family in families]

    def component(self, registered: Registered) -> _Member:
        """Define the table of one component."""
        kind = registered.kind
        short = short_name(self.registry, registered)
        key, names = f"{kind}.{short}", tuple(dict.fromkeys((short, registered.full_name)))
        summary = one_line(registered.component.summary) or f"{kind} {registered.name}"
        if key not in self.definitions:
            self.definitions[key] = self._component_table(registered, key, names, summary)
        return _Member(names=names, key=key, schema=self.definitions[key])

    def _component_table(self, registered: Registered, key: str, names: Sequence[str], summary: str) -> Schema:
        use = {"description": summary, "type": "string", "enum": list(names)}
        head = {"title": f"{registered.kind} {registered.name}", "description": summary, "type": "object"}
        try:
            model = options_model(registered)
            table = self.table(model, key)
            defaults = {name: plain_default(field) for name, field in model.model_fields.items()}
        except Exception as error:  # a plugin's code may do anything; the rest of the schema needs none of it
            where = f"plugin {registered.plugin}: {registered.kind} {registered.name}: "
            reason = str(error).partition("\n")[0] if isinstance(error, GanlabError) else where + in_one_line(error)
            self.notices[reason] = None
            return {**head, "properties": {"use": use}}  # its options are unknown: any key may be right
        properties = table["properties"]
        for name, field in model.model_fields.items():
            families = loss_families(field)
            if families is not None:  # `table` knows only that a loss is a name or a table
                about = properties[name].get("description", "")
                properties[name] = {"description": about, "default": defaults[name], **self.loss(families)}
        return {**head, "properties": {"use": use, **properties}, **{k: v for k, v in table.items() if k not in _HEAD}}

    def table(self, model: type[BaseModel], key: str) -> Schema:
        """Return the schema of a table of options, what it refers to defined."""
        schema = options_schema(model, f"{key}.")
        self.definitions.update({name: made for name, made in schema.pop("$defs").items() if not name.endswith(".LossChoice")})
        return {"properties": {}, **schema}

    def loss(self, families: Sequence[str]) -> Schema:
        """Return what may stand in an objective's field: the name of a loss that fits, or a table with its options."""
        members = self.members("loss", families)
        key = ".".join(["losses", *sorted(families)])
        self.definitions[key] = _choice(f"a loss ({' or '.join(families)}) with its options", members)
        table = {"$ref": f"#/$defs/{key}"}
        names = {"type": "string", "enum": _names(members)}
        return {"anyOf": [names, table, True], "if": {"type": "string"}, "then": names, "else": table}

    def optimizer(self) -> Schema:
        """Return the section of the optimizers: values for every player, and tables for one."""
        union, _ = get_args(OptimizerOptions)
        own: list[_Member] = []
        shared: list[_Member] = []
        for model in get_args(union):
            name = model.model_fields["use"].annotation.__args__[0]
            table = self.table(model, f"optimizer.{name}")
            table["properties"]["use"] = {"description": table["description"], "type": "string", "enum": [name]}
            for members, key, rest in (
                (own, f"optimizer.PLAYER.{name}", False),
                (shared, f"optimizer.{name}", {"$ref": "#/$defs/optimizer.PLAYER"}),
            ):
                players = dict.fromkeys(self._players(), rest) if rest else {}
                made = {**table, "properties": {**table["properties"], **players}, "additionalProperties": rest}
                self.definitions[key] = made
                members.append(_Member(names=(name,), key=key, schema=made))
        self.definitions["optimizer.PLAYER"] = _choice("the optimizer of one player", own)
        return _choice("the optimizer of every player; [optimizer.PLAYER] overrides it for one", shared)

    def _players(self) -> list[str]:
        """Return the players of the objectives, to be offered by an editor; others are right too."""
        players: dict[str, None] = {}
        for registered in self.registry.all("objective"):
            try:
                options = default_options(options_model(registered))
                players.update(dict.fromkeys(answer(registered, options, "players") if options else ()))
            except Exception:  # a plugin's code may do anything; its players are then not offered, and still right
                continue
        return list(players)

    def evaluation(self) -> Schema:
        """Return the section of the scores: [evaluation.NAME], where NAME is the evaluator unless `use` names it."""
        members = self.members("evaluator")
        about = "scores of the networks; the section's name is the evaluator, or the table says `use`"
        by_name = {
            member.names[0]: _choice(member.schema["description"], members, otherwise=member.reference) for member in members
        }
        return {
            "description": about,
            "type": "object",
            "properties": by_name,
            "additionalProperties": _choice("a score, by any name", members),
        }


def _choice(about: str, members: Sequence[_Member], otherwise: Schema | None = None) -> Schema:
    """Return a table whose `use` chooses between `members`.

    Without a `use` (it stands in the recipe that is extended) the table is `otherwise`, or has the keys of any member.
    """
    chosen = [{"if": {"properties": {"use": {"enum": list(member.names)}}}, "then": member.reference} for member in members]
    return {
        "description": about,
        "type": "object",
        "anyOf": [*(member.reference for member in members), True],
        "if": {"type": "object", "required": ["use"]},
        "then": {"properties": {"use": {"enum": _names(members)}}, "allOf": [*chosen, True]},
        "else": {"if": {"type": "object"}, "then": otherwise or _union([member.schema for member in members])},
    }


def _names(members: Sequence[_Member]) -> list[str]:
    """Return the names of all members, the shortest of each first."""
    return [*(member.names[0] for member in members), *(name for member in members for name in member.names[1:])]


def _union(tables: Sequence[Schema]) -> Schema:
    """Return a table in which each key may be as in any of `tables`."""
    keys: dict[str, list[Schema]] = {}
    for table in tables:
        for key, schema in table["properties"].items():
            rule = {name: value for name, value in schema.items() if name not in ("description", "default")}
            if rule not in keys.setdefault(key, []):
                keys[key].append(rule)
    union: Schema = {"properties": {key: rules[0] if len(rules) == 1 else {"anyOf": rules} for key, rules in keys.items()}}
    rest = [table.get("additionalProperties", True) for table in tables]
    return {**union, "additionalProperties": rest[0] if rest and all(other == rest[0] for other in rest) else True}
