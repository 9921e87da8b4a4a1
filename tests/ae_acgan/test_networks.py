"""The networks of AE-AC-GAN: sizes, weights and values of the published code, and what its author tried besides."""

from collections.abc import Mapping
from typing import Any

import pytest
import torch
from ganlab_ae_acgan.networks import AeAcGan, InputNoise, OutputConvolution
from ganlab_ae_acgan.options import AeAcGanNetworks
from torch import Tensor, nn

from ganlab import DataSpec, Verdict

ATTRIBUTES = tuple(f"attribute {k}" for k in range(40))
FACES = DataSpec(size_px=64, channels=3, label_kind="attributes", label_names=ATTRIBUTES)
SMALL = DataSpec(size_px=16, channels=1, label_kind="attributes", label_names=ATTRIBUTES[:5])


def build(data: DataSpec = SMALL, **options: Any) -> tuple[AeAcGan, dict[str, nn.Module]]:
    torch.manual_seed(0)
    architecture = AeAcGan(AeAcGanNetworks.model_validate({"depth": 4, "noise_length": 6, **options}), data)
    return architecture, architecture.networks()


@pytest.fixture(scope="module")
def published() -> dict[str, nn.Module]:
    torch.manual_seed(0)
    return AeAcGan(AeAcGanNetworks(), FACES).networks()


def weights(net: nn.Module) -> int:
    return sum(weight.numel() for weight in net.parameters())


def test_networks_have_the_published_numbers_of_weights(published: dict[str, nn.Module]) -> None:
    counts = {name: weights(net) for name, net in published.items()}
    assert counts == {"encoder": 1_245_264, "generator": 2_406_627, "discriminator": 1_219_593}
    assert counts["encoder"] + counts["generator"] == 3_651_891  # the auto-encoder
    assert counts["generator"] + counts["discriminator"] == 3_626_220  # the AC-GAN


def test_each_layer_has_the_published_weights(published: dict[str, nn.Module]) -> None:
    layers = {
        name: [weights(layer) for layer in net.modules() if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d)]
        for name, net in published.items()
    }
    assert layers == {
        "encoder": [1_568, 32_832, 131_200, 1_048_704, 5_160, 25_800],
        "generator": [1_974_272, 262_272, 131_136, 32_800, 6_147],
        "discriminator": [1_568, 32_832, 131_200, 1_048_704, 129, 5_160],
    }


def test_sizes_are_64_32_16_8_16_32_64() -> None:
    _, nets = build(FACES)
    seen: list[tuple[int, ...]] = []
    for net in ("encoder", "generator"):
        for layer in nets[net].modules():
            if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
                layer.register_forward_hook(lambda _, __, y: seen.append(tuple(y.shape[1:])))
    labels, noise = nets["encoder"](torch.zeros(2, 3, 64, 64))
    images = nets["generator"](noise, labels)
    assert (labels.shape, noise.shape, images.shape) == ((2, 40), (2, 6), (2, 3, 64, 64))
    assert seen == [(4, 32, 32), (8, 16, 16), (16, 8, 8), (16, 16, 16), (8, 32, 32), (4, 64, 64), (3, 64, 64)]


@pytest.mark.parametrize(("size_px", "channels"), [(16, 1), (48, 3), (128, 3)])
@pytest.mark.parametrize("label_kind", ["attributes", "classes"])
def test_other_sizes_colours_and_classes_are_made(size_px: int, channels: int, label_kind: Any) -> None:
    data = DataSpec(size_px=size_px, channels=channels, label_kind=label_kind, label_names=("a", "b", "c"))
    architecture, nets = build(data)
    labels = torch.eye(3)[:2]
    images = architecture.generate(nets, architecture.noise(2, torch.device("cpu")), labels)
    verdict = nets["discriminator"](architecture.translate(nets, images, labels))
    assert images.shape == (2, channels, size_px, size_px)
    assert isinstance(verdict, Verdict)
    assert verdict.classes is not None
    assert verdict.features is not None
    assert (verdict.logits.shape, verdict.classes.shape, verdict.features.shape) == ((2,), (2, 3), (2, 16))


