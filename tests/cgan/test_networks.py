"""The networks of the cGAN: sizes, weights, and how labels enter."""

import pytest
import torch
import torch.nn.functional as F
from ganlab_cgan.networks import CGan, LabelMaps
from ganlab_cgan.options import CGanNetworks
from torch import Tensor, nn

from ganlab import DataSpec

CELEBA = DataSpec(size_px=64, channels=3, label_kind="attributes", label_names=tuple(f"label {k}" for k in range(40)))


def build(data: DataSpec = CELEBA, **options: object) -> tuple[CGan, dict[str, nn.Module]]:
    torch.manual_seed(0)
    architecture = CGan(CGanNetworks.model_validate(options), data)
    return architecture, architecture.networks()


def some_labels(count: int) -> Tensor:
    return torch.randint(2, (count, 40), generator=torch.Generator().manual_seed(1)).float()


def shapes_of(layers: nn.ModuleList) -> list[tuple[int, ...]]:
    seen: list[tuple[int, ...]] = []
    for layer in layers:
        layer.register_forward_hook(lambda _, __, y: seen.append(tuple(y.shape[1:])))
    return seen


def test_networks_have_the_derived_numbers_of_weights() -> None:
    with torch.device("meta"):
        _, nets = build()
    counts = {name: sum(weight.numel() for weight in net.parameters()) for name, net in nets.items()}
    assert counts == {"generator": 1_400_979, "discriminator": 21_425_409}


def test_sizes_are_4_to_64_and_back() -> None:
    _, nets = build(width=8, embedding=4)
    up, down = shapes_of(nets["generator"].doublings), shapes_of(nets["discriminator"].halvings)
    images = nets["generator"](torch.randn(2, 128), some_labels(2))
    verdict = nets["discriminator"](images, some_labels(2))
    assert (images.shape, verdict.logits.shape) == ((2, 3, 64, 64), (2,))
    assert up == [(8, 8, 8), (8, 16, 16), (8, 32, 32), (8, 64, 64)]
    assert down == [(8, 32, 32), (8, 16, 16), (8, 8, 8), (8, 4, 4)]


@pytest.mark.parametrize(("label_map", "maps"), [("single", 1), ("per_label", 40)])
def test_labels_are_embedded_as_keras_does_and_drawn_as_maps(label_map: str, maps: int) -> None:
    torch.manual_seed(0)
    layer = LabelMaps(CGanNetworks.model_validate({"embedding": 6, "label_map": label_map}), 40, 4)
    labels = some_labels(3)
    vectors = F.embedding(labels.long(), layer.answers.weight)
    drawn = layer.draw(vectors.flatten(1) if maps == 1 else vectors)
    assert layer.maps == maps
    torch.testing.assert_close(layer(labels), drawn.view(3, maps, 4, 4))


def test_the_discriminator_gets_an_image_and_one_map_and_pads_as_keras_does() -> None:
    """With a kernel that only looks at its first corner, "same" of an even side keeps every second pixel from the first."""
    _, nets = build(width=4, embedding=4)
    first = nets["discriminator"].halvings[0]
    assert first.weight.shape == (4, 4, 3, 3)
    seen: list[Tensor] = []
    first.register_forward_hook(lambda _, __, y: seen.append(y))
    with torch.no_grad():
        first.weight.zero_()
        first.weight[0, 1, 0, 0] = first.weight[1, 2, 2, 2] = 1
    images = torch.rand(2, 3, 64, 64)
    nets["discriminator"](images, some_labels(2))
    torch.testing.assert_close(seen[0][:, 0], images[:, 1, ::2, ::2])
    torch.testing.assert_close(seen[0][:, 1, :-1, :-1], images[:, 2, 2::2, 2::2])
    assert not seen[0][:, 1, -1].any()


@pytest.mark.parametrize("label_map", ["single", "per_label"])
def test_labels_change_the_image_and_its_verdict(label_map: str) -> None:
    architecture, nets = build(width=8, label_map=label_map)
    noise, labels = torch.randn(1, 128), some_labels(1)
    one, other = (architecture.generate(nets, noise, asked) for asked in (labels, 1 - labels))
    assert (one - other).abs().max() > 1e-5
    nets["discriminator"].eval()
    told = [nets["discriminator"](one, asked).logits for asked in (labels, 1 - labels)]
    assert not torch.allclose(*told, atol=1e-6)


def test_weights_are_drawn_as_keras_draws_them() -> None:
    _, nets = build(width=16, embedding=8)
    doubling = nets["generator"].doublings[1]
    limit = (6 / (2 * 16 * 16)) ** 0.5
    assert 0.95 * limit < doubling.weight.abs().max() <= limit
    assert not doubling.bias.any()
    assert 0.03 < nets["generator"].labels.answers.weight.abs().max() <= 0.05


def test_noise_is_normal_and_as_long_as_asked() -> None:
    architecture, _ = build(width=4, noise=50)
    noise = architecture.noise(400, torch.device("cpu"))
    assert noise.shape == (400, 50)
    assert noise.mean().abs() < 0.05
    assert (noise.std() - 1).abs() < 0.05


@pytest.mark.parametrize(("size_px", "start_px", "channels", "labels"), [(48, 6, 1, 7), (32, 4, 3, 2), (128, 4, 3, 2)])
def test_other_sizes_colours_and_classes_are_made(size_px: int, start_px: int, channels: int, labels: int) -> None:
    names = tuple(f"class {k}" for k in range(labels))
    data = DataSpec(size_px=size_px, channels=channels, label_kind="classes", label_names=names)
    architecture, nets = build(data, width=2, embedding=2, start_px=start_px)
    asked = torch.eye(labels)[torch.tensor([0, 1])]
    images = architecture.generate(nets, architecture.noise(2, torch.device("cpu")), asked)
    assert images.shape == (2, channels, size_px, size_px)
    assert nets["discriminator"](images, asked).logits.shape == (2,)


@pytest.mark.parametrize(
    ("size_px", "why"),
    [
        (48, "48 px, halved, is never start_px 4; start_px may be 24, 12, 6, 3"),
        (45, "45 px, halved, is never start_px 4; an odd side has no half"),
    ],
)
def test_sizes_that_do_not_fit_are_refused_with_those_that_do(size_px: int, why: str) -> None:
    data = DataSpec(size_px=size_px, channels=1, label_kind="classes", label_names=("a", "b"))
    with pytest.raises(ValueError) as error:
        CGanNetworks.model_validate({}).roles(data)
    assert str(error.value) == why


def test_images_without_labels_are_refused() -> None:
    with pytest.raises(ValueError) as error:
        CGanNetworks.model_validate({}).roles(DataSpec(size_px=64, channels=3))
    assert str(error.value) == "images have no labels, and cgan is told them"
