"""JPEG files of 178 x 218 -> the squares that a recipe asks for, on as many threads as torch may use.

Each image is decoded whole: libjpeg's smaller scales (Pillow's `draft`) are quicker and give other pixels.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile
from torch import Tensor

from ganlab import DataError
from ganlab_celeba.options import Crop

WIDTH_PX, HEIGHT_PX = 178, 218
# Left, top, right and bottom, the last two exclusive.
BOXES: dict[Crop, tuple[int, int, int, int]] = {
    "centre_160": (9, 29, 169, 189),
    "centre_178": (0, 20, 178, 198),
    "smile": (35, 55, 163, 183),
    "ae_acgan": (24, 59, 152, 187),
    "full": (0, 0, 178, 218),
}

_TASK_IMAGES = 32  # given to a thread at once


def read_squares(
    names: Sequence[str],
    read: Callable[[str], bytes],
    place: Callable[[str], str],
    crop: Crop,
    size_px: int,
) -> Tensor:
    """Return uint8 [N, 3, S, S]; raises DataError with a line, begun by `place(name)`, for each image that is damaged."""
    squares = np.empty((len(names), size_px, size_px, 3), np.uint8)

    def work(begin: int) -> list[str]:
        faults = []
        for row in range(begin, min(begin + _TASK_IMAGES, len(names))):
            try:
                squares[row] = square(read(names[row]), crop, size_px)
            except (OSError, SyntaxError, ValueError) as error:  # Pillow raises all three
                faults.append(f"{place(names[row])}: {_reason(error)}")
        return faults

    with ThreadPoolExecutor(torch.get_num_threads()) as threads:
        faults = [fault for found in threads.map(work, range(0, len(names), _TASK_IMAGES)) for fault in found]
    if faults:
        raise DataError("\n".join(faults))
    return torch.from_numpy(squares).permute(0, 3, 1, 2).contiguous()


def square(content: bytes, crop: Crop, size_px: int) -> NDArray[np.uint8]:
    """Return uint8 [S, S, 3] of a JPEG file.

    Raises OSError, SyntaxError or ValueError for one that is damaged or no image of CelebA.
    """
    with JpegImageFile(io.BytesIO(content)) as image:  # what Image.open would find out of many formats
        if image.size != (WIDTH_PX, HEIGHT_PX) or image.mode != "RGB":
            width, height = image.size
            raise ValueError(f"{width} x {height} {image.mode}, not {WIDTH_PX} x {HEIGHT_PX} RGB")
        part = image.crop(BOXES[crop])
    if crop == "ae_acgan":
        every_second = _pixels(part)[::2, ::2]
        if len(every_second) == size_px:
            return every_second
        part = Image.fromarray(every_second)
    if part.size != (size_px, size_px):
        part = part.resize((size_px, size_px), Image.Resampling.BILINEAR)
    return _pixels(part)


def _pixels(image: Image.Image) -> NDArray[np.uint8]:
    """Return `np.asarray(image)`, in half its time."""
    return np.frombuffer(image.tobytes(), np.uint8).reshape(image.height, image.width, 3)


def _reason(error: Exception) -> str:
    """Return what is wrong with an image, in a few words."""
    if isinstance(error, SyntaxError):
        return "not a JPEG image"
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return f"truncated ({text})" if "truncated" in text or "Truncated" in text else text
