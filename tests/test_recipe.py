"""Recipes read, extended, and written back as they were."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ganlab.errors import RecipeError
from ganlab.recipe import Place, dump_recipe, load_recipe, parse_recipe

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
        ("a = " + "[" * 2000, ": brackets are nested too deeply"),
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
