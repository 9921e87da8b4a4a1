"""Recipe + registry -> Spec: every component found, every option typed, the parts checked against each other.

Imports no torch. Every fault is collected; all are raised at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel

from ganlab import component_record
from ganlab.contracts import FAMILIES, DataSpec
from ganlab.data.classes import data_of
from ganlab.errors import GanlabError
from ganlab.options import (
    ArchitectureOptions,
    DatasetOptions,
    Family,
    FrozenOptions,
    LossChoice,
    ObjectiveOptions,
    TrainingOptions,
)
from ganlab.recipe import Recipe, near
from ganlab.registry import Registered, Registry, UnknownComponent
from ganlab.spec_faults import Faults
from ganlab.spec_match import check_frozen, check_roles, offered_roles
from ganlab.spec_optimizers import optimizers_of
from ganlab.spec_signature import signature_options
from ganlab.spec_training import check_watch, training_of

SECTIONS = ("dataset", "architecture", "objective", "optimizer", "training", "frozen", "evaluation", "components")


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """A component with its options, as the recipe chose it."""

    registered: Registered
    options: BaseModel | None  # None: its constructor takes `settings`
    settings: Mapping[str, Any]  # every option by name, defaults included

    @property
    def name(self) -> str:
        """Return the registered name."""
        return self.registered.component.name


@dataclass(frozen=True, kw_only=True)
class ChosenLoss(Chosen):
    """A loss in a field of the objective."""

    family: str


@dataclass(frozen=True, kw_only=True)
class Spec:
    """A recipe that holds: everything that a run needs to know, nothing built yet."""

    name: str
    recipe: Recipe
    dataset: Chosen
    data: DataSpec
    architecture: Chosen
    roles: Mapping[str, str]  # network -> "inputs -> outputs", those that the objective needs
    makes: frozenset[str]
    objective: Chosen
    losses: Mapping[str, ChosenLoss]  # field of the objective -> loss
    term_weights: Mapping[str, float] | None  # None: the objective declares none, every term counts once
    players: Mapping[str, tuple[str, ...]]
    optimizers: Mapping[str, BaseModel]  # player -> options
    training: TrainingOptions
    frozen: Mapping[str, FrozenOptions]
    evaluation: Mapping[str, Chosen]
    lent: Mapping[str, Chosen]  # frozen network -> what it was built by, if that is not the recipe's architecture
    notices: tuple[str, ...] = ()  # what the user should know, a line each

    @property
    def model_data(self) -> DataSpec:
        """Return the data as the model knows them: without labels if no network of it takes, tells or is chosen by any."""
        is_labelled = _is_labelled(self.architecture, self.roles)
        return self.data if is_labelled else replace(self.data, label_kind="none", label_names=())

    @property
    def components(self) -> tuple[Registered, ...]:
        """Return every component that the recipe uses, once each."""
        networks = (self.architecture, *self.lent.values())
        chosen = (self.dataset, *networks, self.objective, *self.losses.values(), *self.evaluation.values())
        return tuple(dict.fromkeys(each.registered for each in chosen))


def make_spec(recipe: Recipe, registry: Registry) -> Spec:
    """Return what `recipe` means; raises `RecipeError` with every fault, a line each."""
    return _Check(recipe, registry).spec()


class _Check:
    """One pass over a recipe; its parts share the list of faults."""

    def __init__(self, recipe: Recipe, registry: Registry) -> None:
        self.recipe, self.registry = recipe, registry
        self.faults = Faults(recipe)
        self.notices: list[str] = []
        self.records = component_record.read_records(self.faults, self._table("components"))
        self.found: list[Registered] = []  # every component that the recipe names

    def spec(self) -> Spec:
        """Check section by section, then the sections against each other."""
        self._sections()
        dataset = self._component("dataset", "dataset", DatasetOptions)
        architecture = self._component("architecture", "architecture", ArchitectureOptions)
        objective = self._component("objective", "objective", ObjectiveOptions)
        losses = self._losses(objective) if objective else {}
        training = training_of(self.faults, self._table("training"), self._table("evaluation"))
        evaluation = dict(self._evaluation())
        frozen = self._frozen()
        lent = self._lent(frozen)
        data = self._data(dataset)
        roles = self._roles(architecture, lent, data)
        players = self._players(objective)
        optimizers, notices = optimizers_of(self.faults, self._table("optimizer"), players)
        self.notices += notices
        used = self._match(objective, architecture, roles, players, frozen, data)
        if training and architecture and isinstance(architecture.options, ArchitectureOptions):
            check_watch(self.faults, training, architecture.name, architecture.options.makes_with(used))
        self.notices += component_record.changes(self.faults, self.records, self.found)
        self.faults.raise_all()
        assert dataset is not None
        assert data is not None
        assert training is not None
        assert objective is not None
        assert architecture is not None
        assert isinstance(architecture.options, ArchitectureOptions)
        return Spec(
            name=self.recipe.name,
            recipe=self.recipe,
            dataset=dataset,
            data=data,
            architecture=architecture,
            roles=used,
            makes=architecture.options.makes_with(used),
            objective=objective,
            losses=losses,
            term_weights=objective.settings.get("weights"),
            players=players,
            optimizers=optimizers,
            training=training,
            frozen=frozen,
            evaluation=evaluation,
            lent=lent,
            notices=tuple(self.notices),
        )

    # Sections on their own

    def _sections(self) -> None:
        for name, value in self.recipe.values.items():
            if name not in SECTIONS:
                self.faults.add((name,), f"unknown section{near(name, SECTIONS)}; sections are {', '.join(SECTIONS)}")
            elif not isinstance(value, Mapping):
                self.faults.add((name,), f"must be a section [{name}], not {value!r}")
            elif name in ("frozen", "evaluation"):
                for inner in (inner for inner, table in value.items() if not isinstance(table, Mapping)):
                    self.faults.add((name, inner), f"must be a section [{name}.{inner}], not {value[inner]!r}")

    def _table(self, *key: str) -> dict[str, Any]:
        table: Any = self.recipe.values
        for part in key:
            table = table.get(part, {}) if isinstance(table, Mapping) else {}
        return dict(table) if isinstance(table, Mapping) else {}

    def _component(self, section: str, kind: str, base: type[BaseModel] | None, *rest: str) -> Chosen | None:
        """Return the component that `[section]` uses, with options of type `base`."""
        key = (section, *rest)
        table = self._table(*key)
        use = table.pop("use", rest[-1] if section == "evaluation" else None)
        if not isinstance(use, str):
            names = ", ".join(self.registry.names(kind))
            self.faults.add(
                key, f'needs `use = "NAME"`; {kind}s are {names}' if use is None else f"use must be a name, not {use!r}"
            )
            return None
        return self._chosen(kind, use, table, key, base)

    def _chosen(
        self,
        kind: str,
        use: str,
        table: dict[str, Any],
        key: tuple[str, ...],
        base: type[BaseModel] | None,
        families: Sequence[str] | None = None,
    ) -> Chosen | None:
        try:
            registered = self.registry.find(kind, use, families)
            self.found.append(registered)
            model = registered.load_options()
            fields = model or signature_options(registered)
        except GanlabError as error:
            reason, code = str(error), error.code
            if isinstance(error, UnknownComponent):
                reason, code = component_record.lost(self.records, kind, use, error)
            self.faults.add((*key, "use"), reason, code=code)
            return None
        if model is not None and base is not None and not issubclass(model, base):
            self.faults.add(
                (*key, "use"), f"plugin {registered.plugin}: options of {kind} {use} must derive from {base.__name__}"
            )
            return None
        options = self.faults.validated(key, fields, table)
        if options is None:
            return None
        if isinstance(options, DatasetOptions):
            try:
                options = options.found()
            except GanlabError as error:
                self.faults.add(key, str(error), code=error.code)
                return None
        settings = options.model_dump(mode="json", exclude_none=True) if model else dict(options)
        return Chosen(registered=registered, options=options if model else None, settings=settings)

    def _losses(self, objective: Chosen) -> dict[str, ChosenLoss]:
        """Return field -> loss for the fields of the objective that name one."""
        losses = {}
        for field, info in type(objective.options).model_fields.items() if objective.options else ():
            choice = getattr(objective.options, field)
            families = next((m.names for m in info.metadata if isinstance(m, Family)), None)
            if not isinstance(choice, LossChoice):
                continue
            if families is None:
                why = 'must say which families it takes: Annotated[LossName, Family("adversarial")]'
                self.faults.add(("objective", field), f"plugin {objective.registered.plugin}: the field {why}")
                continue
            key = ("objective", field)
            chosen = self._chosen("loss", choice.use, choice.settings, key, None, families)
            if chosen is None:
                continue
            family = chosen.registered.component.family
            if family not in families:
                fitting = sorted(r.component.name for r in self.registry.all("loss") if r.component.family in families)
                self.faults.add(
                    key,
                    f"{choice.use} is of the family {family} ({FAMILIES[str(family)]}), and {objective.name} takes "
                    f"{' or '.join(families)} here: {', '.join(fitting)}",
                )
                continue
            assert family is not None
            losses[field] = ChosenLoss(
                registered=chosen.registered, options=chosen.options, settings=chosen.settings, family=family
            )
        return losses

    def _evaluation(self) -> Iterator[tuple[str, Chosen]]:
        for name in self._table("evaluation"):
            chosen = self._component("evaluation", "evaluator", None, name)
            if chosen:
                yield name, chosen

    def _frozen(self) -> dict[str, FrozenOptions]:
        tables = self._table("frozen")
        found = {n: self.faults.validated(("frozen", n), FrozenOptions, self._table("frozen", n)) for n in tables}
        return {network: options for network, options in found.items() if options}

    def _lent(self, frozen: Mapping[str, FrozenOptions]) -> dict[str, Chosen]:
        """Return frozen network -> the architecture that the recipe says it was built by."""
        networks = [network for network, options in frozen.items() if options.architecture is not None]
        found = {n: self._component("frozen", "architecture", ArchitectureOptions, n, "architecture") for n in networks}
        return {network: chosen for network, chosen in found.items() if chosen}

    def _data(self, dataset: Chosen | None) -> DataSpec | None:
        if dataset is None:
            return None
        assert isinstance(dataset.options, DatasetOptions)
        return data_of(self.faults, dataset.options)

    def _roles(
        self, architecture: Chosen | None, lent: Mapping[str, Chosen], data: DataSpec | None
    ) -> Mapping[str, str] | None:
        """Return the roles of the architecture's networks, and of those frozen ones that other architectures built."""
        if architecture is None or data is None:
            return None
        roles = offered_roles(self.faults, ("architecture",), architecture.name, architecture.options, data)
        for network, chosen in lent.items():
            key = ("frozen", network, "architecture")
            theirs = offered_roles(self.faults, key, chosen.name, chosen.options, data, network)
            roles = None if roles is None or theirs is None else {**roles, network: theirs[network]}
        return roles

    def _players(self, objective: Chosen | None) -> Mapping[str, tuple[str, ...]]:
        if objective is None:
            return {}
        assert isinstance(objective.options, ObjectiveOptions)
        return objective.options.players()

    # The sections against each other

    def _match(
        self,
        objective: Chosen | None,
        architecture: Chosen | None,
        roles: Mapping[str, str] | None,
        players: Mapping[str, tuple[str, ...]],
        frozen: Mapping[str, FrozenOptions],
        data: DataSpec | None,
    ) -> dict[str, str]:
        """Return the roles that the objective needs; every network is offered, fits, and is trained or frozen."""
        if objective is None or architecture is None or roles is None or data is None:
            return {}
        assert isinstance(objective.options, ObjectiveOptions)
        needs = objective.options.needs()
        trained = {network for networks in players.values() for network in networks}
        check_roles(self.faults, objective.name, needs, architecture.name, roles, frozen)
        check_frozen(self.faults, objective.name, needs, trained, frozen)
        if not data.labels and any("labels" in need or "classes" in need for need in needs.values()):
            self.faults.add(("dataset",), f"{objective.name} needs labels, and these data have none")
        used = {network: roles[network] for network in needs if network in roles}
        if data.labels and not _is_labelled(architecture, used):
            self.notices.append(
                f"labels are not used: {objective.name} with {architecture.name} ignores the {data.labels} labels"
            )
        return used


def _is_labelled(architecture: Chosen, roles: Mapping[str, str]) -> bool:
    """Return whether any of the networks takes, tells or is chosen by labels."""
    assert isinstance(architecture.options, ArchitectureOptions)
    words = {word.partition("+")[0] for role in roles.values() for word in role.split()}  # "classes+1" is classes
    return architecture.options.LABEL_CHOOSES_NETWORK or bool(words & {"labels", "classes"})
