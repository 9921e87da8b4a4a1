"""Images that are made a piece at a time become the same file as those that are there at once, whatever stops the making."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from ganlab.contracts import ImageSet, Pieces
from ganlab.data import cache, pieces
from ganlab.data.cache import CachedImages, open_images
from ganlab.errors import DataError, DeviceError, PluginError, RunError

IMAGES = np.random.default_rng(0).integers(0, 256, (50, 3, 8, 8), np.uint8)
LABELS = np.arange(50) % 7


class Slow:
    """A data set of 50 images, 10 of them in the test split, made in pieces."""

    def __init__(self, make: Callable[[NDArray[np.uint8]], object] = lambda images: images, is_whole: bool = False) -> None:
        self.make = make
        self.is_whole = is_whole
        self.made: list[int] = []

    def sources(self) -> list[Path]:
        return []

    def read(self) -> dict[str, ImageSet]:
        return {"train": self.part(0, 40), "test": self.part(40, 50)}

    def part(self, first: int, last: int) -> ImageSet:
        def make(begin: int, end: int) -> object:
            self.made += range(first + begin, first + end)
            return self.make(IMAGES[first + begin : first + end])

        images = IMAGES[first:last] if self.is_whole else Pieces(count=last - first, make=make)
        return ImageSet(images=images, labels=LABELS[first:last], identities=LABELS[first:last])


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "_PIECE_BYTES", 7 * 3 * 8 * 8)  # 40 = 5 x 7 + 5, 10 = 7 + 3


def opened(folder: Path, dataset: Slow | None = None, size_px: int = 8, **options: object) -> CachedImages:
    return open_images("slow", 1, {}, dataset or Slow(), size_px=size_px, channels=3, folder=folder, **options)  # type: ignore[arg-type]


def same(a: CachedImages, b: CachedImages) -> bool:
    parts = ("images", "labels", "identities")
    return all(torch.equal(getattr(a.splits[s], p), getattr(b.splits[s], p)) for s in ("train", "test") for p in parts)


def interrupt_at(images: int) -> Callable[[int, int], None]:
    def progress(done: int, total: int) -> None:
        if done >= images:
            raise KeyboardInterrupt

    return progress


@pytest.mark.parametrize("size_px", [8, 12])
def test_pieces_give_what_the_whole_gives(tmp_path: Path, size_px: int) -> None:
    whole, parted = opened(tmp_path / "a", Slow(is_whole=True), size_px), opened(tmp_path / "b", size_px=size_px)
    assert same(whole, parted)
    assert whole.fingerprint == parted.fingerprint
    again = Slow()
    assert same(opened(tmp_path / "b", again, size_px), whole)
    assert again.made == []


def test_progress_tells_every_piece(tmp_path: Path) -> None:
    heard: list[tuple[int, int]] = []
    dataset = Slow()
    opened(tmp_path, dataset, progress=lambda done, total: heard.append((done, total)))
    assert heard == [(done, 50) for done in (0, 7, 14, 21, 28, 35, 40, 47, 50)]
    assert dataset.made == list(range(50))
    assert [path.name[:5] for path in tmp_path.iterdir()] == ["slow-"]


@pytest.mark.parametrize(("stop_at", "lost_bytes", "kept"), [(0, 0, 0), (14, 0, 14), (14, 1, 7), (40, 0, 40), (47, 500, 40)])
def test_interrupted_making_goes_on(tmp_path: Path, stop_at: int, lost_bytes: int, kept: int) -> None:
    with pytest.raises(KeyboardInterrupt):
        opened(tmp_path, progress=interrupt_at(stop_at))
    (partial,) = tmp_path.glob(".slow-*.partial")
    with partial.open("r+b") as file:
        file.truncate(partial.stat().st_size - lost_bytes)
    dataset = Slow()
    found = opened(tmp_path, dataset)
    assert dataset.made == list(range(kept, 50))
    assert same(found, opened(tmp_path / "alone", Slow(is_whole=True)))


@pytest.mark.parametrize("damage", [lambda content: b"", lambda content: content[:100], lambda content: b"x" + content[1:]])
def test_begun_file_that_is_not_the_right_one_is_begun_anew(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    with pytest.raises(KeyboardInterrupt):
        opened(tmp_path, progress=interrupt_at(14))
    (partial,) = tmp_path.glob(".slow-*.partial")
    partial.write_bytes(damage(partial.read_bytes()))
    dataset = Slow()
    assert same(opened(tmp_path, dataset), opened(tmp_path / "alone", Slow(is_whole=True)))
    assert dataset.made == list(range(50))


def test_damaged_cache_is_made_anew(tmp_path: Path) -> None:
    before = opened(tmp_path)
    (file,) = tmp_path.glob("*.safetensors")
    content = file.read_bytes()
    file.unlink()
    file.write_bytes(content[:-5])
    after = opened(tmp_path)
    assert after.notices[0].endswith("; the data are read anew")
    assert after.fingerprint == before.fingerprint
    assert file.read_bytes() == content


def test_faults_of_all_pieces_are_told_and_nothing_is_kept(tmp_path: Path) -> None:
    def damaged(images: NDArray[np.uint8]) -> object:
        if images[0, 0, 0, 0] % 2:
            raise DataError("\n".join(f"image {image[0, 0, 0]} is bad" for image in images))
        return images

    expected = [
        f"  image {image[0, 0, 0]} is bad"
        for begin, end in [(0, 7), (7, 14), (14, 21), (21, 28), (28, 35), (35, 40), (40, 47), (47, 50)]
        for image in IMAGES[begin:end]
        if IMAGES[begin, 0, 0, 0] % 2
    ]
    with pytest.raises(DataError) as error:
        opened(tmp_path, Slow(damaged))
    lines = str(error.value).split("\n")
    assert len(expected) > 10
    assert lines == [f"{len(expected)} images cannot be used", *expected[:10], f"  and {len(expected) - 10} more"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda images: images.astype(np.float32), "read() returned images float32 [7, 3, 8, 8], not uint8 [N, 1 or 3, H, W]"),
        (lambda images: images[:, :, :4], "read() returned images uint8 [7, 3, 4, 8], not square ones"),
        (lambda images: images[1:], "rows 0 to 7 were asked for, 6 made"),
    ],
)
def test_what_is_made_is_checked(tmp_path: Path, make: Callable[..., object], expected: str) -> None:
    with pytest.raises(PluginError) as error:
        opened(tmp_path, Slow(make))
    assert str(error.value) == f"data set slow, split train: {expected}"
    assert list(tmp_path.iterdir()) == []


def test_full_disk_is_told_before_anything_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = type("Usage", (), {"free": 5000})
    monkeypatch.setattr(pieces.shutil, "disk_usage", lambda path: usage)
    dataset = Slow()
    with pytest.raises(DeviceError) as error:
        opened(tmp_path, dataset)
    assert str(error.value).startswith(f"{tmp_path}: 0 MiB of images are to be written and 0 MiB are free; make room, or set ")
    assert dataset.made == []


def test_folder_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RunError) as error:
        opened(tmp_path / "file" / "data")
    assert "cannot be written: Not a directory" in str(error.value)


def test_another_process_waits_and_takes_what_the_first_has_made(tmp_path: Path) -> None:
    first, second = Slow(lambda images: time.sleep(0.03) or images), Slow()
    found: list[CachedImages] = []
    threads = [threading.Thread(target=lambda it=it: found.append(opened(tmp_path, it))) for it in (first, second)]  # type: ignore[misc]
    threads[0].start()
    while not first.made:
        time.sleep(0.001)
    threads[1].start()
    for thread in threads:
        thread.join(timeout=60)
    assert (len(first.made), second.made) == (50, [])
    assert same(*found)
    assert [path.suffix for path in tmp_path.iterdir()] == [".safetensors"]


def test_abandoned_pieces_are_removed_by_the_next_data_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(KeyboardInterrupt):
        opened(tmp_path, progress=interrupt_at(14))
    monkeypatch.setattr(cache, "_ABANDONED_SECONDS", -1.0)
    dataset = Slow()
    opened(tmp_path, dataset)
    assert dataset.made == list(range(50))
