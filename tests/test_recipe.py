"""Recipes: found by path and name, extended, changed from the command line, written back as they were."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ganlab.errors import RecipeError
from ganlab.options import DatasetOptions
from ganlab.recipe import (
    SHARED_DATASET_KEYS,
    Place,
    dump_recipe,
    find_recipe,
    list_recipes,
    load_recipe,
    parse_recipe,
    swap_dataset,
)
from ganlab.recipe_files import shipped_recipes

BASE = """\
# A base recipe.
#
# Second paragraph.

[dataset]
use = "fer2013"
size_px = 48
path = "faces.csv"

[objective]
use = "dcgan"
adversarial = { use = "bce", real_low = 0.7 }

[objective.weights]
d_adversarial = 1.0

[training]
epochs = 3
"""
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Return `write(text, name)`: a recipe file."""

    def to_file(text: str = BASE, name: str = "base.toml") -> Path:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return path

    return to_file


def fault_of(call: Callable[[], object]) -> str:
    with pytest.raises(RecipeError) as fault:
        call()
    assert fault.value.code == 3
    return str(fault.value)


# Reading


def test_a_recipe_knows_its_values_its_name_and_its_header(write: Write) -> None:
    recipe = load_recipe(write())
    assert (recipe.name, recipe.header, recipe.notices) == ("base", "A base recipe.\n\nSecond paragraph.", ())
    assert recipe.values["objective"] == {
        "use": "dcgan",
        "adversarial": {"use": "bce", "real_low": 0.7},
        "weights": {"d_adversarial": 1.0},
    }


def test_each_value_remembers_its_line(write: Write) -> None:
    path = write(
        '# "not = this"\n[a]\nx = 1\n  y.z = [\n "[b]", # k = 1\n { q = 1 },\n]\n"quoted key" = """\n[c]\nk = 1\n"""\n'
        "[ a . 'b.c' ]\nk = '''\nl = 1'''\nm={ n = 1 }\n[[list]]\nk = 1\r\nl=2\n"
    )
    recipe = load_recipe(path)
    assert {".".join(key): place.line for key, place in recipe.places.items()} == {
        "a": 2,
        "a.x": 3,
        "a.y.z": 4,
        "a.quoted key": 8,
        "a.b.c": 12,
        "a.b.c.k": 13,
        "a.b.c.m": 15,
        "list": 16,
        "list.k": 17,
        "list.l": 18,
    }
    assert str(recipe.place(("a", "b.c", "m", "n"))) == f"{path}:15"
    assert str(recipe.place(("nowhere",))) == str(path)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("a = \n", ":1:5: invalid value"),
        ("[x]\na = 1\na = 2\n", ":3:6: cannot overwrite a value"),
        ("a = [1,\n", ":1:8: invalid value"),
        ("a\n", ":1:2: expected '=' after a key in a key/value pair"),
        ("a = " + "[" * 2000, ": TOML inline arrays/tables are nested more than the allowed 400 levels"),
        ("a = " + "1" * 5000, ": exceeds the limit"),
        ("", ": the recipe is empty"),
        ("# only a comment\n", ": the recipe is empty"),
        ("#" * (2**20 + 1), ": is larger than 1 MiB; a recipe is a short text"),
    ],
)
def test_what_is_no_recipe_is_refused_in_one_line(write: Write, text: str, fault: str) -> None:
    path = write(text)
    message = fault_of(lambda: load_recipe(path))
    assert message.startswith(f"{path}{fault}")
    assert "\n" not in message


def test_what_is_no_text_file_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "latin.toml").write_bytes(b"# caf\xe9\n")
    (tmp_path / "utf16.toml").write_bytes("a = 1".encode("utf-16"))
    os.mkfifo(tmp_path / "pipe.toml")
    expected = {
        "latin.toml": ":1: is not UTF-8 text",
        "utf16.toml": ":1: is not UTF-8 text",
        ".": ": is a folder, not a recipe",
        "pipe.toml": ": is not a file",
        "absent.toml": ": there is no such file",
    }
    for name, reason in expected.items():
        path = tmp_path / name
        assert fault_of(lambda path=path: load_recipe(path)) == f"{path}{reason}"  # type: ignore[misc]


