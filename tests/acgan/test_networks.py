"""The networks of the AC-GAN with attributes: sizes, weights, and how labels enter."""

import pytest
import torch
from ganlab_acgan.networks import AcGan
from ganlab_acgan.options import AcGanNetworks
from torch import nn

from ganlab import DataSpec

CELEBA = DataSpec(size_px=64, channels=3, label_kind="attributes", label_names=tuple(f"label {k}" for k in range(40)))
EMBEDDING = {"label_input": "embedding", "start_px": 4, "start_width": 128, "batch_norm": False}


def build(data: DataSpec = CELEBA, **options: object) -> tuple[AcGan, dict[str, nn.Module]]:
    torch.manual_seed(0)
    architecture = AcGan(AcGanNetworks.model_validate(options), data)
    return architecture, architecture.networks()


def shapes_of(layers: nn.ModuleList) -> list[tuple[int, ...]]:
    seen: list[tuple[int, ...]] = []
    for layer in layers:
        layer.register_forward_hook(lambda _, __, y: seen.append(tuple(y.shape[1:])))
    return seen


@pytest.mark.parametrize(("options", "generator"), [({}, 3_822_083), (EMBEDDING, 1_400_979)])
def test_networks_have_the_derived_numbers_of_weights(options: dict[str, object], generator: int) -> None:
    """The generator with an embedding is the cGAN's."""
    with torch.device("meta"):
        _, nets = build(**options)
    counts = {name: sum(weight.numel() for weight in net.parameters()) for name, net in nets.items()}
    assert counts == {"generator": generator, "discriminator": 530_345}


def test_sizes_are_8_to_64_and_back_to_4() -> None:
    architecture, nets = build(width=8)
    up, down = shapes_of(nets["generator"].doublings), shapes_of(nets["discriminator"].halvings)
    images = architecture.generate(nets, torch.randn(2, 128), torch.eye(40)[:2])
    verdict = nets["discriminator"](images)
    assert nets["generator"].first.weight.shape == (256 * 8 * 8, 168)
    assert up == [(8, 16, 16), (8, 32, 32), (8, 64, 64)]
    assert down == [(8, 32, 32), (8, 16, 16), (8, 8, 8), (8, 4, 4)]
    assert (images.shape, verdict.logits.shape, verdict.classes.shape) == ((2, 3, 64, 64), (2,), (2, 40))


def test_batch_norm_is_that_of_keras() -> None:
    _, nets = build(width=8)
    norms = [layer for layer in nets["generator"].modules() if isinstance(layer, nn.BatchNorm2d)]
    assert [(norm.eps, norm.momentum) for norm in norms] == [(1e-3, 0.01)] * 3
    _, nets = build(width=8, batch_norm=False)
    assert not any(isinstance(layer, nn.BatchNorm2d) for layer in nets["generator"].modules())


@pytest.mark.parametrize("options", [{}, EMBEDDING])
def test_labels_change_the_image(options: dict[str, object]) -> None:
    architecture, nets = build(width=8, **options)
    noise, labels = torch.randn(1, 128), torch.ones(1, 40)
    one, other = (architecture.generate(nets, noise, asked) for asked in (labels, 1 - labels))
    assert (one - other).abs().max() > 1e-5


def test_classify_reads_the_second_head() -> None:
    architecture, nets = build(width=8)
    nets["discriminator"].eval()
    images = torch.rand(3, 3, 64, 64)
    assert torch.equal(architecture.classify(nets, images), nets["discriminator"](images).classes)


@pytest.mark.parametrize(("size_px", "start_px", "channels", "labels"), [(48, 6, 1, 7), (32, 8, 3, 2), (128, 8, 3, 2)])
@pytest.mark.parametrize("label_input", ["joined", "embedding"])
def test_other_sizes_colours_and_classes_are_made(
    size_px: int, start_px: int, channels: int, labels: int, label_input: str
) -> None:
    names = tuple(f"class {k}" for k in range(labels))
    data = DataSpec(size_px=size_px, channels=channels, label_kind="classes", label_names=names)
    architecture, nets = build(data, width=2, start_width=3, embedding=2, start_px=start_px, label_input=label_input)
    images = architecture.generate(nets, architecture.noise(2, torch.device("cpu")), torch.eye(labels)[torch.tensor([0, 1])])
    assert images.shape == (2, channels, size_px, size_px)
    assert nets["discriminator"](images).classes.shape == (2, labels)


def test_a_size_that_does_not_fit_and_images_without_labels_are_refused() -> None:
    options = AcGanNetworks.model_validate({})
    with pytest.raises(ValueError) as error:
        options.roles(DataSpec(size_px=48, channels=1, label_kind="classes", label_names=("a", "b")))
    assert str(error.value) == "48 px, halved, is never start_px 8; start_px may be 24, 12, 6, 3"
    with pytest.raises(ValueError) as error:
        options.roles(DataSpec(size_px=64, channels=3))
    assert str(error.value) == "images have no labels, and acgan makes images of labels"
