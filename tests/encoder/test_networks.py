"""The encoder has the published weights, halves as TensorFlow does, and translates by the generator at hand."""

import pytest
import torch
import torch.nn.functional as F
from ganlab_encoder.networks import Encoder, SmileEncoder
from ganlab_encoder.options import SmileEncoderNetworks
from torch import Tensor, nn

from ganlab import DataSpec

SMALL = DataSpec(size_px=16, channels=3, label_kind="classes", label_names=("no", "yes"))


def options(**settings: object) -> SmileEncoderNetworks:
    return SmileEncoderNetworks.model_validate(settings)


def test_the_published_encoder_has_7_912_932_weights() -> None:
    data = DataSpec(size_px=128, channels=3)
    with torch.device("meta"):
        encoder = Encoder(options(), data)
        assert encoder(torch.empty(2, 3, 128, 128)).shape == (2, 100)
    assert sum(weight.numel() for weight in encoder.parameters()) == 7_912_932
    assert [conv.out_channels for conv in encoder.halvings] == [64, 128, 256, 512, 1024]  # type: ignore[union-attr]


def test_a_halving_pads_after_the_image_only() -> None:
    encoder = Encoder(options(width=1, noise=1, end_px=8, output="linear"), DataSpec(size_px=16, channels=1))
    conv, last = encoder.halvings[0], encoder.last
    with torch.no_grad():
        conv.weight.fill_(1)  # type: ignore[union-attr, operator]
        conv.bias.zero_()  # type: ignore[union-attr, operator]
        last.weight.copy_(torch.arange(64.0)[None])
        last.bias.zero_()
    image = torch.zeros(1, 1, 16, 16)
    image[..., 0, 0] = 1  # of the first window alone
    assert encoder(image).item() == 0
    image[..., 0, 0], image[..., 15, 15] = 0, 1  # of the last one, whose third row and column lie outside
    assert encoder(image).item() == 63
    windows = F.unfold(F.pad(torch.rand(1, 1, 16, 16), (0, 1, 0, 1)), 3, stride=2)
    assert windows.shape[2] == 64


@pytest.mark.parametrize(("output", "low", "high"), [("sigmoid", 0, 1), ("tanh", -1, 1), ("linear", -1e6, 1e6)])
def test_the_noise_ends_as_it_was_asked_to(output: str, low: float, high: float) -> None:
    torch.manual_seed(0)
    encoder = SmileEncoder(options(width=4, noise=5, output=output), SMALL).networks()["encoder"]
    with torch.no_grad():
        for weight in encoder.parameters():
            weight.mul_(20)
    noise = encoder(torch.randn(8, 3, 16, 16))
    assert low <= noise.min() < low + (1 if high < 2 else 1e6)
    assert (noise.min() < 0) == (output != "sigmoid")
    assert (noise.abs().max() > 1) == (output == "linear")
    assert noise.max() <= high


def test_sizes_that_are_no_halvings_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"^48 px, halved, is never end_px 4; end_px may be 24, 12, 6, 3$"):
        options().roles(DataSpec(size_px=48, channels=1))
    assert options(end_px=3).roles(DataSpec(size_px=48, channels=1)) == {"encoder": "images -> noise"}


class Painter(nn.Module):
    """Paints what it is told."""

    def forward(self, noise: Tensor, labels: Tensor) -> Tensor:
        return (noise[:, :1] + 10 * labels[:, 1:])[..., None, None].expand(-1, 3, 4, 4)


class First(nn.Module):
    """Finds an image's first pixel."""

    def forward(self, images: Tensor) -> Tensor:
        return images[:, 0, 0, :1]


def test_an_image_keeps_its_noise_and_takes_the_other_label() -> None:
    architecture = SmileEncoder(options(), SMALL)
    images = torch.tensor([0.25, 0.5])[:, None, None, None].expand(2, 3, 4, 4)
    made = architecture.translate({"encoder": First(), "generator": Painter()}, images, torch.tensor([[1.0, 0], [0, 1]]))
    assert made[:, 0, 0, 0].tolist() == [0.25, 10.5]
    assert options().makes_with({"encoder", "generator"}) == {"translate"}
    assert options().makes_with({"encoder"}) == frozenset()
