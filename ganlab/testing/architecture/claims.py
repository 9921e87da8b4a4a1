"""What an architecture must do to fit every objective whose needs its roles serve."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping

import torch
from torch import Tensor, nn

from ganlab.registry import in_one_line
from ganlab.testing.architecture.making import makes_what_it_promises
from ganlab.testing.architecture.networks import COUNT, CPU, Built, build, each_form, fitting_data, working
from ganlab.testing.kit import Broken, Claim, NotApplicable, Subject, told_elsewhere
from ganlab.testing.purity import DEVICE, refuse, watched
from ganlab.testing.roles import Values, random_direction, tensors_of
from ganlab.testing.state import stored
from ganlab.testing.tiny import describe
from ganlab.training.state import flatten


def claims(subject: Subject) -> Iterable[Claim]:
    """Return the claims."""
    return (
        fits_some_data,
        builds_its_networks,
        gives_what_its_roles_say,
        makes_what_it_promises,
        draws_fresh_noise,
        is_the_same_for_the_same_seed,
        moves_every_weight,
        comes_back_from_a_checkpoint,
        can_be_copied,
        computes_in_bf16,
        can_be_differentiated_twice,
        stays_on_the_device,
    )


def fits_some_data(subject: Subject) -> str:
    """Fits some form of data."""
    fitting, refused = fitting_data(subject)
    if not fitting:
        forms_of = {why: ", ".join(form for form in refused if refused[form] == why) for why in refused.values()}
        reasons = [f"{why} ({forms})" for why, forms in forms_of.items()] if len(forms_of) > 1 else [*forms_of]
        raise Broken(f"its roles() refuse every form of data: {'; '.join(reasons)}")
    return "tried on " + ", ".join(map(describe, fitting))


def builds_its_networks(subject: Subject) -> str | None:
    """Builds the networks that its roles name, new ones at each call."""
    unused: set[str] = set()
    for data in each_form(subject):
        built = build(subject, data)
        again = built.architecture.networks()
        unused |= set(again) - set(built.nets)
        for network, net in built.nets.items():
            weights = {id(weight) for weight in net.parameters()}
            if any(id(weight) in weights for weight in again[network].parameters()):
                raise Broken(f"networks() gives the {network} of the first call again; it must be a new one")
    return f"no role names {', '.join(sorted(unused))}, so no recipe can use it" if unused else None


def gives_what_its_roles_say(subject: Subject) -> None:
    """Gives what its roles say: shapes, types, finite numbers, images in [-1, 1]."""
    for data in each_form(subject):
        with told_elsewhere("its networks cannot be built"):
            built = build(subject, data)
        given = built.given()
        fault = built.fault(built.outputs(given=given), given)
        if fault:
            raise Broken(fault)


def draws_fresh_noise(subject: Subject) -> None:
    """Draws fresh noise [count, Z] at each call, from torch's default generator."""
    for data in each_form(subject):
        built = working(subject, data)
        if not built.has_noise:
            raise NotApplicable("no network of it takes noise")
        torch.default_generator.manual_seed(0)
        first, second = (built.architecture.noise(COUNT, CPU) for _ in range(2))
        torch.default_generator.manual_seed(0)
        repeated, one = built.architecture.noise(COUNT, CPU), built.architecture.noise(1, CPU)
        for noise, count in ((first, COUNT), (one, 1)):
            if noise.dim() != 2 or len(noise) != count or noise.shape[1] != first.shape[1]:
                raise Broken(f"noise({count}, device) is {list(noise.shape)}, not [{count}, Z]")
        if torch.equal(first, second):
            raise Broken("noise() gives the same numbers at each call")
        if not torch.equal(first, repeated):
            raise Broken("noise() does not follow torch.manual_seed: no run could be repeated; draw with torch.randn")


