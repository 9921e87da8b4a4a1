"""A run's surroundings -> environment.json: what one must know to repeat it or to report a fault."""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import torch

from ganlab.component_record import records_of, source_digest
from ganlab.contracts import API_VERSION
from ganlab.resolve import Parts
from ganlab.runs.directory import Run
from ganlab.spec import Spec

ENVIRONMENT = "environment.json"
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


def record_resume(run: Run, now: dict[str, Any]) -> None:
    """Add to environment.json in what surroundings the run goes on; write it if a kill came before it."""
    file = run.path / ENVIRONMENT
    try:
        first = json.loads(file.read_text(encoding="utf-8"))
        first["resumed"] = [*first.get("resumed", []), now]
    except (OSError, ValueError, AttributeError):
        first = now
    run.write_json(ENVIRONMENT, first)


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