def test_windows_line_ends_and_a_byte_order_mark_are_met(tmp_path: Path) -> None:
    path = tmp_path / "windows.toml"
    path.write_bytes(b"\xef\xbb\xbf# Header\r\n\r\n[training]\r\nepochs = 3\r\n")
    recipe = load_recipe(path)
    assert (recipe.header, recipe.values, recipe.places["training", "epochs"]) == (
        "Header",
        {"training": {"epochs": 3}},
        Place(path, 4),
    )


# extends


def test_extends_overlays_tables_and_remembers_both_files(write: Write) -> None:
    base = write()
    child = write('# Child.\nextends = "base.toml"\n[training]\nseed = 1\n[dataset]\nsize_px = 64\n', "child.toml")
    grandchild = write('extends = "child.toml"\n[training]\nepochs = 9\n', "grandchild.toml")
    recipe = load_recipe(grandchild)
    assert recipe.values == {
        **load_recipe(base).values,
        "dataset": {"use": "fer2013", "size_px": 64, "path": "faces.csv"},
        "training": {"epochs": 9, "seed": 1},
    }
    assert recipe.name == "grandchild"
    assert recipe.places["training", "epochs"] == Place(grandchild, 3)
    assert recipe.places["training", "seed"] == Place(child, 4)
    assert recipe.places["dataset", "path"] == Place(base, 8)


def test_a_table_with_another_use_replaces_the_whole_table(write: Write) -> None:
    write()
    child = write('extends = "base.toml"\n[objective]\nuse = "wgan"\ncritic_steps = 5\n', "child.toml")
    recipe = load_recipe(child)
    assert recipe.values["objective"] == {"use": "wgan", "critic_steps": 5}
    assert ("objective", "weights") not in recipe.places
    assert recipe.place(("objective", "weights", "d_adversarial")) == Place(child, 2)


def test_the_short_form_of_a_component_extends_like_a_table(write: Write) -> None:
    write('[objective]\nadversarial = "bce"\n')
    same = write('extends = "base.toml"\n[objective]\nadversarial = { real_low = 0.9 }\n', "same.toml")
    assert load_recipe(same).values == {"objective": {"adversarial": {"use": "bce", "real_low": 0.9}}}
    other = write('extends = "base.toml"\n[objective]\nadversarial = { use = "hinge" }\n', "other.toml")
    assert load_recipe(other).values == {"objective": {"adversarial": {"use": "hinge"}}}


@pytest.mark.parametrize(
    ("extends", "reason"),
    [
        ('"x.toml"', "extends loops: x.toml -> x.toml"),
        ('"../base.toml"', "extends '../base.toml' leaves the recipe's folder; copy that recipe into {folder}"),
        ('"/etc/passwd"', "extends '/etc/passwd' leaves the recipe's folder; copy that recipe into {folder}"),
        ('"absent.toml"', "extends 'absent.toml': there is no file {folder}/absent.toml"),
        ('"link.toml"', "extends 'link.toml' leaves the recipe's folder; copy that recipe into {folder}"),
        ("3", 'extends must be the name of a file in this folder, such as "base.toml"'),
        ('""', 'extends must be the name of a file in this folder, such as "base.toml"'),
        ('"a\\u0000b"', 'extends must be the name of a file in this folder, such as "base.toml"'),
    ],
)
def test_extends_stays_in_its_folder(write: Write, extends: str, reason: str) -> None:
    base = write()
    path = write(f"# x\nextends = {extends}\n", "inner/x.toml")
    (path.parent / "link.toml").symlink_to(base)
    assert fault_of(lambda: load_recipe(path)) == f"{path}:2: {reason.format(folder=path.parent)}"


def test_a_longer_loop_of_extends_is_told_as_it_runs(write: Write) -> None:
    first = write('extends = "b.toml"', "a.toml")
    write('extends = "c.toml"', "b.toml")
    last = write('extends = "b.toml"', "c.toml")
    assert fault_of(lambda: load_recipe(first)) == f"{last}:1: extends loops: b.toml -> c.toml -> b.toml"


