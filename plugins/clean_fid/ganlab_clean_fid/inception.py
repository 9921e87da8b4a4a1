"""Named tensors of the Inception of 2015 -> the network that FID is measured by (Szegedy et al., 2016; Heusel et al., 2017).

It differs from the Inception that torchvision trains in its weights, and in three things: an average does not count the
border, the last block takes a maximum where the others take an average, and there is no auxiliary head. Names and sizes
of the layers are those of the published state dict. Each row of a table below is one branch: steps in a chain, and a step
of two convolutions puts their outputs side by side.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Kernel = int | tuple[int, int]
Step = tuple[tuple[str, int, Kernel], ...]  # names, channels and kernels of convolutions side by side
Branch = tuple[Step, ...]

_average = partial(F.avg_pool2d, kernel_size=3, stride=1, padding=1, count_include_pad=False)
_maximum = partial(F.max_pool2d, kernel_size=3, stride=1, padding=1)
_halve = partial(F.max_pool2d, kernel_size=3, stride=2)


def _chain(name: str, *steps: tuple[int, Kernel]) -> Branch:
    """Return a branch whose convolutions are `name`_1, `name`_2, ...; a single one is `name`."""
    if len(steps) == 1:
        return (((name, *steps[0]),),)
    return tuple(((f"{name}_{index}", *step),) for index, step in enumerate(steps, 1))


def _fanned(name: str, *steps: tuple[int, Kernel]) -> Branch:
    """Return a chain that ends in two convolutions side by side, a row and a column."""
    last = len(steps) + 1
    return (*(((f"{name}_{index}", *step),) for index, step in enumerate(steps, 1)), _row_and_column(f"{name}_{last}"))


def _row_and_column(name: str) -> Step:
    return ((f"{name}a", 384, (1, 3)), (f"{name}b", 384, (3, 1)))


def _wide(channels: int) -> tuple[Branch, ...]:
    row, column = (1, 7), (7, 1)
    inside = channels
    return (
        _chain("branch1x1", (192, 1)),
        _chain("branch7x7", (inside, 1), (inside, row), (192, column)),
        _chain("branch7x7dbl", (inside, 1), (inside, column), (inside, row), (inside, column), (192, row)),
    )


_SMALL = (
    _chain("branch1x1", (64, 1)),
    _chain("branch5x5", (48, 1), (64, 5)),
    _chain("branch3x3dbl", (64, 1), (96, 3), (96, 3)),
)
_FIRST_HALVING = (_chain("branch3x3", (384, 3)), _chain("branch3x3dbl", (64, 1), (96, 3), (96, 3)))
_SECOND_HALVING = (
    _chain("branch3x3", (192, 1), (320, 3)),
    _chain("branch7x7x3", (192, 1), (192, (1, 7)), (192, (7, 1)), (192, 3)),
)
_FANNED = (
    _chain("branch1x1", (320, 1)),
    _fanned("branch3x3", (384, 1)),
    _fanned("branch3x3dbl", (448, 1), (384, 3)),
)


class FidInception(nn.Module):
    """[N, 3, 299, 299], (pixel - 128) / 128, -> features [N, 2048]."""

    def __init__(self) -> None:
        super().__init__()
        self.Conv2d_1a_3x3 = Convolution(3, 32, 3, stride=2)
        self.Conv2d_2a_3x3 = Convolution(32, 32, 3)
        self.Conv2d_2b_3x3 = Convolution(32, 64, 3, is_padded=True)
        self.Conv2d_3b_1x1 = Convolution(64, 80, 1)
        self.Conv2d_4a_3x3 = Convolution(80, 192, 3)
        self.Mixed_5b = Mixed(192, _SMALL, pooled=32)
        self.Mixed_5c = Mixed(256, _SMALL, pooled=64)
        self.Mixed_5d = Mixed(288, _SMALL, pooled=64)
        self.Mixed_6a = Mixed(288, _FIRST_HALVING)
        self.Mixed_6b = Mixed(768, _wide(128), pooled=192)
        self.Mixed_6c = Mixed(768, _wide(160), pooled=192)
        self.Mixed_6d = Mixed(768, _wide(160), pooled=192)
        self.Mixed_6e = Mixed(768, _wide(192), pooled=192)
        self.Mixed_7a = Mixed(768, _SECOND_HALVING)
        self.Mixed_7b = Mixed(1280, _FANNED, pooled=192)
        self.Mixed_7c = Mixed(2048, _FANNED, pooled=192, is_maximum=True)

    def forward(self, images: Tensor) -> Tensor:
        """Return the means of the last block's channels, [N, 2048]."""
        hidden = self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(images)))
        hidden = self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(_halve(hidden)))
        hidden = self.Mixed_5d(self.Mixed_5c(self.Mixed_5b(_halve(hidden))))
        hidden = self.Mixed_6e(self.Mixed_6d(self.Mixed_6c(self.Mixed_6b(self.Mixed_6a(hidden)))))
        hidden = self.Mixed_7c(self.Mixed_7b(self.Mixed_7a(hidden)))
        features: Tensor = hidden.mean((2, 3))
        return features


class Mixed(nn.Module):
    """Branches side by side and a pooling; without `pooled` channels all of them halve the picture."""

    def __init__(
        self, inputs: int, branches: tuple[Branch, ...], *, pooled: int | None = None, is_maximum: bool = False
    ) -> None:
        super().__init__()
        self.branches, self.is_maximum, self.is_halving = branches, is_maximum, pooled is None
        for branch in branches:
            width = inputs
            for step in branch:
                is_last = step is branch[-1]
                for name, outputs, kernel in step:
                    halves = self.is_halving and is_last
                    self.add_module(name, Convolution(width, outputs, kernel, stride=2 if halves else 1, is_padded=not halves))
                width = sum(outputs for _, outputs, _ in step)
        if pooled is not None:
            self.add_module("branch_pool", Convolution(inputs, pooled, 1))

    def forward(self, images: Tensor) -> Tensor:
        """Return the branches' channels in their order, those of the pooling last."""
        parts = []
        for branch in self.branches:
            hidden = images
            for step in branch:
                hidden = torch.cat([self.get_submodule(name)(hidden) for name, _, _ in step], 1)
            parts.append(hidden)
        if self.is_halving:
            parts.append(_halve(images))
        else:
            parts.append(self.get_submodule("branch_pool")((_maximum if self.is_maximum else _average)(images)))
        return torch.cat(parts, 1)


class Convolution(nn.Module):
    """A convolution without bias, batch normalisation, ReLU."""

    def __init__(self, inputs: int, outputs: int, kernel: Kernel, *, stride: int = 1, is_padded: bool = False) -> None:
        super().__init__()
        size = (kernel, kernel) if isinstance(kernel, int) else kernel
        padding = (size[0] // 2, size[1] // 2) if is_padded else (0, 0)
        self.conv = nn.Conv2d(inputs, outputs, size, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(outputs, eps=1e-3)

    def forward(self, images: Tensor) -> Tensor:
        """Return [N, outputs, h, w]."""
        return F.relu(self.bn(self.conv(images)))


def from_state_dict(tensors: Mapping[str, Tensor]) -> FidInception:
    """Return the network with these weights, the classifier's left out; raises `RuntimeError` for other names or sizes."""
    with torch.device("meta"):
        network = FidInception()
    network.to_empty(device="cpu")
    network.load_state_dict(
        {name: tensor for name, tensor in tensors.items() if name.partition(".")[0] not in ("fc", "AuxLogits")}
    )
    return network.eval().requires_grad_(False)
