"""A registry that is damaged, lost, foreign or from the future says so in one line; its text brings every name back."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from ganlab.errors import DeviceError, RunError
from ganlab.runs.model_adding import Added, add_model
from ganlab.runs.model_database import rebuild
from ganlab.runs.models import Models

Add = Callable[..., Added]


@pytest.fixture
def file(add: Add, models: Models) -> Path:
    """Return the file of a registry with a gap in its numbers, two names and two aliases."""
    add(aliases=["best"])
    add()
    add(step=10, aliases=["early"], note="ä")
    models.remove("smile@2")
    add("other")
    return models.folder / "registry.sqlite"


def overwrite_head(file: Path) -> None:
    file.write_bytes(b"nonsense" * 1000)


def overwrite_middle(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    file.write_bytes(content)


def cut_short(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:6000])


def empty(file: Path) -> None:
    file.write_bytes(b"")


DAMAGES = (overwrite_head, overwrite_middle, cut_short, empty, Path.unlink)


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_a_damaged_registry_says_so_changes_nothing_and_is_rebuilt_whole(
    damage: Callable[[Path], None], file: Path, add: Add, models: Models
) -> None:
    before, was_there = models.all(), file.read_bytes()
    damage(file)
    damaged = file.read_bytes() if file.exists() else None
    for ask in (models.all, lambda: models.find("smile"), lambda: models.remove("other"), add):
        with pytest.raises(RunError) as caught:
            ask()
        first, *more = str(caught.value).splitlines()
        assert first.startswith(f"{file}: the registry of models is damaged: ")
        assert first.endswith(". `ganlab models rebuild` makes it anew.")
        assert more == []
    count, aside = rebuild(models.folder)
    assert (count, models.all()) == (3, before)
    assert (aside.read_bytes() if aside else None) == damaged != was_there
    assert add().model.reference == "smile@4"


def test_a_whole_registry_and_one_that_never_was_are_not_rebuilt(file: Path, models: Models, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="is whole; there is nothing to rebuild"):
        rebuild(models.folder)
    with pytest.raises(RunError, match="there is no registry of models yet; `ganlab models add` begins one"):
        rebuild(tmp_path / "nowhere")


def test_without_a_text_the_folders_can_be_added_again(file: Path, models: Models) -> None:
    digest = models.find("smile@1").digest
    overwrite_head(file)
    (models.folder / "registry.json").write_text("[]")
    with pytest.raises(RunError) as caught:
        rebuild(models.folder)
    assert str(caught.value).endswith(f"`ganlab models add {models.folder}/DIGEST --name NAME`")
    assert file.read_bytes()[:8] == b"nonsense"
    file.rename("away")
    (models.folder / "registry.json").unlink()
    assert add_model(str(models.folder / digest), "smile").model.digest == digest


def test_a_registry_of_a_newer_ganlab_is_left_alone(file: Path, add: Add, models: Models) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA user_version = 2")
    content = file.read_bytes()
    newer = f"{file}: was written by a newer ganlab (schema 2, this one reads 1); `pip install --upgrade ganlab`"
    for ask in (models.all, add, lambda: rebuild(models.folder)):
        with pytest.raises(RunError) as caught:
            ask()
        assert str(caught.value) == newer
    assert file.read_bytes() == content


def test_a_database_of_another_program_is_left_alone(add: Add, models: Models) -> None:
    models.folder.mkdir(parents=True)
    with closing(sqlite3.connect(models.folder / "registry.sqlite")) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    with pytest.raises(RunError, match=r"registry.sqlite: is not a registry of ganlab's; move it away"):
        add()


def test_a_registry_that_cannot_be_made_says_where(add: Add, models: Models) -> None:
    models.folder.parent.write_text("a file stands where the folder should be")
    with pytest.raises(DeviceError, match=r"cannot be made .*; name another folder in GANLAB_HOME"):
        add()


def test_the_text_is_the_registry_after_every_change(file: Path, models: Models) -> None:
    models.promote("smile@1", "early")
    text = json.loads((models.folder / "registry.json").read_text())
    assert text["names"] == [["other", "other", 1], ["smile", "smile", 3]]
    assert [row[:2] for row in text["versions"]] == [["other", 1], ["smile", 1], ["smile", 3]]
    assert text["aliases"] == [["smile", "best", "best", 1], ["smile", "early", "early", 1]]
