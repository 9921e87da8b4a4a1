"""A file of weights -> the feature extractor that FID and KID are measured by."""

from __future__ import annotations

import io
import pickle
import warnings
from collections.abc import Callable
from functools import cached_property

import torch
from torch import Tensor

from ganlab import DataError
from ganlab.scores import check_pixels, exact_arithmetic, in_colour, resized
from ganlab_clean_fid.inception import from_state_dict
from ganlab_clean_fid.weights import Weights

FEATURES = 2048  # values of a feature
_SIDE_PX = 299


class InceptionFeatures:
    """clean-fid's "clean" mode on tensors: no PNG in between, nothing rounded after the resize. The network is opened late."""

    name = "inception"
    preprocessing = "gray to RGB; PIL's antialiased bicubic to 299 px, clipped, not rounded; (pixel - 128) / 128"

    def __init__(self, weights: Weights, device: torch.device) -> None:
        self.weights, self.device = weights, device

    @property
    def digest(self) -> str:
        """Return the SHA-256 of the file of weights."""
        return self.weights.sha256

    def __call__(self, images: Tensor) -> Tensor:
        """Return [N, 2048] on the CPU."""
        check_pixels(images)
        with exact_arithmetic(self.device):
            pixels = in_colour(resized(images.to(self.device), _SIDE_PX))
            return self._network((pixels - 128) / 128).flatten(1).cpu()

    @cached_property
    def _network(self) -> Callable[[Tensor], Tensor]:
        """Return the network, in inference mode; raises `DataError`, in one line, for a file that holds another."""
        content = io.BytesIO(self.weights.content())
        try:
            network = _opened_script(content, self.device) if self.weights.is_script else _opened_tensors(content, self.device)
        except (RuntimeError, ValueError, AttributeError, TypeError, pickle.UnpicklingError, EOFError) as error:
            reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            raise DataError(f"{self.weights.path}: holds no Inception that can be opened: {reason}") from error
        return network


def _opened_script(content: io.BytesIO, device: torch.device) -> Callable[[Tensor], Tensor]:
    """Return the layers below the resize and the classes of NVIDIA's TorchScript; opening it runs its code."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # torch: TorchScript will go; the published file is TorchScript
        warnings.simplefilter("ignore", DeprecationWarning)
        network: Callable[[Tensor], Tensor] = torch.jit.load(content, map_location=device).eval().layers
    return network


def _opened_tensors(content: io.BytesIO, device: torch.device) -> Callable[[Tensor], Tensor]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that a file is no usual one is told by the error
        tensors = torch.load(content, map_location="cpu", weights_only=True)
    if not isinstance(tensors, dict) or not all(isinstance(tensor, Tensor) for tensor in tensors.values()):
        raise ValueError("it holds no names with tensors")
    return from_state_dict(tensors).to(device)