def is_the_same_for_the_same_seed(subject: Subject) -> None:
    """Repeats itself for the same seed, and for no other."""
    for data in each_form(subject):
        one, same, other = (working(subject, data, seed) for seed in (0, 0, 1))
        for network, net in one.nets.items():
            _same_state(network, net, same.nets[network])
            weights = dict(net.named_parameters())
            others = dict(other.nets[network].named_parameters())
            if weights and all(torch.equal(weight, others[name]) for name, weight in weights.items()):
                raise Broken(f"the weights of {network} are the same for every seed")
        given = one.given()
        _same_outputs(
            one.outputs(given=given), same.outputs(given=given), "differ between two builds from one seed: draw with torch only"
        )


def moves_every_weight(subject: Subject) -> str | None:
    """Gives every weight a gradient."""
    still: set[str] = set()
    for data in each_form(subject):
        built = working(subject, data)
        for name, weight in _weights(built.nets):
            if not weight.requires_grad:
                raise Broken(f"{name} is a Parameter that requires no gradient; ganlab would train it: make it a buffer")
        total = torch.stack([random_direction(values) for values in built.outputs().values()]).sum()
        if total.requires_grad:
            total.backward()
        without = [name for name, weight in _weights(built.nets) if weight.grad is None and weight.numel()]
        if without:
            raise Broken(f"{built}: no gradient reaches {_listed(without)}")
        still |= {name for name, weight in _weights(built.nets) if weight.grad is not None and not weight.grad.any()}
    return f"the gradient of {_listed(sorted(still))} is 0 at the start" if still else None


def comes_back_from_a_checkpoint(subject: Subject) -> str | None:
    """Comes back from a checkpoint bit for bit."""
    tied: list[str] = []
    for data in each_form(subject):
        trained, resumed = working(subject, data, seed=0), working(subject, data, seed=1)
        tied = _tied(trained.nets)
        trained.outputs()  # moves what a network keeps beside its weights: batch statistics
        state = stored(flatten(trained.nets))
        for network, net in resumed.nets.items():
            own = {key.removeprefix(f"{network}/"): value for key, value in state.items() if key.startswith(f"{network}/")}
            try:
                net.load_state_dict(own)
            except RuntimeError as error:
                raise Broken(f"{network}: a new one cannot load it: {str(error).splitlines()[-1].strip()}") from None
        given = trained.given()
        for is_training in (True, False):
            for built in (trained, resumed):
                _mode(built.nets, is_training)
            there = resumed.outputs(given=given)
            _same_outputs(
                trained.outputs(given=given),
                there,
                "differ after a checkpoint: something lies outside the state_dict, as in a plain attribute",
            )
    return f"tied: {_listed(tied)}" if tied else None


def can_be_copied(subject: Subject) -> None:
    """Can be copied, and the copy stands alone.

    Averaged weights are such a copy.
    """
    for data in each_form(subject):
        built = working(subject, data)
        given = built.given()
        _mode(built.nets, is_training=False)
        try:
            copied = {name: copy.deepcopy(net) for name, net in built.nets.items()}
        except Exception as error:
            raise Broken(f"copy.deepcopy fails: {in_one_line(error)}") from error
        twin = Built(data=data, architecture=built.architecture, nets=copied, roles=built.roles)
        with torch.no_grad():
            before = built.outputs(given=given)
            _same_outputs(before, twin.outputs(given=given), "of a copy are not those of the original")
            for _, tensor in _weights(built.nets):
                tensor.zero_()
            _same_outputs(before, twin.outputs(given=given), "of a copy change with the weights of the original")


def computes_in_bf16(subject: Subject) -> None:
    """Computes in bf16, with finite gradients."""
    for data in each_form(subject):
        built = working(subject, data)
        given = built.given()
        with torch.autocast("cpu", torch.bfloat16):
            outputs = built.outputs(given=given)
        fault = built.fault(outputs, given)
        if fault:
            raise Broken(f"in bf16: {fault}")
        total = torch.stack([random_direction(values).float() for values in outputs.values()]).sum()
        if total.requires_grad:
            total.backward()
        for name, weight in _weights(built.nets):
            if weight.grad is not None and not weight.grad.isfinite().all():
                raise Broken(f"in bf16, {built}: the gradient of {name} is not finite")


