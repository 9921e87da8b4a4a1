"""The networks without labels: sizes, weights, shapes and starting values of the published code."""

from typing import Any

import pytest
import torch
from ganlab_dcgan import smile
from ganlab_dcgan.mlp import face_mlp
from ganlab_dcgan.options import DcganNetworks, FaceMlpNetworks, SmileNetworks, first_map
from ganlab_dcgan.radford import dcgan
from ganlab_dcgan.smile import double, halve, smile_gan, smile_wgan
from torch import Tensor, nn

from ganlab import DataSpec, Verdict

ALL: dict[str, tuple[Any, Any]] = {
    "face_mlp": (face_mlp, FaceMlpNetworks),
    "dcgan": (dcgan, DcganNetworks),
    "smile_gan": (smile_gan, SmileNetworks),
    "smile_wgan": (smile_wgan, SmileNetworks),
}


def build(name: str, size_px: int = 16, channels: int = 3, **options: Any) -> tuple[Any, dict[str, nn.Module]]:
    architecture, model = ALL[name]
    built = architecture(model.model_validate(options), DataSpec(size_px=size_px, channels=channels))
    return built, built.networks()


def small(name: str, size_px: int = 16, channels: int = 3, **options: Any) -> tuple[Any, dict[str, nn.Module]]:
    return build(name, size_px, channels, **{**ALL[name][1].SMALL, **options})


def maps(network: nn.Module, given: Tensor) -> list[tuple[int, ...]]:
    """Return the shapes that convolutions and linear layers give, padding included, in order."""
    seen: list[tuple[int, ...]] = []
    for layer in network.modules():
        if isinstance(layer, nn.Linear | nn.BatchNorm2d | nn.Tanh) or not list(layer.children()):
            layer.register_forward_hook(lambda _, __, y: seen.append(tuple(y.shape[1:])))
    result = network(given)
    seen.append(tuple((result.logits if isinstance(result, Verdict) else result).shape[1:]))
    return list(dict.fromkeys(seen))


def weights(network: nn.Module) -> int:
    return sum(weight.numel() for weight in network.parameters())


def test_networks_have_the_published_numbers_of_weights() -> None:
    def counts(name: str, **options: bool) -> tuple[int, int]:
        _, nets = build(name, 64, **options)
        return weights(nets["generator"]), weights(nets["discriminator"])

    assert counts("face_mlp") == (14_327_552, 3_278_081)
    assert counts("face_mlp", extra_layer=True) == (14_327_552, 3_540_737)
    assert counts("dcgan") == (3_576_704, 2_765_568)

    # Too many weights to draw for a test.
    options, data = SmileNetworks(), DataSpec(size_px=128, channels=3)
    made = {"generator": smile.Generator, "smile_gan": smile.Discriminator, "smile_wgan": smile.Critic}
    with torch.device("meta"):
        smiling = {name: weights(network(options, data)) for name, network in made.items()}
    assert smiling == {"generator": 72_961_027, "smile_gan": 17_435_009, "smile_wgan": 11_164_416}


def test_the_published_maps_have_the_published_shapes() -> None:
    radford = [(512, 4, 4), (256, 8, 8), (128, 16, 16), (64, 32, 32), (3, 64, 64)]
    _, nets = build("dcgan", 64)
    assert maps(nets["generator"], torch.zeros(2, 100)) == [(8192,), *radford]
    assert maps(nets["discriminator"], torch.zeros(2, 3, 64, 64)) == [*((c, w, w) for c, w, _ in radford[3::-1]), (1,), ()]

    # A sixteenth of the published channels: 2048 to 128 and 64 to 1024.
    noise, images = torch.zeros(2, 100), torch.zeros(2, 3, 128, 128)
    generated = [(128, 4, 4), (64, 8, 8), (32, 16, 16), (16, 32, 32), (8, 64, 64), (3, 128, 128)]
    judged = [(4, 64, 64), (8, 32, 32), (16, 16, 16), (32, 8, 8), (64, 4, 4)]
    for name in ("smile_gan", "smile_wgan"):
        _, nets = build(name, 128, width=8, discriminator_width=4)
        seen = maps(nets["generator"], noise)
        assert [shape for shape in seen if shape in generated] == generated
        seen = maps(nets["discriminator"], images)
        assert [shape for shape in seen if shape in judged] == judged
        assert seen[-1] == ((1, 2, 2) if name == "smile_wgan" else ())