@pytest.mark.parametrize("size_px", [8, 50, 136])
def test_sizes_that_cannot_be_made_are_refused_before_anything_is_built(size_px: int) -> None:
    data = DataSpec(size_px=size_px, channels=3, label_kind="attributes", label_names=ATTRIBUTES)
    with pytest.raises(ValueError) as error:
        AeAcGanNetworks().roles(data)
    assert str(error.value) == (
        f"ae_acgan needs images of 16 to 128 px in steps of 8, not {size_px}: "
        "the side is halved 3 times, and its dense layers grow with the area"
    )


def test_data_without_labels_are_refused() -> None:
    with pytest.raises(ValueError) as error:
        AeAcGanNetworks().roles(DataSpec(size_px=64, channels=3))
    assert str(error.value) == 'ae_acgan needs labels; say dataset.labels = "attributes", or one attribute'


def test_networks_start_as_published(published: dict[str, nn.Module]) -> None:
    for net in published.values():
        for layer in net.modules():
            if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
                assert layer.bias is not None
                assert not layer.bias.any()
            if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
                assert layer.weight.std().item() == pytest.approx(0.01, rel=0.1)
            elif isinstance(layer, nn.Linear):
                limit = (6 / (layer.in_features + layer.out_features)) ** 0.5
                assert 0.9 * limit < layer.weight.abs().max() <= limit


def test_output_is_the_convolution_padded_3_before_and_4_after() -> None:
    torch.manual_seed(0)
    layer = OutputConvolution(6, 3).double()
    assert layer.bias is not None
    nn.init.normal_(layer.bias)
    x = torch.randn(2, 6, 16, 12, dtype=torch.double).to(memory_format=torch.channels_last).requires_grad_()
    expected = nn.functional.conv2d(nn.functional.pad(x, (3, 4, 3, 4)), layer.weight, layer.bias)
    y = layer(x)
    torch.testing.assert_close(y, expected)
    leaves, downstream = (x, layer.weight, layer.bias), torch.randn_like(y)
    torch.testing.assert_close(torch.autograd.grad(y, leaves, downstream), torch.autograd.grad(expected, leaves, downstream))


def slopes(nets: Mapping[str, nn.Module]) -> list[list[float]]:
    return [[layer.negative_slope for layer in net.modules() if isinstance(layer, nn.LeakyReLU)] for net in nets.values()]


def test_every_hidden_layer_leaks_as_keras_does() -> None:
    assert slopes(build()[1]) == [[0.3] * 4] * 3
    assert slopes(build(slope=0.2)[1]) == [[0.2] * 4] * 3


def kinds(net: nn.Module) -> list[str]:
    named = ("Conv2d", "ConvTranspose2d", "OutputConvolution", "Linear", "BatchNorm1d", "BatchNorm2d", "LeakyReLU", "Dropout")
    return [type(layer).__name__ for layer in net.modules() if type(layer).__name__ in named]


def test_nothing_is_dropped_or_normalised_as_published() -> None:
    for net in build()[1].values():
        assert not {"Dropout", "BatchNorm1d", "BatchNorm2d"} & set(kinds(net))


def test_batch_norm_and_dropout_stand_where_the_author_had_them() -> None:
    _, nets = build(batch_norm=True, dropout=0.4)
    after = ["LeakyReLU", "Dropout"]
    assert kinds(nets["discriminator"]) == [
        *("Conv2d", *after),
        *("Conv2d", "BatchNorm2d", *after),
        *("Conv2d", "BatchNorm2d", *after),
        *("Linear", "BatchNorm1d", *after),
        *("Linear", "Linear"),
    ]
    assert kinds(nets["generator"]) == [
        *("Linear", "BatchNorm1d", *after),
        *("ConvTranspose2d", "BatchNorm2d", *after) * 3,
        "OutputConvolution",
    ]
    norms = [layer for net in nets.values() for layer in net.modules() if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d)]
    assert {(norm.eps, norm.momentum) for norm in norms} == {(1e-3, 0.01)}
    assert {layer.p for net in nets.values() for layer in net.modules() if isinstance(layer, nn.Dropout)} == {0.4}


