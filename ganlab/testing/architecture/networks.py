"""An architecture under test -> its networks, built for each form of data that it fits, and run as their roles say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ganlab.contracts import DataSpec
from ganlab.data.bank import one_hot
from ganlab.options import ArchitectureOptions
from ganlab.resolve import place
from ganlab.testing.kit import Broken, NotApplicable, Subject, told_elsewhere
from ganlab.testing.roles import Role, Values, fault_of, parse_role, run_networks
from ganlab.testing.tiny import describe, forms, images, pairs

CPU = torch.device("cpu")
COUNT = 5  # unlike any number of channels or labels, so that no wrong axis passes


@dataclass(frozen=True, kw_only=True)
class Built:
    """An architecture and its networks, placed as training places them, for one form of data."""

    data: DataSpec
    architecture: Any
    nets: dict[str, nn.Module]
    roles: Mapping[str, Role]

    def given(self, count: int = COUNT, device: torch.device = CPU) -> dict[str, Tensor]:
        """Return images [count, C, H, W] in [-1, 1], labels [count, K] and, if there is any, noise [count, Z]."""
        pixels = images(self.data, count)
        given = {
            "images": pixels.images.float().div(127.5).sub(1).contiguous(memory_format=torch.channels_last),
            "labels": one_hot(pixels.labels, self.data.labels, count),
        }
        if self.has_noise:
            given["noise"] = self.architecture.noise(count, device)
        return given

    @property
    def has_noise(self) -> bool:
        """Return whether the architecture says what its noise is."""
        return hasattr(self.architecture, "noise")

    def outputs(self, seed: int = 1, given: Values | None = None) -> dict[str, Values]:
        """Return what each network gives; of networks that draw (dropout), the same for the same seed."""
        torch.default_generator.manual_seed(seed)
        return dict(run_networks(self.nets, self.roles, self.given() if given is None else given))

    def fault(self, outputs: Mapping[str, Values], given: Values) -> str | None:
        """Return the first thing that is not as its role promises."""
        noise = given.get("noise")
        for network, values in outputs.items():
            for word, value in values.items():
                fault = fault_of(word, value, len(given["images"]), self.data, None if noise is None else noise.shape[1])
                if fault:
                    return f"{network}, {self}: {fault}"
        return None

    def __str__(self) -> str:
        """Return the form of data in words."""
        return describe(self.data)


def fitting_data(subject: Subject) -> tuple[list[DataSpec], dict[str, str]]:
    """Return the forms of data that the options accept, each in its smallest size, and why not the others, in words."""
    options: ArchitectureOptions = subject.options()
    found: dict[tuple[str, int], DataSpec] = {}
    refused: dict[tuple[str, int], tuple[DataSpec, str]] = {}
    for data in (*forms(), *pairs()):
        form = (data.label_kind, data.channels)
        if form in found:
            continue
        try:
            options.roles(data)
            found[form] = data
        except ValueError as error:
            refused[form] = data, str(error)
    reasons = {describe(data): why for form, (data, why) in refused.items() if form not in found}
    return list(found.values()), reasons


def build(subject: Subject, data: DataSpec, seed: int = 0) -> Built:
    """Return the networks drawn from `seed`; raises what the architecture raises, and `Broken` for missing networks."""
    options: Any = subject.options()
    roles = {network: parse_role(network, text) for network, text in options.roles(data).items()}
    torch.default_generator.manual_seed(seed)
    architecture = subject.component.load_target()(options, data)
    nets = dict(architecture.networks())
    for network in roles:
        if not isinstance(nets.get(network), nn.Module):
            what = f"is a {type(nets[network]).__name__}, not an nn.Module" if network in nets else "is not among them"
            raise Broken(f"networks() gives {', '.join(nets) or 'nothing'}; {network}, which its roles name, {what}")
    for net in nets.values():
        place(net, CPU)
    return Built(data=data, architecture=architecture, nets={name: nets[name] for name in roles}, roles=roles)


def each_form(subject: Subject) -> Iterator[DataSpec]:
    """Yield the forms of data that fit; raises `NotApplicable` if there is none, which a claim of its own reports."""
    fitting, _ = fitting_data(subject)
    if not fitting:
        raise NotApplicable("it fits no form of data")
    yield from fitting


def working(subject: Subject, data: DataSpec, seed: int = 0) -> Built:
    """Return networks that can be built and run; raises `NotApplicable`: claims of their own report what cannot."""
    with told_elsewhere("its networks do not run"):
        built = build(subject, data, seed)
        outputs = built.outputs()
        if fault := built.fault(outputs, built.given()):
            raise Broken(fault)
    return build(subject, data, seed)  # drawn anew: running moves what a network keeps
