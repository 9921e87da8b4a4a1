"""What an objective needs against what an architecture offers and other runs lend: a fault for each that does not fit."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from ganlab.contracts import DataSpec
from ganlab.options import ArchitectureOptions
from ganlab.spec_faults import Faults


def offered_roles(
    faults: Faults, key: tuple[str, ...], name: str, options: object, data: DataSpec, network: str | None = None
) -> Mapping[str, str] | None:
    """Return the roles that an architecture offers, `network` among them; None, and a fault at `key`, if it does not fit."""
    assert isinstance(options, ArchitectureOptions)
    try:
        roles = options.roles(data)
    except ValueError as error:
        faults.add(key, f"{name} does not fit the data set: {error}")
        return None
    if network is not None and network not in roles:
        faults.add((*key, "use"), f"{name} has no network {network}; it has {', '.join(roles)}")
        return None
    return roles


def check_roles(
    faults: Faults,
    objective: str,
    needs: Mapping[str, str],
    architecture: str,
    roles: Mapping[str, str],
    frozen: Collection[str] = (),
) -> None:
    """Find each needed network that is not offered, or offered with other inputs or too few outputs."""
    malformed = [(network, text) for network, text in (*needs.items(), *roles.items()) if text.count("->") != 1]
    for network, text in malformed:
        faults.add(
            ("objective", "use"), f'{objective} or {architecture} says {text!r} of {network}; a role reads "inputs -> outputs"'
        )
    if malformed:
        return
    for network, need in needs.items():
        if network not in roles:
            offered = ", ".join(f"{name} ({role})" for name, role in roles.items())
            hint = f". What built a frozen network says [frozen.{network}.architecture]" if network in frozen else ""
            faults.add(
                ("objective", "use"), f"{objective} needs a network {network} ({need}); {architecture} offers {offered}{hint}"
            )
        elif not fits(need, roles[network]):
            faults.add(
                ("objective", "use"), f"{objective} needs {network} as {need}; {architecture} offers it as {roles[network]}"
            )


def check_frozen(
    faults: Faults, objective: str, needs: Mapping[str, str], trained: Collection[str], frozen: Mapping[str, object]
) -> None:
    """Find each network that nobody trains and no run lends, and each that is lent to no use."""
    for network in trained:
        if network not in needs:
            faults.add(("objective", "use"), f"{objective} has a player that moves {network}, which its needs do not name")
    for network in needs:
        if network not in trained and network not in frozen:
            faults.add(
                ("objective", "use"), f'nobody trains {network}: name the run it comes from, [frozen.{network}] run = "..."'
            )
    for network in frozen:
        if network not in needs or network in trained:
            faults.add(("frozen", network), f"{objective} has no frozen network of this name")


def fits(need: str, role: str) -> bool:
    """Return whether "inputs -> outputs" of a role serve a need: equal inputs, and the needed outputs.

    A discriminator may offer more than is needed, since its `Verdict` names what it holds.
    """
    (need_in, need_out), (role_in, role_out) = ([part.split() for part in side.split("->")] for side in (need, role))
    if "logits" not in role_out:  # what is no `Verdict` comes as it is: a tensor, or a tuple in the order of the role
        return need_in == role_in and need_out == role_out
    return need_in == role_in and set(need_out) <= set(role_out)
