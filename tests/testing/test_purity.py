"""What a GPU does not forgive is seen on a CPU, with its line; what it forgives is not."""

from __future__ import annotations

import inspect
from collections.abc import Callable

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganlab.testing.purity import DEVICE, Watch, watched

X = torch.linspace(-1, 1, 12).view(4, 3)
INDICES = torch.tensor([0, 2, 1, 0])
NORM = nn.BatchNorm1d(3)
WAITS = "reads a value on the host, which waits for the device"
DEPENDS = "has a shape that depends on the data"


@pytest.mark.parametrize(
    ("code", "what"),
    [
        (lambda: X[0, 0].item(), f".item() {WAITS}"),
        (lambda: float(X[0, 0]), f"float() {WAITS}"),
        (lambda: int(X[0, 0]), f"int() {WAITS}"),
        (lambda: bool(X[0, 0] > 0), f"bool(), as `if` and `and` do, {WAITS}"),
        (lambda: 1 if X.sum() > 0 else 2, f"bool(), as `if` and `and` do, {WAITS}"),
        (lambda: max(X[0, 0], X[0, 1]), f"bool(), as `if` and `and` do, {WAITS}"),
        (lambda: range(INDICES[1]), f"use as a length or an index {WAITS}"),
        (lambda: X[: INDICES[1]], "a value is read on the host, which waits for the device"),
        (lambda: X.tolist(), f".tolist() {WAITS}"),
        (lambda: X.numpy(), f".numpy() {WAITS}"),
        (lambda: np.asarray(X), f"numpy {WAITS}"),
        (lambda: X.cpu(), f".cpu() {WAITS}"),
        (lambda: 0.5 in X, f"`in` {WAITS}"),
        (lambda: f"{X[0, 0]:.2f}", f"formatting {WAITS}"),
        (lambda: str(X), f"printing {WAITS}"),
        (lambda: torch.equal(X, X), f"torch.equal {WAITS}"),
        (lambda: torch.allclose(X, X), f"torch.allclose {WAITS}"),
        (lambda: F.one_hot(INDICES, 3), f"F.one_hot {WAITS}"),
        (lambda: torch.nonzero(X), f"nonzero {DEPENDS}"),
        (lambda: X.nonzero(), f"nonzero {DEPENDS}"),
        (lambda: torch.argwhere(X), f"torch.argwhere {DEPENDS}"),
        (lambda: torch.where(X > 0), f"torch.where with one argument {DEPENDS}"),
        (lambda: X[X > 0], f"indexing by a mask {DEPENDS}; torch.where and multiplication do not"),
        (lambda: X.masked_select(X > 0), f"masked_select {DEPENDS}"),
        (lambda: INDICES.unique(), f"unique {DEPENDS}"),
        (lambda: torch.bincount(INDICES), f"torch.bincount {DEPENDS}"),
        (lambda: X.repeat_interleave(INDICES, 0), f"repeat_interleave by a tensor {DEPENDS}; say output_size="),
    ],
)
def test_what_waits_for_the_device_or_cannot_be_recorded_is_seen_with_its_line(code: Callable[[], object], what: str) -> None:
    with watched() as seen:
        code()
    assert seen == [(what, f"{__file__}:{inspect.getsourcelines(code)[1]}")]


