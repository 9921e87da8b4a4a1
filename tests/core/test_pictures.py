"""What a model makes becomes a grid that a person can read; photos of any kind become images that a model can read."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from PIL import Image
from torch import Tensor

from ganlab.contracts import DataSpec, ImageSet
from ganlab.data.bank import one_hot
from ganlab.errors import DataError
from ganlab.report.pictures import make_grid, read_images, write_grid, write_image

CLASSES = ("angry", "happy", "sad")


def model(makes: str, kind: Any = "classes", names: tuple[str, ...] = CLASSES, size_px: int = 4) -> Any:
    """Return a model whose pixels are the number of the first label that it was asked for, 9 for none."""

    def painted(labels: Tensor) -> Tensor:
        numbers = torch.where(labels.any(1), labels.argmax(1), 9) if labels.shape[1] else torch.full((len(labels),), 9)
        return numbers.to(torch.uint8)[:, None, None, None].expand(-1, 1, size_px, size_px)

    return SimpleNamespace(
        makes=frozenset({makes}),
        data=DataSpec(size_px=size_px, channels=1, label_kind=kind, label_names=names),
        generate=lambda labels, seed: painted(labels),
        translate=lambda images, labels: painted(labels),
    )


def numbered(labels: Tensor | None, count: int) -> ImageSet:
    """Return images whose pixels are 100 and their number."""
    return ImageSet(images=(100 + torch.arange(count)).to(torch.uint8)[:, None, None, None].expand(-1, 1, 4, 4), labels=labels)


def pixels(grid: Tensor) -> list[list[int]]:
    """Return the first pixel of each picture of a grid."""
    return grid[:, :, 0, 0, 0].tolist()


# Grids


def test_a_translator_shows_a_source_of_each_class_and_its_translation_to_every_class() -> None:
    test = numbered(torch.arange(9) % 3, 9)
    grid, captions = make_grid(model("translate"), test)
    assert captions == ["source", *CLASSES]
    assert grid.shape == (7, 4, 1, 4, 4)
    # One of each class in turn; the k-th class begins with its k-th image: other people, not one person three times.
    assert pixels(grid) == [[100 + row, 0, 1, 2] for row in (0, 4, 8, 3, 7, 2, 6)]
    assert pixels(make_grid(model("translate"), test, rows=2)[0]) == [[100, 0, 1, 2], [104, 0, 1, 2]]
    assert sorted(row[0] for row in pixels(make_grid(model("translate"), test, rows=99)[0])) == list(range(100, 109))
    assert pixels(make_grid(model("translate"), numbered(one_hot(torch.arange(9) % 3, 3, 9), 9))[0]) == pixels(grid)


def test_a_translator_shows_photos_without_labels_as_they_come() -> None:
    grid, _ = make_grid(model("translate"), numbered(None, 5), rows=3)
    assert pixels(grid) == [[100, 0, 1, 2], [101, 0, 1, 2], [102, 0, 1, 2]]


def test_a_translator_turns_each_attribute_over() -> None:
    asked: list[Tensor] = []
    attributes = model("translate", "attributes", ("Smiling", "Eyeglasses"))
    paint = attributes.translate

    def translate(images: Tensor, labels: Tensor) -> Tensor:
        asked.append(labels)
        painted: Tensor = paint(images, labels)
        return painted

    attributes.translate = translate
    grid, captions = make_grid(attributes, numbered(torch.tensor([[1, 0], [0, 0]], dtype=torch.uint8), 2))
    assert (captions, grid.shape) == (["source", "Smiling", "Eyeglasses"], (2, 3, 1, 4, 4))
    assert asked[0].tolist() == [[0, 0], [1, 1], [1, 0], [0, 1]]
    make_grid(attributes, numbered(None, 1))  # photos whose attributes nobody knows
    assert asked[1].tolist() == [[1, 0], [0, 1]]


def test_a_generator_shows_its_classes_or_the_attributes_of_test_images_or_noise() -> None:
    test = numbered(torch.arange(9) % 3, 9)
    grid, captions = make_grid(model("generate"), test, rows=5)
    assert (captions, pixels(grid)) == (list(CLASSES), [[0, 1, 2]] * 5)

    labels = torch.eye(12)[torch.arange(12).flip(0)][:, :11]
    grid, captions = make_grid(model("generate", "attributes", tuple("abcdefghijk")), numbered(labels, 12), rows=3)
    assert (captions, pixels(grid)) == ([""] * 8, [[9, 10, 9, 8, 7, 6, 5, 4]] * 3)

    grid, captions = make_grid(model("generate", "none", ()), numbered(None, 2), rows=3)
    assert (captions, pixels(grid)) == ([""] * 8, [[9] * 8] * 3)


@pytest.mark.parametrize(("channels", "captions", "head_px"), [(1, ["a", "[/b]", "c"], 18), (3, ["", "", ""], 0)])
def test_a_grid_is_enlarged_captioned_and_opens_as_a_png(
    channels: int, captions: list[str], head_px: int, tmp_path: Path
) -> None:
    grid = torch.randint(0, 256, (2, 3, channels, 48, 48), dtype=torch.uint8)
    write_grid(tmp_path / "new" / "grid.png", grid, captions)
    with Image.open(tmp_path / "new" / "grid.png") as opened:
        assert (opened.format, opened.mode) == ("PNG", "RGB")
        assert opened.size == (3 * 98 + 2, 2 * 98 + 2 + head_px)
        corner = opened.getpixel((2 + 98 + 95, 2 + head_px + 98 + 95))  # of the picture in row 1, column 1
    assert corner == tuple(grid[1, 1, [0, 1, 2] if channels == 3 else [0, 0, 0], 47, 47].tolist())


def test_one_image_is_written_as_it_is(tmp_path: Path) -> None:
    for channels, mode in ((1, "L"), (3, "RGB")):
        image = torch.randint(0, 256, (channels, 5, 5), dtype=torch.uint8)
        write_image(tmp_path / "x.png", image)
        with Image.open(tmp_path / "x.png") as opened:
            assert (opened.mode, opened.size) == (mode, (5, 5))
        read, names = read_images(tmp_path, 5, channels)
        assert torch.equal(read[0], image)
        assert names == ["x.png"]


# Photos


def test_photos_of_any_mode_become_images_of_the_models_size_and_channels(tmp_path: Path) -> None:
    Image.new("L", (8, 8), 100).save(tmp_path / "a_gray.png")
    Image.new("RGB", (16, 16), (255, 0, 0)).save(tmp_path / "b_colour.BMP")
    Image.new("RGBA", (8, 8), (0, 0, 255, 128)).save(tmp_path / "c_alpha.png")
    Image.new("P", (8, 8)).save(tmp_path / "d_palette.png")
    Image.new("I;16", (8, 8), 0x8080).save(tmp_path / "e_sixteen_bit.png")
    (tmp_path / "notes.txt").write_text("not looked at")
    gray, names = read_images(tmp_path, 8, 1)
    colour, _ = read_images(tmp_path, 8, 3)
    assert names == ["a_gray.png", "b_colour.BMP", "c_alpha.png", "d_palette.png", "e_sixteen_bit.png"]
    assert (gray.dtype, gray.shape, colour.shape) == (torch.uint8, (5, 1, 8, 8), (5, 3, 8, 8))
    assert gray[:, 0, 4, 4].tolist() == [100, 76, 29, 0, 128]
    assert colour[:, :, 4, 4].tolist() == [[100] * 3, [255, 0, 0], [0, 0, 255], [0] * 3, [128] * 3]


def test_a_photo_is_cropped_to_the_square_in_its_centre(tmp_path: Path) -> None:
    wide = Image.new("L", (20, 10), 0)
    wide.paste(200, (5, 0, 15, 10))
    wide.save(tmp_path / "wide.png")
    wide.rotate(90, expand=True).save(tmp_path / "tall.png")
    images, _ = read_images(tmp_path, 10, 1)
    assert images.unique().tolist() == [200]


def test_a_photo_is_turned_as_its_camera_says(tmp_path: Path) -> None:
    image = Image.new("L", (16, 16), 0)
    image.paste(255, (0, 0, 16, 8))  # the upper half is white
    turned = image.transpose(Image.Transpose.ROTATE_90)  # as a camera held upright stores it
    exif = Image.Exif()
    exif[0x0112] = 6  # orientation: turn by 90 degrees clockwise
    turned.save(tmp_path / "photo.jpg", exif=exif, quality=95)
    images, _ = read_images(tmp_path, 16, 1)
    assert images[0, 0, :6].min() > 240
    assert images[0, 0, 10:].max() < 15


def test_all_files_that_cannot_be_read_are_told_at_once(tmp_path: Path) -> None:
    Image.effect_noise((64, 64), 50).save(tmp_path / "good.png")
    (tmp_path / "empty.png").touch()
    (tmp_path / "text.jpg").write_text("no image")
    whole = (tmp_path / "good.png").read_bytes()
    (tmp_path / "torn.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(DataError) as error:
        read_images(tmp_path, 8, 1)
    assert str(error.value).splitlines()[:-1] == [
        f"--images {tmp_path}: 4 of 5 files cannot be read:",
        "  empty.png: not an image",
        "  folder.png: Is a directory",
        "  text.jpg: not an image",
    ]
    assert str(error.value).splitlines()[-1].startswith("  torn.png: ")  # in the library's words


def test_a_folder_without_images_is_told(tmp_path: Path) -> None:
    for folder, reason in (
        (tmp_path, "holds no image; looked for .png, .jpg, .jpeg, .bmp, .webp, .gif, .tif, .tiff"),
        (tmp_path / "none", "no such folder"),
    ):
        with pytest.raises(DataError) as error:
            read_images(folder, 8, 1)
        assert str(error.value) == f"--images {folder}: {reason}"
