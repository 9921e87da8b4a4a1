"""CelebA's files become splits with labels and people; damaged images are named; a killed reading is gone on with."""

import multiprocessing
import os
import signal
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from ganlab_celeba import pictures
from ganlab_celeba.options import ATTRIBUTES

from ganlab.data import pieces
from ganlab.data.cache import CachedImages
from ganlab.errors import DataError

Opened = Callable[..., CachedImages]


def table(celeba: Path, name: str) -> list[list[str]]:
    lines = (celeba / f"{name}.txt").read_text().splitlines()
    return [line.split() for line in lines[2 if "attr" in name else 0 :]]


def test_splits_labels_and_people_are_those_of_the_tables(celeba: Path, opened: Opened) -> None:
    splits = opened(celeba).splits
    assert {split: tuple(images.images.shape) for split, images in splits.items()} == {
        "train": (35, 3, 64, 64),
        "test": (14, 3, 64, 64),
    }
    attributes, people = table(celeba, "list_attr_celeba"), table(celeba, "identity_CelebA")
    for split, rows in (("train", slice(35)), ("test", slice(35, None))):
        assert splits[split].labels.tolist() == [[int(value == "1") for value in row[1:]] for row in attributes[rows]]
        assert splits[split].identities.tolist() == [int(row[1]) for row in people[rows]]
        assert splits[split].names == [row[0] for row in attributes[rows]]
        for image, row in zip(splits[split].images, attributes[rows], strict=True):
            content = (celeba / "img_align_celeba" / row[0]).read_bytes()
            assert np.array_equal(image.permute(1, 2, 0).numpy(), pictures.square(content, "centre_160", 64))


def test_validation_images_train(celeba: Path, opened: Opened) -> None:
    file = celeba / "list_eval_partition.txt"
    file.write_text(file.read_text().replace(" 0\n", " 1\n", 10))
    assert len(opened(celeba).splits["train"].images) == 35


def test_one_attribute_makes_two_classes_and_none_makes_none(celeba: Path, opened: Opened) -> None:
    everything = opened(celeba).splits["train"]
    smiling = opened(celeba, labels="Smiling").splits["train"]
    assert torch.equal(smiling.labels, everything.labels[:, ATTRIBUTES.index("Smiling")].long())
    assert 0 < smiling.labels.sum() < 35
    assert opened(celeba, labels="none").splits["train"].labels is None


def test_partition_decides_what_trains(celeba: Path, opened: Opened) -> None:
    official = opened(celeba).splits
    both = torch.cat([official["train"].images, official["test"].images])
    first = opened(celeba, partition="first", train_count=40).splits
    assert torch.equal(first["train"].images, both[:40])
    assert torch.equal(first["test"].images, both[40:])
    everything = opened(celeba, partition="all").splits
    assert torch.equal(everything["train"].images, both)
    assert torch.equal(everything["test"].images, official["test"].images)
    assert everything["train"].labels.shape == (49, 40)


def test_split_without_images_is_refused(celeba: Path, opened: Opened) -> None:
    with pytest.raises(DataError) as error:
        opened(celeba, partition="first")
    assert str(error.value) == (
        f'{celeba}: train_count = 180,000 of 49 images, which leaves no test image; see partition = "first"'
    )
    file = celeba / "list_eval_partition.txt"
    file.write_text(file.read_text().replace(" 2\n", " 0\n"))
    with pytest.raises(DataError) as error:
        opened(celeba)
    assert str(error.value).startswith(f"{celeba}: list_eval_partition.txt has 0 test images of 49, which leaves no test")


