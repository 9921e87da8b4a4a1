"""An evaluator's option of type `ModelName`: it gets the model itself, the card its digest, the recipe a lasting name."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from ganlab.errors import RunError
from ganlab.evaluation.named_models import open_named_model
from ganlab.evaluation.sampling import load_model, open_model
from ganlab.plugins import load_plugins
from ganlab.recipe import find_recipe, load_recipe, with_sets
from ganlab.registry import Registry
from ganlab.runs.model_adding import add_model
from ganlab.spec import Spec, make_spec
from ganlab.spec_resolved import named_models, pinned, resolved
from ganlab.training.session import start_run

CPU = torch.device("cpu")
FEW = ("dataset.identities=4", "dataset.test_identities=2", "training.batch_images=8", "training.steps=1")
SMALL = {"judge_synthetic": ("architecture.width=4",), "quickstart": ("architecture.width=4",)}


class Silent:
    """A listener that shows nothing."""

    def __getattr__(self, name: str) -> Any:
        return lambda *args, **kwargs: None


def spec_of(name: str, *sets: str) -> Spec:
    recipe = load_recipe(find_recipe(name))
    recipe = replace(recipe, values={key: value for key, value in recipe.values.items() if key != "evaluation"})
    return make_spec(with_sets(recipe, (*FEW, *SMALL[name], *sets)), Registry(load_plugins()))


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the run of a judge that learned for one step."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GANLAB_HOME", str(tmp_path_factory.mktemp("home")))
        out = tmp_path_factory.mktemp("runs") / "judge"
        start_run(spec_of("judge_synthetic"), load_plugins(), CPU, Silent(), out=out, command=[])
    return out


def scored_by(judge: str, out: Path, *sets: str) -> dict[str, Any]:
    """Return the entry of the score `translation` of a translator that learned for one step."""
    evaluation = ("evaluation.translation.images=12", f"evaluation.translation.judge={judge}")
    spec = spec_of("quickstart", *evaluation, *sets)
    outcome = start_run(spec, load_plugins(), CPU, Silent(), out=out, command=[])
    entries = json.loads(outcome.run.scores.read_text())["scores"]
    return next(entry for entry in entries if entry["evaluator"] == "translation")


def test_a_score_while_training_names_its_judge_by_digest_and_finds_it_again(judge: Path, tmp_path: Path) -> None:
    entry = scored_by(str(judge), tmp_path / "run")
    digests = json.loads(next((judge / "checkpoints").iterdir()).joinpath("state.json").read_text())["digests"]
    assert entry["protocol"]["models"] == {"judge": {"name": str(judge), "digest": digests["networks"]}}
    assert entry["protocol"]["facts"]["judge_digest"] == digests["networks"]
    assert 0 <= entry["scores"]["target_accuracy"] <= 1
    assert set(entry["details"]["confusion"]) <= set(open_model(str(judge)).spec.data.label_names)
    kept = load_recipe(tmp_path / "run" / "recipe.toml").values["evaluation"]["translation"]
    assert kept["judge"] == str(judge)


def test_a_relative_path_is_kept_whole_and_an_alias_as_its_version(judge: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add_model(str(judge), "judge", aliases=["best"])
    spec = pinned(spec_of("quickstart", "evaluation.translation.judge=judge@best"))
    assert named_models(spec.evaluation["translation"]) == {"judge": "judge@1"}
    assert resolved(spec)["evaluation"]["translation"]["judge"] == "judge@1"
    monkeypatch.chdir(judge.parent)
    spec = pinned(spec_of("quickstart", f"evaluation.translation.judge=./{judge.name}"))
    assert resolved(spec)["evaluation"]["translation"]["judge"] == str(judge)
    assert "judge" not in resolved(spec_of("quickstart", "evaluation.translation.images=9"))["evaluation"]["translation"]


def test_opening_a_model_moves_no_random_number_and_opens_it_once(judge: Path) -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    opened = open_named_model(str(judge), CPU)
    assert torch.equal(torch.get_rng_state(), before)
    assert open_named_model(str(judge), CPU) is opened


def test_features_are_what_the_last_linear_layer_reads(judge: Path) -> None:
    opened, named = open_model(str(judge)), open_named_model(str(judge), CPU)
    draws = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (300, 1, 48, 48), generator=draws, dtype=torch.uint8)
    features, tensors = named.features(images), opened.checkpoint.tensors("networks")
    logits = features @ tensors["classifier/head.weight"].T + tensors["classifier/head.bias"]
    assert torch.allclose(logits, named.classify(images), atol=1e-5)
    assert torch.allclose(features[:7], named.features(images[:7]), atol=1e-5)
    model = load_model(opened.spec, opened.checkpoint, CPU)
    assert not any(net._forward_pre_hooks for net in model._nets["classifier"].modules())


def test_a_judge_that_is_not_there_is_told_before_the_run_begins(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"^evaluation.translation.judge: nowhere/run: no such run or checkpoint$"):
        scored_by("nowhere/run", tmp_path / "run")
    assert not (tmp_path / "run").exists()


AGREEING = """
    from ganlab import Component, ModelName, hookimpl

    class Agreeing:
        def __init__(self, judge: ModelName):
            self.judge = judge

        def score(self, model, test):
            return {"images": len(self.judge.classify(test.images)), "named": self.judge.name.endswith("judge")}

    class Learned:
        split = "train"

        def score(self, model, test):
            return {"images": len(test.images), "labels": test.labels.sum()}

    @hookimpl
    def ganlab_evaluators():
        return [Component("agreeing", Agreeing), Component("learned", Learned)]
"""


def test_an_evaluator_of_a_few_lines_gets_models_and_may_ask_for_the_training_images(
    judge: Path, tmp_path: Path, installed_plugin: Callable[..., Path]
) -> None:
    installed_plugin("agreeing", AGREEING)
    spec = spec_of("quickstart", f"evaluation.agreeing.judge={judge}", "evaluation.learned.use=learned")
    outcome = start_run(spec, load_plugins(), CPU, Silent(), out=tmp_path / "run", command=[])
    assert dict(outcome.scores) == {"agreeing.images": 14, "agreeing.named": 1, "learned.images": 28, "learned.labels": 28}
    cards = [entry["protocol"] for entry in json.loads(outcome.run.scores.read_text())["scores"]]
    cards.sort(key=lambda card: card["evaluator"])
    assert [(card["split"], card["test_images"], card["test_split_was_trained_on"]) for card in cards] == [
        ("test", 14, False),
        ("train", 28, True),
    ]
