"""Image files of any size -> squares as a recipe asks for them; on as many threads as torch may use."""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from ganlab import DataError

CEILING_BYTES = 1 << 27  # of one file
CEILING_PIXELS = 64 * 2**20

_FORMATS = ("PNG", "JPEG", "BMP", "WEBP", "GIF", "TIFF")
_ORIENTATION = 0x0112  # of the EXIF data; its values, and what makes the picture upright
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_TASK_IMAGES = 16  # given to a thread at once


def read_squares(paths: Sequence[Path], size_px: int, channels: int) -> Tensor:
    """Return uint8 [N, C, S, S]; raises DataError with a line for each file that cannot be read."""
    squares = np.empty((len(paths), size_px, size_px, channels), np.uint8)

    def work(begin: int) -> list[str]:
        faults = []
        for row in range(begin, min(begin + _TASK_IMAGES, len(paths))):
            try:
                squares[row] = square(content(paths[row]), size_px, channels)
            except (OSError, SyntaxError, ValueError, MemoryError, struct.error, Image.DecompressionBombError) as error:
                faults.append(f"{paths[row]}: {reason(error)}")
        return faults

    with ThreadPoolExecutor(torch.get_num_threads()) as threads:
        faults = [fault for found in threads.map(work, range(0, len(paths), _TASK_IMAGES)) for fault in found]
    if faults:
        raise DataError("\n".join(faults))
    return torch.from_numpy(squares).permute(0, 3, 1, 2).contiguous()


def content(path: Path) -> bytes:
    """Return the bytes of a file; raises OSError, or ValueError for one that is no photograph."""
    with path.open("rb") as file:
        read = file.read(CEILING_BYTES + 1)
    if len(read) > CEILING_BYTES:
        raise ValueError(f"the file has more than {CEILING_BYTES >> 20} MiB")
    return read


def square(content: bytes, size_px: int, channels: int) -> NDArray[np.uint8]:
    """Return uint8 [S, S, C]: turned as its EXIF data say, its middle square, resized (bicubic, antialiased).

    What is transparent becomes white; of an animation the first picture counts. Raises what Pillow does.
    """
    with Image.open(io.BytesIO(content), formats=_FORMATS) as opened:
        if opened.width * opened.height > CEILING_PIXELS:
            raise ValueError(f"{opened.width} x {opened.height} are more than {CEILING_PIXELS:,} pixels")
        if opened.mode == "F":  # of a TIFF: nobody says which number is white
            raise ValueError("its pixels are fractions; save it with 8 or 16 bits")
        # Not by Pillow's exif_transpose: that writes all EXIF data anew, and fails for a photograph where any are damaged.
        turn = _TURNS.get(opened.getexif().get(_ORIENTATION, 1))
        image: Image.Image = opened.copy() if turn is None else opened.transpose(turn)
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    image = _converted(image.crop((left, top, left + side, top + side)), channels)
    if side != size_px:
        image = image.resize((size_px, size_px), Image.Resampling.BICUBIC)
    return np.asarray(image).reshape(size_px, size_px, channels)


def _converted(image: Image.Image, channels: int) -> Image.Image:
    if image.mode.startswith("I"):  # 16 bits: converted, all but the darkest would be white
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("RGB" if channels == 3 else "L")


def reason(error: BaseException) -> str:
    """Return what is wrong with a file, in a few words."""
    if isinstance(error, UnidentifiedImageError):
        return "no PNG, JPEG, BMP, WebP, GIF or TIFF image, whatever its name says"
    if isinstance(error, MemoryError):
        return "too large for the memory"
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return text.replace("\n", " ")
