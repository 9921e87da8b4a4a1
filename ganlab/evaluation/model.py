"""Networks as evaluators, pictures and commands use them: uint8 images on the CPU in and out, nothing of the run moved."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from ganlab.contracts import DataSpec
from ganlab.scores import tell_progress
from ganlab.training.random_state import kept_random_state

_PORTION_IMAGES = 256


class TrainedModel:
    """A trained architecture (`ganlab.Model`): in inference mode, in portions, with random numbers of its own."""

    def __init__(
        self,
        architecture: Any,
        nets: Mapping[str, nn.Module],
        data: DataSpec,
        makes: frozenset[str],
        device: torch.device,
    ) -> None:
        self._architecture, self._nets, self._device = architecture, nets, device
        self._data, self._makes = data, makes

    @property
    def data(self) -> DataSpec:
        """Return what the images look like."""
        return self._data

    @property
    def makes(self) -> frozenset[str]:
        """Return which of "generate", "translate", "classify" can be called."""
        return self._makes

    @property
    def device(self) -> torch.device:
        """Return where the networks are."""
        return self._device

    def generate(self, labels: Tensor, seed: int) -> Tensor:
        """Return one image a row of `labels` [N, K], uint8 [N, C, H, W]; the same for the same seed and device."""
        with self._inference(seed):
            noise = self._architecture.noise(len(labels), self._device)
            return self._in_portions(
                lambda part: to_pixels(self._architecture.generate(self._nets, noise[part], labels[part].to(self._device))),
                len(labels),
            )

    def translate(self, images: Tensor, labels: Tensor) -> Tensor:
        """Return `images` uint8 [N, C, H, W] moved to `labels` [N, K], uint8 of the same shape."""
        with self._inference(0):
            return self._in_portions(
                lambda part: to_pixels(
                    self._architecture.translate(
                        self._nets, from_pixels(images[part], self._device), labels[part].to(self._device)
                    )
                ),
                len(images),
            )

    def classify(self, images: Tensor) -> Tensor:
        """Return logits [N, K] for uint8 images [N, C, H, W]."""
        with self._inference(0):
            return self._in_portions(
                lambda part: self._architecture.classify(self._nets, from_pixels(images[part], self._device)).cpu(),
                len(images),
            )

    def features(self, images: Tensor) -> Tensor:
        """Return what the last linear layer of `classify` reads, float32 [N, D], for uint8 images [N, C, H, W].

        Raises `ValueError` for a model whose `classify` has no such layer.
        """
        read: list[Tensor] = []

        def keep(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            read[:] = inputs[:1]

        linear = [layer for net in self._nets.values() for layer in net.modules() if isinstance(layer, nn.Linear)]
        hooks = [layer.register_forward_pre_hook(keep) for layer in linear]

        def seen(part: slice) -> Tensor:
            self._architecture.classify(self._nets, from_pixels(images[part], self._device))
            if not read:
                raise ValueError("the model classifies without a linear layer, so it has no features")
            return read[0].flatten(1).float().cpu()

        try:
            with self._inference(0):
                return self._in_portions(seen, len(images))
        finally:
            for hook in hooks:
                hook.remove()

    def _in_portions(self, make: Callable[[slice], Tensor], count: int) -> Tensor:
        parts = []
        for begin in range(0, max(count, 1), _PORTION_IMAGES):
            parts.append(make(slice(begin, begin + _PORTION_IMAGES)))
            tell_progress("the model", min(begin + _PORTION_IMAGES, count), count)
        return torch.cat(parts)

    @contextmanager
    def _inference(self, seed: int) -> Iterator[None]:
        """Leave modes and random state of the run as they were."""
        training = {name: net.training for name, net in self._nets.items()}
        with kept_random_state(self._device), torch.inference_mode():
            torch.manual_seed(seed)
            for net in self._nets.values():
                net.eval()
            try:
                yield
            finally:
                for name, net in self._nets.items():
                    net.train(training[name])


def from_pixels(images: Tensor, device: torch.device) -> Tensor:
    """Return uint8 [N, C, H, W] as float32 in [-1, 1] on `device`."""
    return images.to(device).to(torch.float32, memory_format=torch.channels_last).div_(127.5).sub_(1)


def to_pixels(images: Tensor) -> Tensor:
    """Return images [N, C, H, W] in [-1, 1] as uint8 on the CPU."""
    return images.float().add(1).mul_(127.5).round_().clamp_(0, 255).to(torch.uint8).cpu().contiguous()
