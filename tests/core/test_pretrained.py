"""Networks that start from files of weights: the files are read when a run begins, and never again."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from ganlab import Component, GanlabError, ObjectiveOptions, Step, Update, hookimpl
from ganlab.evaluation.sampling import load_model
from ganlab.plugins import Plugins
from ganlab.recipe import load_recipe, parse_recipe
from ganlab.registry import Registry
from ganlab.runs.checkpoints import find_checkpoint, open_checkpoint
from ganlab.runs.directory import Run
from ganlab.spec import Spec, make_spec
from ganlab.training.session import resume_run, start_run

CPU = torch.device("cpu")


@pytest.fixture
def plugins(tiny: Any, plugins_with: Callable[[ModuleType], Plugins]) -> Plugins:
    """Return the tiny plugin, and its networks once more with a generator that may start from a file."""

    class Options(tiny.TinyNetworksOptions):  # type: ignore[misc, name-defined]
        STARTS_FROM: ClassVar[frozenset[str]] = frozenset({"begins_with"})
        begins_with: str | None = None

    class Networks(tiny.TinyNetworks):  # type: ignore[misc, name-defined]
        def load_pretrained(self, nets: Mapping[str, nn.Module]) -> dict[str, str]:
            file = self.options.begins_with
            if file is None:
                return {}
            if not Path(file).exists():
                raise GanlabError(f"{file}: no such file")
            nets["generator"].load_state_dict(load_file(file))
            return {"begins_with": "a digest"}

    class JudgingOptions(ObjectiveOptions):
        def players(self) -> dict[str, tuple[str, ...]]:
            return {"discriminator": ("discriminator",)}

        def needs(self) -> dict[str, str]:
            return {"generator": "noise labels -> images", "discriminator": "images -> logits"}

    class Judging:
        def step(self, s: Step) -> Iterator[Update]:
            batch = s.batch()
            fake = s.nets["generator"](s.noise(len(batch)), batch.labels)
            yield Update("discriminator", d_adversarial=s.nets["discriminator"](fake).logits.mean())

    @hookimpl
    def ganlab_architectures() -> list[Component]:
        return [Component("begun", Networks, Options)]

    @hookimpl
    def ganlab_objectives() -> list[Component]:
        return [Component("judging", Judging, JudgingOptions)]

    module = ModuleType("ganlab_begun")
    vars(module).update(ganlab_architectures=ganlab_architectures, ganlab_objectives=ganlab_objectives)
    return plugins_with(module)


@pytest.fixture
def weights(tiny: Any, tmp_path: Path) -> Path:
    """Return a file of weights for the generator."""
    torch.manual_seed(5)
    save_file(tiny.Generator(3, 4, 8).state_dict(), tmp_path / "generator.safetensors")
    return tmp_path / "generator.safetensors"


def spec_of(plugins: Plugins, recipe_text: str, file: Path | None, steps: int = 2, **changes: str) -> Spec:
    begun = f'[architecture]\nuse = "begun"\nbegins_with = "{file}"' if file else '[architecture]\nuse = "begun"'
    text = recipe_text.replace('[architecture]\nuse = "tiny"', begun).replace("steps = 20", f"steps = {steps}")
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    return make_spec(parse_recipe(text, Path("tiny.toml")), Registry(plugins))


def test_a_run_begins_with_the_weights_of_a_file(
    plugins: Plugins, recipe_text: str, weights: Path, listener: Any, tmp_path: Path
) -> None:
    spec = spec_of(plugins, recipe_text, weights)  # two steps: the generator moves in each third
    run = start_run(spec, plugins, CPU, listener, out=tmp_path / "run", command=[]).run
    checkpoint = open_checkpoint(find_checkpoint(run.path))
    for kept in ("networks", "averaged"):
        tensors = checkpoint.tensors(kept)
        for name, value in load_file(weights).items():
            torch.testing.assert_close(tensors[f"generator/{name}"], value)
    record = json.loads((run.path / "environment.json").read_text())["models"]
    assert record == {"architecture.begins_with": {"from": str(weights), "sha256": "a digest"}}


def test_a_run_goes_on_and_is_opened_without_the_file(
    plugins: Plugins, recipe_text: str, weights: Path, listener: Any, tmp_path: Path
) -> None:
    path = tmp_path / "run"
    start_run(spec_of(plugins, recipe_text, weights), plugins, CPU, listener, out=path, command=[])
    weights.unlink()
    longer = spec_of(plugins, recipe_text, weights, steps=4)
    outcome = resume_run(longer, plugins, Run(path), CPU, listener, command=[], has_new_end=True)
    assert outcome.step == 4
    spec = make_spec(load_recipe(path / "recipe.toml"), Registry(plugins))
    model = load_model(spec, open_checkpoint(find_checkpoint(path)), CPU)
    assert model.generate(torch.eye(3), 0).shape == (3, 1, 8, 8)


def test_a_file_that_is_not_there_is_told_before_the_run_has_a_folder(
    plugins: Plugins, recipe_text: str, listener: Any, tmp_path: Path
) -> None:
    spec = spec_of(plugins, recipe_text, tmp_path / "gone")
    with pytest.raises(GanlabError, match="gone: no such file"):
        start_run(spec, plugins, CPU, listener, out=tmp_path / "run", command=[])
    assert not (tmp_path / "run").exists()


def test_a_frozen_network_need_not_name_the_file_that_its_run_began_with(
    plugins: Plugins, recipe_text: str, weights: Path, listener: Any, tmp_path: Path
) -> None:
    source = start_run(spec_of(plugins, recipe_text, weights), plugins, CPU, listener, out=tmp_path / "source", command=[]).run
    weights.unlink()
    frozen = f'[frozen.generator]\nrun = "{source.path}"\narchitecture = {{ use = "begun" }}'
    judging = {'[objective]\nuse = "tiny"': f'{frozen}\n[objective]\nuse = "judging"'}
    spec = spec_of(plugins, recipe_text, None, **judging)
    run = start_run(spec, plugins, CPU, listener, out=tmp_path / "run", command=[]).run
    there = open_checkpoint(find_checkpoint(source.path)).tensors("averaged")
    here = open_checkpoint(find_checkpoint(run.path)).tensors("networks")
    assert all(torch.equal(value, here[name]) for name, value in there.items() if name.startswith("generator/"))
