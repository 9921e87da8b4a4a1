"""A model that has a name keeps it, its number and its files, whatever becomes of the run, the alias or the other models."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from ganlab.errors import GanlabError, RunError, UsageError
from ganlab.runs.checkpoints import find_checkpoint, open_checkpoint
from ganlab.runs.model_adding import Added, add_model
from ganlab.runs.models import Models, UnknownModel
from ganlab.runs.references import lasting, locate, pinned

Add = Callable[..., Added]


def references(models: Models) -> list[str]:
    return [model.reference for model in models.all()]


def folders(models: Models) -> list[str]:
    return sorted(path.name for path in models.folder.iterdir() if path.is_dir())


def message(error: type[GanlabError], ask: Callable[[], object]) -> str:
    with pytest.raises(error) as caught:
        ask()
    return str(caught.value)


# Versions and aliases


def test_versions_count_up_and_no_number_is_given_twice(add: Add, models: Models) -> None:
    assert [add().model.reference for _ in range(3)] == ["smile@1", "smile@2", "smile@3"]
    models.remove("smile@3")
    assert add().model.reference == "smile@4"
    models.remove("smile")
    assert references(models) == []
    assert add("other").model.reference == "other@1"
    assert add("SMILE").model.reference == "smile@5"
    assert references(models) == ["other@1", "smile@5"]


def test_a_model_is_found_by_version_alias_or_as_the_newest(add: Add, models: Models) -> None:
    add(aliases=["best", "Paper-1"])
    add(step=10)
    found = [models.find(text).version for text in ("smile", "Smile@1", "smile@2", "smile@best", "SMILE@paper_1")]
    assert found == [2, 1, 2, 1, 1]
    newest = models.find("smile")
    assert (newest.step, newest.aliases, newest.facts["images"]) == (10, (), 40)
    assert newest.facts["scores"] == {"judge.accuracy": 0.1}
    assert newest.facts["data_fingerprint"] == "f" * 64
    assert (newest.facts["objective"], newest.facts["seed"], newest.facts["weights"]) == ("acgan", 4, "averaged")


def test_an_alias_moves_and_says_what_it_meant(add: Add, models: Models) -> None:
    add(aliases=["best"])
    add(step=10)
    moved, before = models.promote("smile@2", "best")
    assert (moved.reference, moved.aliases, before and before.reference) == ("smile@2", ("best",), "smile@1")
    assert models.find("smile@1").aliases == ()
    assert models.promote("smile@best", "shown")[1] is None
    assert models.find("smile@shown").version == 2


def test_what_is_unknown_is_answered_with_the_near_name(add: Add, models: Models) -> None:
    unknown = "no model is called 'smil'; the registry holds none yet\n`ganlab models list` shows the models."
    assert message(UnknownModel, lambda: models.find("smil")) == unknown
    assert not models.folder.exists()
    add(aliases=["best"])
    add()
    assert message(UnknownModel, lambda: models.find("smil")).splitlines()[0] == (
        "no model is called 'smil'; did you mean 'smile'?"
    )
    assert message(UnknownModel, lambda: models.find("x")).splitlines()[0] == "no model is called 'x'; there are smile"
    assert message(UnknownModel, lambda: models.find("smile@3")) == "smile has no version 3; smile has versions 1, 2"
    assert message(UnknownModel, lambda: models.promote("smile@bst", "a")) == (
        "smile has no alias 'bst'; did you mean 'best'?; aliases: best (1); smile has versions 1, 2"
    )


@pytest.mark.parametrize("name", ["", "a b", "a@1", "../x", "-x", "ä", "x" * 65, "a/b"])
def test_a_name_that_no_reference_could_say_is_refused_before_anything_is_made(name: str, add: Add, models: Models) -> None:
    assert message(UsageError, lambda: add(name)).startswith(f"{name!r} can name no model: say letters, digits")
    assert message(UsageError, lambda: add(aliases=["7"])).startswith("'7' can be no alias: say a word such as best")
    assert not models.folder.exists()


# Removal


def test_what_an_alias_means_is_removed_only_by_force_and_an_alias_goes_alone(add: Add, models: Models) -> None:
    add(aliases=["best"])
    add(step=10)
    held = "smile@best means smile@1. Promote another version first, or say --force."
    assert message(RunError, lambda: models.remove("smile@1")) == held
    assert message(RunError, lambda: models.remove("smile")) == held
    assert references(models) == ["smile@2", "smile@1"]
    assert models.remove("smile@best").references == ("smile@best",)
    assert references(models) == ["smile@2", "smile@1"]
    models.promote("smile@1", "best")
    removed = models.remove("smile", force=True)
    assert (removed.references, removed.aliases) == (("smile@2", "smile@1"), ("smile@best",))
    assert (references(models), folders(models)) == ([], [])


def test_files_go_with_the_last_version_that_needs_them_and_the_run_is_not_touched(add: Add, models: Models, run: Path) -> None:
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    first, second = add(), add("other")
    assert (first.folder, first.twins, second.twins) == (second.folder, (), ("smile@1",))
    add(step=10)
    assert len(folders(models)) == 2
    models.remove("smile@1")
    assert len(folders(models)) == 2
    models.remove("other")
    assert folders(models) == [models.find("smile").digest]
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before


def test_what_a_kill_left_is_swept_and_what_is_needed_stays(add: Add, models: Models) -> None:
    kept = add().folder
    for name in ("0" * 64, ".incoming-abc", ".gone-abc"):
        (models.folder / name).mkdir()
    (models.folder / "mine").mkdir()
    models.sweep()
    assert folders(models) == sorted([kept.name, "mine"])


# Files


def test_a_model_outlives_its_run_with_weights_recipe_surroundings_and_scores(add: Add, models: Models, run: Path) -> None:
    added = add(step=10)
    shared = added.folder / "checkpoints/step-00000010/networks.safetensors"
    assert shared.stat().st_nlink == 2
    shutil.rmtree(run)
    located = locate("smile@1")
    checkpoint = open_checkpoint(find_checkpoint(located.path))
    assert torch.equal(checkpoint.tensors("averaged")["generator/weight"], torch.arange(8.0) + 11)
    assert checkpoint.tensors("training") == {}
    files = sorted(str(path.relative_to(added.folder)) for path in added.folder.rglob("*") if path.is_file())
    kept = [f"checkpoints/step-00000010/{name}" for name in ("averaged.safetensors", "networks.safetensors", "state.json")]
    assert files == [*kept, "environment.json", "recipe.toml", "scores.json"]
    assert [entry["step"] for entry in json.loads((added.folder / "scores.json").read_text())["scores"]] == [10]
    assert add_model("smile@1", "again").model.digest == added.model.digest


def test_on_another_disk_the_files_are_copied(add: Add, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)  # a second disk is not at hand
    added = add()
    copied = added.folder / "checkpoints/step-00000020/networks.safetensors"
    assert copied.stat().st_nlink == 1
    assert open_checkpoint(copied.parent).tensors("networks")["generator/weight"][0] == 20


def test_a_checkpoint_that_is_damaged_is_not_added(add: Add, models: Models, run: Path) -> None:
    file = run / "checkpoints/step-00000020/averaged.safetensors"
    file.write_bytes(file.read_bytes()[:-1] + b"!")
    assert message(RunError, add) == f"{file}: damaged: its content is not what was saved"
    assert not models.folder.exists()
    (run / "scores.json").write_text("{")
    assert message(RunError, lambda: add(step=10)) == (f"{run / 'scores.json'}: damaged, or cannot be read (JSONDecodeError)")


def test_a_model_that_was_changed_or_lost_is_refused_and_adding_it_again_mends_it(add: Add, models: Models, run: Path) -> None:
    folder = add().folder
    again = f"`ganlab models add {run / 'checkpoints/step-00000020'} --name smile` adds them again, if the run is still there."
    (folder / "recipe.toml").write_text("[dataset]\n")
    assert message(RunError, lambda: locate("smile")) == (
        f"smile@1: damaged: its files are not those that were added ({folder}). {again}"
    )
    shutil.rmtree(folder)
    assert message(RunError, lambda: locate("smile")) == f"smile@1: its files are gone ({folder}). {again}"
    add()
    assert locate("smile@1").path == folder
    weights = folder / "checkpoints/step-00000020/networks.safetensors"
    weights.unlink()  # not written over: the run holds the same file
    weights.write_bytes(b"other")
    with pytest.raises(RunError, match="damaged: its content is not what was saved"):
        open_checkpoint(weights.parent).tensors("networks")
    add()
    assert open_checkpoint(weights.parent).tensors("networks")["generator/weight"][0] == 20
    assert folders(models) == [folder.name]


# References


def test_a_path_that_exists_goes_before_a_bare_name_and_never_before_a_version(add: Add, run: Path, models: Models) -> None:
    add(aliases=["best"])
    add(step=10)
    stored = models.folder_of(models.find("smile"))
    assert (locate("smile").path, locate("smile").name) == (stored, "smile@2")
    assert (pinned("smile"), pinned("smile@best"), pinned("smile@1")) == ("smile@2", "smile@1", "smile@1")
    run.rename("smile")
    Path("smile@best").mkdir()
    Path("other@best").mkdir()
    assert (locate("smile").path, locate("smile").model) == (Path("smile"), None)
    assert locate("smile@best").path == models.folder_of(models.find("smile@1"))
    assert locate("other@best").path == Path("other@best")
    assert [pinned(text) for text in ("smile", "./smile", "nowhere")] == ["smile", "./smile", "nowhere"]


def test_a_recipe_records_a_version_or_a_path_that_lasts(add: Add, models: Models) -> None:
    add(aliases=["best"])
    assert lasting("smile") == lasting("smile@best") == lasting("smile@1") == "smile@1"
    assert lasting("runs/x") == str(Path.cwd() / "runs/x")
    assert lasting("nowhere") == str(Path.cwd() / "nowhere")
    models.remove("smile", force=True)
    assert (lasting("smile@1"), lasting("smile@best")) == ("smile@1", "smile@best")


def test_what_is_neither_path_nor_name_says_so(add: Add) -> None:
    add()
    assert message(RunError, lambda: locate("nowhere")) == "nowhere: no such run or checkpoint"
    assert message(RunError, lambda: locate("smiley")) == "smiley: no such run or checkpoint; did you mean 'smile'?"
    assert message(RunError, lambda: locate("runs/smile@1")) == "runs/smile@1: no such run or checkpoint"
    assert message(RunError, lambda: locate("smile@3")) == "smile has no version 3; smile has version 1"
