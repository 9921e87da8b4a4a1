"""Images -> logits of classes or attributes: strided convolutions with batch norm, then one linear layer."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from ganlab import DataSpec
from ganlab_classifier.options import LAST_PX, FaceCnnOptions


class FaceCnn:
    """The network of a classifier, as ganlab asks for it."""

    def __init__(self, options: FaceCnnOptions, data: DataSpec) -> None:
        self._options, self._data = options, data

    def networks(self) -> dict[str, nn.Module]:
        """Return the classifier, freshly drawn."""
        return {"classifier": Classifier(self._options, self._data)}

    def classify(self, nets: Mapping[str, nn.Module], images: Tensor) -> Tensor:
        """Return logits [N, K]."""
        logits: Tensor = nets["classifier"](images)
        return logits


class Classifier(nn.Module):
    """Halves images until their side is 6 px or less, with twice the channels each time, and reads all that is left."""

    def __init__(self, options: FaceCnnOptions, data: DataSpec) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels, width, side_px = data.channels, options.width, data.size_px
        while side_px > LAST_PX:
            layers += _block(channels, width, kernel_px=4, stride_px=2)
            for _ in range(options.depth):
                layers += _block(width, width, kernel_px=3, stride_px=1)
            channels, width, side_px = width, min(2 * width, 8 * options.width), side_px // 2
        self.body = nn.Sequential(*layers, nn.Flatten(), nn.Dropout(options.dropout))
        self.head = nn.Linear(channels * side_px**2, data.labels)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits [N, K] for images [N, C, H, W] in [-1, 1]."""
        logits: Tensor = self.head(self.body(images))
        return logits


def _block(inputs: int, outputs: int, *, kernel_px: int, stride_px: int) -> list[nn.Module]:
    convolution = nn.Conv2d(inputs, outputs, kernel_px, stride_px, 1, bias=False)
    return [convolution, nn.BatchNorm2d(outputs), nn.ReLU()]
