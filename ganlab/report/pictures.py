"""Images -> PNG grids with captions, and image files -> images. The only door to Pillow."""

from __future__ import annotations

import io
from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import product, zip_longest
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont, ImageOps, UnidentifiedImageError
from torch import Tensor

from ganlab.contracts import DataSpec, ImageSet, Model
from ganlab.data.bank import one_hot
from ganlab.data.fit import fit
from ganlab.errors import DataError, DeviceError
from ganlab.files import write_bytes_atomic
from ganlab.registry import in_one_line

ROWS = 7  # of a grid, if nobody asks for more or fewer
_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".gif", ".tif", ".tiff")
_MAX_PIXELS = 64 * 2**20
_GAP_PX = 2  # white, around each image of a grid
_HEAD_PX = 18  # of the line of captions


def kinds_of_pictures(makes: Collection[str]) -> tuple[str, ...]:
    """Return which of "generate" and "translate" a model's pictures show, the one that needs no photos first."""
    return tuple(kind for kind in ("generate", "translate") if kind in makes)


def make_grid(
    model: Model, test: ImageSet, kind: str | None = None, *, rows: int = ROWS, seed: int = 0
) -> tuple[Tensor, list[str]]:
    """Return a grid of what `model` makes, uint8 [rows, columns, C, H, W], and the captions of its columns.

    The kind "translate" shows a source and its translation to every class; "generate" shows noise by class. None is the
    first that the model can make.
    """
    if (kind or kinds_of_pictures(model.makes)[0]) == "translate":
        return _translations(model, test, rows)
    labels, captions = _label_columns(model, test)
    images = model.generate(labels.repeat(rows, 1), seed)
    return images.unflatten(0, (rows, len(labels))), captions


def write_grid(path: Path, grid: Tensor, captions: Sequence[str]) -> None:
    """Write `grid`, uint8 [rows, columns, C, H, W], as a PNG with a caption over each column, enlarged to be seen."""
    rows, columns, _, height, width = grid.shape
    scale = max(1, 96 // width)
    cell_x, cell_y = width * scale + _GAP_PX, height * scale + _GAP_PX
    head = _HEAD_PX if any(captions) else 0
    sheet = Image.new("RGB", (columns * cell_x + _GAP_PX, rows * cell_y + _GAP_PX + head), "white")
    draw, font = ImageDraw.Draw(sheet), _font(captions, cell_x)
    for column, caption in enumerate(captions):
        shown = _clipped(caption, lambda text: font.getlength(text) <= cell_x)
        draw.text((_GAP_PX + column * cell_x + width * scale / 2, 2), shown, fill="black", font=font, anchor="ma")
    for row in range(rows):
        for column in range(columns):
            image = _to_image(grid[row, column]).resize((width * scale, height * scale), Image.Resampling.NEAREST)
            sheet.paste(image, (_GAP_PX + column * cell_x, _GAP_PX + head + row * cell_y))
    _write(path, sheet)


def top_rows(path: Path, rows: int) -> NDArray[np.uint8]:
    """Return the captions and the first `rows` rows of a grid that `write_grid` wrote, [H, W, 3]; the whole of any other."""
    try:
        with Image.open(path) as opened:
            pixels = np.array(opened.convert("RGB"))
    except OSError as error:
        raise DataError(f"{path}: cannot be read as a picture ({in_one_line(error)}); delete it to go on without it") from None
    height, width = pixels.shape[:2]
    for head, cell in product((_HEAD_PX, 0), range(_GAP_PX + 8, width)):
        lines_y, lines_x = np.arange(head, height, cell), np.arange(0, width, cell)
        if lines_y[-1] == height - _GAP_PX and lines_x[-1] == width - _GAP_PX:
            across, down = pixels[lines_y], pixels[head:, lines_x]  # where a white line begins, if the cells are so large
            if across.min() == down.min() == 255:
                return pixels[: head + min(rows, len(lines_y) - 1) * cell + _GAP_PX]
    return pixels


def write_image(path: Path, image: Tensor) -> None:
    """Write one image, uint8 [C, H, W], as a PNG."""
    _write(path, _to_image(image))


def read_images(folder: Path, size_px: int, channels: int) -> tuple[Tensor, list[str]]:
    """Return the images of a folder, square and fitted, uint8 [N, C, H, W], with their file names.

    Each is turned as its EXIF data say and cropped to the square in its centre. Raises `DataError` that lists every file
    that cannot be read.
    """
    if not folder.is_dir():
        raise DataError(f"--images {folder}: no such folder")
    paths = photos_of(folder)
    if not paths:
        raise DataError(f"--images {folder}: holds no image; looked for {', '.join(_SUFFIXES)}")
    photos = {path.name: path for path in paths}
    return read_photos(photos, size_px, channels, f"--images {folder}"), list(photos)


def photos_of(folder: Path) -> list[Path]:
    """Return the files of a folder that are called as images are, by name; of an animation the first picture is meant."""
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in _SUFFIXES)