def can_be_differentiated_twice(subject: Subject) -> None:
    """Can be differentiated twice where it judges images.

    Penalties need it.
    """
    for data in each_form(subject):
        built = working(subject, data)
        judges = [network for network, role in built.roles.items() if role.judges_images]
        if not judges:
            raise NotApplicable("no network of it judges images (images -> logits)")
        known = {word: value for values in built.outputs().values() for word, value in values.items()} | built.given()
        for network in judges:
            at = {word: known[word] for word in built.roles[network].inputs}
            images = at["images"] = at["images"].detach().requires_grad_()
            logits = built.nets[network](*at.values()).logits
            try:
                (slope,) = torch.autograd.grad(logits.sum(), images, create_graph=True)
                if slope.requires_grad:
                    slope.square().sum().backward()  # through all of it: named inputs would leave out what cannot be done
            except RuntimeError as error:
                raise Broken(f"{network}, {built}: {in_one_line(error)}; a penalty of it cannot be trained") from error
            gradients = [weight.grad for weight in built.nets[network].parameters() if weight.grad is not None]
            if not any(gradient.any() for gradient in gradients):
                raise Broken(f"{network}, {built}: the slope of its logits does not depend on its weights")
            if not all(gradient.isfinite().all() for gradient in gradients):
                raise Broken(f"{network}, {built}: a penalty of it has a gradient that is not finite")


def stays_on_the_device(subject: Subject) -> None:
    """Stays on the device: reads no value on the host, and no shape depends on the data."""
    for data in each_form(subject):
        built = working(subject, data)
        given = built.given()
        with watched() as seen:
            built.outputs(given=given)
            if built.has_noise:
                built.architecture.noise(COUNT, DEVICE)
        refuse(seen)


def _weights(nets: Mapping[str, nn.Module]) -> Iterator[tuple[str, nn.Parameter]]:
    """Yield each weight as "network.name"."""
    for network, net in nets.items():
        for name, weight in net.named_parameters():
            yield f"{network}.{name}", weight


def _mode(nets: Mapping[str, nn.Module], is_training: bool) -> None:
    for net in nets.values():
        net.train(is_training)


def _same_state(network: str, one: nn.Module, other: nn.Module) -> None:
    there = other.state_dict()
    for name, value in one.state_dict().items():
        if not torch.equal(value, there[name]):
            raise Broken(f"{network}.{name} differs between two builds from one seed: draw with torch only")


def _same_outputs(one: Mapping[str, Values], other: Mapping[str, Values], why: str) -> None:
    for network, values in one.items():
        for word, value in values.items():
            pairs: Iterable[tuple[Tensor, Tensor]] = zip(tensors_of(value), tensors_of(other[network][word]), strict=True)
            if not all(torch.equal(a, b) for a, b in pairs):
                raise Broken(f"the {word} of {network} {why}")


def _tied(nets: Mapping[str, nn.Module]) -> list[str]:
    """Return the names of tied weights; raises `Broken` for such as share memory only, which a move to a GPU parts."""
    owners: dict[int, tuple[str, nn.Parameter]] = {}
    tied = []
    for network, net in nets.items():
        for name, weight in net.named_parameters(remove_duplicate=False):
            full = f"{network}.{name}"
            first, owner = owners.setdefault(weight.data_ptr() if weight.numel() else id(weight), (full, weight))
            if owner is not weight:
                raise Broken(f"{first} and {full} share memory and are two Parameters: a GPU parts them; assign one to both")
            if first != full:
                tied.append(f"{first} = {full}")
    return tied


def _listed(names: list[str]) -> str:
    shown = ", ".join(names[:4])
    return f"{shown} and {len(names) - 4} more" if len(names) > 4 else shown
