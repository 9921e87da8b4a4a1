"""A data set is read once; its cache never gives anything but its content."""

import multiprocessing
import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from ganlab.contracts import ImageSet
from ganlab.data import cache
from ganlab.data.cache import CachedImages, open_images
from ganlab.errors import DataError, PluginError
from ganlab.tensors import write_tensors

# As files may be called: with letters of anywhere, spaces, quotes, line breaks, and bytes that are no text.
NAMES = ["a.png", "Änne 1.png", '"b".png', "two\nlines.png", "bad\udcff.png", *(f"line {n}" for n in range(300))]


class Bytes:
    """A data set whose images are the bytes of a file, 8 x 8; the last one is the test split."""

    def __init__(self, file: Path | None, while_reading: Callable[[], object] = lambda: None) -> None:
        self.file = file
        self.while_reading = while_reading
        self.reads = 0

    def sources(self) -> list[Path]:
        return [self.file] if self.file else []

    def read(self) -> dict[str, ImageSet]:
        self.reads += 1
        content = self.file.read_bytes() if self.file else bytes(256)
        images = np.frombuffer(content, np.uint8).reshape(-1, 1, 8, 8)
        self.while_reading()
        labels = np.arange(len(images), dtype=np.int32) % 7
        return {
            "train": ImageSet(images=images[:-1], labels=labels[:-1], identities=labels[:-1], names=NAMES[: len(images) - 1]),
            "test": ImageSet(images=torch.from_numpy(images[-1:].copy()), labels=np.eye(7, dtype=bool)[labels[-1:]]),
        }


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GANLAB_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write(tmp_path / "images.bin", 1, days_ago=3)


def write(path: Path, seed: int, *, days_ago: float) -> Path:
    path.write_bytes(np.random.default_rng(seed).bytes(64 * 10))
    os.utime(path, (time.time() - days_ago * 86400,) * 2)
    return path


def opened(dataset: Bytes, options: dict[str, object] | None = None, size_px: int = 8) -> CachedImages:
    return open_images("bytes", 1, options or {}, dataset, size_px=size_px, channels=1)


def same(a: CachedImages, b: CachedImages) -> bool:
    for split in ("train", "test"):
        for part, tensor in vars(a.splits[split]).items():
            other = getattr(b.splits[split], part)
            if part == "names":
                if tensor != other:
                    return False
            elif (tensor is None) != (other is None) or (tensor is not None and not torch.equal(tensor, other)):
                return False
    return a.fingerprint == b.fingerprint


def cache_file(home: Path) -> Path:
    (found,) = (home / "data").glob("*.safetensors")
    return found


def test_second_opening_reads_nothing(file: Path, home: Path) -> None:
    first, second = Bytes(file), Bytes(file)
    one, two = opened(first), opened(second)
    assert (first.reads, second.reads) == (1, 0)
    assert one.notices == two.notices == []
    assert same(one, two)
    pixels = torch.from_numpy(np.frombuffer(file.read_bytes(), np.uint8).copy()).view(10, 1, 8, 8)
    assert torch.equal(two.splits["train"].images, pixels[:9])
    assert torch.equal(two.splits["test"].images, pixels[9:])
    assert two.splits["train"].labels.dtype == two.splits["train"].identities.dtype == torch.int64
    assert two.splits["train"].labels.tolist() == [0, 1, 2, 3, 4, 5, 6, 0, 1]
    assert two.splits["test"].labels.dtype == torch.uint8
    assert two.splits["test"].labels.tolist() == [[0, 0, 1, 0, 0, 0, 0]]
    assert (two.splits["train"].names, two.splits["test"].names) == (NAMES[:9], None)
    assert cache_file(home).name == f"bytes-{one.fingerprint[:16]}.safetensors"


