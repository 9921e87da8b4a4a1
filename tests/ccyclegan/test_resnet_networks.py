"""The networks on torchvision's ResNets (T6 to T8, C1, C2), and files of weights for them."""

import random
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from ganlab_ccyclegan.architecture_options import ResnetClassifierNetworks, UnetNetworks
from ganlab_ccyclegan.architectures import ResnetClassifier, UnetPair
from ganlab_ccyclegan.resnet import Resnet
from torch import Tensor, nn

from ganlab import DataSpec, GanlabError
from ganlab.layers import diff_augment

FACES = DataSpec(size_px=48, channels=1, label_kind="classes", label_names=tuple("abcdefg"))
BESIDE = {"discriminator": "resnet", "backbone": "resnet18", "width": 4}
HOW = "Name a file that torch.save made of torchvision.models.resnet18(...).state_dict(), or leave the option out"


def classifier(**options: Any) -> tuple[ResnetClassifier, dict[str, nn.Module]]:
    torch.manual_seed(0)
    architecture = ResnetClassifier(ResnetClassifierNetworks.model_validate({"backbone": "resnet18", **options}), FACES)
    return architecture, architecture.networks()


def photos(count: int, channels: int = 1) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.rand(count, channels, 48, 48, generator=generator) * 2 - 1


@pytest.fixture(scope="module")
def published() -> dict[str, Tensor]:
    """Return torchvision's state dict of a ResNet with its classes, of random numbers."""
    from torchvision import models  # type: ignore[import-untyped]

    torch.manual_seed(7)
    state: dict[str, Tensor] = models.resnet18(weights=None).state_dict()
    state["layer1.0.bn1.running_mean"].fill_(0.5)
    return state


@pytest.fixture
def saved(tmp_path: Path, published: Mapping[str, Tensor]) -> Callable[..., Path]:
    """Return `saved(**changes)`: a file of that state dict, changed; None leaves a tensor out."""

    def saved(**changes: Tensor | None) -> Path:
        state = {**published, **{name.replace("__", "."): value for name, value in changes.items()}}
        torch.save({name: value for name, value in state.items() if value is not None}, tmp_path / "weights.pth")
        return tmp_path / "weights.pth"

    return saved


def test_a_classifier_and_a_discriminator_tell_what_they_should() -> None:
    architecture, nets = classifier()
    assert architecture.classify(nets, photos(2)).shape == (2, 7)
    pair = UnetPair(UnetNetworks.model_validate(BESIDE), FACES)
    both = pair.networks()
    assert both["discriminator"](photos(2), torch.eye(7)[:2]).logits.shape == (2,)
    both["discriminator"].eval()
    logits = pair.classify(both, photos(2))
    assert logits.shape == (2, 7)
    torch.testing.assert_close(logits[1, 4], both["discriminator"](photos(2)[1:], torch.eye(7)[4:5]).logits[0])


def test_gray_images_are_repeated_to_three_channels() -> None:
    _, nets = classifier()
    net = nets["classifier"].eval()
    torch.testing.assert_close(net(photos(2)), net(photos(2).repeat(1, 3, 1, 1)))


def test_a_discriminator_beside_a_resnet_trains_in_bf16_and_can_be_differentiated_twice() -> None:
    net = UnetPair(UnetNetworks.model_validate(BESIDE), FACES).networks()["discriminator"]
    net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    x = photos(3).to(memory_format=torch.channels_last)
    with torch.autocast("cpu", torch.bfloat16):
        logits = net(diff_augment(x, ("translation",)), torch.eye(7)[:3]).logits
    logits.float().sum().backward()
    assert all(weight.grad is not None and weight.grad.isfinite().all() for weight in net.parameters())
    x.requires_grad_()
    (slope,) = torch.autograd.grad(net(x, torch.eye(7)[:3]).logits.sum(), x, create_graph=True)
    net.zero_grad()
    slope.square().sum().backward()
    assert net.resnet.net.conv1.weight.grad.any()


def test_published_weights_are_loaded_with_their_statistics(saved: Callable[..., Path], published: dict[str, Tensor]) -> None:
    file = saved()
    architecture, nets = classifier(pretrained=str(file))
    outer = nets["classifier"].outer.weight.clone()
    digests = architecture.load_pretrained(nets)
    state = nets["classifier"].resnet.net.state_dict()
    assert {name: value for name, value in published.items() if not name.startswith("fc.")}.keys() == state.keys()
    assert all(torch.equal(value, published[name]) for name, value in state.items())
    assert torch.equal(nets["classifier"].outer.weight, outer)
    assert digests.keys() == {"pretrained"}
    assert len(digests["pretrained"]) == 64


