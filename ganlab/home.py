"""Where ganlab keeps what outlives a run: caches, the model registry."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path


def home(environment: Mapping[str, str] = os.environ, platform: str = sys.platform) -> Path:
    """Return `GANLAB_HOME`, else "ganlab" in the user's cache folder; it need not exist."""
    if chosen := environment.get("GANLAB_HOME"):
        return Path(chosen).expanduser().absolute()
    if platform == "win32" and (local := environment.get("LOCALAPPDATA")):
        return Path(local) / "ganlab"
    cache = Path(environment.get("XDG_CACHE_HOME", ""))
    if platform not in ("win32", "darwin") and cache.is_absolute():  # the standard says to ignore a relative one
        return cache / "ganlab"
    try:
        user = Path.home()
    except RuntimeError:  # a container's user without a home
        return Path(tempfile.gettempdir()) / "ganlab"
    inside = {"win32": ("AppData", "Local"), "darwin": ("Library", "Caches")}.get(platform, (".cache",))
    return user.joinpath(*inside, "ganlab")