def test_zip_file_and_csv_tables_give_the_same(celeba: Path, opened: Opened) -> None:
    before = opened(celeba).splits
    images = celeba / "img_align_celeba"
    with zipfile.ZipFile(celeba / "img_align_celeba.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        for image in images.iterdir():
            packed.write(image, f"img_align_celeba/{image.name}")
    images.rename(celeba / "unpacked")
    for name, header in (
        ("list_attr_celeba", ",".join(["image_id", *ATTRIBUTES])),
        ("list_eval_partition", "image_id,partition"),
    ):
        rows = [",".join(row) for row in table(celeba, name)]
        (celeba / f"{name}.csv").write_text("\r\n".join([header, *rows, ""]))
        (celeba / f"{name}.txt").unlink()
    after = opened(celeba).splits
    for split in ("train", "test"):
        for part in ("images", "labels", "identities"):
            assert torch.equal(getattr(before[split], part), getattr(after[split], part))


def test_images_may_be_used_without_any_table(celeba: Path, opened: Opened) -> None:
    for file in celeba.glob("*.txt"):
        file.unlink()
    splits = opened(celeba, labels="none", partition="first", train_count=48).splits
    assert (len(splits["train"].images), len(splits["test"].images)) == (48, 1)
    assert splits["train"].identities is None


def test_damaged_images_are_told_at_once(celeba: Path, opened: Opened, tmp_path: Path) -> None:
    images = celeba / "img_align_celeba"
    content = (images / "000001.jpg").read_bytes()
    (images / "000002.jpg").write_bytes(content[:-1000])
    (images / "000005.jpg").write_bytes(b"")
    (images / "000008.jpg").write_bytes(b"GIF89a" + bytes(100))
    with pytest.raises(DataError) as error:
        opened(celeba)
    lines = str(error.value).split("\n")
    assert lines[0] == "3 images cannot be used"
    assert lines[1].startswith(f"  {images}/000002.jpg: truncated (image file is truncated (")
    assert lines[2:] == [f"  {images}/000005.jpg: not a JPEG image", f"  {images}/000008.jpg: not a JPEG image"]
    for image in images.iterdir():
        image.write_bytes(b"no image")
    with pytest.raises(DataError) as error:
        opened(celeba)
    lines = str(error.value).split("\n")
    assert (lines[0], len(lines), lines[-1]) == ("49 images cannot be used", 12, "  and 39 more")
    assert [path.name for path in (tmp_path / "cache").iterdir() if path.name != "digests.json"] == []


def test_damaged_zip_file_is_named(celeba: Path, opened: Opened) -> None:
    images, packed = celeba / "img_align_celeba", celeba / "img_align_celeba.zip"
    with zipfile.ZipFile(packed, "w") as file:
        for image in sorted(images.iterdir()):
            file.write(image, f"img_align_celeba/{image.name}")
    images.rename(celeba / "unpacked")
    content = bytearray(packed.read_bytes())
    content[2000] ^= 255  # within the first image
    packed.write_bytes(content)
    with pytest.raises(DataError) as error:
        opened(celeba)
    assert str(error.value) == (
        f"1 image cannot be used\n  {packed}, img_align_celeba/000001.jpg: damaged in the zip file "
        "(Bad CRC-32 for file 'img_align_celeba/000001.jpg')"
    )
    packed.write_bytes(content[:-100])
    with pytest.raises(DataError) as error:
        opened(celeba)
    assert str(error.value).startswith(f"{packed}: truncated, or not a zip file (File is not a zip file). ")


def test_any_number_of_threads_gives_the_same(celeba: Path) -> None:
    names = sorted(path.name for path in (celeba / "img_align_celeba").iterdir())
    read = lambda name: (celeba / "img_align_celeba" / name).read_bytes()  # noqa: E731
    before = torch.get_num_threads()
    found = []
    for threads in (1, 5):
        torch.set_num_threads(threads)
        found.append(pictures.read_squares(names, read, str, "smile", 32))
    torch.set_num_threads(before)
    assert torch.equal(*found)


def kill_at(opened: Opened, celeba: Path, images: int) -> None:
    """Read in this process until so many images are done, and die."""
    torch.set_num_threads(1)
    opened(celeba, progress=lambda done, total: done >= images and os.kill(os.getpid(), signal.SIGKILL))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_killed_reading_goes_on_where_it_was(
    celeba: Path, opened: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pieces, "_PIECE_BYTES", 5 * 3 * 64 * 64)
    process = multiprocessing.get_context("fork").Process(target=kill_at, args=(opened, celeba, 20))
    process.start()
    process.join(timeout=60)
    assert process.exitcode == -signal.SIGKILL
    (partial,) = (tmp_path / "cache").glob(".celeba-*[0-9a-f].partial")
    with partial.open("ab") as file:
        file.write(b"half a piece")
    assert not list((tmp_path / "cache").glob("*.safetensors"))
    heard: list[int] = []
    resumed = opened(celeba, progress=lambda done, total: heard.append(done))
    assert heard == [20, 25, 30, 35, 40, 45, 49]
    assert [path.suffix for path in (tmp_path / "cache").iterdir() if path.name != "digests.json"] == [".safetensors"]
    for path in (tmp_path / "cache").iterdir():
        path.unlink()
    alone = opened(celeba)
    assert resumed.fingerprint == alone.fingerprint
    for split in ("train", "test"):
        assert torch.equal(resumed.splits[split].images, alone.splits[split].images)
        assert torch.equal(resumed.splits[split].labels, alone.splits[split].labels)


@pytest.mark.skipif(not os.path.exists("/proc/self/maps"), reason="needs /proc")  # noqa: PTH110
def test_images_lie_in_the_mapped_file(celeba: Path, opened: Opened) -> None:
    found = opened(celeba)
    addresses = [
        tuple(int(end, 16) for end in line.split()[0].split("-"))
        for line in Path("/proc/self/maps").read_text().splitlines()
        if line.endswith(f"celeba-{found.fingerprint[:16]}.safetensors")
    ]
    for images in found.splits.values():
        place = images.images.data_ptr()
        assert any(begin <= place < end for begin, end in addresses)
