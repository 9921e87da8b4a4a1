"""`ganlab models`: what each command prints, and that names stand where paths did, in commands and in recipes."""

from __future__ import annotations

import json
import shutil
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image

from ganlab.runs.models import Models

Printed = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def registry(place: Path) -> Iterator[Path]:
    """Return the folder of a registry that is new for each test."""
    folder = place / "home" / "models"
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def checkpoints(trained: Path) -> Path:
    return trained.absolute() / "checkpoints"


def test_a_run_is_added_listed_shown_promoted_and_removed(
    trained: Path, checkpoints: Path, registry: Path, printed: Printed
) -> None:
    assert printed("models", "list") == (0, "", "no model has a name yet; `ganlab models add RUN --name NAME` gives one\n")
    code, out, err = printed("models", "add", str(trained), "--name", "faces", "--alias", "best", "--note", "the first")
    digest = Models().find("faces").digest
    assert (code, out) == (0, f"faces@1: step 6 of {checkpoints}/step-00000006\naliases: faces@best\n")
    assert err == f"kept in {registry / digest}\n"
    code, out, err = printed("models", "add", "faces@best", "--name", "twin")
    assert (code, out) == (0, f"twin@1: step 6 of {checkpoints}/step-00000006\n")
    assert err.splitlines()[1] == "the same checkpoint as faces@1; its files are kept once"
    assert printed("models", "add", str(trained), "--step", "3", "--name", "faces")[0] == 0
    rows = [line.split()[:3] for line in printed("models", "list")[1].splitlines()]
    assert rows == [
        ["model", "aliases", "step"],
        ["faces@2", "3", "ccyclegan"],
        ["faces@1", "best", "6"],
        ["twin@1", "6", "ccyclegan"],
    ]

    shown = dict(line.split(maxsplit=1) for line in printed("models", "show", "faces@1")[1].splitlines())
    assert (shown["model"], shown["note"], shown["digest"]) == ("faces@1", "the first", digest)
    assert (shown["objective"], shown["files"], shown["versions"]) == ("ccyclegan", "whole", "1, 2")
    card = json.loads(printed("models", "show", "faces@best", "--json")[1])
    assert (card["schema"], card["model"], card["aliases"], card["step"]) == (1, "faces@1", ["best"], 6)
    listed = json.loads(printed("models", "list", "--json")[1])["models"]
    assert [model["model"] for model in listed] == ["faces@2", "faces@1", "twin@1"]
    assert listed[1] | {"files": "whole", "schema": 1} == card

    assert printed("models", "promote", "faces", "best") == (0, "faces@best means faces@2; it meant faces@1\n", "")
    assert printed("models", "promote", "faces@2", "best") == (0, "faces@best means faces@2\n", "")
    held = "ganlab: error: faces@best means faces@2. Promote another version first, or say --force.\n"
    assert printed("models", "remove", "faces") == (6, "", held)
    assert printed("models", "remove", "faces@1") == (0, "removed faces@1\n", "")
    assert printed("models", "remove", "faces@best") == (0, "removed faces@best\n", "faces@2 itself stays\n")
    assert printed("models", "promote", "faces@2", "best")[0] == 0
    assert printed("models", "remove", "faces", "--force") == (0, "removed faces@best\nremoved faces@2\n", "")
    assert printed("models", "show", "faces")[::2] == (
        6,
        "ganlab: error: no model is called 'faces'; there are twin\n  `ganlab models list` shows the models.\n",
    )


def test_a_damaged_registry_is_rebuilt_by_the_command_that_the_error_names(
    trained: Path, registry: Path, printed: Printed
) -> None:
    printed("models", "add", str(trained), "--name", "faces", "--alias", "best")
    (registry / "registry.sqlite").write_bytes(b"nonsense" * 99)
    code, out, err = printed("models", "list")
    assert (code, out) == (6, "")
    assert err.endswith("`ganlab models rebuild` makes it anew.\n")
    aside = registry / "registry.sqlite.damaged-1"
    rebuilt = (0, f"{registry}: rebuilt, 1 version\n", f"the damaged file is kept: {aside}\n")
    assert printed("models", "rebuild") == rebuilt
    assert printed("models", "show", "faces@best")[0] == 0