def test_noise_is_laid_on_images_in_training_only() -> None:
    _, nets = build(input_noise=0.05)
    assert [sum(isinstance(layer, InputNoise) for layer in net.modules()) for net in nets.values()] == [1, 0, 1]
    layer, images = InputNoise(0.05), torch.zeros(8, 3, 32, 32)
    assert layer(images).std().item() == pytest.approx(0.05, rel=0.05)
    assert layer.eval()(images) is images


@pytest.mark.parametrize(
    ("options", "low", "high"),
    [({}, 0, 1), ({"encoder_noise": "tanh"}, -1, 1), ({"encoder_noise": "linear"}, -torch.inf, torch.inf)],
)
def test_the_encoders_noise_has_the_range_of_its_activation(options: dict[str, str], low: float, high: float) -> None:
    _, nets = build(**options)
    with torch.no_grad():
        nets["encoder"].get_submodule("noise").weight.mul_(1e6)
    labels, noise = nets["encoder"](torch.randn(16, 1, 16, 16))
    assert 0 <= labels.min() <= labels.max() <= 1
    assert low <= noise.min() <= noise.max() <= high
    if options.get("encoder_noise") == "linear":
        assert noise.abs().max() > 1


class Told(nn.Module):
    """A generator that remembers what it was given."""

    def forward(self, noise: Tensor, labels: Tensor) -> Tensor:
        self.noise, self.labels = noise, labels
        return torch.zeros(len(noise), 1, 16, 16)


def test_training_draws_from_the_normal_distribution_and_samples_from_the_uniform_one() -> None:
    architecture, nets = build(noise_length=2000)
    noise, told = architecture.noise(5, torch.device("cpu")), Told()
    architecture.generate({**nets, "generator": told}, noise, torch.zeros(5, 5))
    assert (noise.mean().abs() < 0.05, noise.std().item()) == (True, pytest.approx(1, abs=0.05))
    assert told.noise.min() >= 0
    assert told.noise.max() < 1
    assert (told.noise.gather(1, noise.argsort(1)).diff() >= 0).all()  # the same draws
    torch.testing.assert_close(torch.histc(told.noise, 10, 0, 1) / 1e4, torch.full((10,), 0.1), atol=0.015, rtol=0)


@pytest.mark.parametrize("options", [{"sampling_noise": "as_trained"}, {"noise": "uniform"}])
def test_samples_may_have_the_noise_of_training(options: dict[str, str]) -> None:
    architecture, nets = build(**options)
    noise, told = architecture.noise(300, torch.device("cpu")), Told()
    architecture.generate({**nets, "generator": told}, noise, torch.zeros(300, 5))
    assert torch.equal(told.noise, noise)
    assert bool((noise >= 0).all()) == ("noise" in options)


def test_a_translation_keeps_the_noise_that_the_encoder_finds_and_takes_the_labels_asked_for() -> None:
    architecture, nets = build()
    images, labels, told = torch.rand(3, 1, 16, 16), torch.eye(5)[:3], Told()
    architecture.translate({**nets, "generator": told}, images, labels)
    assert torch.equal(told.labels, labels)
    assert torch.equal(told.noise, nets["encoder"](images)[1])


def test_labels_of_minus_one_and_one_are_what_the_generator_is_told() -> None:
    _, nets = build(label_range="-1/1")
    _, plain = build()
    for net, other in zip(nets.values(), plain.values(), strict=True):
        net.load_state_dict(other.state_dict())
    noise, labels, images = torch.randn(2, 6), torch.eye(5)[:2], torch.randn(2, 1, 16, 16)
    assert torch.equal(nets["generator"](noise, labels), plain["generator"](noise, 2 * labels - 1))
    found, logits = nets["encoder"](images)[0], plain["encoder"](images)[0].logit()
    torch.testing.assert_close(2 * found - 1, logits.tanh())  # as the author's encoder of that range gave them


def test_without_an_encoder_nothing_is_translated() -> None:
    options = AeAcGanNetworks()
    assert options.makes_with(("encoder", "generator", "discriminator")) == options.makes() == {"generate", "translate"}
    assert options.makes_with(("generator", "discriminator")) == {"generate"}