def test_whatever_decides_the_content_decides_the_fingerprint(file: Path, tmp_path: Path) -> None:
    base = opened(Bytes(file)).fingerprint
    copy = tmp_path / "copy.bin"
    copy.write_bytes(file.read_bytes())
    assert opened(Bytes(copy)).fingerprint == base
    others = [
        opened(Bytes(file), {"seed": 1}).fingerprint,
        opened(Bytes(file), size_px=16).fingerprint,
        open_images("bytes", 2, {}, Bytes(file), size_px=8, channels=1).fingerprint,
        open_images("other", 1, {}, Bytes(file), size_px=8, channels=1).fingerprint,
        open_images("bytes", 1, {}, Bytes(file), size_px=8, channels=3).fingerprint,
        opened(Bytes(None)).fingerprint,
    ]
    assert len({base, *others}) == 7


def test_images_are_fitted(file: Path) -> None:
    found = open_images("bytes", 1, {}, Bytes(file), size_px=16, channels=3)
    assert found.splits["train"].images.shape == (9, 3, 16, 16)


def test_where_files_lie_to_each_other_decides_the_content_and_where_they_all_lie_does_not(tmp_path: Path) -> None:
    class Folders(Bytes):
        def __init__(self, folder: Path) -> None:
            super().__init__(None)
            self.folder = folder

        def sources(self) -> list[Path]:
            return sorted(self.folder.rglob("*.bin"))

    def fingerprint(*names: str) -> str:
        for index, name in enumerate(names):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            write(tmp_path / name, index, days_ago=3)
        return opened(Folders(tmp_path / names[0].split("/")[0])).fingerprint

    happy = fingerprint("a/happy/1.bin", "a/sad/2.bin")
    assert fingerprint("b/happy/1.bin", "b/sad/2.bin") == happy
    assert fingerprint("c/happy/1.bin", "c/happy/2.bin") != happy
    assert fingerprint("d/happy/1.bin") == fingerprint("e/renamed.bin")


def test_known_file_is_not_hashed_again(file: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "_SETTLED_SECONDS", 0.0)
    opened(Bytes(file))
    hashed: list[Path] = []
    monkeypatch.setattr(cache, "digest", hashed.append)
    opened(Bytes(file))
    assert hashed == []
    (home / "data" / "digests.json").write_text("[broken")
    monkeypatch.undo()
    monkeypatch.setenv("GANLAB_HOME", str(home))
    assert opened(Bytes(file)).notices == []


@pytest.mark.parametrize("settled_seconds", [0.0, 2.0])
def test_change_in_place_of_the_same_size_is_seen(file: Path, monkeypatch: pytest.MonkeyPatch, settled_seconds: float) -> None:
    monkeypatch.setattr(cache, "_SETTLED_SECONDS", settled_seconds)
    before = opened(Bytes(file))
    status = file.stat()
    with file.open("r+b") as stream:
        stream.write(np.random.default_rng(2).bytes(64 * 10))
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))  # even if its times are put back
    dataset = Bytes(file)
    after = opened(dataset)
    assert dataset.reads == 1
    assert after.fingerprint != before.fingerprint
    assert after.splits["test"].images.tolist() != before.splits["test"].images.tolist()


def test_file_that_changes_while_it_is_read_is_not_cached(file: Path, home: Path) -> None:
    with pytest.raises(DataError) as error:
        opened(Bytes(file, while_reading=lambda: write(file, 2, days_ago=1)))
    assert str(error.value) == f"{file}: the file changed while it was read; start again when nothing writes to it"
    assert list(home.glob("data/*.safetensors")) == []


def test_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError) as error:
        opened(Bytes(tmp_path / "none"))
    assert str(error.value) == f"{tmp_path / 'none'}: cannot be read: No such file or directory"


@pytest.mark.parametrize("damage", [lambda content: content[:-5], lambda content: b"", lambda content: b"x" * 4000])
def test_damaged_cache_is_rebuilt_with_a_notice(file: Path, home: Path, damage: Callable[[bytes], bytes]) -> None:
    before = opened(Bytes(file))
    cached = cache_file(home)
    content = cached.read_bytes()
    cached.unlink()
    cached.write_bytes(damage(content))
    dataset = Bytes(file)
    after = opened(dataset)
    assert dataset.reads == 1
    assert same(before, after)
    (notice,) = after.notices
    assert notice.startswith(f"{cached}: damaged, or not a safetensors file (")
    assert notice.endswith("); the data are read anew")
    assert cached.read_bytes() == content


