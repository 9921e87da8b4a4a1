"""DiffAugment: the published formulas, draw by draw, differentiable and without a host read."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from ganlab.layers import diff_augment
from ganlab.options import Augmentation

ALL: tuple[Augmentation, ...] = ("colour", "translation", "cutout")
# What the host reads, or whose size depends on values: neither can stand in a captured step.
UNCAPTURABLE = ("_local_scalar_dense", "nonzero", "masked_select", "unique", "item", "equal", "repeat_interleave.Tensor")


def images(channels: int = 3, size: tuple[int, int] = (16, 16), dtype: torch.dtype = torch.float32) -> Tensor:
    draw = torch.Generator().manual_seed(5)
    return torch.rand(6, channels, *size, generator=draw, dtype=dtype) * 2 - 1


def coloured(x: Tensor) -> Tensor:
    """Return what the published code makes of `x`: brightness, saturation, contrast."""
    brightness, saturation, contrast = (torch.rand(len(x), 1, 1, 1) for _ in range(3))
    bright = x + (brightness - 0.5)
    mean = bright.mean(dim=1, keepdim=True)
    saturated = (bright - mean) * (saturation * 2) + mean
    mean = saturated.mean(dim=[1, 2, 3], keepdim=True)
    return (saturated - mean) * (contrast + 0.5) + mean


def translated(x: Tensor) -> Tensor:
    """Return `x` shifted pixel by pixel; the published code's shift is int(size / 8 + 0.5) at most."""
    count, _, height, width = x.shape
    limits = int(height * 0.125 + 0.5), int(width * 0.125 + 0.5)
    down, right = (torch.randint(-limit, limit + 1, (count, 1, 1)).flatten().tolist() for limit in limits)
    result = torch.zeros_like(x)
    for n in range(count):
        for row in range(height):
            for column in range(width):
                source = row + down[n], column + right[n]
                if 0 <= source[0] < height and 0 <= source[1] < width:
                    result[n, :, row, column] = x[n, :, source[0], source[1]]
    return result


def cut(x: Tensor) -> Tensor:
    """Return `x` with the published rectangles of zeros: int(size / 2 + 0.5), around a middle that is drawn."""
    count, _, *sides = x.shape
    sizes = [int(side * 0.5 + 0.5) for side in sides]
    middles = [
        torch.randint(0, side + (1 - size % 2), (count, 1, 1)).flatten().tolist()
        for side, size in zip(sides, sizes, strict=True)
    ]
    result = x.clone()
    for n in range(count):
        rows, columns = (
            slice(max(middle[n] - size // 2, 0), middle[n] - size // 2 + size)
            for middle, size in zip(middles, sizes, strict=True)
        )
        result[n, :, rows, columns] = 0
    return result


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [(16, 16), (48, 48), (7, 10)])
@pytest.mark.parametrize(("kind", "published"), [("colour", coloured), ("translation", translated), ("cutout", cut)])
def test_each_kind_does_what_the_published_code_does(
    kind: Augmentation, published: Callable[[Tensor], Tensor], channels: int, size: tuple[int, int]
) -> None:
    x = images(channels, size)
    torch.manual_seed(0)
    ours = diff_augment(x, [kind])
    torch.manual_seed(0)
    torch.testing.assert_close(ours, published(x), rtol=0, atol=1e-6)
    assert not torch.equal(ours, x)


def test_kinds_follow_each_other_in_the_order_of_the_policy() -> None:
    x = images()
    torch.manual_seed(0)
    ours = diff_augment(x, ALL)
    torch.manual_seed(0)
    torch.testing.assert_close(ours, cut(translated(coloured(x))), rtol=0, atol=1e-6)


def test_without_a_policy_nothing_is_drawn_and_the_images_come_back() -> None:
    x, before = images(), torch.get_rng_state()
    assert diff_augment(x, ()) is x
    assert torch.equal(before, torch.get_rng_state())


def test_shifts_reach_an_eighth_and_rectangles_are_a_quarter_of_the_image() -> None:
    torch.manual_seed(0)
    x = torch.arange(1.0, 17).view(1, 1, 16, 1).expand(500, 1, 16, 16)
    shifted = diff_augment(x, ["translation"])
    shifts = (shifted[:, 0, 8].amax(1) - 9).unique()
    assert shifts.tolist() == [-2, -1, 0, 1, 2]
    whole = (diff_augment(torch.ones(500, 1, 16, 16), ["cutout"]) == 0).flatten(1).sum(1)
    assert (whole.min().item(), whole.max().item()) == (16, 64)  # a middle in the corner leaves 4x4 of 8x8 inside


def test_a_gray_image_keeps_its_saturation_and_each_image_has_draws_of_its_own() -> None:
    torch.manual_seed(0)
    x = torch.zeros(200, 1, 4, 4)
    brightness = diff_augment(x, ["colour"])[:, 0, 0, 0]
    assert -0.5 <= brightness.min() < -0.48
    assert 0.48 < brightness.max() <= 0.5
    assert len(brightness.unique()) > 190


@pytest.mark.parametrize("policy", [(kind,) for kind in ALL] + [ALL])
def test_gradients_pass_to_the_images_and_can_be_differentiated_again(policy: tuple[Augmentation, ...]) -> None:
    x = images(size=(8, 8), dtype=torch.float64)[:2].requires_grad_()

    def seen(x: Tensor) -> Tensor:
        torch.manual_seed(0)
        return diff_augment(x, policy).pow(3)

    assert torch.autograd.gradcheck(seen, x, fast_mode=True)
    assert torch.autograd.gradgradcheck(seen, x, fast_mode=True)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32, torch.float64])
def test_dtypes_come_back_and_the_draws_are_those_of_fp32(dtype: torch.dtype) -> None:
    x = images().bfloat16()
    torch.manual_seed(0)
    ours = diff_augment(x.to(dtype), ALL)
    torch.manual_seed(0)
    exact = diff_augment(x.float(), ALL)
    assert ours.dtype == dtype
    torch.testing.assert_close(ours.float(), exact, rtol=0, atol=0.02 if dtype == torch.bfloat16 else 1e-6)


class Operations(TorchDispatchMode):
    """Remembers the names of the operations that run."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.names.append(str(function).removeprefix("aten."))
        return function(*args, **(kwargs or {}))


def test_a_captured_step_may_hold_it() -> None:
    x = images().requires_grad_()
    with Operations() as seen:
        diff_augment(x, ALL).sum().backward()
        drawn = len(seen.names)
        assert [name for name in seen.names if name.startswith(UNCAPTURABLE)] == []
        bool(x.detach()[0, 0, 0, 0] > 0)
    assert [name for name in seen.names[drawn:] if name.startswith(UNCAPTURABLE)] == ["_local_scalar_dense.default"]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_it_can_be_captured_on_a_gpu() -> None:
    x = images().cuda()
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        diff_augment(x, ALL)
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        augmented = diff_augment(x, ALL)
    graph.replay()
    first = augmented.clone()
    graph.replay()
    assert not torch.equal(first, augmented)
