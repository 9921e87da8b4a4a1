"""Where ganlab keeps its caches and its settings on each system."""

import tempfile
from pathlib import Path

import pytest

from ganlab.errors import DeviceError
from ganlab.home import config_home, data_home, home


@pytest.mark.parametrize(
    ("environment", "platform", "expected"),
    [
        ({"GANLAB_HOME": "/g", "XDG_CACHE_HOME": "/x"}, "linux", "/g"),
        ({"GANLAB_HOME": "here"}, "linux", str(Path("here").absolute())),
        ({"GANLAB_HOME": "", "XDG_CACHE_HOME": "/x"}, "linux", "/x/ganlab"),
        ({"XDG_CACHE_HOME": "relative"}, "linux", str(Path.home() / ".cache/ganlab")),
        ({}, "linux", str(Path.home() / ".cache/ganlab")),
        ({"XDG_CACHE_HOME": "/x"}, "darwin", str(Path.home() / "Library/Caches/ganlab")),
        ({"LOCALAPPDATA": "/local"}, "win32", "/local/ganlab"),
        ({}, "win32", str(Path.home() / "AppData/Local/ganlab")),
    ],
)
def test_home_follows_the_system(environment: dict[str, str], platform: str, expected: str) -> None:
    assert str(home(environment, platform)) == expected


@pytest.mark.parametrize(
    ("environment", "platform", "expected"),
    [
        ({"GANLAB_HOME": "/g", "XDG_CONFIG_HOME": "/x"}, "linux", "/g"),
        ({"XDG_CONFIG_HOME": "/x", "XDG_CACHE_HOME": "/y"}, "linux", "/x/ganlab"),
        ({"XDG_CONFIG_HOME": "relative"}, "linux", str(Path.home() / ".config/ganlab")),
        ({}, "darwin", str(Path.home() / "Library/Application Support/ganlab")),
        ({"APPDATA": "/roaming", "LOCALAPPDATA": "/local"}, "win32", "/roaming/ganlab"),
        ({}, "win32", str(Path.home() / "AppData/Roaming/ganlab")),
    ],
)
def test_settings_lie_apart_from_caches(environment: dict[str, str], platform: str, expected: str) -> None:
    assert str(config_home(environment, platform)) == expected


@pytest.mark.parametrize(
    ("environment", "platform", "expected"),
    [
        ({"GANLAB_HOME": "/g", "XDG_DATA_HOME": "/x"}, "linux", "/g"),
        ({"XDG_DATA_HOME": "/x", "XDG_CACHE_HOME": "/y"}, "linux", "/x/ganlab"),
        ({"XDG_DATA_HOME": "relative"}, "linux", str(Path.home() / ".local/share/ganlab")),
        ({"XDG_DATA_HOME": "/x"}, "darwin", str(Path.home() / "Library/Application Support/ganlab")),
        ({"APPDATA": "/roaming", "LOCALAPPDATA": "/local"}, "win32", "/roaming/ganlab"),
    ],
)
def test_models_lie_apart_from_caches(environment: dict[str, str], platform: str, expected: str) -> None:
    assert str(data_home(environment, platform)) == expected
    if "GANLAB_HOME" not in environment:
        assert str(home(environment, platform)) != expected


def test_models_are_not_kept_in_a_temporary_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError

    monkeypatch.setattr(Path, "home", homeless)  # as in a container whose user has none
    assert home({}, "linux") == Path(tempfile.gettempdir()) / "ganlab"
    with pytest.raises(DeviceError, match="this user has no home folder; name a folder that lasts in GANLAB_HOME"):
        data_home({}, "linux")
