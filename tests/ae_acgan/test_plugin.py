"""What the plugin offers, that offering it is cheap, and the loss that it brings."""

import subprocess
import sys

import ganlab_ae_acgan
import pytest
import torch
from ganlab_ae_acgan.losses import TanhHinge
from torch import nn

from ganlab import Criterion


def test_components_are_named_and_documented() -> None:
    offered = [
        *ganlab_ae_acgan.ganlab_architectures(),
        *ganlab_ae_acgan.ganlab_objectives(),
        *ganlab_ae_acgan.ganlab_losses(),
    ]
    assert [component.name for component in offered] == ["ae_acgan", "ae_acgan", "tanh_hinge"]
    assert all(component.summary and component.paper for component in offered)


def test_plugin_and_options_import_no_torch() -> None:
    code = "import ganlab_ae_acgan, ganlab_ae_acgan.options, sys; print('torch' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "False"


def test_tanh_hinge_is_the_hinge_of_keras_on_labels_of_minus_one_and_one() -> None:
    logits = torch.tensor([[2.0, -1.0, 0.0], [30.0, 0.3, -0.3]], dtype=torch.double)
    labels = torch.tensor([[1.0, 0.0, 1.0], [0.0, 0.0, 1.0]], dtype=torch.double)
    # PyTorch's own hinge of a label y: max(0, 1 - y * x) as the margin ranking of x above 0.
    expected = nn.functional.margin_ranking_loss(
        logits.tanh(), torch.zeros_like(logits), 2 * labels - 1, margin=1, reduction="none"
    )
    torch.testing.assert_close(TanhHinge()(logits, labels), expected)
    assert Criterion(TanhHinge())(logits[:1, :1], labels[:1, :1]).item() == pytest.approx(1 - 0.9640275801)
