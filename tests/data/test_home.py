"""Where ganlab keeps its caches on each system."""

from pathlib import Path

import pytest

from ganlab.home import home


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
