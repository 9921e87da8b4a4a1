"""A run's surroundings -> environment.json: what one must know to repeat it or to report a fault."""

from __future__ import annotations

import platform
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import torch

from ganlab.component_record import records_of, source_digest
from ganlab.contracts import API_VERSION
from ganlab.resolve import Parts
from ganlab.spec import Spec

_PACKAGES = ("ganlab", "torch", "numpy", "pydantic", "pluggy", "safetensors", "pillow")


def environment(spec: Spec, parts: Parts, command: Sequence[str]) -> dict[str, Any]:
    """Return versions and source digests, device, data fingerprint, seed and command."""
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
        "components": records_of(spec.components, digits=64),
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
