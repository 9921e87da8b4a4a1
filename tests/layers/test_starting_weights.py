"""How a layer starts: as the GANs of TensorFlow 1 do."""

import pytest
import torch
from torch import nn

from ganlab.layers import draw_cut_normal


@pytest.mark.parametrize("layer", [nn.Linear(300, 200), nn.Conv2d(40, 60, 5, bias=False), nn.ConvTranspose2d(60, 40, 5)])
def test_weights_are_normal_cut_at_two_deviations_and_biases_zero(layer: nn.Linear | nn.Conv2d | nn.ConvTranspose2d) -> None:
    torch.manual_seed(0)
    draw_cut_normal(layer)
    weight = layer.weight.detach()
    assert 0.0399 < weight.abs().max() <= 0.04
    # Clamped, 4.6 % of them would lie on the bounds; drawn again, they follow the curve, of 0.8796 deviations.
    assert (weight.abs() > 0.0399).float().mean() < 0.002
    assert weight.std().item() == pytest.approx(0.02 * 0.8796, rel=0.01)
    assert layer.bias is None or not layer.bias.any()


@pytest.mark.parametrize("norm", [nn.BatchNorm1d(20_000), nn.BatchNorm2d(20_000)])
def test_scales_of_batch_normalisation_lie_around_one(norm: nn.BatchNorm1d | nn.BatchNorm2d) -> None:
    torch.manual_seed(0)
    draw_cut_normal(norm)
    assert norm.weight.mean().item() == pytest.approx(1, abs=1e-3)
    assert norm.weight.std().item() == pytest.approx(0.02, rel=0.02)
    assert not norm.bias.any()


def test_other_layers_stay_as_they_are_and_weights_without_values_stay_so() -> None:
    embedding = nn.Embedding(3, 4)
    before = embedding.weight.clone()
    draw_cut_normal(embedding)
    assert torch.equal(embedding.weight, before)
    with torch.device("meta"):
        draw_cut_normal(layer := nn.Linear(3, 4))
    assert layer.weight.is_meta
