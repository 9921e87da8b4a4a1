"""What only the files of a data set say is asked once, and a run's recipe states it."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, Self

import pytest

from ganlab import Component, DataSpec, hookimpl
from ganlab.errors import DataError, RecipeError
from ganlab.options import DatasetOptions
from ganlab.plugins import Plugins
from ganlab.recipe import dump_recipe, parse_recipe
from ganlab.registry import Registry
from ganlab.spec import make_spec
from ganlab.spec_resolved import resolved


class ListedOptions(DatasetOptions):
    """Its labels stand in a file, one a line."""

    path: str
    names: tuple[str, ...] = ()

    def found(self) -> Self:
        if self.names:
            return self
        if not Path(self.path).exists():
            raise DataError(f"{self.path}: there is no such file\nPut it there.")
        return self.model_copy(update={"names": tuple(Path(self.path).read_text().split())})

    def data_spec(self) -> DataSpec:
        return DataSpec(size_px=16, channels=1, label_kind="classes", label_names=self.names)


@pytest.fixture
def registry_of_listed(plugins_with: Callable[[ModuleType], Plugins]) -> Registry:
    module: Any = ModuleType("listed")
    component = Component("listed", lambda options: None, options=ListedOptions)
    module.ganlab_datasets = hookimpl(specname="ganlab_datasets")(lambda: [component])
    return Registry(plugins_with(module))


def test_what_is_found_stands_in_the_recipe_of_a_run(registry_of_listed: Registry, recipe_text: str, tmp_path: Path) -> None:
    file = tmp_path / "names"
    file.write_text("cat dog")
    text = recipe_text.replace('[dataset]\nuse = "tiny"', f"[dataset]\nuse = \"listed\"\npath = '{file}'")
    spec = make_spec(parse_recipe(text, Path("listed.toml")), registry_of_listed)
    assert spec.data.label_names == ("cat", "dog")
    stated = resolved(spec)
    assert stated["dataset"]["names"] == ["cat", "dog"]
    file.unlink()
    again = make_spec(parse_recipe(dump_recipe(stated), Path("recipe.toml")), registry_of_listed)
    assert again.data == spec.data


def test_files_that_are_missing_are_a_fault_of_the_recipe(registry_of_listed: Registry, recipe_text: str) -> None:
    text = recipe_text.replace('[dataset]\nuse = "tiny"', '[dataset]\nuse = "listed"\npath = "nowhere"')
    with pytest.raises(RecipeError) as raised:
        make_spec(parse_recipe(text, Path("listed.toml")), registry_of_listed)
    assert str(raised.value).splitlines() == [
        "listed.toml: 1 fault",
        "  listed.toml:3: dataset: nowhere: there is no such file",
        "Put it there.",
    ]
    assert raised.value.code == DataError.code
