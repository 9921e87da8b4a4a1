"""Where ganlab keeps what outlives a run: caches, trained models, what the user has chosen."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from ganlab.errors import DeviceError

_HOMELESS = Path(tempfile.gettempdir()) / "ganlab"  # for a user without a home folder


def home(environment: Mapping[str, str] = os.environ, platform: str = sys.platform) -> Path:
    """Return `GANLAB_HOME`, else "ganlab" in the user's cache folder; it need not exist."""
    inside = {"win32": ("AppData", "Local"), "darwin": ("Library", "Caches")}.get(platform, (".cache",))
    return _folder(environment, platform, windows="LOCALAPPDATA", xdg="XDG_CACHE_HOME", inside=inside)


def config_home(environment: Mapping[str, str] = os.environ, platform: str = sys.platform) -> Path:
    """Return `GANLAB_HOME`, else "ganlab" in the user's folder of settings, which outlives a cleaning of caches."""
    inside = {"win32": ("AppData", "Roaming"), "darwin": ("Library", "Application Support")}.get(platform, (".config",))
    return _folder(environment, platform, windows="APPDATA", xdg="XDG_CONFIG_HOME", inside=inside)


def data_home(environment: Mapping[str, str] = os.environ, platform: str = sys.platform) -> Path:
    """Return `GANLAB_HOME`, else "ganlab" in the user's folder of data that nobody cleans.

    Raises `DeviceError` for a user without a home: a temporary folder is no place for what must last.
    """
    if platform in ("win32", "darwin"):  # there one folder holds settings and data
        found = config_home(environment, platform)
    else:
        found = _folder(environment, platform, windows="", xdg="XDG_DATA_HOME", inside=(".local", "share"))
    if found == _HOMELESS:
        raise DeviceError("this user has no home folder; name a folder that lasts in GANLAB_HOME")
    return found


def weights_folder() -> Path:
    """Return where files of published weights lie, each by its own name: in a folder that nobody cleans."""
    return data_home() / "weights"


def _folder(environment: Mapping[str, str], platform: str, *, windows: str, xdg: str, inside: tuple[str, ...]) -> Path:
    """Return `GANLAB_HOME`, else what the system's own variable says, else the folder `inside` the user's home."""
    if chosen := environment.get("GANLAB_HOME"):
        return Path(chosen).expanduser().absolute()
    if platform == "win32" and (named := environment.get(windows)):
        return Path(named) / "ganlab"
    standard = Path(environment.get(xdg, ""))
    if platform not in ("win32", "darwin") and standard.is_absolute():  # the standard says to ignore a relative one
        return standard / "ganlab"
    try:
        user = Path.home()
    except RuntimeError:  # a container's user without a home
        return _HOMELESS
    return user.joinpath(*inside, "ganlab")
