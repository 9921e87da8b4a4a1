"""Images of any size and colour come out as a recipe asks for them."""

import numpy as np
import torch
from PIL import Image

from ganlab.data.fit import fit


def random_images(count: int, channels: int, size_px: int) -> torch.Tensor:
    return torch.randint(0, 256, (count, channels, size_px, size_px), generator=torch.Generator().manual_seed(0)).byte()


def test_images_that_fit_are_not_copied() -> None:
    images = random_images(3, 1, 48)
    assert fit(images, 48, 1) is images


def test_gray_is_repeated_and_comes_back() -> None:
    images = random_images(300, 1, 8)
    colour = fit(images, 8, 3)
    assert torch.equal(colour, images.expand(-1, 3, -1, -1))
    assert torch.equal(fit(colour, 8, 1), images)


def test_colour_becomes_the_luma_that_pillow_computes() -> None:
    images = random_images(5, 3, 16)
    for image, gray in zip(images, fit(images, 16, 1), strict=True):
        expected = np.asarray(Image.fromarray(image.permute(1, 2, 0).numpy()).convert("L"))
        assert torch.equal(gray[0], torch.from_numpy(expected.copy()))


def test_sizes_change_as_in_pillow() -> None:
    smooth = fit(random_images(300, 1, 8), 64, 1)
    assert smooth.shape == (300, 1, 64, 64)
    smaller = fit(smooth, 24, 3)
    assert smaller.shape == (300, 3, 24, 24)
    expected = np.asarray(Image.fromarray(smooth[299, 0].numpy()).resize((24, 24), Image.Resampling.BICUBIC)).astype(int)
    assert np.abs(smaller[299, 1].numpy().astype(int) - expected).max() <= 1


def test_no_images_stay_none() -> None:
    assert fit(torch.zeros(0, 3, 8, 8, dtype=torch.uint8), 16, 1).shape == (0, 1, 16, 16)
