"""What an objective must do to train anywhere: on any device, interrupted at will, in any precision."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any

import torch
from pydantic import BaseModel
from torch import Tensor

from ganlab.contracts import Update
from ganlab.resolve import Parts
from ganlab.testing.kit import Broken, Claim, Subject, place_of
from ganlab.testing.objective.assembly import assemble
from ganlab.testing.objective.moves import Moves
from ganlab.testing.objective.state import goes_on_after_a_checkpoint
from ganlab.testing.objective.steps import Look, phases, take_step
from ganlab.testing.objective.trial import MOST_PHASES, MOST_UPDATES, assembled, buildable, take_each_phase, tried, working
from ganlab.testing.purity import DEVICE, Operation, Watch, refuse
from ganlab.testing.roles import parse_role


def claims(subject: Subject) -> Iterable[Claim]:
    """Return the claims; those after the fourth apply only to an objective whose steps can be taken."""
    return (
        names_who_moves_what,
        goes_with_networks,
        tells_phases,
        yields_terms,
        moves_one_player_at_a_time,
        reaches_every_network,
        moves_with_each_term,
        leaves_networks_as_they_were,
        goes_on_after_a_checkpoint,
        stays_on_the_device,
        keeps_the_shape_of_a_phase,
        computes_in_bf16,
    )


def names_who_moves_what(subject: Subject) -> None:
    """Names its players, the networks that each moves, and the role of each network."""
    options = subject.options()
    players, needs = dict(options.players()), dict(options.needs())
    model = type(options)
    for network, need in needs.items():
        try:
            parse_role(network, need)
        except Broken as fault:
            raise Broken(str(fault), place_of(model.needs)) from None
    if not players:
        raise Broken("players() names none: nothing would be trained", place_of(model.players))
    for player, networks in players.items():
        if isinstance(networks, str) or not networks:
            raise Broken(f"the player {player} moves {networks!r}, not a tuple of networks", place_of(model.players))
        for network in networks:
            if network not in needs:
                why = f"the player {player} moves {network}, and needs() names {', '.join(needs) or 'nothing'}"
                raise Broken(why, place_of(model.players))
    weights = getattr(options, "weights", None)
    if weights is None:
        return
    for name, weight in weights.model_dump().items() if isinstance(weights, BaseModel) else [("weights", weights)]:
        if not isinstance(weight, int | float) or isinstance(weight, bool):
            raise Broken(f"the weight {name} is {weight!r}; its options' `weights` hold one number a term", place_of(model))


def goes_with_networks(subject: Subject) -> str:
    """Goes together with networks of the roles that it needs."""
    assembly = assembled(subject)
    objective = assembly.parts().objective
    if not callable(getattr(objective, "step", None)):
        raise Broken(f"{type(objective).__name__} has no method step(s), which yields the updates")
    return str(assembly)


def tells_phases(subject: Subject) -> str | None:
    """Tells the phase of a step by its number alone."""
    found = phases(buildable(subject).parts().objective)
    if len(found) > MOST_PHASES:
        return f"has {len(found)} phases or more; {MOST_PHASES} were tried"
    return f"phases are {', '.join(map(repr, found))}" if len(found) > 1 else None


def yields_terms(subject: Subject) -> str | None:
    """Yields updates of its players, with finite terms that its weights name."""
    parts = buildable(subject).parts()
    seen: set[str] = set()
    for phase in tried(parts):
        for _ in range(2):
            take_step(parts, phase, Look(yielded=lambda update: seen.update(update.terms)))
    never = [name for name in parts.term_weights or () if name not in seen]
    return f"no step yielded {', '.join(never)}, which the weights name" if never else None


def moves_one_player_at_a_time(subject: Subject) -> None:
    """Moves only its player's networks with each update."""
    parts = working(subject).parts()
    moves = Moves(parts)
    look = Look(segment=moves.segment, yielded=moves.yielded)
    for phase in tried(parts):
        for _ in range(2):
            take_step(parts, phase, look)


def reaches_every_network(subject: Subject) -> None:
    """Reaches every network of every player with a gradient."""
    parts = working(subject).parts()
    waiting = {(player, network) for player, networks in parts.players.items() for network in networks}

    def reached(player: str) -> None:
        for network in parts.players[player]:
            gradients = [weight.grad for weight in parts.nets[network].parameters()]
            if any(gradient is not None and bool(gradient.any()) for gradient in gradients):
                waiting.discard((player, network))

    for player, optimizer in parts.optimizers.items():
        optimizer.register_step_pre_hook(lambda *_, player=player: reached(player))
    moved: set[str] = set()
    for phase in phases(parts.objective):  # all of them: a player's turn may come late
        for _ in range(2):
            take_step(parts, phase, Look(yielded=lambda update: moved.add(update.player)))
        if not waiting:
            return
    player, network = min(waiting)
    if player not in moved:
        raise Broken(f"the player {player} never moves: no phase yields an update of it")
    raise Broken(f"the updates of {player} never reach {network}: its gradients are none, or zero")


