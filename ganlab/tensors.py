"""Named tensors <-> safetensors files. Nothing is ever unpickled."""

from __future__ import annotations

import hashlib
import json
import math
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from ganlab.errors import GanlabError, RunError
from ganlab.files import replacing

_ALIASES = "ganlab.aliases"  # metadata: JSON, name of a tied tensor -> name of the tensor that holds its values
_DTYPES = {
    torch.float64: "F64",
    torch.int64: "I64",
    torch.uint64: "U64",
    torch.float32: "F32",
    torch.int32: "I32",
    torch.uint32: "U32",
    torch.bfloat16: "BF16",
    torch.float16: "F16",
    torch.int16: "I16",
    torch.uint16: "U16",
    torch.int8: "I8",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}  # largest elements first: written in this order, every tensor starts at a multiple of its element


class DamagedFile(GanlabError):
    """Reports a file that is missing, truncated or not what it should be."""

    code = 6


def write_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None) -> None:
    """Write a safetensors file that is whole or absent; tied tensors are stored once and come back tied.

    The library's own writer is not used: it needs contiguous tensors that share nothing, leaves a file that only its
    owner may read, and hides whether the disk was full.
    """
    assert sys.byteorder == "little", "safetensors files are little-endian"
    owners, aliases = _untie(tensors)
    order = sorted(owners, key=lambda name: (list(_DTYPES).index(owners[name].dtype), name))
    texts = dict(metadata or {}) | ({_ALIASES: json.dumps(aliases)} if aliases else {})
    with replacing(path) as file:
        file.write(head([(name, owners[name].dtype, tuple(owners[name].shape)) for name in order], texts))
        for name in order:
            file.write(content(owners[name]))


def head(tensors: Iterable[tuple[str, torch.dtype, tuple[int, ...]]], metadata: Mapping[str, str]) -> bytes:
    """Return what a safetensors file begins with, if the content of these tensors (name, dtype, shape) follows so."""
    header: dict[str, object] = {"__metadata__": dict(metadata)} if metadata else {}
    end = 0
    for name, dtype, shape in tensors:
        begin, end = end, end + math.prod(shape) * dtype.itemsize
        header[name] = {"dtype": _DTYPES[dtype], "shape": list(shape), "data_offsets": [begin, end]}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def content(tensor: Tensor) -> memoryview:
    """Return the bytes of a tensor, row by row."""
    return tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Return the tensors, memory-mapped, and the metadata; changing a tensor never changes the file."""
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
            metadata = dict(file.metadata() or {})
        aliases = json.loads(metadata.pop(_ALIASES, "{}"))
        tensors |= {alias: tensors[name] for alias, name in aliases.items()}
    except FileNotFoundError:
        raise DamagedFile(f"{path}: there is no such file") from None
    except PermissionError:
        raise RunError(f"{path}: cannot be read: permission denied") from None
    except (SafetensorError, OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        reason = str(error).removeprefix("Error while deserializing header: ") if str(error) else type(error).__name__
        raise DamagedFile(f"{path}: damaged, or not a safetensors file ({reason})") from None
    return tensors, metadata


def digest(path: Path) -> str:
    """Return the SHA-256 of a file's content, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _untie(tensors: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Return the tensors with memory of their own, and name -> name for those that are the same view of one."""
    owners: dict[str, Tensor] = {}
    aliases: dict[str, str] = {}
    seen: dict[object, str] = {}
    for name, tensor in tensors.items():
        assert tensor.dtype in _DTYPES, f"{name} cannot be stored: {tensor.dtype}"
        key = (tensor.device, tensor.data_ptr(), tensor.dtype, tensor.shape, tensor.stride())
        if tensor.numel() and key in seen:
            aliases[name] = seen[key]
        else:
            seen[key] = name
            owners[name] = tensor
    return owners, aliases