def test_a_discriminator_takes_weights_too(saved: Callable[..., Path], published: dict[str, Tensor]) -> None:
    architecture = UnetPair(UnetNetworks.model_validate({**BESIDE, "pretrained": str(saved())}), FACES)
    nets = architecture.networks()
    architecture.load_pretrained(nets)
    assert torch.equal(nets["discriminator"].resnet.net.conv1.weight, published["conv1.weight"])


def test_weights_without_classes_and_without_counters_are_loaded(
    saved: Callable[..., Path], published: dict[str, Tensor]
) -> None:
    counters = {name.replace(".", "__"): None for name in published if name.endswith("num_batches_tracked")}
    file = saved(fc__weight=None, fc__bias=None, **counters)
    architecture, nets = classifier(pretrained=str(file))
    architecture.load_pretrained(nets)
    assert torch.equal(nets["classifier"].resnet.net.conv1.weight, published["conv1.weight"])


def test_without_a_file_nothing_is_loaded_and_none_is_read_to_build_networks(tmp_path: Path) -> None:
    architecture, nets = classifier()
    assert architecture.load_pretrained(nets) == {}
    classifier(pretrained=str(tmp_path / "gone.pth"))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"conv1__weight": None}, "it is of another network than torchvision's resnet18: it lacks conv1.weight"),
        ({"layer1__2__x": torch.zeros(1)}, "it is of another network than torchvision's resnet18: it has layer1.2.x"),
        (
            {"conv1__weight": torch.zeros(64, 1, 7, 7)},
            "it is of another network than torchvision's resnet18: conv1.weight is [64, 1, 7, 7], not [64, 3, 7, 7]",
        ),
        ({"bn1__weight": torch.full((64,), torch.nan)}, "bn1.weight holds numbers that are not finite"),
    ],
)
def test_weights_that_do_not_fit_are_refused_in_one_line(
    saved: Callable[..., Path], changes: dict[str, Tensor | None], reason: str
) -> None:
    file = saved(**changes)
    architecture, nets = classifier(pretrained=str(file))
    before = nets["classifier"].resnet.net.conv1.weight.clone()
    with pytest.raises(GanlabError) as error:
        architecture.load_pretrained(nets)
    assert str(error.value) == f"architecture.pretrained: {file}: {reason}. {HOW} for random weights."
    assert torch.equal(nets["classifier"].resnet.net.conv1.weight, before)


class Code:
    """What a pickled file could run."""

    def __reduce__(self) -> tuple[Callable[..., None], tuple[str]]:
        return (print, ("run by a file of weights",))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "No such file or directory"),
        (b"", "it is damaged, or no file of torch.save (EOFError)"),
        (b"PK\x03\x04 half a file", "it is damaged, or no file of torch.save (RuntimeError)"),
        (b"pixels,emotion\n", "it is damaged, or no file of torch.save (UnpicklingError)"),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
            "it is a pointer of Git LFS, not the weights; `git lfs pull` fetches them",
        ),
        ([torch.zeros(1)], "it holds no state dict, a table of tensors by name"),
        ({0: torch.zeros(1)}, "it holds no state dict, a table of tensors by name"),
        ({"net": Code()}, "it is damaged, or no file of torch.save (UnpicklingError)"),
    ],
    ids=["absent", "empty", "half", "text", "pointer", "list", "number", "code"],
)
def test_what_holds_no_weights_is_refused_in_one_line(
    tmp_path: Path, content: Any, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "weights.pth"
    if isinstance(content, bytes):
        file.write_bytes(content)
    elif content is not None:
        torch.save(content, file)
    architecture, nets = classifier(pretrained=str(file))
    with pytest.raises(GanlabError) as error:
        architecture.load_pretrained(nets)
    assert str(error.value) == f"architecture.pretrained: {file}: {reason}. {HOW} for random weights."
    assert capsys.readouterr().out == ""


def test_whatever_is_damaged_in_a_file_it_is_refused_in_one_line(tmp_path: Path) -> None:
    net, file = Resnet("resnet18"), tmp_path / "weights.pth"
    torch.save({"a": torch.zeros(30)}, file, _use_new_zipfile_serialization=False)
    whole, draw = file.read_bytes(), random.Random(0)
    reasons = set()
    for _ in range(200):
        damaged = bytearray(whole)
        damaged[draw.randrange(len(whole))] = draw.randrange(256)
        file.write_bytes(damaged[: draw.randrange(len(whole)) if draw.random() < 0.3 else None])
        with pytest.raises(GanlabError) as error:  # if it can be read, then it is of another network
            net.load(file)
        assert "\n" not in str(error.value)
        reasons |= {word.strip("().") for word in str(error.value).split() if word.startswith("(") and word.endswith(").")}
    assert len(reasons) > 4  # torch.load stumbles in many ways


def test_weights_without_a_resnet_are_refused() -> None:
    with pytest.raises(ValueError, match='pretrained: the discriminator "classes" has no such weights; "resnet" has'):
        UnetNetworks(discriminator="classes", pretrained="resnet50.pth")
