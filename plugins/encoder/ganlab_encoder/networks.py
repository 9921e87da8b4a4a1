"""SMiLE's encoder, and its way to translate: encode, then generate with the other label."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn

from ganlab import DataSpec
from ganlab.layers import draw_cut_normal
from ganlab.options import halvings
from ganlab_encoder.options import SmileEncoderNetworks

_ENDS = {"sigmoid": nn.Sigmoid, "tanh": nn.Tanh, "linear": nn.Identity}


class SmileEncoder:
    """Finds the noise of images; with a frozen generator it gives them other labels."""

    def __init__(self, options: SmileEncoderNetworks, data: DataSpec) -> None:
        self._options, self._data = options, data

    def networks(self) -> dict[str, nn.Module]:
        """Return the encoder, freshly drawn as published."""
        return {"encoder": Encoder(self._options, self._data).apply(draw_cut_normal)}

    def translate(self, nets: Mapping[str, nn.Module], images: Tensor, labels: Tensor) -> Tensor:
        """Return what the generator makes of the noise of `images` [N, C, H, W] and other `labels` [N, K]."""
        translated: Tensor = nets["generator"](nets["encoder"](images), labels)
        return translated


class Encoder(nn.Module):
    """Turns images [N, C, H, W] into noise [N, Z]: 128, 64, ... 4 px."""

    def __init__(self, options: SmileEncoderNetworks, data: DataSpec) -> None:
        super().__init__()
        widths = [options.width << level for level in range(halvings(data.size_px, options.end_px, "end_px"))]
        channels = [data.channels, *widths]
        self.halvings = nn.ModuleList(nn.Conv2d(before, after, 3, 2) for before, after in pairwise(channels))
        self.norms = nn.ModuleList([nn.Identity(), *map(nn.BatchNorm2d, widths[1:])])
        self.last = nn.Linear(widths[-1] * options.end_px**2, options.noise)
        self.end = _ENDS[options.output]()
        self.slope = options.slope

    def forward(self, images: Tensor) -> Tensor:
        """Return the noise, with a sigmoid in (0, 1)."""
        x = images
        for halving, norm in zip(self.halvings, self.norms, strict=True):
            # TensorFlow's "same" of a 3x3 kernel and stride 2 adds nothing before an even side and 1 after it.
            x = F.leaky_relu(norm(halving(F.pad(x, (0, 1, 0, 1)))), self.slope)
        noise: Tensor = self.end(self.last(x.flatten(1)))
        return noise