@pytest.mark.parametrize(
    ("code", "what"),
    [
        (
            lambda: torch.rand(3),
            "torch.rand without device= makes a tensor on the CPU; say device=, of the step or of a tensor",
        ),
        (lambda: torch.arange(3), "torch.arange without device="),
        (lambda: torch.zeros(2, 3), "torch.zeros without device="),
        (lambda: torch.normal(0.0, 1.0, (3,)), "torch.normal without device="),
        (lambda: torch.tensor([1.0, 2.0]), "torch.tensor without device="),
        (lambda: torch.rand(3, device="cpu"), 'device "cpu" moves to the CPU or makes a tensor there (rand);'),
        (
            lambda: torch.rand_like(X, device=torch.device("cpu")),
            'device "cpu" moves to the CPU or makes a tensor there (rand_like);',
        ),
        (lambda: X.to("cpu"), 'device "cpu" moves to the CPU or makes a tensor there (to);'),
        (lambda: X.to(device="cpu"), 'device "cpu" moves to the CPU or makes a tensor there (to);'),
        (lambda: torch.tensor([1.0], device=DEVICE), "tensor copies numbers from the host, which waits for the device;"),
        (lambda: X.new_tensor([1.0]), "new_tensor copies numbers from the host, which waits for the device;"),
        (lambda: torch.from_numpy(np.zeros(3)), "a tensor made of Python's numbers or of numpy lies on the CPU;"),
        (lambda: torch.Tensor([1.0]), "a tensor made of Python's numbers or of numpy lies on the CPU;"),
        (lambda: X.new_empty(3).uniform_(generator=torch.Generator()), "a generator of its own draws numbers, which no"),
    ],
)
def test_tensors_that_would_lie_on_the_wrong_device_are_seen(code: Callable[[], object], what: str) -> None:
    with watched() as seen:
        code()
    assert [(found.what[: len(what)], found.where) for found in seen] == [
        (what, f"{__file__}:{inspect.getsourcelines(code)[1]}")
    ]


@pytest.mark.parametrize(
    "code",
    [
        lambda: torch.rand(3, device=X.device),
        lambda: torch.randint(3, (4,), device=DEVICE),
        lambda: torch.arange(3, device=X.device)[INDICES],
        lambda: X.to(INDICES.device).to(torch.float64).float(),
        lambda: X.to(INDICES),
        lambda: torch.zeros_like(X).scatter_(1, INDICES[:, None], 1.0),
        lambda: X.new_zeros(3) + torch.tensor(0.5),
        lambda: torch.where(X > 0, X, 0 * X),
        lambda: X.clone().masked_fill_(X > 0, 1.0),
        lambda: X.clone().__setitem__(X > 0, 0.0),
        lambda: [row.sum() for row in X],
        lambda: (X.shape[0], len(X), X.dim(), X.dtype == torch.float32),
        lambda: X.repeat_interleave(2, 0),
        lambda: X.argsort(1)[:, :2],
        lambda: torch.as_tensor(X),
        lambda: NORM(X),
        lambda: F.dropout(X, 0.5).softmax(1).logit(eps=1e-6),
    ],
)
def test_what_a_gpu_does_without_the_host_is_not_reported(code: Callable[[], object]) -> None:
    with watched() as seen:
        code()
    assert seen == []


def test_a_line_is_reported_once() -> None:
    with watched() as seen:
        for row in X:
            row.sum().item()
    assert len(seen) == 1


def test_a_place_inside_torch_is_told_as_the_line_that_called_it() -> None:
    class Net(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.mul(float(x.sum()))

    with watched() as seen:
        nn.Sequential(nn.Identity(), Net())(X)
    line = inspect.getsourcelines(Net)[1] + 2
    assert seen == [(f"float() {WAITS}", f"{__file__}:{line}")]


def test_nothing_is_seen_before_and_after() -> None:
    X.tolist()
    with watched() as seen:
        pass
    X.tolist()
    assert seen == []


def test_a_watch_that_is_paused_looks_away() -> None:
    watch = Watch()
    with watch.on(), watch.paused():
        X.tolist()
        X.add(1)
    assert (watch.impurities, watch.operations) == ([], [])


def test_operations_are_told_with_shapes_and_numbers_in_their_order() -> None:
    watch = Watch()
    with watch.on():
        torch.cat([X, X]).mul(2.0)
        torch.zeros(2, device=DEVICE)
    assert [operation.text for operation in watch.operations] == [
        "aten.cat.default([float32 [4, 3], float32 [4, 3]])",
        "aten.mul.Tensor(float32 [8, 3], 2.0)",
        "torch.zeros(2, device=cpu:0)",
    ]
