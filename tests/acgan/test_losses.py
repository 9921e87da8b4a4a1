"""Binary cross-entropy on a softmax: Keras' values, and what 40 labels can reach under it."""

import pytest
import torch
import torch.nn.functional as F
from ganlab_acgan.losses import SoftmaxBinaryCrossEntropy
from ganlab_losses.formulas import BinaryClassification
from torch import Tensor

from ganlab import Criterion

LOSS = Criterion(SoftmaxBinaryCrossEntropy())


def test_value_is_that_of_the_formula() -> None:
    logits = torch.randn(5, 40, dtype=torch.double, generator=torch.Generator().manual_seed(0)) * 3
    target = (logits.flip(1) > 0).double()
    expected = F.binary_cross_entropy(logits.softmax(1), target)
    torch.testing.assert_close(LOSS(logits, target), expected)


def test_two_even_labels_cost_ln_2_each() -> None:
    assert LOSS(torch.zeros(1, 2), torch.tensor([[1.0, 0.0]])).item() == pytest.approx(0.693147, abs=1e-6)


@pytest.mark.parametrize("target", [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
def test_large_logits_have_finite_values_and_gradients(target: list[float]) -> None:
    logits = torch.tensor([[200.0, -200.0]], requires_grad=True)
    loss: Tensor = LOSS(logits, torch.tensor([target]))
    loss.backward()
    assert loss.isfinite()
    assert logits.grad is not None
    assert logits.grad.isfinite().all()


def test_nine_of_forty_attributes_are_never_right_under_a_softmax_and_are_under_sigmoids() -> None:
    """The least loss is that of p = 1/9 for each of the nine: what the recipe's note on the text's softmax says."""
    target = torch.cat([torch.ones(1, 9), torch.zeros(1, 31)], 1)
    best = torch.where(target > 0, 0.0, -50.0)
    expected = (9 * -torch.tensor(1 / 9).log()) / 40
    torch.testing.assert_close(LOSS(best, target), expected, atol=1e-5, rtol=0)
    assert Criterion(BinaryClassification())(target * 100 - 50, target) < 1e-6


def test_sigmoid_cross_entropy_of_two_one_hot_logits_is_the_published_value() -> None:
    loss = Criterion(BinaryClassification())(torch.tensor([[2.0, -1.0]]), torch.tensor([[1.0, 0.0]]))
    assert loss.item() == pytest.approx(0.220095, abs=1e-6)
