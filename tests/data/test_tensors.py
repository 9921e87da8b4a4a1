"""Files of tensors are whole or absent, and come back as they were."""

import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from ganlab.errors import DeviceError, RunError
from ganlab.files import replacing, write_bytes_atomic, write_text_atomic
from ganlab.tensors import DamagedFile, digest, read_tensors, write_tensors

DTYPES = [
    torch.float32,
    torch.float64,
    torch.float16,
    torch.bfloat16,
    torch.int64,
    torch.int32,
    torch.uint8,
    torch.bool,
]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "networks.safetensors"
    write_tensors(path, {"weight": torch.arange(6.0).reshape(2, 3)}, {"step": "7"})
    return path


def test_tensors_of_every_kind_come_back(tmp_path: Path) -> None:
    path = tmp_path / "all.safetensors"
    image = torch.arange(2 * 3 * 4 * 4.0).reshape(2, 3, 4, 4)
    tensors = {str(dtype): torch.tensor([[0, 1], [1, 0], [1, 1]]).to(dtype) for dtype in DTYPES}
    tensors |= {
        "scalar": torch.tensor(3.5),
        "empty": torch.zeros(0, 4),
        "channels_last": image.contiguous(memory_format=torch.channels_last),
        "transposed": image.mT,
        "odd bytes": torch.tensor([1, 2, 3], dtype=torch.uint8),
        "parameter": torch.nn.Parameter(torch.ones(2)),
    }
    write_tensors(path, tensors, {"step": "7", "name": "ä\n"})
    found, metadata = read_tensors(path)
    assert metadata == {"step": "7", "name": "ä\n"}
    assert found.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert found[name].dtype == tensor.dtype
        assert torch.equal(found[name], tensor), name
    assert load_file(path).keys() == tensors.keys()  # the library reads it too


def test_tied_tensors_are_stored_once_and_come_back_tied(tmp_path: Path) -> None:
    path = tmp_path / "tied.safetensors"
    weight = torch.arange(1000.0)
    write_tensors(path, {"a": weight, "b": weight, "part": weight[:10], "whole": weight.view(10, 100)})
    assert path.stat().st_size < 3 * 4000
    found, metadata = read_tensors(path)
    assert metadata == {}
    assert found["a"].data_ptr() == found["b"].data_ptr()
    assert torch.equal(found["b"], weight)
    assert torch.equal(found["part"], weight[:10])
    assert torch.equal(found["whole"], weight.view(10, 100))


def test_same_tensors_give_same_bytes(tmp_path: Path) -> None:
    one, two = tmp_path / "1", tmp_path / "2"
    write_tensors(one, {"a": torch.ones(3), "b": torch.zeros(2, dtype=torch.int64)}, {"x": "y"})
    write_tensors(two, {"b": torch.zeros(2, dtype=torch.int64), "a": torch.ones(3)}, {"x": "y"})
    assert one.read_bytes() == two.read_bytes()


def test_changing_a_read_tensor_leaves_the_file(file: Path) -> None:
    before = file.read_bytes()
    read_tensors(file)[0]["weight"].fill_(9)
    assert file.read_bytes() == before


def test_replacing_a_file_leaves_what_was_read_from_it(file: Path) -> None:
    old = read_tensors(file)[0]["weight"]
    write_tensors(file, {"weight": torch.full((2, 3), 9.0)})
    assert old.flatten().tolist() == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda content: content[:-1], "incomplete metadata, file not fully covered"),
        (lambda content: content + b"x", "incomplete metadata, file not fully covered"),
        (lambda content: content[:20], "invalid header length"),
        (lambda content: b"", "header too small"),
        (lambda content: b"\x80\x02}q\x00X\x01\x00" + bytes(90), "header too large"),  # a pickle
        (lambda content: content.replace(b"F32", b"F99"), None),
    ],
)
def test_damaged_file_is_named(file: Path, damage: object, reason: str | None) -> None:
    assert callable(damage)
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(DamagedFile) as error:
        read_tensors(file)
    if reason:
        assert str(error.value) == f"{file}: damaged, or not a safetensors file ({reason})"
    assert str(error.value).startswith(f"{file}: damaged, or not a safetensors file (")
    assert error.value.code == 6


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DamagedFile) as error:
        read_tensors(tmp_path / "none")
    assert str(error.value) == f"{tmp_path / 'none'}: there is no such file"


def test_wrong_alias_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "x"
    for text in ('{"b": "c"}', "[]", "1", "{", '{"b": []}'):
        write_tensors(path, {"a": torch.ones(1)}, {"ganlab.aliases": text})
        with pytest.raises(DamagedFile):
            read_tensors(path)


@pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="needs /dev/full")
def test_full_disk_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    with (
        pytest.raises(DeviceError) as error,
        replacing(tmp_path / "a"),
        Path("/dev/full").open("wb", buffering=0) as full,
    ):
        full.write(b"x")
    assert str(error.value) == (
        f"{tmp_path / 'a'}: cannot be written: No space left on device. Make room, or choose another folder."
    )
    assert list(tmp_path.iterdir()) == []


def test_failed_write_leaves_the_old_file(file: Path) -> None:
    before = file.read_bytes()
    with pytest.raises(KeyboardInterrupt):
        _write_half(file)
    assert file.read_bytes() == before
    assert os.listdir(file.parent) == [file.name]  # noqa: PTH208


def test_unwritable_place_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path, reason in [
        (tmp_path / "none" / "a", "No such file or directory"),
        (tmp_path / "file" / "a", "Not a directory"),
    ]:
        with pytest.raises(RunError) as error:
            write_text_atomic(path, "text")
        assert str(error.value) == f"{path}: cannot be written: {reason}"


def test_texts_bytes_and_digests(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_text_atomic(path, "ä\n")
    assert path.read_bytes() == b"\xc3\xa4\n"
    write_bytes_atomic(path, b"abc")
    assert digest(path) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert path.stat().st_mode & 0o777 == 0o666 & ~_umask()


def _write_half(path: Path) -> None:
    with replacing(path) as stream:
        stream.write(b"half")
        raise KeyboardInterrupt


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
