"""The networks of SMiLE's AC-GAN: sizes, weights, the gate of the noise."""

import pytest
import torch
from ganlab_acgan.smile_networks import SmileAcGan
from ganlab_acgan.smile_options import SmileAcGanNetworks
from torch import nn

from ganlab import DataSpec
from ganlab.layers import clip

SMILING = DataSpec(size_px=128, channels=3, label_kind="classes", label_names=("not Smiling", "Smiling"))


def build(data: DataSpec = SMILING, **options: object) -> tuple[SmileAcGan, dict[str, nn.Module]]:
    torch.manual_seed(0)
    architecture = SmileAcGan(SmileAcGanNetworks.model_validate(options), data)
    return architecture, architecture.networks()


def shapes_of(layers: nn.ModuleList) -> list[tuple[int, ...]]:
    seen: list[tuple[int, ...]] = []
    for layer in layers:
        layer.register_forward_hook(lambda _, __, y: seen.append(tuple(y.shape[1:])))
    return seen


def test_networks_have_the_published_numbers_and_sizes() -> None:
    with torch.device("meta"):
        architecture, nets = build()
        up, down = shapes_of(nets["generator"].doublings), shapes_of(nets["discriminator"].halvings)
        verdict = nets["discriminator"](architecture.generate(nets, torch.empty(2, 100), torch.empty(2, 2)))
    counts = {name: sum(weight.numel() for weight in net.parameters()) for name, net in nets.items()}
    assert counts == {"generator": 47_890_551, "discriminator": 11_199_171}
    assert up == [(1024, 8, 8), (512, 16, 16), (256, 32, 32), (128, 64, 64), (3, 128, 128)]
    assert down == [(64, 64, 64), (128, 32, 32), (256, 16, 16), (512, 8, 8), (1024, 4, 4)]
    assert (verdict.logits.shape, verdict.classes.shape, verdict.features.shape) == ((2,), (2, 2), (2, 16_384))


def test_each_part_has_the_published_number_of_weights() -> None:
    with torch.device("meta"):
        _, nets = build()
    generator = nets["generator"]
    count = {name: sum(weight.numel() for weight in part.parameters()) for name, part in generator.named_children()}
    assert (count["gate"], count["first"]) == (300 + 200, 3_309_568)
    assert [sum(weight.numel() for weight in layer.parameters()) for layer in generator.doublings] == [
        33_555_456,
        8_389_120,
        2_097_408,
        524_416,
        6_147,
    ]
    assert [sum(weight.numel() for weight in norm.parameters()) for norm in generator.norms] == [4096, 2048, 1024, 512, 256]


def test_batch_norm_lets_each_part_of_the_noise_through_for_one_of_two_classes() -> None:
    _, nets = build(width=1, noise=4000)
    gate = nets["generator"].gate
    labels = torch.eye(2).repeat(8, 1)
    opened = gate(labels)[:2] > 0
    assert (opened[0] ^ opened[1]).all()
    assert opened[0].float().mean().item() == pytest.approx(0.5, abs=0.03)
    # Most units are near +1 and -1, so that what is let through keeps its size: half the difference of a unit's two weights
    # has a median of 0.0084, and the root of batch normalisation's epsilon is 0.0032.
    assert gate(labels)[:2].sum(0).median().item() == pytest.approx(0.936, abs=0.01)


def test_noise_is_uniform_between_minus_1_and_1() -> None:
    architecture, _ = build(width=1)
    noise = architecture.noise(400, torch.device("cpu"))
    assert noise.shape == (400, 100)
    assert -1 <= noise.min() < -0.99
    assert 0.99 < noise.max() < 1
    assert noise.mean().abs() < 0.02


def test_weights_are_drawn_as_published() -> None:
    _, nets = build(width=4)
    layer, norm = nets["generator"].doublings[0], nets["generator"].norms[0]
    assert 0.0395 < layer.weight.abs().max() <= 0.04
    assert layer.weight.std().item() == pytest.approx(0.02 * 0.88, rel=0.02)  # of a normal cut at two deviations
    assert not layer.bias.any()
    assert norm.weight.mean().item() == pytest.approx(1, abs=0.01)
    assert norm.weight.std().item() == pytest.approx(0.02, rel=0.2)
    assert (norm.eps, norm.momentum) == (1e-5, 0.1)


def test_only_the_first_halving_lacks_batch_norm() -> None:
    _, nets = build(width=1)
    assert [type(norm).__name__ for norm in nets["discriminator"].norms] == ["Identity", *["BatchNorm2d"] * 4]


def test_clipping_holds_every_weight_of_the_discriminator() -> None:
    """As its Wasserstein form clips: convolutions, biases, batch norm, both heads."""
    _, nets = build(width=1)
    discriminator = nets["discriminator"]
    clip(discriminator, 0.01)
    assert all(weight.abs().max() <= 0.01 for weight in discriminator.parameters())
    assert discriminator.norms[1].weight.max().item() == pytest.approx(0.01)
    assert discriminator(torch.rand(2, 3, 128, 128)).logits.isfinite().all()


@pytest.mark.parametrize(
    ("size_px", "start_px", "channels", "kind", "labels"),
    [(64, 4, 3, "classes", 2), (48, 3, 1, "classes", 7), (32, 4, 3, "attributes", 40)],
)
def test_other_sizes_colours_and_labels_are_made(size_px: int, start_px: int, channels: int, kind: str, labels: int) -> None:
    names = tuple(f"label {k}" for k in range(labels))
    data = DataSpec(size_px=size_px, channels=channels, label_kind=kind, label_names=names)
    architecture, nets = build(data, width=1, start_px=start_px)
    images = architecture.generate(nets, architecture.noise(2, torch.device("cpu")), torch.eye(labels)[:2])
    assert images.shape == (2, channels, size_px, size_px)
    assert architecture.classify(nets, images).shape == (2, labels)


def test_a_size_that_does_not_fit_and_images_without_labels_are_refused() -> None:
    options = SmileAcGanNetworks.model_validate({})
    with pytest.raises(ValueError) as error:
        options.roles(DataSpec(size_px=48, channels=1, label_kind="classes", label_names=("a", "b")))
    assert str(error.value) == "48 px, halved, is never start_px 4; start_px may be 24, 12, 6, 3"
    with pytest.raises(ValueError) as error:
        options.roles(DataSpec(size_px=64, channels=3))
    assert str(error.value) == "images have no labels, and smile_acgan makes images of labels"
