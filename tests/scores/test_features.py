"""Each image is looked at once, features stay with their images, and the resize is clean-fid's."""

from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from ganlab.scores import RandomFeatures, exact_arithmetic, features_of, in_colour, resized, told_of_progress
from ganlab.scores.features import _memory


@pytest.fixture(autouse=True)
def _forget() -> None:
    _memory().clear()


def test_several_scores_look_at_an_image_once_and_cannot_spoil_each_others_features(fakes: ModuleType) -> None:
    extractor, images = fakes.CountingExtractor(), fakes.noise(10, 0)
    first = features_of(images, extractor, batch_images=3)
    expected = first.clone()
    first.zero_()
    assert torch.equal(features_of(images.clone(), extractor, batch_images=3), expected)
    assert extractor.images == 10


def test_one_pixel_another_extractor_or_another_batch_is_looked_at_anew(fakes: ModuleType) -> None:
    extractor, images = fakes.CountingExtractor(), fakes.noise(10, 0)
    features_of(images, extractor)
    images[3, 0, 2, 2] += 1
    features_of(images, extractor)
    features_of(images, extractor, batch_images=5)
    assert extractor.images == 30
    for other in (fakes.CountingExtractor(name="other"), fakes.CountingExtractor(digest="1")):
        features_of(images, other)
        assert other.images == 10


def test_the_oldest_features_are_forgotten_first(fakes: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ganlab.scores.features._REMEMBERED_BYTES", 2 * 10 * 4 * 4)
    extractor = fakes.CountingExtractor()
    for seed in (0, 1, 0, 2, 0):
        features_of(fakes.noise(10, seed), extractor)
    assert extractor.images == 30
    features_of(fakes.noise(10, 1), extractor)
    assert extractor.images == 40


def test_progress_is_told_after_each_batch_and_only_inside_the_block(fakes: ModuleType) -> None:
    told: list[tuple[str, int, int]] = []
    with told_of_progress(lambda *now: told.append(now)):
        features_of(fakes.noise(10, 0), fakes.CountingExtractor(), batch_images=4)
    features_of(fakes.noise(10, 1), fakes.CountingExtractor(), batch_images=4)
    assert told == [("quarters", 4, 10), ("quarters", 8, 10), ("quarters", 10, 10)]


def test_an_extractor_that_loses_images_or_gives_no_numbers_is_told(fakes: ModuleType) -> None:
    extractor = fakes.CountingExtractor("short")
    images = fakes.noise(6, 0)
    extractor_type = type("Short", (type(extractor),), {"__call__": lambda self, batch: torch.zeros(len(batch) - 1, 4)})
    with pytest.raises(ValueError, match=r"^the extractor short gave 5 features for 6 images$"):
        features_of(images, extractor_type("short"))
    extractor_type = type(
        "Broken", (type(extractor),), {"__call__": lambda self, batch: torch.full((len(batch), 4), torch.nan)}
    )
    with pytest.raises(ValueError, match=r"^6 of 6 features are not finite$"):
        features_of(images, extractor_type("broken"))


@pytest.mark.parametrize("wrong", [torch.zeros(2, 3, 8, 8), torch.zeros(2, 4, 8, 8, dtype=torch.uint8)])
def test_only_rounded_images_are_scored(fakes: ModuleType, wrong: torch.Tensor) -> None:
    with pytest.raises(ValueError, match=r"^images are uint8 \[N, 1 or 3, H, W\], not "):
        features_of(wrong, fakes.CountingExtractor())


@pytest.mark.parametrize(("size_px", "new_px"), [(48, 299), (64, 299), (320, 299), (299, 299)])
def test_the_resize_is_pil_in_floating_point(size_px: int, new_px: int) -> None:
    pixels = torch.randint(0, 256, (1, 1, size_px, size_px), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    image = Image.fromarray(pixels[0, 0].float().numpy()).resize((new_px, new_px), Image.Resampling.BICUBIC)
    expected = torch.from_numpy(np.array(image)).clamp(0, 255)
    found = resized(pixels, new_px)
    assert float((found[0, 0] - expected).abs().max()) < 0.01
    assert (float(found.min()), float(found.max())) == (0, 255) or size_px == new_px
    assert not torch.equal(found, found.round()) or size_px == new_px


def test_gray_is_made_colour_after_rounding() -> None:
    gray = torch.arange(64, dtype=torch.uint8).view(1, 1, 8, 8)
    assert torch.equal(in_colour(gray), gray.repeat(1, 3, 1, 1))
    assert torch.equal(resized(in_colour(gray), 20), resized(gray, 20).repeat(1, 3, 1, 1))


def test_random_features_are_those_of_their_seed_for_gray_and_colour() -> None:
    colour = torch.randint(0, 256, (5, 3, 16, 16), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    extractor = RandomFeatures()
    features = extractor(colour)
    assert features.shape == (5, 512)
    assert torch.equal(features, RandomFeatures()(colour))
    assert extractor.digest == RandomFeatures().digest != RandomFeatures(seed=1).digest
    assert torch.allclose(extractor(colour[2:3]), features[2:3], atol=1e-5)  # each image on its own
    gray = colour[:, :1]
    assert torch.equal(extractor(gray), extractor(gray.repeat(1, 3, 1, 1)))


def test_random_weights_are_the_same_on_every_machine() -> None:
    assert RandomFeatures().digest == "b28888dc4233cd385bab24902b53026bba24658dab03c60c9a3dfe6ad318ce9d"


def test_exact_arithmetic_turns_tf32_autocast_and_gradients_off_and_gives_them_back() -> None:
    cudnn: Any = torch.backends.cudnn
    before = torch.backends.cuda.matmul.fp32_precision, cudnn.conv.fp32_precision
    with torch.autocast("cpu", dtype=torch.bfloat16):
        with exact_arithmetic(torch.device("cpu")):
            assert torch.backends.cuda.matmul.fp32_precision == "ieee"
            assert cudnn.conv.fp32_precision == "ieee"
            assert (torch.ones(4, 4) @ torch.ones(4, 4)).dtype == torch.float32
            assert torch.is_inference_mode_enabled()
        assert (torch.ones(4, 4) @ torch.ones(4, 4)).dtype == torch.bfloat16
    assert before == (torch.backends.cuda.matmul.fp32_precision, cudnn.conv.fp32_precision)
    assert torch.backends.cudnn.allow_tf32 in (True, False)  # reading it raises where the settings contradict each other