@pytest.mark.parametrize(("size_px", "channels"), [(16, 1), (28, 1), (32, 3), (48, 1), (128, 3)])
@pytest.mark.parametrize("name", ALL)
def test_other_sizes_and_channels_fit(name: str, size_px: int, channels: int) -> None:
    architecture, nets = small(name, size_px, channels)
    noise = architecture.noise(2, torch.device("cpu"))
    images = architecture.generate(nets, noise, torch.zeros(2, 0))
    verdict = nets["discriminator"](images)
    assert (noise.shape, images.shape) == ((2, 8), (2, channels, size_px, size_px))
    assert images.abs().max() <= 1
    assert verdict.features is not None
    assert len(verdict.features) == 2
    start_px, _ = first_map(size_px)
    patches = (2, 1, start_px // 2, start_px // 2)
    assert verdict.logits.shape == (patches if name == "smile_wgan" else (2,))


@pytest.mark.parametrize(
    ("size_px", "expected"), [(16, (4, 2)), (28, (7, 2)), (32, (4, 3)), (40, (5, 3)), (48, (6, 3)), (64, (4, 4)), (128, (4, 5))]
)
def test_a_side_is_4_to_7_px_doubled(size_px: int, expected: tuple[int, int]) -> None:
    assert first_map(size_px) == expected


@pytest.mark.parametrize("size_px", [8, 15, 30, 50, 66])
@pytest.mark.parametrize("options", [DcganNetworks(), SmileNetworks()])
def test_a_side_that_no_doubling_reaches_is_refused(size_px: int, options: DcganNetworks | SmileNetworks) -> None:
    with pytest.raises(ValueError) as error:
        options.roles(DataSpec(size_px=size_px, channels=3))
    assert str(error.value) == (
        f"images of {size_px} px: the convolutions need a side of 4, 5, 6 or 7 px doubled twice or more, "
        "such as 16, 28, 32, 48, 64 or 128"
    )


def test_face_mlp_starts_as_torch_draws_it() -> None:
    _, nets = small("face_mlp", width=64)
    first = nets["discriminator"].layers[0][0]
    assert first.weight.shape == (64, 768)
    limit = 768**-0.5
    assert limit * 0.99 < first.weight.abs().max() <= limit
    assert 0 < first.bias.abs().max() <= limit


def test_dcgan_starts_as_radford_says() -> None:
    _, nets = build("dcgan", 32, width=32)
    for net in nets.values():
        drawn = torch.cat([w.flatten() for w in net.parameters() if w.dim() > 1])
        assert abs(drawn.mean()) < 5e-4
        assert abs(drawn.std() - 0.02) < 2e-4
        scales = torch.cat([m.weight for m in net.modules() if isinstance(m, nn.BatchNorm2d)])
        assert (abs(scales.mean() - 1) < 0.01, 0.01 < scales.std() < 0.03) == (True, True)
        assert all(not m.bias.any() for m in net.modules() if isinstance(m, nn.BatchNorm2d))
        assert not any(m.bias is not None for m in net.modules() if isinstance(m, nn.Linear | nn.Conv2d | nn.ConvTranspose2d))


@pytest.mark.parametrize("name", ["smile_gan", "smile_wgan"])
def test_smile_starts_from_a_normal_distribution_cut_at_two_deviations(name: str) -> None:
    _, nets = build(name, 32, width=32, discriminator_width=32)
    for net in nets.values():
        drawn = torch.cat([w.flatten() for w in net.parameters() if w.dim() > 1])
        assert 0.0399 < drawn.abs().max() <= 0.04
        assert abs(drawn.std() - 0.02 * 0.8796) < 2e-4  # what cutting leaves of the deviation
        assert not torch.cat([w for n, w in net.named_parameters() if n.endswith("bias")]).any()
        scales = torch.cat([m.weight for m in net.modules() if isinstance(m, nn.BatchNorm2d)])
        assert (abs(scales.mean() - 1) < 0.01, 0.01 < scales.std() < 0.03) == (True, True)
        assert {(m.eps, m.momentum) for m in net.modules() if isinstance(m, nn.BatchNorm2d)} == {(1e-5, 0.1)}


def test_the_critic_of_the_wgan_has_no_bias_beside_batch_normalisation() -> None:
    _, nets = small("smile_wgan")
    assert all(layer.bias is None for layer in nets["discriminator"].modules() if isinstance(layer, nn.Conv2d))


def test_halving_pads_as_tensorflow_does() -> None:
    """Of 8 pixels, output i of a 5-wide kernel reaches from 2i - 1 to 2i + 3; what lies outside is 0."""
    layer = halve(1, 1)
    pixels = torch.arange(1.0, 65).view(1, 1, 8, 8)
    padded = torch.zeros(11, 11)
    padded[1:9, 1:9] = pixels[0, 0]
    for row, column in ((0, 0), (4, 4), (2, 1)):
        with torch.no_grad():
            layer[1].weight.zero_()[0, 0, row, column] = 1
            layer[1].bias.zero_()
        torch.testing.assert_close(layer(pixels)[0, 0], padded[row::2, column::2][:4, :4])


def test_doubling_is_the_transpose_of_halving() -> None:
    """TensorFlow defines a transposed convolution as the gradient of the convolution by its input."""
    up, down = double(3, 2).double(), halve(2, 3).double()
    with torch.no_grad():
        down[1].weight.copy_(up[0].weight)
        up[0].bias.zero_()
        down[1].bias.zero_()
    small_map = torch.randn(2, 3, 5, 5, dtype=torch.double)
    images = torch.zeros(2, 2, 10, 10, dtype=torch.double, requires_grad=True)
    (expected,) = torch.autograd.grad(down(images), images, small_map)
    torch.testing.assert_close(up(small_map), expected)


@pytest.mark.parametrize("name", ["dcgan", "smile_gan"])
def test_the_first_product_is_a_transposed_convolution_of_a_point(name: str) -> None:
    _, nets = small(name)
    generator, noise = nets["generator"], torch.randn(3, 8)
    seen: list[Tensor] = []
    generator.normalise.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    generator(noise)
    weight = generator.project.weight.view(4, 4, -1, 8).permute(3, 2, 0, 1)
    torch.testing.assert_close(seen[0], nn.functional.conv_transpose2d(noise[:, :, None, None], weight))


def test_noise_is_drawn_as_the_options_say() -> None:
    cpu = torch.device("cpu")
    normal, uniform = (small("dcgan", noise=kind)[0].noise(20_000, cpu) for kind in ("normal", "uniform"))
    assert abs(normal.std() - 1) < 0.01
    assert normal.abs().max() > 3
    assert (uniform.min() >= -1, uniform.max() < 1) == (True, True)
    assert abs(uniform.std() - 3**-0.5) < 0.01
    published = {name: model().noise for name, (_, model) in ALL.items()}
    assert published == {"face_mlp": "normal", "dcgan": "normal", "smile_gan": "uniform", "smile_wgan": "uniform"}


def slopes(network: nn.Module) -> list[float]:
    """Return the slope below 0 of each activation."""
    return [getattr(m, "negative_slope", 0.0) for m in network.modules() if isinstance(m, nn.ReLU | nn.LeakyReLU)]


def test_slopes_and_dropout_are_those_of_base_and_improved() -> None:
    for options, generated, dropped in (({}, 0.0, 0.0), ({"generator_slope": 0.01, "dropout": 0.1}, 0.01, 0.1)):
        _, nets = small("face_mlp", **options)
        assert slopes(nets["generator"]) == [generated] * 4
        assert slopes(nets["discriminator"]) == [0.01] * 2
        assert [m.p for m in nets["discriminator"].modules() if isinstance(m, nn.Dropout)] == [dropped] * 2
    _, nets = small("dcgan", 64, generator_slope=0.2, dropout=0.1)
    assert (slopes(nets["generator"]), slopes(nets["discriminator"])) == ([0.2] * 4, [0.2] * 4)
    assert [m.p for m in nets["discriminator"].modules() if isinstance(m, nn.Dropout)] == [0.1] * 4
    _, nets = small("smile_gan", 128)
    assert (slopes(nets["generator"]), slopes(nets["discriminator"])) == ([0.0] * 5, [0.2] * 5)


def test_dropout_draws_in_training_and_not_in_inference() -> None:
    for name in ("face_mlp", "dcgan"):
        _, nets = small(name, dropout=0.5)
        images = torch.randn(3, 3, 16, 16)
        assert not torch.equal(nets["discriminator"](images).logits, nets["discriminator"](images).logits)
        nets["discriminator"].eval()
        assert torch.equal(nets["discriminator"](images).logits, nets["discriminator"](images).logits)


@pytest.mark.parametrize("name", ALL)
def test_only_the_discriminator_is_spectrally_normalised(name: str) -> None:
    _, nets = small(name, spectral_norm=True)
    layers = [m for m in nets["discriminator"].modules() if isinstance(m, nn.Linear | nn.Conv2d)]
    for _ in range(200):
        for layer in layers:
            layer.weight  # noqa: B018  # each read in training is one power iteration
    largest = [torch.linalg.matrix_norm(layer.weight.detach().flatten(1), 2).item() for layer in layers]
    assert largest == pytest.approx([1] * len(layers), abs=1e-2)
    assert not any("parametrizations" in key for key in nets["generator"].state_dict())