def passed_over(folder: Path) -> str | None:
    """Return a line that names the files of a folder that are not called as images are; None if there are none."""
    others = sorted(
        path.name
        for path in folder.iterdir()
        if path.is_file() and path.suffix.lower() not in _SUFFIXES and not path.name.startswith(".")
    )
    if not others:
        return None
    shown = ", ".join(others[:5]) + (f" and {len(others) - 5} more" if len(others) > 5 else "")
    return f"{folder}: passed over {shown}; images are {', '.join(_SUFFIXES)}"


def read_photos(photos: Mapping[str, Path], size_px: int, channels: int, what: str) -> Tensor:
    """Return photos, by name, as `read_images` does; `what` is how its complaint of those that cannot be read begins."""
    images, faults = [], []
    for name, path in photos.items():
        try:
            images.append(_read_image(path, size_px, channels))
        except (OSError, ValueError, Image.DecompressionBombError) as error:
            reason = "not an image" if isinstance(error, UnidentifiedImageError) else getattr(error, "strerror", None) or error
            faults.append(f"  {name}: {reason}")
    if faults:
        raise DataError("\n".join([f"{what}: {len(faults)} of {len(photos)} files cannot be read:", *faults]))
    return torch.stack(images)


def _translations(model: Model, test: ImageSet, rows: int) -> tuple[Tensor, list[str]]:
    names = model.data.label_names
    shown = one_of_each(test, model.data, rows)
    sources = test.images[shown]
    if not names:
        made = model.translate(sources, torch.zeros(len(sources), 0))
        return torch.stack([sources, made], 1), ["source", "translation"]
    if model.data.label_kind == "classes":
        targets = torch.eye(len(names)).repeat(len(sources), 1)
    else:  # each attribute turned over
        known = torch.zeros(len(test.images), len(names)) if test.labels is None else test.labels
        own = one_hot(known, len(names), len(test.images))[shown]
        targets = (own[:, None] - torch.eye(len(names))).abs().flatten(0, 1)
    made = model.translate(sources.repeat_interleave(len(names), 0), targets)
    grid = torch.cat([sources[:, None], made.unflatten(0, (len(sources), len(names)))], 1)
    return grid, ["source", *names]


def one_of_each(test: ImageSet, data: DataSpec, rows: int) -> Tensor:
    """Return `rows` rows of `test`: one of each class in turn, or the first ones if images have no single class."""
    if test.labels is None or data.label_kind != "classes":
        return torch.arange(min(rows, len(test.images)))
    labels = test.labels if test.labels.dim() == 1 else test.labels.argmax(1)
    by_class = [(labels == k).nonzero()[:, 0].tolist() for k in range(data.labels)]
    # The k-th class begins with its k-th image, so that rows are different people where labels go round them.
    turned = [rows_of[k % len(rows_of) :] + rows_of[: k % len(rows_of)] for k, rows_of in enumerate(by_class) if rows_of]
    chosen = [row for turn in zip_longest(*turned) for row in turn if row is not None]
    return torch.tensor(chosen[:rows])


def _label_columns(model: Model, test: ImageSet) -> tuple[Tensor, list[str]]:
    data = model.data
    if data.label_kind == "classes":
        return torch.eye(data.labels), list(data.label_names)
    if data.label_kind == "attributes":
        return one_hot(test.labels, data.labels, len(test.images))[:8], [""] * 8
    return torch.zeros(8, 0), [""] * 8


def _font(captions: Sequence[str], most_px: int) -> Any:
    """Return the largest font in which every caption fits its column; else the smallest that can be read."""
    fonts = [ImageFont.load_default(points) for points in range(12, 7, -1)]
    return next((font for font in fonts if all(font.getlength(caption) <= most_px for caption in captions)), fonts[-1])


def _clipped(text: str, fits: Callable[[str], bool]) -> str:
    """Return as much of `text` as fits."""
    while text and not fits(text):
        text = text.removesuffix("...")[:-1] + "..." if len(text) > 4 else ""
    return text


def _read_image(path: Path, size_px: int, channels: int) -> Tensor:
    with Image.open(path) as opened:
        if opened.width * opened.height > _MAX_PIXELS:
            raise ValueError(f"{opened.width} x {opened.height} pixels are more than {_MAX_PIXELS}")
        if opened.mode == "F":  # of a TIFF: nobody says which number is white
            raise ValueError("its pixels are fractions; save it with 8 or 16 bits")
        image = ImageOps.exif_transpose(opened)
        if image.mode.startswith("I"):  # 16 bits: converted, all but the darkest would be white
            image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
        image = image.convert("RGB" if channels == 3 else "L")
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    pixels = np.array(image.crop((left, top, left + side, top + side)))
    tensor = torch.from_numpy(pixels)
    tensor = tensor[None] if tensor.dim() == 2 else tensor.permute(2, 0, 1)
    return fit(tensor[None], size_px=size_px, channels=channels)[0]


def _to_image(image: Tensor) -> Image.Image:
    pixels = image.permute(1, 2, 0).contiguous().numpy()
    return Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)


def _write(path: Path, image: Image.Image) -> None:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DeviceError(f"{path.parent}: cannot be made ({error.strerror})") from None
    write_bytes_atomic(path, buffer.getvalue())