def moves_with_each_term(subject: Subject) -> None:
    """Moves a network of its player with each term."""
    parts = working(subject).parts()
    reached: set[tuple[str, str]] = set()
    waiting: dict[tuple[str, str], Hashable] = {}  # with a phase that yields it; a term that is always 0 is switched off
    idle = "computed of detached images, under no_grad, or of another player's networks alone?"

    def look_at(update: Update) -> None:
        for name, term in update.terms.items():
            if _reaches(parts, update.player, term):
                reached.add((update.player, name))
            elif term.any():
                waiting.setdefault((update.player, name), phase)

    def tell(update: Update) -> None:
        if update.player == player and found in update.terms:
            raise Broken(f"{found} moves no network of {player}: {idle}")

    for number, phase in enumerate(phases(parts.objective), 1):
        take_step(parts, phase, Look(yielded=look_at))
        if number >= MOST_PHASES and not waiting.keys() - reached:
            break
    for (player, found), phase in waiting.items():
        if (player, found) not in reached:
            take_step(parts, phase, Look(yielded=tell))  # once more, to find its line


def leaves_networks_as_they_were(subject: Subject) -> None:
    """Leaves networks in the mode in which it found them.

    Also when a step is broken off.
    """
    parts = working(subject).parts()
    before = _modes(parts)

    def check(when: str) -> None:
        for network, modes in _modes(parts).items():
            for what, value in modes.items():
                if value != before[network][what]:
                    raise Broken(f"{when} leaves {network} with {what} changed; put it back before the yield")

    class Broke(Exception):
        pass

    def break_off(update: Update) -> None:
        raise Broke

    for phase in tried(parts):
        take_step(parts, phase, Look(yielded=lambda update: check(f"the update of {update.player}")))
        check("a step")
        try:
            take_step(parts, phase, Look(yielded=break_off))
        except Broke:
            check("a step that is broken off")


def stays_on_the_device(subject: Subject) -> None:
    """Stays on the device: reads no value on the host, and no shape depends on the data."""
    parts = working(subject).parts(DEVICE)
    for name, value in getattr(parts.objective, "__dict__", {}).items():
        if isinstance(value, Tensor) and value.dim():
            why = "make the objective an nn.Module and the tensor a buffer"
            raise Broken(f"its attribute {name} holds a tensor, which stays on the CPU: {why}")
    watch = Watch()
    for phase in tried(parts):
        take_step(parts, phase, Look(segment=watch.on, lent=watch.paused))
    refuse(watch.impurities)


def keeps_the_shape_of_a_phase(subject: Subject) -> None:
    """Does the same in every step of a phase.

    The operations, their shapes and numbers are equal: one recorded graph stands for all.
    """
    parts = working(subject).parts(DEVICE)
    for phase in tried(parts):
        first, updates = _operations(parts, phase)
        for more in range(max(1, min(4, MOST_UPDATES // updates))):
            operations, _ = _operations(parts, phase)
            if fault := _difference(first, operations):
                where = f" of phase {phase!r}" if phase is not None else ""
                raise Broken(f"step {more + 2}{where} is unlike the first: {fault[0]}", fault[1])


def computes_in_bf16(subject: Subject) -> None:
    """Stays finite in bf16."""
    working(subject)
    take_each_phase(assemble(subject, precision="bf16").parts(), times=2)


def _reaches(parts: Parts, player: str, term: Tensor) -> bool:
    """Return whether a term's graph leads to a weight of its player, however small the gradient."""
    if not term.requires_grad:
        return False
    weights = [weight for network in parts.players[player] for weight in parts.nets[network].parameters()]
    weights = [weight for weight in weights if weight.requires_grad]
    try:
        gradients = torch.autograd.grad(term, weights, retain_graph=True, allow_unused=True) if weights else ()
    except RuntimeError:
        return True  # what cannot be differentiated alone, the descent itself tells
    return any(gradient is not None for gradient in gradients)


def _modes(parts: Parts) -> dict[str, dict[str, Any]]:
    """Return, for each network, what a step may change and must put back."""
    return {
        name: {
            "its training mode": [module.training for module in net.modules()],
            "requires_grad": [weight.requires_grad for weight in net.parameters()],
            "its hooks": [len(module._forward_hooks) + len(module._forward_pre_hooks) for module in net.modules()],
        }
        for name, net in parts.nets.items()
    }


def _operations(parts: Parts, phase: Hashable) -> tuple[list[Operation], int]:
    """Return the operations of one step's segments, and how many updates it made."""
    watch, players = Watch(), []
    take_step(parts, phase, Look(segment=watch.on, lent=watch.paused, yielded=lambda update: players.append(update.player)))
    return watch.operations, len(players)


def _difference(first: list[Operation], other: list[Operation]) -> tuple[str, str] | None:
    """Return where two steps part, in words and as "file:line"; None if they do not."""
    for one, two in zip(first, other, strict=False):
        if one.text != two.text:
            return f"{two.text}, not {one.text}", two.where
    if len(first) == len(other):
        return None
    longer = max(first, other, key=len)
    left = longer[min(len(first), len(other))]
    return f"{left.text} {'is left out' if longer is first else 'comes on top'}", left.where
