"""The small classifier: its size, what it takes, and that it learns."""

from typing import Any

import pytest
import torch
from ganlab_classifier.networks import FaceCnn
from ganlab_classifier.options import FaceCnnOptions

from ganlab import DataSpec


def spec(size_px: int = 48, channels: int = 1, kind: Any = "classes", labels: int = 7) -> DataSpec:
    names = tuple(f"label {k}" for k in range(labels))
    return DataSpec(size_px=size_px, channels=channels, label_kind=kind, label_names=names)


def count_weights(data: DataSpec, **options: Any) -> int:
    nets = FaceCnn(FaceCnnOptions(**options), data).networks()
    return sum(weight.numel() for net in nets.values() for weight in net.parameters())


def test_the_judges_have_the_size_that_they_say() -> None:
    # 48 px, three halvings: 4x4 convolutions 1-32-64-128, a 3x3 one after each, two numbers a channel and norm, 4608 x 7 + 7.
    strided, plain = 16 * (32 + 32 * 64 + 64 * 128), 9 * (32**2 + 64**2 + 128**2)
    assert count_weights(spec()) == strided + plain + 4 * (32 + 64 + 128) + 4608 * 7 + 7
    assert 200_000 < count_weights(spec(64, 3, "attributes", 40), width=16) < 1_000_000


@pytest.mark.parametrize("size_px", [16, 17, 31, 48, 50, 64, 97])
@pytest.mark.parametrize(("channels", "kind", "labels"), [(1, "classes", 2), (3, "attributes", 40), (3, "attributes", 1)])
def test_it_takes_any_size_channels_and_labels(size_px: int, channels: int, kind: str, labels: int) -> None:
    data, options = spec(size_px, channels, kind, labels), FaceCnnOptions(width=4, depth=0)
    assert options.roles(data) == {"classifier": "images -> classes"}
    architecture = FaceCnn(options, data)
    assert architecture.classify(architecture.networks(), torch.zeros(2, channels, size_px, size_px)).shape == (2, labels)


def test_depth_and_width_make_it_larger_and_channels_stop_at_eight_widths() -> None:
    sizes = [count_weights(spec(), width=8, depth=depth) for depth in (0, 1, 2)]
    assert sizes == sorted(sizes)
    nets = FaceCnn(FaceCnnOptions(width=4, depth=0), spec(512)).networks()
    channels = [module.out_channels for module in nets["classifier"].modules() if isinstance(module, torch.nn.Conv2d)]
    assert channels == [4, 8, 16, 32, 32, 32, 32]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (spec(15), "face_cnn needs images of 16 px or more, not 15"),
        (spec(labels=1), "there is one class only, label 0; face_cnn needs two to tell apart"),
        (
            DataSpec(size_px=48, channels=1),
            'the data have no labels; face_cnn needs classes or attributes, such as dataset.labels = "expression"',
        ),
    ],
)
def test_data_that_do_not_fit_are_refused(data: DataSpec, reason: str) -> None:
    with pytest.raises(ValueError) as raised:
        FaceCnnOptions().roles(data)
    assert str(raised.value) == reason
