"""What a component may touch outside itself: the process's random generators, and files."""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

_SYSTEM = ("/proc/", "/sys/", "/dev/")
_CODE = (".py", ".pyc", ".so", ".pyd", ".dll", ".dylib")
_ears: list[Callable[[Any, int], None]] = []  # who listens to the files that this process opens; empty but in `heard_files`


@contextmanager
def random_numbers(seed: int) -> Iterator[Callable[[], list[str]]]:
    """Seed the generators of torch, numpy and Python for the block; call what is yielded for the names of those moved."""
    before = torch.get_rng_state(), np.random.get_state(), random.getstate()
    torch.default_generator.manual_seed(seed)
    np.random.seed(seed)
    random.seed(seed)
    start = _random_states()
    try:
        yield lambda: [name for name, state in _random_states().items() if state != start[name]]
    finally:
        torch.set_rng_state(before[0])
        np.random.set_state(before[1])
        random.setstate(before[2])


@contextmanager
def heard_files() -> Iterator[list[Path]]:
    """Yield a list that grows by each file that the block opens to read, code and what it wrote itself left out.

    Files that a library opens without Python's knowledge are not heard.
    """
    _listen()
    opened: list[Path] = []
    written: set[Path] = set()

    def hear(name: Any, flags: int) -> None:
        if isinstance(name, int):  # a file that is open already
            return
        path = Path(os.path.abspath(os.fsdecode(name)))  # noqa: PTH100  # Path.absolute keeps ".."
        if flags & (os.O_WRONLY | os.O_RDWR):
            written.add(path)
        elif path not in written and path not in opened and not _is_of_the_system(path):
            opened.append(path)

    _ears.append(hear)
    try:
        yield opened
    finally:
        _ears.remove(hear)


def _is_of_the_system(path: Path) -> bool:
    homes = {Path(home) for home in (sys.prefix, sys.base_prefix, sys.exec_prefix)}
    return path.suffix in _CODE or str(path).startswith(_SYSTEM) or any(home in path.parents for home in homes)


def _random_states() -> dict[str, object]:
    name, keys, *rest = np.random.get_state()
    return {
        "torch": torch.get_rng_state().numpy().tobytes(),
        "numpy": (name, np.asarray(keys).tobytes(), *rest),
        "Python's random": random.getstate(),
    }


@cache  # Python knows no way to take an audit hook back
def _listen() -> None:
    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and _ears:
            for ear in tuple(_ears):
                ear(arguments[0], arguments[2])

    sys.addaudithook(hook)
