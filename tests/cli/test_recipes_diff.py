"""`ganlab recipes diff`: what two recipes mean, key by key, wherever it is written."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

Printed = Callable[..., tuple[int, str, str]]
Write = Callable[[str, str], str]

BASE = """\
# A base.

[dataset]
use = "synthetic_faces"

[architecture]
use = "ccyclegan"
width = 8

[objective]
use = "ccyclegan"
adversarial = { use = "bce", real_low = 0.7 }

[training]
steps = 3
"""


@pytest.fixture
def write(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Return `write(name, text)`: a recipe in the folder at hand, called by its name."""
    monkeypatch.chdir(tmp_path)

    def to_file(name: str, text: str) -> str:
        Path(f"{name}.toml").write_text(text)
        return name

    return to_file


def changed(printed: Printed, *arguments: str) -> dict[str, tuple[object, object]]:
    """Return key -> both values."""
    code, out, err = printed("recipes", "diff", *arguments, "--json")
    assert code == 0, err
    return {row["key"]: (row["a"]["value"], row["b"]["value"]) for row in json.loads(out)["differences"]}


def test_each_changed_key_is_a_line_with_both_values_and_where_they_stand(write: Write, printed: Printed) -> None:
    a = write("base", BASE)
    b = write(
        "child", '# A child.\nextends = "base.toml"\n[objective]\ngenerator_every = 2\n[training]\nsteps = 4\nflip = true\n'
    )
    code, out, err = printed("recipes", "diff", a, b)
    assert (code, err) == (0, "")
    assert [line.split() for line in out.splitlines()] == [
        ["base", "A", "base."],
        ["child", "A", "child."],
        [],
        ["key", "base", "child", "stands", "at", "and", "at"],
        ["objective.generator_every", "5", "2", "default", "child.toml:4"],
        ["training.steps", "3", "4", "base.toml:15", "child.toml:6"],
        ["training.flip", "false", "true", "default", "child.toml:7"],
    ]


def test_a_default_that_is_written_out_is_no_difference(write: Write, printed: Printed) -> None:
    a = write("base", BASE)
    b = write("same", BASE.replace("width = 8", "width = 8\nresidual = false") + 'seed = 0\n[optimizer]\nuse = "adam"\n')
    titles = "base  A base.\nsame  A base.\n"
    assert printed("recipes", "diff", a, b) == (0, f"{titles}no difference\n", "")


def test_options_of_another_component_that_nobody_states_are_counted_and_shown_when_asked(
    write: Write, printed: Printed
) -> None:
    a, b = write("base", BASE), write("hinge", BASE.replace('{ use = "bce", real_low = 0.7 }', '"hinge"'))
    stated = {"objective.adversarial": ("bce", "hinge"), "objective.adversarial.real_low": (0.7, None)}
    assert changed(printed, a, b) == stated
    assert printed("recipes", "diff", a, b)[2] == "and 4 options that neither states; --resolved shows them\n"
    whole = changed(printed, a, b, "--resolved")
    assert set(whole) - set(stated) == {
        f"objective.adversarial.{option}" for option in ("real_high", "fake_low", "fake_high", "smooth_generator")
    }
    states = json.loads(printed("recipes", "diff", a, b, "--json")[1])
    path = str(Path("base.toml"))
    assert states["unstated"] == 4
    assert states["differences"][1]["a"] == {"value": 0.7, "state": "written", "place": {"file": path, "line": 12}}
    assert states["differences"][1]["b"] == {"value": None, "state": "absent", "place": None}


def test_one_optimizer_for_all_players_means_the_same_as_one_each(write: Write, printed: Printed) -> None:
    shared = BASE + "[optimizer]\nlearning_rate = 1e-3\n"
    each = BASE + "".join(f"[optimizer.{player}]\nlearning_rate = 1e-3\n" for player in ("generator", "discriminator"))
    a, b = write("shared", shared), write("each", each)
    c = write("other", each.replace("1e-3", "1e-4", 1))
    assert changed(printed, a, b) == {}
    assert changed(printed, a, c) == {"optimizer.generator.learning_rate": (0.001, 0.0001)}
    assert "shared.toml:17" in printed("recipes", "diff", a, c)[1]


def test_a_score_that_is_added_shows_though_its_section_is_empty(write: Write, printed: Printed) -> None:
    a, b = write("base", BASE), write("scored", BASE + "[evaluation.expression_judge]\n")
    assert changed(printed, a, b) == {"evaluation.expression_judge.use": (None, "expression_judge")}


def test_a_run_differs_from_its_recipe_by_what_its_command_set(trained: Path, printed: Printed) -> None:
    code, out, err = printed("recipes", "diff", "ccyclegan_t26", str(trained))
    assert code == 0, err
    assert "As run." not in out
    assert {key: values[1] for key, values in changed(printed, "ccyclegan_t26", str(trained)).items()} == {
        "dataset.use": "synthetic_faces",
        "dataset.test_in_training": None,
        "dataset.level": "default",
        "dataset.seed": 0,
        "dataset.identities": 20,
        "dataset.test_identities": 7,
        "architecture.width": 4,
        "objective.targets": 1,
        "training.epochs": None,
        "training.batch_images": 4,
        "training.steps": 6,
        "training.checkpoint_every_steps": 3,
    }


@pytest.mark.parametrize(
    ("b", "code", "fault"),
    [
        ("bas", 3, "ganlab: error: no recipe 'bas'"),
        ("nowhere@best", 6, "ganlab: error: no model is called 'nowhere'"),
        ("broken", 3, "ganlab: error: broken.toml: 1 fault\n    broken.toml:8: architecture.widht"),
    ],
)
def test_what_cannot_be_compared_is_one_clear_message(write: Write, printed: Printed, b: str, code: int, fault: str) -> None:
    write("broken", BASE.replace("width", "widht"))
    answer = printed("recipes", "diff", write("base", BASE), b)
    assert (answer[0], answer[1]) == (code, "")
    assert answer[2].startswith(fault), answer[2]
