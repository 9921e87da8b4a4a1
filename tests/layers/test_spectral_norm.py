"""Spectral normalisation: largest singular values of 1, wherever a network goes."""

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from ganlab.layers import InstanceNorm, spectral_norm
from ganlab.resolve import place
from ganlab.runs.checkpoints import open_checkpoint, save_checkpoint

IMAGES = torch.rand(4, 3, 8, 8, generator=torch.Generator().manual_seed(1)) * 2 - 1


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 6, 4, 2, 1),
        nn.LeakyReLU(0.2),
        InstanceNorm(),
        nn.ConvTranspose2d(6, 5, 2),
        nn.LeakyReLU(0.2),
        nn.Flatten(),
        nn.Linear(125, 2),
    )


def normalised() -> Any:
    return spectral_norm(network())


def largest(net: Any) -> list[float]:
    """Return the largest singular value of each layer's weight, a row an output channel."""
    net.eval()
    matrices = [net[0].weight.flatten(1), net[3].weight.transpose(0, 1).flatten(1), net[6].weight]
    net.train()
    return [torch.linalg.matrix_norm(matrix, 2).item() for matrix in matrices]


def test_the_largest_singular_value_of_each_layer_becomes_1() -> None:
    assert max(abs(value - 1) for value in largest(network())) > 0.2
    net = normalised()
    for _ in range(100):
        net(IMAGES)
    assert largest(net) == pytest.approx([1, 1, 1], abs=1e-4)
    assert [name for name, _ in net.named_parameters() if "parametrizations" in name] == [
        f"{layer}.parametrizations.weight.original" for layer in (0, 3, 6)
    ]


def test_the_weight_is_divided_by_its_largest_singular_value_and_nothing_else_changes() -> None:
    plain, net = network(), normalised()
    for _ in range(100):
        net(IMAGES)
    net.eval()
    for index in (0, 3, 6):
        original = plain[index].weight.transpose(0, 1) if index == 3 else plain[index].weight
        value = torch.linalg.matrix_norm(original.flatten(1), 2)
        torch.testing.assert_close(net[index].weight, plain[index].weight / value, rtol=1e-4, atol=1e-5)
        assert torch.equal(net[index].bias, plain[index].bias)


def test_only_a_forward_in_training_moves_the_vectors() -> None:
    net = normalised()
    before = {name: value.clone() for name, value in net.named_buffers()}
    net.eval()
    net(IMAGES)
    assert all(torch.equal(before[name], value) for name, value in net.named_buffers())
    net.train()
    net(IMAGES)
    assert not all(torch.equal(before[name], value) for name, value in net.named_buffers())


def test_several_forwards_may_come_before_one_backward() -> None:
    net = normalised()
    real, fake, alone = net(IMAGES), net(-IMAGES), copy.deepcopy(normalised())
    (real.sum() + fake.sum()).backward()
    first, second = alone(IMAGES).sum(), alone(-IMAGES).sum()
    first.backward()
    second.backward()
    for one, other in zip(net.parameters(), alone.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad)


def test_a_penalty_differentiates_it_twice() -> None:
    net = normalised().double()

    def slopes(weight: Tensor) -> Tensor:
        """Return the gradient by the images, for another weight of the last layer, with the vectors as they are."""
        net.eval()
        images = IMAGES[:1].double().requires_grad_()
        logits = torch.func.functional_call(net, {"6.parametrizations.weight.original": weight}, images)
        return torch.autograd.grad(logits.sum(), images, create_graph=True)[0]

    weight = net[6].parametrizations.weight.original.detach().clone().requires_grad_()
    assert torch.autograd.gradcheck(slopes, weight, fast_mode=True)


def test_bf16_changes_neither_vectors_nor_weights() -> None:
    one, other = normalised(), normalised()
    for _ in range(3):
        one(IMAGES)
        with torch.autocast("cpu", torch.bfloat16):
            logits = other(IMAGES)
            logits.float().square().mean().backward()
    assert logits.dtype == torch.bfloat16
    assert all(torch.equal(a, b) for a, b in zip(one.buffers(), other.buffers(), strict=True))
    assert all(weight.grad is not None and weight.grad.isfinite().all() for weight in other.parameters())


def test_its_products_run_without_autocast() -> None:
    """A GPU casts these products, a CPU does not: so look at the state in which they are called."""
    seen: list[bool] = []

    class Watch(TorchFunctionMode):
        def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            if function in (torch.mv, torch.vdot):
                seen.append(torch.is_autocast_enabled("cpu"))
            return function(*args, **(kwargs or {}))

    net = normalised()
    with torch.autocast("cpu", torch.bfloat16), Watch():
        net(IMAGES)
    assert seen == [False] * 12  # three layers: two products of the power iteration, two of the singular value


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_it_trains_under_bf16_on_a_gpu() -> None:
    net = normalised().cuda()
    with torch.autocast("cuda", torch.bfloat16):
        net(IMAGES.cuda()).float().mean().backward()
    assert all(weight.grad is not None and weight.grad.isfinite().all() for weight in net.parameters())


def test_channels_last_changes_no_value() -> None:
    one, other = normalised(), normalised()
    place(other, torch.device("cpu"))
    held = other[0].parametrizations.weight.original
    assert held.is_contiguous(memory_format=torch.channels_last)
    for _ in range(3):
        torch.testing.assert_close(one(IMAGES), other(IMAGES.contiguous(memory_format=torch.channels_last)))


def test_a_copy_shares_nothing_and_goes_its_own_way() -> None:
    net = normalised()
    other = copy.deepcopy(net)
    assert torch.equal(net.eval()(IMAGES), other.eval()(IMAGES))
    net.train()
    net(IMAGES)
    assert not any(torch.equal(a, b) for a, b in zip(net.buffers(), other.buffers(), strict=True))
    with torch.no_grad():
        for weight in other.parameters():
            weight.zero_()
    assert all(weight.abs().sum() > 0 for name, weight in net.named_parameters() if "original" in name)


def test_a_checkpoint_holds_the_vectors_and_training_goes_on_bit_for_bit(tmp_path: Path) -> None:
    def train(net: Any, steps: int) -> list[Tensor]:
        optimizer = torch.optim.SGD(net.parameters(), 0.1)
        logits = []
        for _ in range(steps):
            logits.append(net(IMAGES).detach())
            net(IMAGES).square().mean().backward()
            optimizer.step()
            optimizer.zero_grad()
        return logits

    net = normalised()
    place(net, torch.device("cpu"))
    train(net, 3)
    path = save_checkpoint(tmp_path, 3, {"networks": net.state_dict()}, {})
    expected = train(net, 3)
    resumed = normalised()
    place(resumed, torch.device("cpu"))
    resumed.load_state_dict(open_checkpoint(path).tensors("networks"))
    assert all(torch.equal(a, b) for a, b in zip(train(resumed, 3), expected, strict=True))


def test_a_network_without_such_layers_is_refused() -> None:
    with pytest.raises(ValueError, match="Sequential has no convolution and no linear layer"):
        spectral_norm(nn.Sequential(nn.ReLU()))
