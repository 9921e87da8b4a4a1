"""The plugin's recipe holds, and its published procedure trains, in small, on drawn faces and on faces with one attribute."""

from pathlib import Path

import pytest
import torch

from ganlab.plugins import load_plugins
from ganlab.recipe import find_recipe, load_recipe, swap_dataset, with_sets
from ganlab.registry import Registry
from ganlab.resolve import resolve
from ganlab.spec import Spec, make_spec
from ganlab.training.step import TrainingStep, run_step

FEW = ("dataset.identities=2", "dataset.test_identities=1", "training.batch_images=4")
SMALL = ("dataset.size_px=32", "architecture.width=8", "architecture.embedding=8")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANLAB_HOME", str(tmp_path))


def drawn(*sets: str) -> Spec:
    recipe, notices = swap_dataset(load_recipe(find_recipe("cgan_celeba")), "synthetic_faces")
    assert all("dropped dataset." in notice for notice in notices)
    return make_spec(with_sets(recipe, sets), Registry(load_plugins()))


def test_recipe_holds_on_celeba() -> None:
    spec = make_spec(load_recipe(find_recipe("cgan_celeba")), Registry(load_plugins()))
    assert (spec.data.size_px, spec.data.channels, spec.data.labels) == (64, 3, 40)
    assert spec.dataset.settings["train_count"] == 180_000


def test_recipe_states_the_published_settings() -> None:
    spec = drawn()
    assert (spec.training.epochs, spec.training.batch_images) == (40, 128)
    for options in spec.optimizers.values():
        assert options.model_dump() == {"use": "adam", "learning_rate": 2e-4, "betas": (0.5, 0.999), "epsilon": 1e-7}
    assert spec.architecture.settings == {
        "width": 128,
        "noise": 128,
        "embedding": 128,
        "start_px": 4,
        "label_map": "single",
        "dropout": 0.4,
    }


@pytest.mark.parametrize("labels", ["attributes", "Smiling", "expression"])
@pytest.mark.parametrize("label_map", ["single", "per_label"])
def test_recipe_takes_real_steps(labels: str, label_map: str) -> None:
    spec = drawn(*FEW, *SMALL, f"dataset.labels={labels}", f"architecture.label_map={label_map}")
    parts = resolve(spec, torch.device("cpu"))
    before = {name: [w.detach().clone() for w in net.parameters()] for name, net in parts.nets.items()}
    for _ in range(2):
        recorded = run_step(parts, TrainingStep(parts, None, batch_images=4, flip=False))
        assert all(value.isfinite() for _, value in recorded)
    assert {name for name, _ in recorded} >= {"d_adversarial_real", "d_adversarial_fake", "g_adversarial"}
    for name, net in parts.nets.items():
        assert all(not torch.equal(old, new) for old, new in zip(before[name], net.parameters(), strict=True))
