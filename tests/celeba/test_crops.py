"""What is cut out of a picture of 178 x 218, pixel by pixel."""

import io

import numpy as np
import pytest
import torch
from ganlab_celeba.options import SIZES_PX
from ganlab_celeba.pictures import square
from numpy.typing import NDArray
from PIL import Image
from torch.nn import functional as F

COLUMNS, ROWS = np.meshgrid(np.arange(178), np.arange(218))
GRADIENT = np.stack([COLUMNS, ROWS, (COLUMNS + ROWS) // 2], axis=2).astype(np.uint8)  # red tells the column, green the row


def jpeg(pixels: NDArray[np.uint8], mode: str = "RGB") -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(stream, "JPEG", quality=100, subsampling="4:4:4")
    return stream.getvalue()


CONTENT = jpeg(GRADIENT)
DECODED = np.asarray(Image.open(io.BytesIO(CONTENT)))


@pytest.mark.parametrize(
    ("crop", "rows", "columns"),
    [
        ("smile", slice(55, 183), slice(35, 163)),
        ("ae_acgan", slice(59, 187, 2), slice(24, 152, 2)),
        ("centre_160", slice(29, 189), slice(9, 169)),
        ("centre_178", slice(20, 198), slice(0, 178)),
    ],
)
def test_unresized_crop_is_what_the_variants_say(crop: str, rows: slice, columns: slice) -> None:
    expected = DECODED[rows, columns]
    found = square(CONTENT, crop, len(expected))  # type: ignore[arg-type]
    assert np.array_equal(found, expected)
    difference = found.astype(int) - GRADIENT[rows, columns]
    assert abs(difference.mean(axis=(0, 1))).max() < 0.1  # one row or column aside would be 1
    assert abs(difference).max() <= 3  # of the JPEG


def test_published_sizes_need_no_resizing() -> None:
    assert SIZES_PX["smile"] == 128
    assert SIZES_PX["ae_acgan"] == 64
    assert square(CONTENT, "ae_acgan", 64)[0, 0].tolist() == DECODED[59, 24].tolist()
    assert square(CONTENT, "ae_acgan", 64)[63, 63].tolist() == DECODED[185, 150].tolist()
    assert square(CONTENT, "smile", 128)[127, 127].tolist() == DECODED[182, 162].tolist()


@pytest.mark.parametrize(
    ("crop", "box"),
    [
        ("centre_160", (29, 189, 9, 169)),
        ("centre_178", (20, 198, 0, 178)),
        ("smile", (55, 183, 35, 163)),
        ("full", (0, 218, 0, 178)),
    ],
)
def test_crop_is_resized_bilinearly_with_antialiasing_and_sees_nothing_beside_itself(
    crop: str, box: tuple[int, int, int, int]
) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (218, 178, 3), np.uint8)
    content = jpeg(noise)
    top, bottom, left, right = box
    part = torch.from_numpy(np.asarray(Image.open(io.BytesIO(content)))[top:bottom, left:right].copy()).permute(2, 0, 1)[None]
    exact = F.interpolate(part.double(), (64, 64), mode="bilinear", antialias=True)[0].permute(1, 2, 0).numpy()
    found = square(content, crop, 64)  # type: ignore[arg-type]
    assert found.shape == (64, 64, 3)
    assert abs(found - exact).max() <= 1.01  # Pillow rounds after each direction
    assert abs(found - exact).mean() < 0.35


def test_every_second_pixel_is_not_antialiased() -> None:
    stripes = np.zeros((218, 178, 3), np.uint8)
    stripes[1::2] = 255  # rows 59, 61, ... are white
    content = jpeg(stripes)
    assert square(content, "ae_acgan", 64).min() >= 250
    assert abs(square(content, "smile", 64)[1:-1].astype(int) - 128).max() <= 4


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (CONTENT[:-3000], "image file is truncated"),
        (b"", "not a JPEG file"),
        (jpeg(GRADIENT[:, :170]), "170 x 218 RGB, not 178 x 218 RGB"),
        (jpeg(GRADIENT, mode="L"), "178 x 218 L, not 178 x 218 RGB"),
    ],
)
def test_damaged_images_are_refused(content: bytes, reason: str) -> None:
    with pytest.raises((OSError, SyntaxError, ValueError)) as error:
        square(content, "centre_160", 64)
    assert str(error.value).startswith(reason)


def test_no_damage_gets_through_as_another_kind_of_error() -> None:
    random = np.random.default_rng(1)
    refused = 0
    for _ in range(300):
        content = bytearray(CONTENT)
        for place in random.integers(0, 700, 3):  # the headers
            content[place] = random.integers(256)
        try:
            square(bytes(content), "centre_160", 64)
        except (OSError, SyntaxError, ValueError):
            refused += 1
    assert refused > 30