# --set and --dataset


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        ("2e-4", 2e-4),
        ("true", True),
        ("[0.5, 0.9]", [0.5, 0.9]),
        ('{ use = "x" }', {"use": "x"}),
        ('"3"', "3"),
        ("1979-05-27", date(1979, 5, 27)),
        ("bce", "bce"),
        ("wgan-gp@1", "wgan-gp@1"),
        ("cuda:1", "cuda:1"),
        ("/data/my faces.csv", "/data/my faces.csv"),
        ("runs/0001#2", "runs/0001#2"),
        ("1 # 2", "1 # 2"),
        ("a=b", "a=b"),
        ("1, 2", "1, 2"),
        ("'a # b'", "a # b"),
        ("007", "007"),
    ],
)
def test_set_takes_toml_and_bare_words(write: Write, text: str, value: object) -> None:
    recipe = load_recipe(write(), [f"training.key={text}"])
    assert recipe.values["training"] == {"epochs": 3, "key": value}
    assert str(recipe.places["training", "key"]) == "--set"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("training.epochs", "--set training.epochs: there is no `=`; write it as training.epochs=3"),
        ("=3", "--set =3: '' is no key; write it as training.epochs=3"),
        ("a b=3", "--set a b=3: 'a b' is no key; write it as training.epochs=3"),
        ("a..b=3", "--set a..b=3: 'a..b' is no key; write it as training.epochs=3"),
        ("a=", "--set a=: there is no value; an empty string is written '\"\"'"),
        ("a=[1", "--set a=[1: unclosed array"),
        ('a="x', '--set a="x: unterminated string'),
        ("a=1\nb=2", "--set a: the value holds a line break or another control character"),
        ("extends=x.toml", "--set extends: extends can only stand in a file"),
        ("dataset.size_px.x=1", "--set dataset.size_px.x: dataset.size_px is a value, not a table ({path}:7)"),
    ],
)
def test_a_malformed_set_is_one_clear_line(write: Write, text: str, fault: str) -> None:
    path = write()
    assert fault_of(lambda: load_recipe(path, [text])) == fault.format(path=path)


def test_all_malformed_sets_are_told_at_once(write: Write) -> None:
    path = write()
    message = fault_of(lambda: load_recipe(path, ["a", "dataset.size_px.x=1", "b=1"]))
    assert [line.split(":")[0] for line in message.splitlines()] == ["--set a", "--set dataset.size_px.x"]


def test_set_of_another_component_drops_the_keys_of_the_old_one_and_says_so(write: Write) -> None:
    recipe = load_recipe(write(), ["objective.use=wgan"])
    assert recipe.values["objective"] == {"use": "wgan"}
    assert recipe.notices == (
        "--set objective.use: dropped objective.adversarial, objective.weights, which belonged to 'dcgan'",
    )
    assert ("objective", "weights", "d_adversarial") not in recipe.places


def test_set_of_another_data_set_keeps_the_shared_keys(write: Write) -> None:
    recipe = load_recipe(write(), ["dataset.use=synthetic_faces"])
    assert recipe.values["dataset"] == {"use": "synthetic_faces", "size_px": 48}
    assert recipe.notices == ("--set dataset.use: dropped dataset.path, which belonged to 'fer2013'",)


def test_set_of_the_same_component_drops_nothing(write: Write) -> None:
    path = write()
    recipe = load_recipe(path, ["dataset.use=FER2013", "objective.use=DCGAN"])
    assert recipe.notices == ()
    assert list(recipe.values["dataset"]) == ["use", "size_px", "path"]


def test_the_short_form_of_a_component_can_be_set_with_and_without_options(write: Write) -> None:
    path = write()
    recipe = load_recipe(path, ["objective.adversarial=hinge"])
    assert recipe.values["objective"]["adversarial"] == "hinge"
    assert recipe.notices == ("--set objective.adversarial: dropped objective.adversarial.real_low, which belonged to 'bce'",)
    recipe = load_recipe(path, ["objective.adversarial=hinge", "objective.adversarial.margin=2"])
    assert recipe.values["objective"]["adversarial"] == {"use": "hinge", "margin": 2}


def test_the_order_of_sets_does_not_matter_but_the_last_of_one_key_wins(write: Write) -> None:
    path = write()
    sets = ["dataset.path=new.csv", "dataset.use=other", "objective.adversarial.margin=2", "objective.adversarial=hinge"]
    forward, backward = load_recipe(path, sets).values, load_recipe(path, sets[::-1]).values
    assert forward == backward
    assert forward["dataset"] == {"use": "other", "size_px": 48, "path": "new.csv"}
    assert load_recipe(path, ["training.epochs=1", "training.epochs=2"]).values["training"] == {"epochs": 2}


