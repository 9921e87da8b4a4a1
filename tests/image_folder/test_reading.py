"""How images are found, parted, turned, cropped and refused."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from ganlab_image_folder import files, pictures
from ganlab_image_folder.options import ImageFolderOptions
from ganlab_image_folder.pictures import square
from PIL import Image, ImageOps

from ganlab.data.cache import CachedImages
from ganlab.errors import DataError

Opened = Callable[..., CachedImages]
OptionsOf = Callable[..., ImageFolderOptions]
Noise = Callable[..., Image.Image]
Save = Callable[[Path, str, int], Path]


def contents(images: CachedImages, split: str) -> set[bytes]:
    return {image.numpy().tobytes() for image in images.splits[split].images}


def bytes_of(image: Image.Image, tmp_path: Path, name: str, **options: object) -> bytes:
    image.save(tmp_path / name, **options)
    return (tmp_path / name).read_bytes()


def test_a_share_is_drawn_and_stays_when_images_come(pets: Path, opened: Opened, save: Save) -> None:
    before = opened(pets)
    for number in range(100, 140):
        save(pets, f"dog/{number}.png", number)
    after = opened(pets)
    assert len(after.splits["train"].images) + len(after.splits["test"].images) == 60
    for split in ("train", "test"):
        assert contents(before, split) < contents(after, split)
    assert contents(opened(pets, seed=1), "test") != contents(after, "test")


def test_a_copy_under_another_name_lands_in_the_same_split(pets: Path, opened: Opened) -> None:
    for path in sorted(pets.rglob("*.png")):
        path.with_name(f"copy of {path.name}").write_bytes(path.read_bytes())
    images = opened(pets)
    assert contents(images, "train") & contents(images, "test") == set()


def test_train_and_test_folders_are_the_splits(tmp_path: Path, opened: Opened, options_of: OptionsOf, save: Save) -> None:
    folder = tmp_path / "parted"
    for number in range(6):
        save(folder, f"{'train' if number < 4 else 'test'}/{'ab'[number % 2]}/{number}.png", number)
    images = opened(folder)
    assert {split: len(part.images) for split, part in images.splits.items()} == {"train": 4, "test": 2}
    assert options_of(folder).data_spec().label_names == ("a", "b")
    names = {split: sorted(part.names or ()) for split, part in images.splits.items()}
    assert names == {
        "train": ["train/a/0.png", "train/a/2.png", "train/b/1.png", "train/b/3.png"],
        "test": ["test/a/4.png", "test/b/5.png"],
    }
    for part in images.splits.values():
        for name, image in zip(part.names or (), part.images, strict=True):
            whole = np.asarray(Image.open(folder / name)).transpose(2, 0, 1)
            assert np.array_equal(whole[:, :, 2:18], image.numpy())  # the middle of 20 x 16
    save(folder, "val/a/x.png", 9)
    with pytest.raises(DataError, match=r"val/a/x\.png: neither below train/ nor below test/"):
        options_of(folder)


def test_train_without_test_is_refused(tmp_path: Path, options_of: OptionsOf, save: Save) -> None:
    save(tmp_path, "train/a/0.png", 0)
    with pytest.raises(DataError, match="there are images below train/ and none below test/"):
        options_of(tmp_path)


def test_the_first_images_are_of_every_class(pets: Path, opened: Opened) -> None:
    assert set(opened(pets).splits["train"].labels[:6].tolist()) == {0, 1}


def test_the_middle_square_is_kept_and_resized(tmp_path: Path, noise: Noise) -> None:
    image = noise(1, width=40, height=16)
    expected = np.asarray(image.crop((12, 0, 28, 16)))
    assert (square(bytes_of(image, tmp_path, "x.png"), 16, 3) == expected).all()
    small = image.crop((12, 0, 28, 16)).resize((8, 8), Image.Resampling.BICUBIC)
    assert (square(bytes_of(image, tmp_path, "x.png"), 8, 3) == np.asarray(small)).all()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_data_turn_an_image(orientation: int, tmp_path: Path, noise: Noise) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = bytes_of(noise(2, width=16, height=16), tmp_path, "x.png", exif=exif)
    expected = ImageOps.exif_transpose(Image.open(tmp_path / "x.png"))
    assert (square(content, 16, 3) == np.asarray(expected)).all()


def test_gray_and_colour_become_each_other(tmp_path: Path, noise: Noise) -> None:
    gray = noise(3, 16, 16).convert("L")
    as_colour = square(bytes_of(gray, tmp_path, "x.png"), 16, 3)
    assert (as_colour == np.asarray(gray)[..., None]).all()
    colour = noise(3, 16, 16)
    assert (square(bytes_of(colour, tmp_path, "x.png"), 16, 1)[..., 0] == np.asarray(gray)).all()
    assert (square(bytes_of(colour, tmp_path, "x.png"), 16, 3) == np.asarray(colour)).all()


def test_the_first_picture_of_a_gif_and_a_tiff_are_read_and_fractions_refused(tmp_path: Path) -> None:
    film = [Image.new("RGB", (16, 16), colour) for colour in ("red", "blue")]
    film[0].save(tmp_path / "x.gif", save_all=True, append_images=film[1:])
    assert square((tmp_path / "x.gif").read_bytes(), 16, 3)[0, 0].tolist() == [255, 0, 0]
    assert square(bytes_of(film[1], tmp_path, "y.tiff"), 16, 3)[0, 0].tolist() == [0, 0, 255]
    with pytest.raises(ValueError, match="its pixels are fractions; save it with 8 or 16 bits"):
        square(bytes_of(Image.new("F", (16, 16), 0.5), tmp_path, "z.tiff"), 16, 3)


def test_what_is_transparent_becomes_white_and_16_bits_8(tmp_path: Path) -> None:
    clear = Image.new("RGBA", (16, 16), (10, 20, 30, 0))
    assert (square(bytes_of(clear, tmp_path, "x.png"), 16, 3) == 255).all()
    deep = Image.fromarray(np.full((16, 16), 0x4321, np.uint16))
    assert (square(bytes_of(deep, tmp_path, "y.png"), 16, 3) == 0x43).all()


def test_every_unreadable_image_is_named(pets: Path, opened: Opened) -> None:
    (pets / "cat/00.png").write_bytes(b"no image")
    whole = (pets / "dog/12.png").read_bytes()
    (pets / "dog/12.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError) as raised:
        opened(pets)
    heading, *named = str(raised.value).splitlines()
    assert heading == "2 images cannot be used"
    assert sorted(line.strip().partition(": ")[0] for line in named) == [f"{pets}/cat/00.png", f"{pets}/dog/12.png"]
    assert f"  {pets}/cat/00.png: no PNG, JPEG, BMP, WebP, GIF or TIFF image, whatever its name says" in named


def test_ceilings_hold(pets: Path, opened: Opened, monkeypatch: pytest.MonkeyPatch, options_of: OptionsOf) -> None:
    monkeypatch.setattr(files, "CEILING_IMAGES", 19)
    with pytest.raises(DataError, match="holds more than 19 images"):
        options_of(pets)
    monkeypatch.undo()
    monkeypatch.setattr(pictures, "CEILING_PIXELS", 319)
    with pytest.raises(DataError, match="20 x 16 are more than 319 pixels"):
        opened(pets)
    monkeypatch.undo()
    monkeypatch.setattr(pictures, "CEILING_BYTES", 10)
    with pytest.raises(DataError, match=r"cat/00\.png: the file has more than 0 MiB"):
        opened(pets)


def test_a_link_in_a_circle_is_named_and_another_followed(
    pets: Path, opened: Opened, tmp_path: Path, options_of: OptionsOf, save: Save
) -> None:
    save(tmp_path, "elsewhere/0.png", 77)
    (pets / "fox").symlink_to(tmp_path / "elsewhere")
    assert options_of(pets).label_names == ("cat", "dog", "fox")
    (pets / "cat" / "again").symlink_to(pets)
    with pytest.raises(DataError, match="cat/again/: a link to a folder above it, so without end"):
        options_of(pets)


def test_a_file_that_is_no_image_is_not_passed_over(pets: Path, options_of: OptionsOf) -> None:
    (pets / "notes.txt").write_text("mine")
    (pets / ".DS_Store").write_text("")
    assert options_of(pets).label_names == ("cat", "dog")
    (pets / "cat/film.heic").write_bytes(b"none")
    with pytest.raises(DataError, match=r"cat/film\.heic: no image that can be read"):
        options_of(pets)


def test_an_absent_or_empty_folder_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options_of: OptionsOf
) -> None:
    monkeypatch.setenv("GANLAB_DATA", str(tmp_path / "data"))
    with pytest.raises(DataError, match=r"Set dataset\.path to it"):
        options_of(tmp_path / "gone")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="holds no image"):
        options_of(tmp_path / "empty")


def test_a_share_that_leaves_no_test_image_is_refused(pets: Path, opened: Opened) -> None:
    with pytest.raises(DataError, match="test_share = 1e-06 of 20 images leaves no test image"):
        opened(pets, test_share=1e-6)