def test_a_model_is_sampled_without_its_run_into_the_working_folder(run_copy: Path, printed: Printed) -> None:
    printed("models", "add", str(run_copy), "--name", "faces", "--alias", "best")
    printed("sample", str(run_copy), "--out", "of the run.png")
    run_copy.rename("away")
    assert printed("sample", "faces@best", "--seed", "0") == (0, "faces@1-seed-0.png\n", "")
    assert Path("faces@1-seed-0.png").read_bytes() == Path("of the run.png").read_bytes()
    code, out, _ = printed("sample", "faces", "--separate", "--count", "1", "--labels", "happy")
    assert (code, out.splitlines()) == (0, ["faces@1-sampled/000-source.png", "faces@1-sampled/000-happy.png"])
    Path("away").rename(run_copy)


def test_a_recipe_starts_from_a_model_and_records_which_version_it_was(
    small: tuple[str, ...], trained: Path, printed: Printed
) -> None:
    printed("models", "add", str(trained), "--step", "3", "--name", "faces", "--alias", "best")
    printed("models", "add", str(trained), "--name", "faces")
    start = ("--set", "training.start_from=faces@best", "--set", "optimizer.learning_rate=1e-30", "--max-steps", "1")
    assert 'start_from = "faces@1"' in printed("run", *small, *start, "--dry-run")[1]
    code, _, err = printed("run", *small, *start, "--out", "warm")
    assert code == 0, err
    printed("models", "promote", "faces@2", "best")
    recipe = tomllib.loads(Path("warm/recipe.toml").read_text())
    assert recipe["training"]["start_from"] == "faces@1"
    taken = json.loads(Path("warm/environment.json").read_text())["models"]["training.start_from"]
    state = json.loads((trained / "checkpoints/step-00000003/state.json").read_text())
    assert (taken["from"], taken["step"]) == ("faces@1", 3)
    assert taken["digests"] == {"networks": state["digests"]["networks"]}
    # The run repeats from its recipe, though the alias has moved, and resumes though the model is gone.
    assert printed("run", "warm/recipe.toml", "--device", "cpu", "--out", "again")[0] == 0
    weights = "checkpoints/step-00000001/networks.safetensors"
    assert (Path("again") / weights).read_bytes() == (Path("warm") / weights).read_bytes()
    printed("models", "remove", "faces", "--force")
    assert printed("resume", "warm", "--device", "cpu", "--max-steps", "2")[0] == 0
    assert 'start_from = "faces@1"' in Path("warm/recipe.toml").read_text()
    code, _, err = printed("run", "warm/recipe.toml", "--device", "cpu", "--out", "third")
    assert (code, err.splitlines()[-2:]) == (
        6,
        ["ganlab: error: no model is called 'faces'; the registry holds none yet", "  `ganlab models list` shows the models."],
    )
    assert not Path("third").exists()


def test_validate_warns_of_models_that_are_not_there(trained: Path, printed: Printed) -> None:
    printed("models", "add", str(trained), "--name", "faces")
    for text, told in {
        "faces@2": "faces has no version 2; faces has version 1",
        "fazes": "fazes: no such run or checkpoint; did you mean 'faces'?",
        "faces": None,
        "faces@1": None,
    }.items():
        warnings = printed("validate", "ccyclegan_t26", "--set", f"training.start_from={text}")[2].splitlines()
        mine = [line for line in warnings if "training.start_from" in line]
        assert mine == ([f"warning: training.start_from: {told}"] if told else [])


def test_help_says_where_models_lie_and_two_examples(printed: Printed) -> None:
    text = " ".join(printed("models", "--help")[1].split())
    assert "GANLAB_HOME/models; without that variable in the user's data folder, never among caches" in text
    for command in ("add", "list", "show", "promote", "remove", "rebuild"):
        assert printed("models", command, "--help")[1].count("  ganlab models ") >= 2


def test_a_long_caption_is_clipped_to_its_column(tmp_path: Path) -> None:
    import torch

    from ganlab.report.pictures import write_grid

    grid = torch.zeros(1, 2, 1, 48, 48, dtype=torch.uint8)
    write_grid(tmp_path / "a.png", grid, ["", "Wearing_Lipstick=1,Wearing_Necktie=0"])
    with Image.open(tmp_path / "a.png") as opened:
        left = opened.crop((0, 0, 96, 18)).convert("L")
    assert left.getextrema() == (255, 255)
