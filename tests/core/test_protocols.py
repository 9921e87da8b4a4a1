"""What a score rests on is asked for before any image is made, and stands beside the score."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor

from ganlab import Component, DataError, DataSpec, ImageSet, Model, hookimpl
from ganlab.errors import GanlabError, PluginError, RecipeError
from ganlab.evaluation.remembering import RememberingModel
from ganlab.evaluation.scores import protocols
from ganlab.plugins import Plugins
from ganlab.recipe import parse_recipe
from ganlab.registry import Registry
from ganlab.spec import make_spec
from ganlab.training.session import start_run

CPU = torch.device("cpu")


class Counting:
    """A model that counts how often it is asked for images."""

    data = DataSpec(size_px=8, channels=1, label_kind="classes", label_names=("red", "green", "blue"))
    makes = frozenset({"generate", "translate", "classify"})
    device = CPU

    def __init__(self) -> None:
        self.asked: list[str] = []

    def generate(self, labels: Tensor, seed: int) -> Tensor:
        self.asked.append(f"generate {len(labels)} {seed}")
        return torch.full((len(labels), 1, 8, 8), seed, dtype=torch.uint8)

    def translate(self, images: Tensor, labels: Tensor) -> Tensor:
        self.asked.append(f"translate {len(labels)}")
        return images + 1

    def classify(self, images: Tensor) -> Tensor:
        self.asked.append(f"classify {len(images)}")
        return images.float().flatten(1)[:, :3]


class Explained:
    """An evaluator with facts of its own."""

    def protocol(self, model: Model, test: ImageSet) -> Mapping[str, Any]:
        return {"extractor": "abc", "labels": list(test.labels.shape), "made": len(test.images)}

    def score(self, model: Model, test: ImageSet) -> Mapping[str, float]:
        return {"mean": float(model.generate(test.labels, 3).float().mean())}


class Plain:
    """An evaluator of a few lines, which asks for the same images."""

    def score(self, model: Model, test: ImageSet) -> Mapping[str, float]:
        return {"mean": float(model.generate(test.labels, 3).float().mean())}


def that_says(error: Exception, where: str = "protocol") -> type:
    """Return an evaluator that raises."""

    def fail(self: object, model: Model, test: ImageSet) -> Any:
        raise error

    return type("Failing", (Plain,), {where: fail})


@pytest.fixture
def run_with(
    plugins_with: Callable[[ModuleType], Plugins], recipe_text: str, listener: Any, tmp_path: Path
) -> Callable[..., Any]:
    """Return `run_with(a=Class, b=Class)`: train the tiny recipe with these evaluators; the content of scores.json."""

    def run(**evaluators: type) -> Any:
        @hookimpl
        def ganlab_evaluators() -> list[Component]:
            return [Component(name, target) for name, target in evaluators.items()]

        module = ModuleType("ganlab_scorers")
        vars(module)["ganlab_evaluators"] = ganlab_evaluators
        plugins = plugins_with(module)
        sections = "".join(f"[evaluation.{name}]\n" for name in evaluators)
        spec = make_spec(parse_recipe(recipe_text + sections, Path("tiny.toml")), Registry(plugins))
        outcome = start_run(spec, plugins, CPU, listener, out=tmp_path / "run", command=[])
        return json.loads(outcome.run.scores.read_text())["scores"]

    return run


def test_facts_stand_in_the_card_and_an_evaluator_of_a_few_lines_needs_none(run_with: Callable[..., Any]) -> None:
    explained, plain = run_with(explained=Explained, plain=Plain)
    assert explained["protocol"].pop("facts") == {"extractor": "abc", "labels": [8, 3], "made": 8}
    assert explained["protocol"].keys() == plain["protocol"].keys()
    assert explained["scores"] == plain["scores"]


def test_what_is_missing_is_told_before_the_run_begins(run_with: Callable[..., Any], tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"^weights.pt is not here$"):
        run_with(plain=Plain, lacking=that_says(DataError("weights.pt is not here")))
    assert not (tmp_path / "run").exists()


def test_what_does_not_fit_is_the_recipes_fault(run_with: Callable[..., Any], tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"^evaluation.unfit: the model makes no images$"):
        run_with(unfit=that_says(ValueError("the model makes no images")))
    assert not (tmp_path / "run").exists()


def test_a_crash_and_facts_that_json_cannot_hold_are_the_plugins_fault(run_with: Callable[..., Any]) -> None:
    with pytest.raises(PluginError, match=r"evaluator crashing \(plugin .*ganlab_scorers\) failed: KeyError: 'a'"):
        run_with(crashing=that_says(KeyError("a")))
    facts = type("Tensors", (Plain,), {"protocol": lambda self, model, test: {"a": torch.zeros(1)}})
    with pytest.raises(PluginError, match=r"evaluator tensors .* failed: TypeError: .*not JSON serializable"):
        run_with(tensors=facts)


def test_what_a_score_says_the_user_can_mend_keeps_its_exit_code(run_with: Callable[..., Any]) -> None:
    with pytest.raises(DataError, match=r"^the file went away$") as told:
        run_with(late=that_says(DataError("the file went away"), "score"))
    assert told.value.code == DataError.code


def test_protocols_ask_for_no_image(plugins: Plugins, spec_of: Callable[..., Any]) -> None:
    spec = spec_of({"[dataset]": "[evaluation.brightness]\n[dataset]"})
    model = Counting()
    cards = protocols(spec, model, ImageSet(images=torch.zeros(4, 1, 8, 8, dtype=torch.uint8), labels=torch.arange(4) % 3))
    assert model.asked == []
    assert cards["brightness"]["test_images"] == 4
    assert issubclass(RecipeError, GanlabError)


def test_a_model_that_remembers_makes_the_same_images_once() -> None:
    inner = Counting()
    model = RememberingModel(inner)
    labels, pixels = torch.eye(3), torch.zeros(3, 1, 8, 8, dtype=torch.uint8)
    first = model.generate(labels, 3)
    first.zero_()  # an evaluator may change what it got
    assert int(model.generate(labels.clone(), 3).min()) == 3
    model.generate(labels, 4)
    model.generate(labels.flip(0), 3)
    for _ in range(2):
        assert int(model.translate(pixels, labels).max()) == 1
        assert model.classify(pixels).shape == (3, 3)
    assert inner.asked == ["generate 3 3", "generate 3 4", "generate 3 3", "translate 3", "classify 3"]
    assert (model.data, model.makes, model.device) == (inner.data, inner.makes, CPU)


def test_only_so_much_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ganlab.evaluation.remembering._REMEMBERED_BYTES", 2 * 3 * 64)
    inner = Counting()
    model = RememberingModel(inner)
    for seed in (0, 1, 0, 2, 0, 1):
        model.generate(torch.eye(3), seed)
    assert inner.asked == ["generate 3 0", "generate 3 1", "generate 3 2", "generate 3 1"]
