"""The WACGAN's recipes: each says what was published, and trains, in small, on drawn faces."""

import subprocess
import sys
from functools import cache

import pytest
import torch

from ganlab.plugins import load_plugins
from ganlab.recipe import find_recipe, list_recipes, load_recipe, swap_dataset, with_sets
from ganlab.registry import Registry
from ganlab.resolve import resolve
from ganlab.spec import Spec, make_spec
from ganlab.training.step import TrainingStep, run_step

MATCHING = {
    "smile_wacgan": (False, "l2", "half_sum"),
    "smile_wacgan_fm_l1": (True, "l1", "mean"),
    "smile_wacgan_fm_l2": (True, "l2", "half_sum"),
}
RECIPES = {path.stem: path for path in list_recipes() if "wacgan" in path.stem}
FEW = (
    "dataset.identities=4",
    "dataset.test_identities=1",
    "dataset.size_px=16",
    "architecture.width=2",
    "training.batch_images=4",
)


@cache
def registry() -> Registry:
    return Registry(load_plugins())


def drawn(name: str, *sets: str) -> Spec:
    recipe, notices = swap_dataset(load_recipe(RECIPES[name]), "synthetic_faces")
    assert all("dropped dataset." in notice for notice in notices)
    return make_spec(with_sets(recipe, sets), registry())


def recorded_step(spec: Spec, number: int) -> tuple[list[str], dict[str, torch.nn.Module]]:
    """Take the step of that number; return the names of its terms in order, and the networks after it."""
    parts = resolve(spec, torch.device("cpu"))
    phase = parts.objective.phase(number)  # type: ignore[attr-defined]
    recorded = run_step(parts, TrainingStep(parts, phase, batch_images=4, flip=False))
    assert all(value.isfinite() for _, value in recorded)
    return [name for name, _ in recorded if "accuracy" not in name], dict(parts.nets)


def test_these_recipes_are_there() -> None:
    assert set(RECIPES) == set(MATCHING)


@pytest.mark.parametrize("name", MATCHING)
def test_a_recipe_says_what_was_published(name: str) -> None:
    spec = make_spec(load_recipe(find_recipe(name)), registry())
    assert (spec.data.size_px, spec.data.channels, spec.data.labels) == (128, 3, 2)
    assert (spec.dataset.settings["crop"], spec.dataset.settings["partition"]) == ("smile", "all")
    assert (spec.training.steps, spec.training.batch_images) == (100_000, 64)
    rmsprop = {"use": "rmsprop", "learning_rate": 1e-5, "decay": 0.9, "epsilon": 1e-5}
    assert [options.model_dump() for options in spec.optimizers.values()] == [rmsprop, rmsprop]
    settings, losses = spec.objective.settings, spec.losses
    schedule = ("clip_limit", "critic_steps", "long_critic_steps", "long_first_steps", "long_every_steps")
    assert [settings[key] for key in schedule] == [0.01, 5, 25, 24, 500]
    assert (settings["feature_matching"], losses["feature_distance"].name, settings["feature_scale"]) == MATCHING[name]
    assert [losses[key].name for key in ("adversarial", "classification", "penalty")] == ["wasserstein", "binary", "none"]
    assert spec.term_weights is not None
    assert {term for term, weight in spec.term_weights.items() if weight != 1} == {"d_penalty", "g_features"}
    assert spec.term_weights["g_features"] == 0.1
    assert (spec.architecture.name, spec.architecture.settings["width"]) == ("smile_acgan", 32)


@pytest.mark.parametrize("name", MATCHING)
def test_a_recipe_holds_on_drawn_faces_at_the_published_size(name: str) -> None:
    spec = drawn(name)
    assert (spec.data.size_px, spec.data.channels, spec.data.label_names[1]) == (128, 3, "Smiling")


@pytest.mark.parametrize("name", MATCHING)
def test_a_recipe_takes_a_real_step(name: str) -> None:
    spec = drawn(name, *FEW)
    fresh = {
        key: [w.detach().clone() for w in net.parameters()] for key, net in resolve(spec, torch.device("cpu")).nets.items()
    }
    terms, nets = recorded_step(spec, 25)
    matching = ["g_features"] if MATCHING[name][0] else []
    assert terms == ["d_adversarial", "d_class_real", "d_class_fake"] * 5 + ["g_adversarial", "g_class", *matching]
    assert max(weight.abs().max().item() for weight in nets["discriminator"].parameters()) <= 0.01
    for key, net in nets.items():
        moved = [not torch.equal(old, new) for old, new in zip(fresh[key], net.parameters(), strict=True)]
        assert sum(moved) > 0.8 * len(moved)  # a bias before batch norm may stay


def test_a_first_step_has_25_updates_of_the_critic() -> None:
    terms, _ = recorded_step(drawn("smile_wacgan", *FEW), 1)
    assert (terms.count("d_adversarial"), terms.count("g_adversarial")) == (25, 1)


@pytest.mark.parametrize("labels", ["attributes", "expression"])
def test_labels_may_be_attributes_or_classes(labels: str) -> None:
    terms, _ = recorded_step(drawn("smile_wacgan_fm_l2", *FEW, f"dataset.labels={labels}"), 25)
    assert "g_features" in terms


@pytest.mark.parametrize("loss", ["wasserstein", "hinge", "lecam", "relativistic_paired"])
def test_a_gradient_penalty_may_take_the_place_of_clipping(loss: str) -> None:
    sets = ("objective.penalty=wgan_gp", "objective.clip_limit=0.0", f"objective.adversarial={loss}")
    terms, nets = recorded_step(drawn("smile_wacgan", *FEW, *sets, 'objective.augment=["colour", "translation"]'), 25)
    assert terms.count("d_penalty") == 5
    assert max(weight.abs().max().item() for weight in nets["discriminator"].parameters()) > 0.5


@pytest.mark.parametrize("name", RECIPES)
def test_a_headers_settings_can_be_typed(name: str) -> None:
    words = RECIPES[name].read_text().replace("\n#", " ").split()
    sets = [words[i + 1].rstrip(".") for i, word in enumerate(words) if word == "--set"]
    assert sets
    drawn(name, *sets)


def test_plugin_and_options_import_no_torch() -> None:
    code = "import ganlab_wacgan, ganlab_wacgan.options, sys; print('torch' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "False"
