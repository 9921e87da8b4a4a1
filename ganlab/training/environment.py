"""A run's surroundings -> environment.json: what one must know to repeat it or to report a fault."""

from __future__ import annotations

import hashlib
import platform
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch

from ganlab.contracts import API_VERSION
from ganlab.resolve import Parts
from ganlab.spec import Chosen, Spec

_PACKAGES = ("ganlab", "torch", "numpy", "pydantic", "pluggy", "safetensors", "pillow")


def environment(spec: Spec, parts: Parts, command: Sequence[str]) -> dict[str, Any]:
    """Return versions and source digests, device, data fingerprint, seed and command."""
    chosen = [spec.dataset, spec.architecture, spec.objective, *spec.losses.values(), *spec.evaluation.values()]
    device = parts.device
    return {
        "command": list(command),
        "seed": spec.training.seed,
        "device": str(device),
        "device_name": torch.cuda.get_device_name(device) if device.type == "cuda" else platform.processor(),
        "precision": "fp32" if parts.autocast is None else str(parts.autocast).removeprefix("torch."),
        "threads": torch.get_num_threads(),
        "data": {"fingerprint": parts.data.fingerprint, "training_images": len(parts.data.bank)},
        "python": sys.version.split()[0],
        "platform": platform.platform(),
        "packages": {name: _version(name) for name in _PACKAGES},
        "contract": API_VERSION,
        "ganlab_source": source_digest("ganlab"),
        "components": {f"{c.registered.kind} {c.registered.full_name}": _component(c) for c in chosen},
    }


def source_digest(module: str) -> str | None:
    """Return the SHA-256 over the Python files of a top-level module; None if it has no files."""
    found = find_spec(module.partition(".")[0])
    places = list(found.submodule_search_locations or []) if found else []
    files = sorted(path for place in places for path in Path(place).rglob("*.py"))
    if not files and found and found.origin and Path(found.origin).is_file():
        files = [Path(found.origin)]
    if not files:
        return None
    total = hashlib.sha256()
    for path in files:
        total.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return total.hexdigest()


def _component(chosen: Chosen) -> dict[str, Any]:
    target = chosen.registered.load_target()
    return {
        "version": chosen.registered.component.version,
        "distribution": f"{chosen.registered.distribution} {chosen.registered.distribution_version}",
        "source": source_digest(target.__module__),
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
