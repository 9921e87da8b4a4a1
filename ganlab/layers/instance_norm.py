"""The instance normalisation of CCycleGAN: one mean and deviation an image, over channels, height and width."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

_EPSILON = 1e-3  # keras_contrib's; added to the deviation, not under its root


class InstanceNorm(nn.Module):
    """Compute (x - mean) / (deviation + 0.001) * scale + shift over all axes but the first; scale and shift are scalars.

    This is keras_contrib's `InstanceNormalization(axis=None)`. It differs from `nn.InstanceNorm2d`, which would turn a
    1x1 latent into zeros, and from `nn.GroupNorm(1, C)`, which has 2 C weights and adds epsilon to the variance.
    """

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))
        self.shift = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        """Return `x` [N, ...] normalised, in its own dtype; statistics are fp32 at least."""
        normalised: Tensor = _Normalise.apply(x, self.scale, self.shift)
        return normalised


class _Normalise(torch.autograd.Function):
    """The formula on PyTorch's group normalisation, with each image a channel and a group of its own.

    With d the deviation and h = 1 / (d + epsilon), group normalisation gives (x - mean) / d; times scale * d * h that is
    the formula. Its gradient, given h / d for the squared inverse deviation and scale^2 * h * d for the squared weight,
    is the formula's: both directions cost about what `nn.GroupNorm` costs.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        rows = _rows(x)
        _, images, length = rows.shape
        # The 1e-12 keeps a constant image finite; beside 1e-3 it is nothing.
        y, mean, inverse = torch.native_group_norm(rows, None, None, 1, images, length, images, 1e-12)
        deviation = inverse.reciprocal().view(images)
        h = (deviation + _EPSILON).reciprocal()
        y.mul_((scale * deviation * h).view(1, images, 1)).add_(shift)
        ctx.save_for_backward(x, scale, shift, mean, deviation, h)
        return _like(y, x)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, scale, shift, mean, deviation, h = ctx.saved_tensors
        if torch.is_grad_enabled():  # to be differentiated again, as gradient penalties are
            y = _plain(x, scale, shift)
            return torch.autograd.grad(y, (x, scale, shift), gradient, create_graph=True, allow_unused=True)
        rows = _rows(x)
        _, images, length = rows.shape
        order = torch.channels_last if _is_channels_last(x) else torch.contiguous_format
        inverse = (h / deviation).sqrt()
        d_rows, d_weights, d_biases = torch.ops.aten.native_group_norm_backward(
            _rows(gradient.contiguous(memory_format=order)),
            rows,
            mean,
            inverse.view(1, images),
            scale * (h * deviation).sqrt(),
            1,
            images,
            length,
            images,
            [ctx.needs_input_grad[0], True, True],
        )
        d_x = _like(d_rows, x) if ctx.needs_input_grad[0] else None
        return d_x, (d_weights * h / inverse).sum(), d_biases.sum()


def _plain(x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    full = x.float() if x.dtype in (torch.bfloat16, torch.float16) else x
    centred = full - full.flatten(1).mean(1).view(-1, *[1] * (x.dim() - 1))
    # The 1e-12 keeps the root's slope finite where an image is constant.
    deviation = centred.square().flatten(1).mean(1).add(1e-12).sqrt().view(-1, *[1] * (x.dim() - 1))
    return (centred / (deviation + _EPSILON) * scale + shift).to(x.dtype)


def _is_channels_last(x: Tensor) -> bool:
    return x.dim() == 4 and x.is_contiguous(memory_format=torch.channels_last)


def _rows(x: Tensor) -> Tensor:
    """Return `x` as [1, N, the rest in memory's order], fp32 at least, without a copy where that is possible."""
    full = x.float() if x.dtype in (torch.bfloat16, torch.float16) else x
    return (full.permute(0, 2, 3, 1) if _is_channels_last(x) else full).reshape(1, len(x), -1)


def _like(rows: Tensor, x: Tensor) -> Tensor:
    """Return what `_rows` made of an `x` in the shape, order and dtype of that `x`."""
    if not _is_channels_last(x):
        return rows.view(x.shape).to(x.dtype)
    images, channels, height, width = x.shape
    return rows.view(images, height, width, channels).permute(0, 3, 1, 2).to(x.dtype)
