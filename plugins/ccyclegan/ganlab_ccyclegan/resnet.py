"""torchvision's ResNets without their classes, and files of weights for them. The plugin's only door to torchvision."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn

from ganlab import GanlabError

_LFS_POINTER = b"version https://git-lfs"
_HEAD = "fc."  # of the classes that torchvision's network tells, which nobody here asks for
_COUNTER = "num_batches_tracked"  # files of old torchvision versions lack it; it moves nothing


class Resnet(nn.Module):
    """Turns images [N, C, H, W] in [-1, 1] into features [N, `features`] (He et al., 2016); gray ones are repeated to RGB.

    The published code, too, feeds [-1, 1] to ImageNet's weights, which were trained on other numbers.
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        from torchvision import models  # type: ignore[import-untyped]  # takes a second, which other networks need not wait

        net = getattr(models, name)(weights=None)
        self.name = name
        self.features: int = net.fc.in_features
        net.fc = nn.Identity()
        self.net = net

    def forward(self, images: Tensor) -> Tensor:
        """Return the features, the mean of each map of the last level."""
        return cast(Tensor, self.net(images.expand(-1, 3, -1, -1)))

    def load(self, file: Path) -> str:
        """Take the weights of torchvision's state dict in `file`; return its SHA-256; raises `GanlabError`."""
        _load(self.net, self.name, file)
        with file.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()


def _load(net: nn.Module, name: str, file: Path) -> None:
    """Load the state dict in `file`; raises `GanlabError` if it is absent, damaged, or of another network."""
    state = {key: value for key, value in _read(file, name).items() if not key.startswith(_HEAD)}
    own = net.state_dict()
    state = {key: value for key, value in own.items() if key.endswith(_COUNTER)} | state
    differing = sorted(own.keys() ^ state.keys())
    if differing:
        having = "has" if differing[0] in state else "lacks"
        raise _refused(file, f"it is of another network than torchvision's {name}: it {having} {differing[0]}", name)
    for key, value in own.items():
        if state[key].shape != value.shape:
            shapes = f"{key} is {list(state[key].shape)}, not {list(value.shape)}"
            raise _refused(file, f"it is of another network than torchvision's {name}: {shapes}", name)
        if value.is_floating_point() and not state[key].isfinite().all():
            raise _refused(file, f"{key} holds numbers that are not finite", name)
    net.load_state_dict(state)


def _read(file: Path, name: str) -> Mapping[str, Tensor]:
    """Return the tensors in `file`, by name."""
    try:
        with file.open("rb") as opened:
            beginning = opened.read(len(_LFS_POINTER))
    except OSError as error:
        raise _refused(file, error.strerror or str(error), name) from None
    if beginning == _LFS_POINTER:
        raise _refused(file, "it is a pointer of Git LFS, not the weights; `git lfs pull` fetches them", name)
    try:
        with warnings.catch_warnings(action="ignore"):
            state = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # of a damaged file, torch.load raises whatever it stumbles upon
        raise _refused(file, f"it is damaged, or no file of torch.save ({type(error).__name__})", name) from None
    if not isinstance(state, Mapping) or not all(isinstance(k, str) and isinstance(v, Tensor) for k, v in state.items()):
        raise _refused(file, "it holds no state dict, a table of tensors by name", name)
    return state


def _refused(file: Path, reason: str, name: str) -> GanlabError:
    return GanlabError(
        f"architecture.pretrained: {file}: {reason}. Name a file that torch.save made of "
        f"torchvision.models.{name}(...).state_dict(), or leave the option out for random weights."
    )
