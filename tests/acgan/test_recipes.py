"""The plugin's recipes hold, and their published procedures train, in small, on drawn faces."""

from pathlib import Path

import pytest
import torch

from ganlab.plugins import load_plugins
from ganlab.recipe import find_recipe, load_recipe, swap_dataset, with_sets
from ganlab.registry import Registry
from ganlab.resolve import resolve
from ganlab.spec import Spec, make_spec
from ganlab.training.step import TrainingStep, run_step

FEW = ("dataset.identities=2", "dataset.test_identities=1", "training.batch_images=4", "dataset.size_px=32")
ATTRIBUTES, SMILE = ("acgan_celeba", "acgan_celeba_embed"), ("smile_acgan_fm_l1", "smile_acgan_fm_l2")
WIDTH = dict.fromkeys(ATTRIBUTES, 8) | dict.fromkeys(SMILE, 2)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANLAB_HOME", str(tmp_path))


def drawn(name: str, *sets: str) -> Spec:
    recipe, notices = swap_dataset(load_recipe(find_recipe(name)), "synthetic_faces")
    assert all("dropped dataset." in notice for notice in notices)
    return make_spec(with_sets(recipe, sets), Registry(load_plugins()))


@pytest.mark.parametrize("name", WIDTH)
def test_recipes_hold_on_celeba(name: str) -> None:
    spec = make_spec(load_recipe(find_recipe(name)), Registry(load_plugins()))
    if name in SMILE:
        assert (spec.data.size_px, spec.data.channels, spec.data.labels) == (128, 3, 2)
        assert spec.data.label_names[1] == "Smiling"
        assert spec.dataset.settings["crop"] == "smile"
    else:
        assert (spec.data.size_px, spec.data.channels, spec.data.labels) == (64, 3, 40)
        assert spec.dataset.settings["train_count"] == 180_000


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_attribute_recipes_state_the_published_settings(name: str) -> None:
    spec = drawn(name)
    assert (spec.training.epochs, spec.training.batch_images) == (50, 128)
    shared = {"use": "adam", "betas": (0.0, 0.999), "epsilon": 1e-7}
    assert {player: options.model_dump() for player, options in spec.optimizers.items()} == {
        "discriminator": shared | {"learning_rate": 2e-4},
        "generator": shared | {"learning_rate": 5e-4},
    }
    assert (spec.losses["adversarial"].name, spec.losses["classification"].name) == ("bce", "binary")


@pytest.mark.parametrize(("name", "distance", "scale"), [(SMILE[0], "l1", "mean"), (SMILE[1], "l2", "half_sum")])
def test_smile_recipes_state_the_published_settings(name: str, distance: str, scale: str) -> None:
    spec = drawn(name)
    assert (spec.training.steps, spec.training.batch_images) == (100_000, 64)
    for options in spec.optimizers.values():
        assert options.model_dump() == {"use": "adam", "learning_rate": 2e-4, "betas": (0.5, 0.999), "epsilon": 1e-8}
    assert (spec.losses["feature_distance"].name, spec.objective.settings["feature_scale"]) == (distance, scale)
    assert spec.term_weights is not None
    assert spec.term_weights["g_features"] == 0.1


@pytest.mark.parametrize("name", WIDTH)
@pytest.mark.parametrize("labels", ["attributes", "Smiling", "expression"])
def test_recipes_take_real_steps(name: str, labels: str) -> None:
    spec = drawn(name, *FEW, f"dataset.labels={labels}", f"architecture.width={WIDTH[name]}")
    parts = resolve(spec, torch.device("cpu"))
    before = {name: [w.detach().clone() for w in net.parameters()] for name, net in parts.nets.items()}
    for _ in range(2):
        recorded = run_step(parts, TrainingStep(parts, None, batch_images=4, flip=False))
        assert all(value.isfinite() for _, value in recorded)
    for name, net in parts.nets.items():
        moved = [not torch.equal(old, new) for old, new in zip(before[name], net.parameters(), strict=True)]
        assert sum(moved) > 0.9 * len(moved)  # a bias before batch norm may stay
    terms = {term for term, _ in recorded}
    assert terms >= {"d_class_real", "d_class_fake", "g_adversarial", "g_class"}


@pytest.mark.parametrize("loss", ["softmax_bce", "categorical", "binary"])
def test_the_classification_loss_can_be_chosen(loss: str) -> None:
    spec = drawn("acgan_celeba", *FEW, "architecture.width=4", f"objective.classification={loss}")
    parts = resolve(spec, torch.device("cpu"))
    recorded = run_step(parts, TrainingStep(parts, None, batch_images=4, flip=False))
    assert all(value.isfinite() for _, value in recorded)
