"""`ganlab env`: what a bug report should say of the machine. Nothing that is broken on it may stop this command."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable
from importlib import metadata
from typing import Annotated, Any

import typer

from ganlab.cli import console
from ganlab.home import home
from ganlab.plugin_switches import read_disabled, switches_file
from ganlab.registry import in_one_line

SCHEMA = 1  # of the JSON; counts up when a field changes its meaning or goes
DISTRIBUTIONS = (
    "ganlab",
    "torch",
    "torchvision",
    "numpy",
    "pandas",
    "pillow",
    "pluggy",
    "pydantic",
    "rich",
    "safetensors",
    "tomli",
    "tomli-w",
    "typer",
    "clean-fid",
)


def command(as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False) -> None:
    """Print versions, machine and settings, for a bug report. It sends nothing anywhere."""
    facts = _facts()
    if as_json:
        console.result(json.dumps({"schema": SCHEMA, **facts}, indent=2))
        return
    for name, value in facts.items():
        if isinstance(value, dict):
            for inner, text in value.items():
                console.result(f"{inner + ':':24}{'' if text is None else text}".rstrip())
        else:
            console.result(f"{name + ':':24}{', '.join(value) if isinstance(value, list) else value}".rstrip())


def _facts() -> dict[str, Any]:
    return {
        "versions": {"python": platform.python_version(), **{name: _version(name) for name in DISTRIBUTIONS}},
        "platform": platform.platform(),
        "cpu_count": f"{_usable_cpus()} of {os.cpu_count()}",
        "cpu_bf16": _told(_cpu_bf16),
        "torch_threads": _told(_torch_threads),
        "devices": _told(_devices),
        "home": f"{home()}{' (not writable)' if home().exists() and not os.access(home(), os.W_OK) else ''}",
        "disabled_plugins": _told(lambda: list(read_disabled(switches_file()))),
        "variables": {name: value for name, value in sorted(os.environ.items()) if name.startswith(("GANLAB_", "CUDA_"))},
    }


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def _usable_cpus() -> int | None:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def _told(ask: Callable[[], Any]) -> Any:
    try:
        return ask()
    except (Exception, SystemExit) as error:  # a torch that cannot be imported is worth a line of the report
        return in_one_line(error)


def _cpu_bf16() -> str:
    import torch

    fast = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return f"{'yes' if fast else 'no'} ({torch.backends.cpu.get_cpu_capability()})"


def _torch_threads() -> int:
    import torch

    return torch.get_num_threads()


def _devices() -> list[str]:
    import torch

    devices = ["cpu"]
    for index in range(torch.cuda.device_count()):
        facts = torch.cuda.get_device_properties(index)
        devices.append(f"cuda:{index} {facts.name} ({facts.total_memory / 2**30:.0f} GiB, CUDA {torch.version.cuda})")
    return [*devices, "mps"] if torch.backends.mps.is_available() else devices
