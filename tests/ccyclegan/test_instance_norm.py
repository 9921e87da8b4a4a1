"""The published instance normalisation, against values of the Keras layer and against its formula."""

import pytest
import torch
from torch import Tensor

from ganlab.layers import InstanceNorm


def formula(x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    axes = tuple(range(1, x.dim()))
    variance, mean = torch.var_mean(x, axes, correction=0, keepdim=True)
    return (x - mean) / (variance.sqrt() + 1e-3) * scale + shift


def test_values_are_those_of_keras() -> None:
    cube = torch.arange(8.0).view(1, 2, 2, 2)
    half = torch.tensor([0.21812, 0.65437, 1.09061, 1.52686])
    torch.testing.assert_close(InstanceNorm()(cube).flatten(), torch.cat([-half.flip(0), half]), atol=6e-6, rtol=0)
    point = torch.tensor([1.0, 2.0, 3.0, 6.0]).view(1, 4, 1, 1)
    expected = torch.tensor([-1.06847, -0.53424, 0.0, 1.60271])
    torch.testing.assert_close(InstanceNorm()(point).flatten(), expected, atol=6e-6, rtol=0)


def test_it_has_one_scale_and_one_shift() -> None:
    assert sum(weight.numel() for weight in InstanceNorm().parameters()) == 2


@pytest.mark.parametrize("order", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("shape", [(3, 5, 4, 6), (3, 8, 1, 1), (1, 1, 2, 2)])
def test_values_and_gradients_are_those_of_the_formula(order: torch.memory_format, shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    layer = InstanceNorm().double()
    with torch.no_grad():
        layer.scale.fill_(1.7)
        layer.shift.fill_(-0.3)
    x = torch.randn(shape, dtype=torch.double).add(2).contiguous(memory_format=order).requires_grad_()
    y, expected = layer(x), formula(x, layer.scale, layer.shift)
    downstream = torch.randn_like(y)
    leaves = (x, layer.scale, layer.shift)
    torch.testing.assert_close(y, expected)
    assert y.is_contiguous(memory_format=order)
    torch.testing.assert_close(torch.autograd.grad(y, leaves, downstream), torch.autograd.grad(expected, leaves, downstream))


def test_gradients_can_be_differentiated_again() -> None:
    torch.manual_seed(0)
    layer = InstanceNorm().double()
    x = torch.randn(2, 3, 4, 4, dtype=torch.double, requires_grad=True)
    assert torch.autograd.gradgradcheck(lambda x, g, b: _apply(layer, x, g, b), (x, layer.scale, layer.shift))


def _apply(layer: InstanceNorm, x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    result: Tensor = torch.func.functional_call(layer, {"scale": scale, "shift": shift}, (x,))
    return result


def test_a_constant_image_gives_the_shift_and_a_finite_gradient() -> None:
    layer = InstanceNorm()
    x = torch.cat([torch.zeros(1, 4, 3, 3), torch.full((1, 4, 3, 3), 0.1), torch.randn(1, 4, 3, 3)]).requires_grad_()
    y = layer(x)
    y.square().sum().backward()
    torch.testing.assert_close(y[:2], torch.zeros(2, 4, 3, 3), atol=1e-3, rtol=0)
    assert x.grad is not None
    assert x.grad.isfinite().all()


def test_bf16_is_normalised_with_fp32_statistics() -> None:
    torch.manual_seed(0)
    layer = InstanceNorm()
    x = (torch.randn(2, 16, 8, 8) + 3).bfloat16().requires_grad_()
    y = layer(x)
    expected = formula(x.detach().float(), layer.scale, layer.shift)
    assert y.dtype == torch.bfloat16
    torch.testing.assert_close(y, expected.bfloat16())
    y.sum().backward()
    assert x.grad is not None
    assert x.grad.dtype == torch.bfloat16


def test_images_are_normalised_apart_from_each_other() -> None:
    x = torch.randn(4, 3, 5, 5)
    torch.testing.assert_close(InstanceNorm()(x)[1:2], InstanceNorm()(x[1:2]))
