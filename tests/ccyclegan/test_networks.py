"""The networks of T26: sizes, weights and values of the published code."""

import pytest
import torch
from ganlab_ccyclegan.convolutions import Down, Up
from ganlab_ccyclegan.networks import CCycleGan
from ganlab_ccyclegan.options import CCycleGanNetworks
from torch import Tensor, nn

from ganlab import DataSpec, Verdict

FACES = DataSpec(size_px=48, channels=1, label_kind="classes", label_names=tuple("abcdefg"))


def build(data: DataSpec = FACES, **options: bool | int) -> tuple[CCycleGan, dict[str, nn.Module]]:
    torch.manual_seed(0)
    architecture = CCycleGan(CCycleGanNetworks.model_validate(options), data)
    return architecture, architecture.networks()


def one_hot(labels: Tensor, count: int = 7) -> Tensor:
    return torch.eye(count)[labels]


def test_without_the_transform_layer_the_decoder_is_that_of_t18() -> None:
    _, nets = build(transform=False)
    assert sum(weight.numel() for weight in nets["decoder"].parameters()) == 3_676_615
    latents = [torch.rand(2, channels, size, size) for channels, size in ((64, 23), (128, 10), (256, 4), (512, 1))]
    told = torch.cat([latents[3], one_hot(torch.tensor([0, 3]))[:, :, None, None]], 1)
    seen: list[Tensor] = []
    nets["decoder"].narrow.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    assert nets["decoder"](latents, one_hot(torch.tensor([0, 3]))).shape == (2, 1, 48, 48)
    assert torch.equal(seen[0], told)  # nothing lies between the latent with its label and the convolution


def test_sizes_are_48_23_10_4_1_and_back() -> None:
    _, nets = build(width=8)
    seen: list[tuple[int, ...]] = []
    for layer in nets["decoder"].modules():
        if isinstance(layer, Up):
            layer.register_forward_hook(lambda _, __, y: seen.append(tuple(y.shape[1:])))
    latents = nets["encoder"](torch.zeros(2, 1, 48, 48))
    images = nets["decoder"](latents, one_hot(torch.tensor([0, 3])))
    assert [tuple(z.shape[1:]) for z in latents] == [(8, 23, 23), (16, 10, 10), (32, 4, 4), (64, 1, 1)]
    assert seen == [(32, 4, 4), (16, 10, 10), (8, 23, 23), (1, 48, 48)]
    assert images.shape == (2, 1, 48, 48)


@pytest.mark.parametrize(("size_px", "channels"), [(46, 1), (48, 3), (64, 3), (128, 1)])
@pytest.mark.parametrize("options", [{}, {"residual": True, "label_at_levels": True}])
def test_other_sizes_and_colours_are_translated(size_px: int, channels: int, options: dict[str, bool]) -> None:
    data = DataSpec(size_px=size_px, channels=channels, label_kind="classes", label_names=("a", "b", "c"))
    architecture, nets = build(data, width=4, **options)
    photos = torch.rand(2, channels, size_px, size_px) * 2 - 1
    images = architecture.translate(nets, photos, one_hot(torch.tensor([0, 2]), 3))
    verdict = nets["discriminator"](images)
    assert images.shape == photos.shape
    assert images.abs().max() <= 1 + 1e-6
    assert isinstance(verdict, Verdict)
    assert (verdict.logits.shape, verdict.classes.shape) == ((2,), (2, 3))


def test_images_that_are_too_small_are_refused_before_anything_is_built() -> None:
    data = DataSpec(size_px=32, channels=1, label_kind="classes", label_names=("a", "b"))
    with pytest.raises(ValueError) as error:
        CCycleGanNetworks().roles(data)
    assert str(error.value) == "ccyclegan's four 4x4 convolutions need images of 46 px or more, not 32"


def test_networks_start_as_keras_starts_them() -> None:
    _, nets = build()
    for name, weight in ((n, w) for net in nets.values() for n, w in net.named_parameters()):
        if name.endswith("bias"):
            assert torch.equal(weight, torch.zeros_like(weight)), name
    deepest = nets["encoder"].convolutions[3].weight  # 4x4 from 256 to 512 channels
    limit = (6 / (16 * (256 + 512))) ** 0.5
    assert limit * 0.99 < deepest.abs().max() <= limit


def test_a_residual_decoder_starts_near_the_photo() -> None:
    architecture, nets = build(width=8, residual=True)
    photos = torch.rand(4, 1, 48, 48) * 2 - 1
    images = architecture.translate(nets, photos, one_hot(torch.tensor([0, 1, 2, 3])))
    assert 0 < (images - photos).abs().mean() < 0.1


def test_a_discriminator_may_have_a_width_of_its_own() -> None:
    _, nets = build(width=8, discriminator_width=64)
    assert sum(weight.numel() for weight in nets["discriminator"].parameters()) == 3_283_918
    assert nets["encoder"](torch.zeros(1, 1, 48, 48))[0].shape[1] == 8


def test_labels_change_the_image_by_the_latent_and_by_the_levels() -> None:
    photo = torch.rand(1, 1, 48, 48) * 2 - 1
    for options in ({}, {"label_at_levels": True}):
        architecture, nets = build(width=8, **options)
        first, second = (architecture.translate(nets, photo, one_hot(torch.tensor([label]))) for label in (0, 1))
        assert (first - second).abs().max() > 1e-4


@pytest.mark.parametrize("size_px", [4, 10, 23])
def test_down_is_the_convolution(size_px: int) -> None:
    layer = Down(6, 5).double()
    x = torch.randn(3, 6, size_px, size_px, dtype=torch.double).to(memory_format=torch.channels_last)
    torch.testing.assert_close(layer(x), nn.functional.conv2d(x, layer.weight, layer.bias, stride=2))


@pytest.mark.parametrize(("size_px", "channels_out", "padding"), [(1, 5, 0), (4, 5, 0), (10, 5, 1), (7, 1, 0), (7, 3, 1)])
def test_up_is_the_transposed_convolution(size_px: int, channels_out: int, padding: int) -> None:
    layer = Up(6, channels_out, output_padding=padding).double()
    assert layer.bias is not None
    nn.init.normal_(layer.bias)
    x = torch.randn(3, 6, size_px, size_px, dtype=torch.double).to(memory_format=torch.channels_last)
    expected = nn.functional.conv_transpose2d(x, layer.weight, layer.bias, stride=2, output_padding=padding)
    torch.testing.assert_close(layer(x), expected)
