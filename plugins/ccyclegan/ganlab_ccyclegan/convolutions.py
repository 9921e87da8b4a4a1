"""4x4 convolutions with stride 2, computed as matrix products where a product is quicker; the numbers are the same.

On a CPU, forward and backward, a convolution of 4x4 images to a point is 4 times as fast so, a transposed one from a
point 5 times, and one to a gray image twice.
"""

import torch.nn.functional as F
from torch import Tensor, nn

from ganlab.layers import draw_as_keras

_FEW_CHANNELS = 3


class Down(nn.Conv2d):
    """Halve images: 4x4 convolution, stride 2, no padding; Glorot's weights, as Keras draws them."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__(channels_in, channels_out, kernel_size=4, stride=2)
        draw_as_keras(self)

    def forward(self, x: Tensor) -> Tensor:
        """Turn [N, C, H, W] into [N, channels_out, (H - 4) // 2 + 1, (W - 4) // 2 + 1]."""
        if x.shape[2:] != (4, 4):
            return super().forward(x)
        return F.linear(_last(x).flatten(1), _last(self.weight).flatten(1), self.bias)[:, :, None, None]


class Up(nn.ConvTranspose2d):
    """Double images: transposed 4x4 convolution, stride 2, no padding; Glorot's weights, as Keras draws them."""

    def __init__(self, channels_in: int, channels_out: int, *, output_padding: int = 0) -> None:
        super().__init__(channels_in, channels_out, kernel_size=4, stride=2, output_padding=output_padding)
        draw_as_keras(self)

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        """Turn [N, C, H, W] into [N, channels_out, 2 H + 2, 2 W + 2], plus the output padding."""
        assert self.bias is not None
        images, _, height, width = x.shape
        if self.output_padding != (0, 0):
            return super().forward(x, output_size)
        if (height, width) == (1, 1):
            pixels = x.flatten(1) @ _last(self.weight).flatten(1)
            return (pixels.view(images, 4, 4, self.out_channels) + self.bias).permute(0, 3, 1, 2)
        if self.out_channels <= _FEW_CHANNELS:
            blocks = _last(x).flatten(1, 2) @ self.weight.flatten(1)
            size = (2 * height + 2, 2 * width + 2)
            return F.fold(blocks.transpose(1, 2), size, kernel_size=4, stride=2) + self.bias[:, None, None]
        return super().forward(x, output_size)


def _last(x: Tensor) -> Tensor:
    """Return `x` with its channels (axis 1) last, which is how it lies in memory."""
    return x.permute(0, 2, 3, 1)
