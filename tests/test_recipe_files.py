"""Recipes found by path, by name, and from any folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ganlab.errors import RecipeError
from ganlab.recipe import find_recipe, list_recipes
from ganlab.recipe_files import shipped_recipes


def fault_of(call: Callable[[], object]) -> str:
    with pytest.raises(RecipeError) as fault:
        call()
    assert fault.value.code == 3
    return str(fault.value)


def test_a_recipe_is_found_by_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "base.toml"
    path.write_text("")
    monkeypatch.chdir(tmp_path)
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
