"""The section [optimizer] of a recipe -> each player's optimizer."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import to_json

from ganlab.options import OptimizerOptions
from ganlab.recipe import near
from ganlab.spec_faults import Faults

_USUAL = "adam"  # where a recipe names none


def optimizers_of(faults: Faults, table: Mapping[str, Any], players: Collection[str]) -> tuple[dict[str, BaseModel], list[str]]:
    """Return player -> optimizer, [optimizer] for all and [optimizer.PLAYER] over it, and what the user should know."""
    tables = {k: v for k, v in table.items() if isinstance(v, Mapping)}
    shared = {k: v for k, v in table.items() if k not in tables}
    for player in tables:
        if players and player not in players:
            faults.add(("optimizer", player), f"no such player{near(player, players)}; players are {', '.join(players)}")
    notices = [
        f"optimizer.{key} is not used: each of {', '.join(players)} has its own"
        for key in shared
        if key != "use" and players and all(key in tables.get(player, {}) for player in players)
    ]
    adapter: TypeAdapter[Any] = TypeAdapter(OptimizerOptions)
    optimizers = {}
    # Without players (the objective has faults of its own) the values are checked all the same.
    for player in players or tables or ("",):
        own = tables.get(player, {})
        inherited = shared if "use" not in own or own["use"] == shared.get("use", _USUAL) else {}
        try:
            optimizers[player] = adapter.validate_json(to_json({"use": _USUAL, **inherited, **own}, inf_nan_mode="constants"))
        except ValidationError as error:
            faults.add_invalid_optimizer(player, error, own)
    return optimizers, notices
