"""Wrong networks are found, by the claim that they break and with the reason; right ones hold."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from _pytest.mark import ParameterSet
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from ganlab import ArchitectureOptions, DataSpec, Verdict
from ganlab.testing import Finding

Found = Callable[..., list[Finding]]
Claimed = Callable[..., set[str]]


class EveryForm(ArchitectureOptions):
    SMALL: ClassVar[Mapping[str, Any]] = {"width": 2}
    width: int = 64

    def roles(self, data: DataSpec) -> dict[str, str]:
        judged = "logits classes features" if data.labels else "logits features"
        return {"generator": "noise labels -> images", "discriminator": f"images -> {judged}"}

    def makes(self) -> frozenset[str]:
        return frozenset({"generate"})


class Options(EveryForm):
    """Two forms are enough for what is wrong in all."""

    def roles(self, data: DataSpec) -> dict[str, str]:
        if (data.label_kind, data.channels) not in (("classes", 1), ("none", 3)):
            raise ValueError("gray with classes, or colour without labels")
        return super().roles(data)


class TwoClasses(EveryForm):
    """Two domains, and a class of fakes beside theirs."""

    def roles(self, data: DataSpec) -> dict[str, str]:
        if data.label_kind != "classes" or data.labels != 2 or data.channels != 1:
            raise ValueError("gray, of two classes")
        return {**super().roles(data), "discriminator": "images -> logits classes+1 features"}


class Generator(nn.Module):
    def __init__(self, data: DataSpec, width: int) -> None:
        super().__init__()
        self.shape = (data.channels, data.size_px, data.size_px)
        self.hidden = nn.Linear(3 + data.labels, 4 * width)
        self.pixels = nn.Linear(4 * width, data.channels * data.size_px**2)

    def forward(self, noise: Tensor, labels: Tensor) -> Tensor:
        return self.drawn(torch.cat([noise, labels], 1)).tanh()

    def drawn(self, told: Tensor) -> Tensor:
        return self.pixels(self.hidden(told).relu()).view(-1, *self.shape)


class Judge(nn.Module):
    def __init__(self, data: DataSpec, width: int) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(data.channels, width, 4, 4), nn.BatchNorm2d(width)
        features = width * (data.size_px // 4) ** 2
        self.logits = nn.Linear(features, 1)
        self.classes = nn.Linear(features, data.labels) if data.labels else None

    def forward(self, images: Tensor) -> Any:
        features = self.features(images)
        return Verdict(self.logits(features)[:, 0], self.classes(features) if self.classes else None, features)

    def features(self, images: Tensor) -> Tensor:
        return self.norm(self.conv(images)).tanh().flatten(1)


class Networks:
    """A small GAN; what is wrong with it is one attribute."""

    generator: Callable[..., Any] = Generator
    judge: Callable[..., Any] = Judge

    def __init__(self, options: EveryForm, data: DataSpec) -> None:
        self.arguments = (data, options.width)

    def networks(self) -> dict[str, nn.Module]:
        return {"generator": type(self).generator(*self.arguments), "discriminator": type(self).judge(*self.arguments)}

    def noise(self, count: int, device: torch.device) -> Tensor:
        return torch.randn(count, 3, device=device)

    def generate(self, nets: Mapping[str, nn.Module], noise: Tensor, labels: Tensor) -> Tensor:
        images: Tensor = nets["generator"](noise, labels)
        return images


def with_generator(generator: type) -> type:
    return type(generator.__name__, (Networks,), {"generator": generator})


def with_judge(judge: type) -> type:
    return type(judge.__name__, (Networks,), {"judge": judge})


class JudgeOfFakes(Judge):
    def __init__(self, data: DataSpec, width: int) -> None:
        super().__init__(replace(data, label_names=(*data.label_names, "fake")), width)


# An autoencoder, whose decoder is fed by its encoder, and that translates and classifies


class CoderOptions(ArchitectureOptions):
    def roles(self, data: DataSpec) -> dict[str, str]:
        if data.label_kind != "classes" or data.size_px < 16:
            raise ValueError(f"{data.label_kind} of {data.size_px} px: classes of 16 px or more only")
        return {"decoder": "latents labels -> images", "encoder": "images -> latents", "reader": "images -> labels noise"}

    def makes(self) -> frozenset[str]:
        return frozenset({"translate", "classify"})


class Encoder(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fine = nn.Conv2d(channels, 2, 4, 4)
        self.coarse = nn.Conv2d(channels, 2, 8, 8)

    def forward(self, images: Tensor) -> list[Tensor]:
        return [self.fine(images), self.coarse(images)]


class Decoder(nn.Module):
    def __init__(self, channels: int, labels: int) -> None:
        super().__init__()
        self.fine = nn.ConvTranspose2d(2, channels, 4, 4)
        self.coarse = nn.ConvTranspose2d(2, channels, 8, 8)
        self.label = nn.Linear(labels, channels)

    def forward(self, latents: list[Tensor], labels: Tensor) -> Tensor:
        fine, coarse = latents
        return (self.fine(fine) + self.coarse(coarse) + self.label(labels)[:, :, None, None]).tanh()


class Reader(nn.Module):
    def __init__(self, data: DataSpec) -> None:
        super().__init__()
        pixels = data.channels * data.size_px**2
        self.labels, self.noise = nn.Linear(pixels, data.labels), nn.Linear(pixels, 5)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        return self.labels(images.flatten(1)), self.noise(images.flatten(1))


class Coder:
    def __init__(self, options: CoderOptions, data: DataSpec) -> None:
        self.data = data

    def networks(self) -> dict[str, nn.Module]:
        channels, labels = self.data.channels, self.data.labels
        return {"decoder": Decoder(channels, labels), "encoder": Encoder(channels), "reader": Reader(self.data)}

    def translate(self, nets: Mapping[str, nn.Module], images: Tensor, labels: Tensor) -> Tensor:
        made: Tensor = nets["decoder"](nets["encoder"](images), labels)
        return made

    def classify(self, nets: Mapping[str, nn.Module], images: Tensor) -> Tensor:
        labels: Tensor = nets["reader"](images)[0]
        return labels


# What is wrong, one thing each


class RefusesAll(Options):
    def roles(self, data: DataSpec) -> dict[str, str]:
        raise ValueError("Mondays only")


class Malformed(Options):
    def roles(self, data: DataSpec) -> dict[str, str]:
        return {**super().roles(data), "generator": "noise labels, images"}


class TakesStyles(Options):
    def roles(self, data: DataSpec) -> dict[str, str]:
        return {**super().roles(data), "generator": "styles labels -> images"}


class PromisesMore(Options):
    def roles(self, data: DataSpec) -> dict[str, str]:
        return {**super().roles(data), "discriminator": "images -> logits latents"}


class TwoOutputs(Options):
    def roles(self, data: DataSpec) -> dict[str, str]:
        return {**super().roles(data), "generator": "noise labels -> images latents"}


class MakesUnknown(Options):
    def makes(self) -> frozenset[str]:
        return frozenset({"generates"})


class MakesMore(Options):
    def makes(self) -> frozenset[str]:
        return frozenset({"generate", "classify"})


class WithoutJudge(Networks):
    def networks(self) -> dict[str, nn.Module]:
        return {"generator": Generator(*self.arguments)}


class NotAModule(Networks):
    judge = staticmethod(lambda data, width: "a judge")


class SameAgain(Networks):
    def __init__(self, options: EveryForm, data: DataSpec) -> None:
        super().__init__(options, data)
        self.built = super().networks()

    def networks(self) -> dict[str, nn.Module]:
        return self.built


class Column(Judge):
    def forward(self, images: Tensor) -> Any:
        features = self.features(images)
        return super().forward(images)._replace(logits=self.logits(features))


class Bare(Judge):
    def forward(self, images: Tensor) -> Any:
        return self.logits(self.features(images))[:, 0]


class NotFinite(Judge):
    def forward(self, images: Tensor) -> Any:
        verdict = super().forward(images)
        return verdict._replace(logits=verdict.logits / 0)


class Rounded(Judge):
    def forward(self, images: Tensor) -> Any:
        verdict = super().forward(images)
        return verdict._replace(features=(verdict.features > 0).long())


class Views(Judge):
    """Flattens by a view, which the memory order of convolutions on a GPU does not allow."""

    def features(self, images: Tensor) -> Tensor:
        return self.norm(self.conv(images)).tanh().view(len(images), -1)


class HalfSize(Generator):
    def forward(self, noise: Tensor, labels: Tensor) -> Tensor:
        return super().forward(noise, labels)[:, :, ::2, ::2]


class Bright(Generator):
    def forward(self, noise: Tensor, labels: Tensor) -> Tensor:
        return 255 * super().forward(noise, labels)


class Unbounded(Generator):
    def forward(self, noise: Tensor, labels: Tensor) -> Tensor:
        return 0.1 * self.drawn(torch.cat([noise, labels], 1))


class OverTheBatch(Generator):
    def forward(self, noise: Tensor, labels: Tensor) -> Tensor:
        return (0.5 * super().forward(noise, labels) - 0.5 * super().forward(noise, labels).mean(0)).clamp(-1, 1)


class WithoutNoise(Networks):
    noise = property()  # type: ignore[assignment]  # as if it were not there: asking for it raises AttributeError


class FixedNoise(Networks):
    def noise(self, count: int, device: torch.device) -> Tensor:
        return torch.linspace(-1, 1, 3 * count, device=device).view(count, 3)


class OwnNoise(Networks):
    def noise(self, count: int, device: torch.device) -> Tensor:
        return torch.from_numpy(np.random.default_rng().standard_normal((count, 3), dtype=np.float32)).to(device)


class FlatNoise(Networks):
    def noise(self, count: int, device: torch.device) -> Tensor:
        return torch.randn(count, 3, 1, 1, device=device).flatten(1 if count > 1 else 0)


class OtherDraws(Judge):
    def __init__(self, data: DataSpec, width: int) -> None:
        super().__init__(data, width)
        with torch.no_grad():
            self.logits.weight.copy_(torch.from_numpy(np.random.default_rng().standard_normal(self.logits.weight.shape)))


class FixedDraws(Judge):
    def __init__(self, data: DataSpec, width: int) -> None:
        super().__init__(data, width)
        with torch.no_grad():
            for weight in self.parameters():
                weight.normal_(generator=torch.Generator().manual_seed(3))


class Unused(Judge):
    def __init__(self, data: DataSpec, width: int) -> None:
        super().__init__(data, width)
        self.old_head = nn.Linear(3, 3)


class Frozen(Judge):
    def __init__(self, data: DataSpec, width: int) -> None:
        super().__init__(data, width)
        self.scale = nn.Parameter(torch.ones(()), requires_grad=False)


class PlainAttribute(Judge):
    def __init__(self, data: DataSpec, width: int) -> None:
        super().__init__(data, width)
        self.filter = torch.randn(data.channels, 1, 1)

    def features(self, images: Tensor) -> Tensor:
        return super().features(images * self.filter)


class GrowsLater(Judge):
    def forward(self, images: Tensor) -> Any:
        if not hasattr(self, "seen"):
            self.register_buffer("seen", torch.zeros(3, device=images.device))
        return super().forward(images)


class SharedMemory(Generator):
    def __init__(self, data: DataSpec, width: int) -> None:
        super().__init__(data, width)
        self.again = nn.Linear(4 * width, data.channels * data.size_px**2)
        self.again.weight.data = self.pixels.weight.data

    def drawn(self, told: Tensor) -> Tensor:
        return super().drawn(told) + self.again(self.hidden(told).relu()).view(-1, *self.shape)


class Tied(Generator):
    """The same weight twice, by right."""

    def __init__(self, data: DataSpec, width: int) -> None:
        super().__init__(data, width)
        self.again = nn.Linear(4 * width, data.channels * data.size_px**2)
        self.again.weight = self.pixels.weight

    def drawn(self, told: Tensor) -> Tensor:
        return super().drawn(told) + self.again(self.hidden(told).relu()).view(-1, *self.shape)


class Closure(Judge):
    """Reaches a layer through a function, which a copy takes from the original."""

    def __init__(self, data: DataSpec, width: int) -> None:
        super().__init__(data, width)
        self.head = lambda features: self.logits(features)

    def forward(self, images: Tensor) -> Any:
        features = self.features(images)
        return super().forward(images)._replace(logits=self.head(features)[:, 0])


class HoldsGenerator(Judge):
    def __init__(self, data: DataSpec, width: int) -> None:
        super().__init__(data, width)
        self.draws = (number for number in range(3))


class OnceOnly(torch.autograd.Function):
    @staticmethod
    def forward(context: Any, x: Tensor) -> Tensor:
        context.save_for_backward(x)
        return x.tanh()

    @staticmethod
    @once_differentiable  # type: ignore[untyped-decorator]
    def backward(context: Any, slope: Tensor) -> Tensor:
        (x,) = context.saved_tensors
        return slope * (1 - x.tanh() ** 2)


class Once(Judge):
    def features(self, images: Tensor) -> Tensor:
        features: Tensor = OnceOnly.apply(super().features(images))
        return features


class Reads(Judge):
    def features(self, images: Tensor) -> Tensor:
        return super().features(images) * (1.0 if images.mean().item() > 5 else 0.5)


class Linear(Judge):
    """A slope that is the same everywhere and hangs on no weight."""

    def forward(self, images: Tensor) -> Any:
        return super().forward(images)._replace(logits=images.mean((1, 2, 3)))


class NotFiniteInBf16(Judge):
    def features(self, images: Tensor) -> Tensor:
        hidden = self.conv(images)
        return self.norm(hidden).tanh().flatten(1) / (hidden.dtype != torch.bfloat16)


class NoiseOnTheCpu(Networks):
    def noise(self, count: int, device: torch.device) -> Tensor:
        return torch.randn(count, 3).to(device)


def found_of(found: Found, target: Callable[..., object], options: type) -> list[Finding]:
    return found("ganlab_architectures", target, options=options)


def wrong(target: type, options: type, **why: str) -> ParameterSet:
    """Return a case: networks, their options, and the whole of what is broken of them."""
    return pytest.param(target, options, why, id=options.__name__ if target is Networks else target.__name__)


FORMS = (
    "gray images of 8 px with classes, colour images of 8 px with classes, gray images of 8 px with attributes, "
    "colour images of 8 px with attributes, gray images of 8 px without labels, colour images of 8 px without labels"
)


@pytest.mark.parametrize(
    ("target", "options", "remarks"),
    [
        (Networks, EveryForm, {"fits_some_data": f"tried on {FORMS}"}),
        (with_judge(JudgeOfFakes), TwoClasses, {"fits_some_data": "tried on gray images of 8 px with two classes"}),
        (
            with_generator(Tied),
            Options,
            {
                "fits_some_data": "tried on gray images of 8 px with classes, colour images of 8 px without labels",
                "comes_back_from_a_checkpoint": "tied: generator.pixels.weight = generator.again.weight",
            },
        ),
        (
            Coder,
            CoderOptions,
            {
                "fits_some_data": "tried on gray images of 16 px with classes, colour images of 16 px with classes",
                "draws_fresh_noise": "no network of it takes noise",
                "can_be_differentiated_twice": "no network of it judges images (images -> logits)",
            },
        ),
    ],
)
def test_right_networks_hold_in_every_claim(found: Found, target: type, options: type, remarks: dict[str, str]) -> None:
    of = found_of(found, target, options)
    assert {finding.case.claim.__name__: finding.why for finding in of if finding.why} == remarks
    assert [finding for finding in of if finding.verdict == "broken"] == []
    assert len(of) == 12


WRONG = [
    wrong(
        Networks,
        TwoClasses,
        gives_what_its_roles_say="discriminator, gray images of 8 px with two classes: classes+1 are [5, 2] for 5 images, "
        "not [5, 3]",
    ),
    wrong(
        Networks,
        RefusesAll,
        fits_some_data="its roles() refuse every form of data: Mondays only",
    ),
    wrong(
        Networks,
        Malformed,
        builds_its_networks="generator: the role 'noise labels, images' does not read \"inputs -> outputs\", such as "
        '"noise labels -> images"',
    ),
    wrong(
        Networks,
        TakesStyles,
        gives_what_its_roles_say="generator takes 'styles', which is none of images, labels, noise and which no network gives",
    ),
    wrong(
        Networks,
        PromisesMore,
        gives_what_its_roles_say="discriminator promises latents, and its Verdict holds none",
    ),
    wrong(
        Networks,
        TwoOutputs,
        gives_what_its_roles_say="generator gives a Tensor, not a tuple of 2: images, latents",
    ),
    wrong(
        Networks,
        MakesUnknown,
        makes_what_it_promises="makes() names 'generates'; did you mean 'generate'?",
    ),
    wrong(
        Networks,
        MakesMore,
        makes_what_it_promises="makes() names 'classify', and the architecture has no such method",
    ),
    wrong(
        WithoutJudge,
        Options,
        builds_its_networks="networks() gives generator; discriminator, which its roles name, is not among them",
    ),
    wrong(
        NotAModule,
        Options,
        builds_its_networks="networks() gives generator, discriminator; discriminator, which its roles name, is a str,"
        " not an nn.Module",
    ),
    wrong(
        SameAgain,
        Options,
        builds_its_networks="networks() gives the generator of the first call again; it must be a new one",
    ),
    wrong(
        WithoutNoise,
        Options,
        gives_what_its_roles_say="generator takes noise, and the architecture has no method noise(count, device)",
    ),
    wrong(
        FixedNoise,
        Options,
        draws_fresh_noise="noise() gives the same numbers at each call",
    ),
    wrong(
        OwnNoise,
        Options,
        draws_fresh_noise="noise() does not follow torch.manual_seed: no run could be repeated; draw with torch.randn",
        stays_on_the_device="a tensor made of Python's numbers or of numpy lies on the CPU; torch.full, zeros and "
        "arange take device=",
    ),
    wrong(
        FlatNoise,
        Options,
        draws_fresh_noise="noise(1, device) is [3], not [1, Z]",
    ),
    wrong(
        NoiseOnTheCpu,
        Options,
        stays_on_the_device="torch.randn without device= makes a tensor on the CPU; say device=, of the step or of a tensor",
    ),
    wrong(
        with_generator(HalfSize),
        Options,
        gives_what_its_roles_say="generator, gray images of 8 px with classes: images are [5, 1, 4, 4] for 5 images, "
        "not [5, 1, 8, 8]",
    ),
    wrong(
        with_generator(Bright),
        Options,
        gives_what_its_roles_say="generator, gray images of 8 px with classes: images reach from -193 to 199, not [-1, 1]",
    ),
    wrong(
        with_generator(Unbounded),
        Options,
        makes_what_it_promises="generate, gray images of 8 px with classes: images reach 7.49 when weights grow; bound"
        " them, by tanh or clamp, to [-1, 1]",
    ),
    wrong(
        with_generator(OverTheBatch),
        Options,
        makes_what_it_promises="generate, gray images of 8 px with classes: an image differs by 0.13 with those that "
        "are made beside it",
    ),
    wrong(
        with_generator(SharedMemory),
        Options,
        comes_back_from_a_checkpoint="generator.pixels.weight and generator.again.weight share memory and are two "
        "Parameters: a GPU parts them; assign one to both",
    ),
    wrong(
        with_judge(Column),
        Options,
        gives_what_its_roles_say="discriminator, gray images of 8 px with classes: logits are [5, 1] for 5 images, not"
        " [5], nor patches [5, 1, h, w]",
    ),
    wrong(
        with_judge(Bare),
        Options,
        gives_what_its_roles_say="discriminator gives a Tensor, not a ganlab.Verdict(logits, classes, features)",
    ),
    wrong(
        with_judge(NotFinite),
        Options,
        gives_what_its_roles_say="discriminator, gray images of 8 px with classes: logits hold inf",
    ),
    wrong(
        with_judge(Rounded),
        Options,
        gives_what_its_roles_say="discriminator, gray images of 8 px with classes: features are int64, not floating-"
        "point numbers",
    ),
    wrong(
        with_judge(Views),
        Options,
        gives_what_its_roles_say="raises RuntimeError: view size is not compatible with input tensor's size and stride"
        " (at least one dimension spans across two contiguous subspaces). Use .reshape(...) "
        "instead.",
    ),
    wrong(
        with_judge(OtherDraws),
        Options,
        is_the_same_for_the_same_seed="discriminator.logits.weight differs between two builds from one seed: draw with"
        " torch only",
    ),
    wrong(
        with_judge(FixedDraws),
        Options,
        is_the_same_for_the_same_seed="the weights of discriminator are the same for every seed",
    ),
    wrong(
        with_judge(Unused),
        Options,
        moves_every_weight="gray images of 8 px with classes: no gradient reaches discriminator.old_head.weight, "
        "discriminator.old_head.bias",
    ),
    wrong(
        with_judge(Frozen),
        Options,
        moves_every_weight="discriminator.scale is a Parameter that requires no gradient; ganlab would train it: make "
        "it a buffer",
    ),
    wrong(
        with_judge(PlainAttribute),
        Options,
        comes_back_from_a_checkpoint="the logits of discriminator differ after a checkpoint: something lies outside "
        "the state_dict, as in a plain attribute",
    ),
    wrong(
        with_judge(GrowsLater),
        Options,
        comes_back_from_a_checkpoint='discriminator: a new one cannot load it: Unexpected key(s) in state_dict: "seen".',
    ),
    wrong(
        with_judge(Closure),
        Options,
        can_be_copied="the logits of discriminator of a copy change with the weights of the original",
    ),
    wrong(
        with_judge(HoldsGenerator),
        Options,
        can_be_copied="copy.deepcopy fails: TypeError: cannot pickle 'generator' object",
    ),
    wrong(
        with_judge(Once),
        Options,
        can_be_differentiated_twice="discriminator, gray images of 8 px with classes: RuntimeError: trying to "
        "differentiate twice a function that was marked with @once_differentiable; a "
        "penalty of it cannot be trained",
    ),
    wrong(
        with_judge(Linear),
        Options,
        moves_every_weight="gray images of 8 px with classes: no gradient reaches discriminator.logits.weight, "
        "discriminator.logits.bias",
        can_be_differentiated_twice="discriminator, gray images of 8 px with classes: the slope of its logits does not"
        " depend on its weights",
    ),
    wrong(
        with_judge(NotFiniteInBf16),
        Options,
        computes_in_bf16="in bf16: discriminator, gray images of 8 px with classes: logits hold nan",
    ),
    wrong(
        with_judge(Reads),
        Options,
        stays_on_the_device=".item() reads a value on the host, which waits for the device",
    ),
]


@pytest.mark.parametrize(("target", "options", "why"), WRONG)
def test_wrong_networks_are_found(found: Found, target: type, options: type, why: dict[str, str]) -> None:
    of = found_of(found, target, options)
    assert {finding.case.claim.__name__: finding.why for finding in of if finding.verdict == "broken"} == why


def test_every_claim_finds_some_wrong_networks(claimed: Claimed) -> None:
    assert claimed("ganlab_architectures", Networks, options=Options) == {claim for case in WRONG for claim in case.values[2]}


def test_what_cannot_run_is_reported_once_and_the_rest_says_so(found: Found) -> None:
    of = found_of(found, with_judge(Bare), Options)
    why = "its networks do not run (discriminator gives a Tensor, not a ganlab.Verdict(logits, classes, features))"
    assert {finding.why for finding in of if finding.verdict == "not applicable"} == {why}
    assert {f.case.claim.__name__ for f in of if f.verdict == "holds"} == {"fits_some_data", "builds_its_networks"}


def test_what_nothing_calls_is_told(found: Found) -> None:
    class MakesNothing(Options):
        def makes(self) -> frozenset[str]:
            return frozenset()

    class Spare(Networks):
        def networks(self) -> dict[str, nn.Module]:
            return {**super().networks(), "spare": nn.Linear(2, 2)}

    why = {f.case.claim.__name__: (f.verdict, f.why) for f in found_of(found, Spare, MakesNothing)}
    assert why["makes_what_it_promises"] == (
        "not applicable",
        "its makes() name nothing; it has generate, which nothing will call",
    )
    assert why["builds_its_networks"] == ("holds", "no role names spare, so no recipe can use it")


def test_a_value_read_on_the_host_is_told_with_its_line(found: Found) -> None:
    lines, start = inspect.getsourcelines(Reads)
    line = next(start + index for index, text in enumerate(lines) if ".item()" in text)
    of = found_of(found, with_judge(Reads), Options)
    assert [finding.where for finding in of if finding.verdict == "broken"] == [f"{__file__}:{line}"]