def test_cache_with_other_content_is_rebuilt(file: Path, home: Path) -> None:
    before = opened(Bytes(file))
    cached = cache_file(home)
    write_tensors(cached, {"train.images": torch.zeros(1)}, {"fingerprint": before.fingerprint, "splits": '["test"]'})
    after = opened(Bytes(file))
    assert after.notices == [f"{cached}: damaged: it does not hold the splits; the data are read anew"]
    write_tensors(cached, {}, {"fingerprint": "other"})
    after = opened(Bytes(file))
    assert after.notices == [f"{cached}: damaged, or not what its name says; the data are read anew"]
    assert same(before, after)


def test_unwritable_home_keeps_the_data_in_memory(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = opened(Bytes(file))
    monkeypatch.setenv("GANLAB_HOME", str(file / "home"))
    for _ in range(2):
        dataset = Bytes(file)
        after = opened(dataset)
        assert dataset.reads == 1
        assert same(before, after)
        assert after.notices == [
            f"the data stay in memory and the next run reads them anew: {file}/home/data: cannot be created: Not a directory"
        ]


def test_half_written_files_of_the_dead_are_removed(file: Path, home: Path) -> None:
    (home / "data").mkdir(parents=True)
    old, young = home / "data" / ".a.partial", home / "data" / ".b.partial"
    young.touch()
    write(old, 1, days_ago=2)
    opened(Bytes(file))
    assert (old.exists(), young.exists()) == (False, True)


def race(file: Path, start: float) -> None:
    """Open the same thirty data sets as the other process does."""
    while time.time() < start:
        time.sleep(0.0005)
    for version in range(30):
        found = open_images("bytes", version, {}, Bytes(file), size_px=8, channels=1)
        pixels = torch.cat([found.splits["train"].images, found.splits["test"].images])
        assert pixels.numpy().tobytes() == file.read_bytes()
        assert found.notices == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_two_processes_at_once(file: Path, home: Path) -> None:
    other = multiprocessing.get_context("fork").Process(target=race, args=(file, start := time.time() + 0.1))
    other.start()
    race(file, start)
    other.join(timeout=60)
    assert other.exitcode == 0
    assert len(list(home.glob("data/*.safetensors"))) == 30
    assert list(home.glob("data/*.partial")) == []


@pytest.mark.parametrize(
    ("images", "expected"),
    [
        (
            {"train": ImageSet(images=torch.zeros(1, 1, 8, 8).byte())},
            "read() returned splits ['train'], not ['test', 'train']",
        ),
        (
            {"train": ImageSet(images=torch.zeros(1, 1, 8, 8))},
            "split train: read() returned images float32 [1, 1, 8, 8], not uint8 [N, 1 or 3, H, W]",
        ),
        (
            {"train": ImageSet(images=torch.zeros(1, 3, 8, 9).byte())},
            "split train: read() returned images uint8 [1, 3, 8, 9], not square ones",
        ),
        (
            {"train": ImageSet(images=torch.zeros(2, 3, 8, 8).byte(), labels=torch.zeros(1, dtype=torch.long))},
            "split train: read() returned labels int64 [1], not [2] or [2, K]",
        ),
        (
            {"train": ImageSet(images=torch.zeros(2, 3, 8, 8).byte(), labels=torch.tensor([[0], [2]]))},
            "split train: read() returned labels int64 [2, 1], not 0 or 1 only",
        ),
        (
            {"train": ImageSet(images=torch.zeros(2, 3, 8, 8).byte(), names=["a.png"])},
            "split train: read() returned 1 names for 2 images",
        ),
    ],
)
def test_what_a_data_set_returns_is_checked(images: dict[str, ImageSet], expected: str) -> None:
    class Wrong(Bytes):
        def read(self) -> dict[str, ImageSet]:
            return images

    with pytest.raises(PluginError) as error:
        opened(Wrong(None))
    assert str(error.value) in (f"data set bytes, {expected}", f"data set bytes: {expected}")
