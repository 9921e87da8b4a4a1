"""The networks of T1 to T17 and C1: sizes and values of the published code."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

import pytest
import torch
from ganlab_ccyclegan.architecture_options import DomainNetworks, ResnetClassifierNetworks, T17Networks, UnetNetworks
from ganlab_ccyclegan.architectures import T17, Domains, UnetPair
from ganlab_ccyclegan.unet_layers import DoubledHalve, DoubledKeep, Halve, Keep, LabelMap, UpLevel
from torch import Tensor, nn

from ganlab import DataSpec, Verdict
from ganlab.layers import InstanceNorm
from ganlab.options import ArchitectureOptions
from ganlab.testing import Case, cases
from ganlab.testing.kit import Subject

TINY = {"width": 4, "discriminator_width": 4}
TOLD = ("label_at_image", "label_at_image_dense", "label_at_patches")


def faces(labels: int = 7, *, channels: int = 1, size_px: int = 48) -> DataSpec:
    return DataSpec(size_px=size_px, channels=channels, label_kind="classes", label_names=tuple("abcdefg")[:labels])


def unet(data: DataSpec | None = None, **options: Any) -> tuple[UnetPair, dict[str, nn.Module]]:
    torch.manual_seed(0)
    architecture = UnetPair(UnetNetworks.model_validate(options), data or faces())
    return architecture, architecture.networks()


def photos(count: int = 2, channels: int = 1, size_px: int = 48) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.rand(count, channels, size_px, size_px, generator=generator) * 2 - 1


def shapes_of(kind: type[nn.Module], net: nn.Module, *inputs: Tensor) -> list[tuple[int, ...]]:
    """Return the shapes, but for N, of what the layers of a kind make."""
    seen: list[tuple[int, ...]] = []
    for layer in net.modules():
        if isinstance(layer, kind):
            layer.register_forward_hook(lambda _, __, y: seen.append(tuple(y.shape[1:])))
    net(*inputs)
    return seen


def test_the_sizes_of_a_unet_are_24_12_6_3_and_back() -> None:
    _, nets = unet(width=8)
    given = photos(), torch.eye(7)[:2]
    assert shapes_of(Halve, nets["generator"], *given) == [(8, 24, 24), (16, 12, 12), (32, 6, 6), (64, 3, 3)]
    assert shapes_of(UpLevel, nets["generator"], *given) == [(64, 6, 6), (32, 12, 12), (16, 24, 24)]
    assert nets["generator"](*given).shape == (2, 1, 48, 48)
    assert nets["discriminator"](*given).logits.shape == (2, 1, 3, 3)


def test_the_deep_unet_has_four_more_levels_of_3_px() -> None:
    _, nets = unet(width=8, deep=True, label_at="bottleneck")
    given = photos(), torch.eye(7)[:2]
    assert shapes_of(Keep, nets["generator"], *given)[:2] == [(64, 3, 3)] * 2
    assert shapes_of(UpLevel, nets["generator"], *given) == [(128, 3, 3)] * 2 + [(64, 6, 6), (32, 12, 12), (16, 24, 24)]


def test_the_sizes_of_t17() -> None:
    nets = T17(T17Networks(width=8), faces()).networks()
    latents = nets["encoder"](photos())
    assert [tuple(latent.shape[1:]) for latent in latents] == [(8, 24, 24), (16, 12, 12), (32, 6, 6), (64, 3, 3)]
    assert nets["decoder"].ups.levels[0].convolution.in_channels == 64 + 8
    verdict = nets["discriminator"](nets["decoder"](latents, torch.eye(7)[:2]))
    assert (verdict.logits.shape, verdict.classes.shape, verdict.features.shape) == ((2,), (2, 7), (2, 4608))


@pytest.mark.parametrize("stride", [1, 2])
def test_zeros_lie_where_keras_puts_them(stride: int) -> None:
    layer = (Keep(2, 3) if stride == 1 else Halve(2, 3)).double()
    assert layer.bias is not None
    nn.init.normal_(layer.bias)
    x = torch.randn(1, 2, 6, 6, dtype=torch.double)
    made = layer(x)[0]
    assert made.shape == (3, 6 // stride, 6 // stride)
    for row in range(6 // stride):
        for column in range(6 // stride):
            total = layer.bias.clone()
            for down in range(4):
                for right in range(4):
                    y, z = row * stride - 1 + down, column * stride - 1 + right
                    if 0 <= y < 6 and 0 <= z < 6:
                        total = total + layer.weight[:, :, down, right] @ x[0, :, y, z]
            torch.testing.assert_close(made[:, row, column], total)


@pytest.mark.parametrize(("kind", "plain"), [(DoubledKeep, Keep), (DoubledHalve, Halve)])
@pytest.mark.parametrize("order", [torch.contiguous_format, torch.channels_last])
def test_a_convolution_of_doubled_images_is_that_of_images_with_each_pixel_four_times(
    kind: type[nn.Conv2d], plain: type[nn.Conv2d], order: torch.memory_format
) -> None:
    layer, reference = kind(3, 5).double(), plain(3, 5).double()
    assert layer.bias is not None
    nn.init.normal_(layer.bias)
    reference.load_state_dict(layer.state_dict())
    x = torch.randn(2, 3, 4, 4, dtype=torch.double).to(memory_format=order).requires_grad_()
    made = layer(x)
    expected = reference(x.repeat_interleave(2, 2).repeat_interleave(2, 3))
    torch.testing.assert_close(made, expected)
    direction = torch.randn_like(made)
    wanted = torch.autograd.grad(expected, (x, *reference.parameters()), direction)
    torch.testing.assert_close(torch.autograd.grad(made, (x, *layer.parameters()), direction), wanted)


def test_a_level_is_convolution_activation_normalisation_in_this_order() -> None:
    _, nets = unet(**TINY)
    first = nets["generator"].encoder.levels[0]
    x = photos()
    expected = InstanceNorm()(nn.functional.leaky_relu(first.convolution(x), 0.2))
    torch.testing.assert_close(first(x), expected)
    assert not any(isinstance(layer, InstanceNorm) for layer in nets["discriminator"].patches.trunk.levels[0].modules())
    up = nets["generator"].decoder.levels[0]
    x, skip = torch.randn(2, 32, 3, 3), torch.randn(2, 16, 6, 6)
    expected = InstanceNorm()(up.convolution(x).relu())
    torch.testing.assert_close(up(x, skip), torch.cat([expected, skip], 1))


def test_a_label_is_a_row_of_its_table_and_a_mixed_label_a_mixture() -> None:
    told = LabelMap(3, 2, 4)
    rows = told.table.vectors
    maps = rows.detach().view(3, 4, 4, 2).permute(0, 3, 1, 2)  # the published order: height, width, channels
    torch.testing.assert_close(told(torch.eye(3)), maps)
    torch.testing.assert_close(told(torch.tensor([[0.25, 0.0, 0.75]]))[0], 0.25 * maps[0] + 0.75 * maps[2])
    assert 0.04 < rows.abs().max() <= 0.05


def test_the_image_and_its_label_are_multiplied() -> None:
    _, nets = unet(**TINY)
    generator, discriminator, x = nets["generator"], nets["discriminator"], photos(1)
    for told in (generator.told, discriminator.told):
        nn.init.constant_(told.table.vectors, 2.0)
    label = torch.eye(7)[:1]
    *skips, deepest = generator.encoder(2 * x)
    torch.testing.assert_close(generator(x, label), generator.decoder(deepest, skips))
    torch.testing.assert_close(discriminator(x, label).logits, discriminator.patches(2 * x).logits)


def test_a_label_at_the_bottleneck_leaves_the_encoder_alone() -> None:
    _, nets = unet(**TINY, label_at="bottleneck")
    generator, x = nets["generator"], photos(1)
    nn.init.constant_(generator.told.table.vectors, 3.0)
    *skips, deepest = generator.encoder(x)
    torch.testing.assert_close(generator(x, torch.eye(7)[:1]), generator.decoder(3 * deepest, skips))


def test_a_concatenated_label_is_appended_to_the_flat_bottleneck() -> None:
    _, nets = unet(**TINY, label_at="bottleneck_concat")
    generator = nets["generator"]
    seen: list[Tensor] = []
    generator.decoder.levels[0].register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    x = photos(1)
    generator(x, torch.eye(7)[2:3])
    deepest = generator.encoder(x)[-1]
    numbers = [*deepest[0].permute(1, 2, 0).flatten().tolist(), *generator.told.vectors[2].tolist()]
    assert len(numbers) == 32 * 9 + 99
    assert seen[0].shape == (1, 32 + 11, 3, 3)
    assert seen[0][0].permute(1, 2, 0).flatten().tolist() == pytest.approx(numbers)


def test_the_label_at_the_patches_scales_each() -> None:
    _, nets = unet(**TINY, discriminator="label_at_patches")
    discriminator, x = nets["discriminator"], photos(1)
    scales = torch.arange(9.0)
    with torch.no_grad():
        discriminator.told.table.vectors[1] = scales
    expected = discriminator.patches(x).logits * scales.view(1, 1, 3, 3)
    torch.testing.assert_close(discriminator(x, torch.eye(7)[1:2]).logits, expected)


def test_the_dense_head_drops_in_training_only() -> None:
    _, nets = unet(**TINY, discriminator="label_at_image_dense")
    discriminator, given = nets["discriminator"], (photos(), torch.eye(7)[:2])
    assert discriminator.head.dropout.p == 0.4
    assert not torch.equal(discriminator(*given).logits, discriminator(*given).logits)
    discriminator.eval()
    assert torch.equal(discriminator(*given).logits, discriminator(*given).logits)
    assert discriminator(*given).logits.shape == (2,)


def test_networks_start_as_keras_starts_them() -> None:
    _, nets = unet()
    for name, weight in ((n, w) for net in nets.values() for n, w in net.named_parameters()):
        if name.endswith("bias"):
            assert torch.equal(weight, torch.zeros_like(weight)), name
    deepest = nets["generator"].encoder.levels[3].convolution.weight  # 4x4 from 128 to 256 channels
    limit = (6 / (16 * (128 + 256))) ** 0.5
    assert limit * 0.99 < deepest.abs().max() <= limit


@pytest.mark.parametrize("discriminator", TOLD)
def test_a_discriminator_of_image_and_label_classifies(discriminator: str) -> None:
    architecture, nets = unet(**TINY, discriminator=discriminator)
    net, x = nets["discriminator"].eval(), photos(3)
    logits = architecture.classify(nets, x)
    assert logits.shape == (3, 7)
    one = net(x[2:], torch.eye(7)[5:6]).logits
    torch.testing.assert_close(logits[2, 5], one.mean())
    assert len(logits.unique()) == logits.numel()


def test_a_class_of_fakes_is_no_class_of_the_data() -> None:
    architecture, nets = unet(**TINY, discriminator="classes")
    x = photos(3)
    verdict = nets["discriminator"](x)
    assert isinstance(verdict, Verdict)
    assert verdict.classes is not None
    assert (verdict.logits.shape, verdict.classes.shape) == ((3, 1, 3, 3), (3, 8))
    assert torch.equal(architecture.classify(nets, x), verdict.classes[:, :7])


def test_what_is_made_depends_on_the_networks_at_hand() -> None:
    options = UnetNetworks()
    assert options.makes_with(["generator", "discriminator"]) == {"translate", "classify"}
    assert options.makes_with(["discriminator"]) == {"classify"}


def test_two_domains_translate_to_the_class_that_is_asked_for() -> None:
    architecture = Domains(DomainNetworks(**TINY), faces(2))
    nets, x = architecture.networks(), photos(2)
    made = architecture.translate(nets, x, torch.eye(2))
    torch.testing.assert_close(made[0], nets["generator_ba"](x)[0])  # to a, the first class
    torch.testing.assert_close(made[1], nets["generator_ab"](x)[1])


@pytest.mark.parametrize(
    ("options", "data", "reason"),
    [
        (
            UnetNetworks(),
            faces(size_px=40),
            "ccyclegan_unet halves images 4 times: it needs a multiple of 16 px, such as 32 or 48, not 40",
        ),
        (
            T17Networks(),
            faces(size_px=8),
            "ccyclegan_t17 halves images 4 times: it needs a multiple of 16 px, such as 16, not 8",
        ),
        (
            UnetNetworks(discriminator="resnet"),
            faces(size_px=16),
            "ccyclegan_unet's ResNet needs images of 32 px or more, not 16",
        ),
        (ResnetClassifierNetworks(), faces(size_px=31), "resnet_classifier's ResNet needs images of 32 px or more, not 31"),
        (
            DomainNetworks(),
            faces(3),
            "ccyclegan_domains translates between two classes, not 3: a, b, c; "
            'choose two, such as dataset.classes = ["neutral", "happy"]',
        ),
        (
            T17Networks(),
            DataSpec(size_px=48, channels=1),
            'labels are none: ccyclegan_t17 needs classes; say dataset.labels = "expression", or one attribute',
        ),
    ],
)
def test_data_that_do_not_fit_are_refused_before_anything_is_built(
    options: ArchitectureOptions, data: DataSpec, reason: str
) -> None:
    with pytest.raises(ValueError) as error:
        options.roles(data)
    assert str(error.value) == reason


@dataclass(frozen=True, kw_only=True, eq=False)
class Varied(Subject):
    """A component under test with settings other than its small ones."""

    changed: Mapping[str, Any]

    def settings(self, **changes: Any) -> dict[str, Any]:
        return super().settings(**{**self.changed, **changes})


def varied() -> Iterator[Case]:
    """Yield each claim of the kit about the other generators, and about the other discriminators."""
    others: list[dict[str, Any]] = [
        {"label_at": "bottleneck", "discriminator": "label_at_image_dense"},
        {"label_at": "bottleneck_concat", "discriminator": "classes"},
        {"label_at": "bottleneck", "deep": True, "discriminator": "label_at_patches"},
    ]
    for case in cases("ccyclegan"):
        subject = case.subject
        is_unet = subject.registered is not None and subject.registered.name == "ccyclegan_unet"
        if is_unet and case.claim.__name__ != "draws_fresh_noise":
            known = {field.name: getattr(subject, field.name) for field in fields(subject)}
            yield from (Case(subject=Varied(**known, changed=changed), claim=case.claim) for changed in others)


@pytest.mark.parametrize("case", [*varied()], ids=lambda case: f"{case.subject.changed['discriminator']}-{case.claim.__name__}")
def test_every_form_of_the_networks_keeps_the_contract(case: Case) -> None:
    case.run()
