"""The roles that an objective needs -> small networks that play them: what the kit tries an objective on."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from pydantic import Field
from torch import Tensor, nn

from ganlab.contracts import Component, DataSpec, Verdict
from ganlab.hookspecs import hookimpl
from ganlab.options import ArchitectureOptions
from ganlab.testing.roles import Role, parse_role

INPUTS = ("images", "labels", "latents", "noise")
OUTPUTS = ("classes", "features", "images", "labels", "latents", "logits", "noise")
_WIDTH, _NOISE = 4, 5  # channels of every feature map; length of the noise


class StandInOptions(ArchitectureOptions):
    """What the stand-ins must be."""

    needs: dict[str, str] = Field(description='network -> "inputs -> outputs", as an objective needs them')

    def roles(self, data: DataSpec) -> dict[str, str]:
        """Return what is needed; ValueError for a word that no stand-in knows."""
        for network, need in self.needs.items():
            role = parse_role(network, need)
            for words, known in ((role.inputs, INPUTS), (role.outputs, OUTPUTS)):
                unknown = [word for word in words if word.partition("+")[0] not in known]
                if unknown:
                    raise ValueError(f"there is no stand-in for {network} ({need}): {unknown[0]!r} is unknown")
        return dict(self.needs)


class StandIn:
    """Networks of any roles: dropout and batch norm in each, so that nothing of a run's state may be lost unseen."""

    def __init__(self, options: StandInOptions, data: DataSpec) -> None:
        self._options, self._data = options, data

    def networks(self) -> dict[str, nn.Module]:
        """Return a network for each role."""
        return {name: Network(parse_role(name, need), self._data) for name, need in self._options.needs.items()}

    def noise(self, count: int, device: torch.device) -> Tensor:
        """Return [count, 5]."""
        return torch.randn(count, _NOISE, device=device)


class Network(nn.Module):
    """Sums what it makes of each input, and makes each output of the sum.

    Logits come as a `Verdict` with what else is asked for of classes and features; other outputs by themselves, several
    as a tuple. Latents are a list: feature maps of half and of a quarter of the image's side.
    """

    def __init__(self, role: Role, data: DataSpec) -> None:
        super().__init__()
        self.outputs = role.outputs
        side = data.size_px // 4
        cells = _WIDTH * side * side
        lengths = {"noise": _NOISE, "labels": data.labels}
        self.readers = nn.ModuleList(_reader(word, data.channels, side, lengths) for word in role.inputs)
        self.body = nn.Sequential(nn.BatchNorm2d(_WIDTH), nn.LeakyReLU(0.2), nn.Dropout(0.1))
        self.writers = nn.ModuleList(_writer(word, data, cells, lengths) for word in role.outputs)

    def forward(self, *given: Tensor | list[Tensor]) -> object:
        """Return the outputs for inputs in the order of the role."""
        read = [reader(value) for reader, value in zip(self.readers, given, strict=True)]
        hidden: Tensor = self.body(torch.stack(read).sum(0))
        made = dict(zip(self.outputs, (writer(hidden) for writer in self.writers), strict=True))
        if "logits" in made:
            classes = next((value for word, value in made.items() if word.startswith("classes")), None)
            return Verdict(made["logits"].squeeze(1), classes, made.get("features"))
        return next(iter(made.values())) if len(made) == 1 else tuple(made.values())


class _Latents(nn.Module):
    """Reads a list of feature maps, or makes one."""

    def __init__(self, *, reads: bool) -> None:
        super().__init__()
        self.reads = reads
        fold = nn.Conv2d(_WIDTH, _WIDTH, 4, 2, 1)
        self.fold: nn.Module = fold if reads else nn.ConvTranspose2d(_WIDTH, _WIDTH, 4, 2, 1)

    def forward(self, given: Tensor | list[Tensor]) -> Tensor | list[Tensor]:
        if self.reads:
            half, quarter = given
            total: Tensor = self.fold(half) + quarter
            return total
        assert isinstance(given, Tensor)
        return [self.fold(given), given]


def _reader(word: str, channels: int, side: int, lengths: Mapping[str, int]) -> nn.Module:
    """Return what turns an input into a feature map [N, 4, side, side]."""
    if word == "images":
        return nn.Sequential(
            nn.Conv2d(channels, _WIDTH, 4, 2, 1), nn.BatchNorm2d(_WIDTH), nn.LeakyReLU(0.2), nn.Conv2d(_WIDTH, _WIDTH, 4, 2, 1)
        )
    if word == "latents":
        return _Latents(reads=True)
    return nn.Sequential(nn.Linear(lengths[word], _WIDTH * side * side), nn.Unflatten(1, (_WIDTH, side, side)))


def _writer(word: str, data: DataSpec, cells: int, lengths: Mapping[str, int]) -> nn.Module:
    """Return what turns a feature map [N, 4, side, side] into an output."""
    if word == "images":
        up = nn.ConvTranspose2d(_WIDTH, _WIDTH, 4, 2, 1)
        return nn.Sequential(up, nn.LeakyReLU(0.2), nn.ConvTranspose2d(_WIDTH, data.channels, 4, 2, 1), nn.Tanh())
    if word == "latents":
        return _Latents(reads=False)
    if word == "features":
        return nn.Flatten()
    if word == "labels":
        return nn.Sequential(nn.Flatten(), nn.Linear(cells, data.labels), nn.Sigmoid())
    name, _, more = word.partition("+")  # "classes+1": a class more than the data have
    length = {"logits": 1, "classes": data.labels + int(more or 0), **lengths}[name]
    return nn.Sequential(nn.Flatten(), nn.Linear(cells, length))


@hookimpl
def ganlab_architectures() -> list[Component]:
    """Offer the stand-ins; the kit loads this module as a plugin of its own."""
    return [Component("stand_in", StandIn, StandInOptions, summary="small networks of any roles")]
