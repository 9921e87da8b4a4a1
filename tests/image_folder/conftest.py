"""A folder of small pictures, made anew for each test, and what a run would get of it."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from ganlab_image_folder.dataset import ImageFolder
from ganlab_image_folder.options import ImageFolderOptions
from PIL import Image

from ganlab.data.cache import CachedImages, open_images


def _noise(seed: int, width: int = 20, height: int = 16) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8))


def _save(folder: Path, name: str, seed: int) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    _noise(seed).save(path)
    return path


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    """Return a folder of 12 cats and 8 dogs."""
    folder = tmp_path / "pets"
    for number in range(20):
        _save(folder, f"{'cat' if number < 12 else 'dog'}/{number:02}.png", number)
    return folder


@pytest.fixture
def table(tmp_path: Path) -> Callable[[str, str], Path]:
    """Return `table(name, text)`: a folder of ten pictures, 0.png to 9.png, with a table."""

    def write(name: str, text: str) -> Path:
        folder = tmp_path / "listed"
        for number in range(10):
            _save(folder, f"{number}.png", number)
        (folder / name).write_text(text)
        return folder

    return write


@pytest.fixture
def opened(tmp_path: Path) -> Callable[..., CachedImages]:
    """Return `opened(folder, **options)`: the images as a run gets them."""

    def open_folder(folder: Path, **changes: object) -> CachedImages:
        options = _options_of(folder, **changes)
        spec = options.data_spec()
        return open_images(
            *("image_folder", 1, options.content(), ImageFolder(options)),
            size_px=spec.size_px,
            channels=spec.channels,
            folder=tmp_path / "cache",
        )

    return open_folder


def _options_of(folder: Path, **changes: object) -> ImageFolderOptions:
    values: Mapping[str, object] = {"path": str(folder), "size_px": 16, **changes}
    return ImageFolderOptions.model_validate(values).found()


@pytest.fixture
def noise() -> Callable[..., Image.Image]:
    """Return `noise(seed, width, height)`: a picture that no other seed gives."""
    return _noise


@pytest.fixture
def save() -> Callable[[Path, str, int], Path]:
    """Return `save(folder, name, seed)`, which writes a picture of noise."""
    return _save


@pytest.fixture
def options_of() -> Callable[..., ImageFolderOptions]:
    """Return `options_of(folder, **changes)`: the options as a recipe that names the folder gets them."""
    return _options_of