def test_swapping_the_data_set_keeps_shared_keys_and_names_the_dropped_ones(write: Write) -> None:
    recipe = load_recipe(write())
    swapped, notices = swap_dataset(recipe, "synthetic_faces")
    assert swapped.values["dataset"] == {"use": "synthetic_faces", "size_px": 48}
    assert notices == ("--dataset synthetic_faces: dropped dataset.path, which belonged to 'fer2013'",)
    assert recipe.values["dataset"]["path"] == "faces.csv"
    assert swap_dataset(recipe, "fer2013")[1] == ()


def test_the_shared_keys_are_those_of_every_data_set() -> None:
    assert set(SHARED_DATASET_KEYS) == set(DatasetOptions.model_fields)


# Writing


def test_what_is_written_reads_back_in_the_same_order(write: Write) -> None:
    values: dict[str, Any] = {
        "zeta": {"use": "z", "betas": (0.5, 0.999), "names": ['a "quoted"\n', "é", "\\"], "none": None},
        "alpha": {"on": True, "tiny": 1e-08, "inf": math.inf, "when": date(2020, 1, 2), "inner": {"x": {}, "a.b": [{"k": 1}]}},
        "empty": {},
    }
    text = dump_recipe(values, "A header.\n\nMore.")
    recipe = parse_recipe(text, Path("x.toml"))
    del values["zeta"]["none"]
    values["zeta"]["betas"] = [0.5, 0.999]
    assert recipe.values == values
    assert recipe.header == "A header.\n\nMore."
    assert dump_recipe(recipe.values, recipe.header) == text


def test_a_written_recipe_reads_like_a_recipe() -> None:
    values = {"training": {"epochs": 3.0, "start_from": None}, "optimizer": {"generator": {"betas": (0.5, 0.9)}}}
    assert dump_recipe(values, "Title.") == (
        "# Title.\n\n[training]\nepochs = 3.0\n\n[optimizer.generator]\nbetas = [0.5, 0.9]\n"
    )


# Finding


def test_a_recipe_is_found_by_path(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write()
    monkeypatch.chdir(path.parent)
    assert find_recipe(str(path)) == path
    assert [find_recipe(name) for name in ("base.toml", "base", "./base")] == [Path("base.toml")] * 3


@pytest.mark.parametrize("form", ["{}", "{}.toml", "recipes/{}.toml", "recipes/{}", "./{}.toml"])
@pytest.mark.parametrize("path", list_recipes(), ids=lambda path: path.stem)
def test_a_shipped_recipe_is_found_from_any_folder(
    path: Path, form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_recipe(form.format(path.stem)).resolve() == path.resolve()
    assert find_recipe(form.format(path.stem.replace("_", "-").upper())).resolve() == path.resolve()


def test_a_folder_with_the_name_of_a_recipe_does_not_hide_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").mkdir()
    plugin_recipe = tmp_path / "plugin" / "mine.toml"
    plugin_recipe.parent.mkdir()
    plugin_recipe.write_text("")
    assert find_recipe("mine", [plugin_recipe]) == plugin_recipe
    assert fault_of(lambda: find_recipe("plugin")) == "plugin: is a folder, not a recipe"


def test_a_plugins_recipe_is_listed_after_ours_and_cannot_take_our_names(tmp_path: Path) -> None:
    ours = list_recipes()
    theirs = [tmp_path / "new.toml", *(tmp_path / path.name for path in ours)]
    assert list_recipes(theirs) == (*ours, tmp_path / "new.toml")


def test_no_such_recipe_says_what_was_near_and_where_it_looked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    near = tmp_path / "elsewhere" / "my_recipe.toml"
    assert fault_of(lambda: find_recipe("my_recpe", [near])) == (
        f"no recipe 'my_recpe'; did you mean 'my_recipe'?\nlooked in {tmp_path}, {shipped_recipes()}\n"
        "`ganlab recipes list` shows the recipes."
    )
    assert fault_of(lambda: find_recipe("other/my_recipe.toml", [near])) == (
        "no recipe 'other/my_recipe.toml'; did you mean 'my_recipe'?\nlooked in other\n`ganlab recipes list` shows the recipes."
    )


@pytest.mark.parametrize("reference", ["", ".", "..", "/", "a\0b", "x" * 5000, "~no_such_user/x", "\n"])
def test_a_strange_reference_is_a_clear_error(reference: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "recipe" in fault_of(lambda: find_recipe(reference))
