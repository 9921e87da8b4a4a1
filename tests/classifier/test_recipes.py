"""The judges' recipes and C2 state what they say, take real steps, and a judge in small learns to read faces."""

from pathlib import Path
from typing import Any

import pytest
import torch

from ganlab.contracts import ImageSet
from ganlab.errors import RecipeError
from ganlab.plugins import load_plugins
from ganlab.recipe import find_recipe, load_recipe, swap_dataset, with_sets
from ganlab.registry import Registry
from ganlab.resolve import resolve
from ganlab.spec import Spec, make_spec
from ganlab.training.session import start_run
from ganlab.training.step import TrainingStep, run_step

CPU = torch.device("cpu")
FEW = ("dataset.identities=4", "dataset.test_identities=2", "training.batch_images=8")
JUDGES = ("judge_synthetic", "judge_fer2013", "judge_celeba")
SMALL = {"c2_resnet50": ("architecture.backbone=resnet18",), **dict.fromkeys(JUDGES, ("architecture.width=4",))}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANLAB_HOME", str(tmp_path / "home"))


def spec_of(name: str, *sets: str, drawn: bool = False) -> Spec:
    recipe = load_recipe(find_recipe(name))
    if drawn:
        recipe, _ = swap_dataset(recipe, "synthetic_faces")
    return make_spec(with_sets(recipe, sets), Registry(load_plugins()))


@pytest.mark.parametrize(
    ("name", "size_px", "channels", "labels"),
    [("judge_synthetic", 48, 1, 7), ("judge_fer2013", 48, 1, 7), ("judge_celeba", 64, 3, 40), ("c2_resnet50", 48, 3, 7)],
)
def test_a_recipe_holds_on_its_own_data(name: str, size_px: int, channels: int, labels: int) -> None:
    spec = spec_of(name)
    assert (spec.data.size_px, spec.data.channels, spec.data.labels) == (size_px, channels, labels)
    assert not spec.data.test_seen
    assert spec.makes == {"classify"}
    assert spec.losses["classification"].name == ("binary" if labels == 40 else "categorical")


@pytest.mark.parametrize("name", JUDGES)
def test_no_judge_is_chosen_by_its_test_images(name: str) -> None:
    training = spec_of(name).training
    assert (training.best, training.stop_after, training.learning_rate_schedule) == (None, None, "cosine")


def test_c2_states_the_published_settings() -> None:
    spec = spec_of("c2_resnet50")
    training, (optimizer,) = spec.training, spec.optimizers.values()
    assert optimizer.model_dump() == {"use": "adam", "learning_rate": 2e-4, "betas": (0.5, 0.999), "epsilon": 1e-7}
    assert (training.epochs, training.batch_images, training.flip, training.with_replacement) == (200, 64, False, False)
    assert training.learning_rate_schedule == "plateau"
    assert (training.plateau_patience, training.plateau_factor, training.plateau_least_rate) == (5, 0.2, 1e-5)
    assert (training.stop_after, training.best, training.best_is) == (20, "accuracy.accuracy", "highest")
    assert training.evaluate_every_steps == 28_709 // 64  # an epoch
    assert spec.losses["classification"].settings["smoothing"] == 0


@pytest.mark.parametrize("name", SMALL)
def test_a_recipe_takes_real_steps(name: str) -> None:
    spec = spec_of(name, *FEW, *SMALL[name], drawn=True)
    parts = resolve(spec, CPU)
    before = [weight.detach().clone() for weight in parts.nets["classifier"].parameters()]
    recorded = dict(run_step(parts, TrainingStep(parts, None, batch_images=8, flip=spec.training.flip)))
    assert set(recorded) == {"c_class", "accuracy"}
    assert 0 < recorded["c_class"] < 10
    assert all(not torch.equal(a, b) for a, b in zip(before, parts.nets["classifier"].parameters(), strict=True))


def test_the_judge_of_celeba_may_judge_one_attribute(tmp_path: Path) -> None:
    sets = ("dataset.labels=Smiling", "objective.classification=categorical", "architecture.width=4")
    spec = spec_of("judge_celeba", *FEW, *sets, drawn=True)
    assert spec.data.label_names == ("not Smiling", "Smiling")
    parts = resolve(spec, CPU)
    assert parts.architecture.classify(parts.nets, torch.zeros(3, 3, 64, 64)).shape == (3, 2)


def test_a_judge_in_small_learns_to_read_unseen_faces(tmp_path: Path) -> None:
    sets = ("dataset.level=easy", "dataset.identities=120", "dataset.test_identities=20", "dataset.size_px=32")
    spec = spec_of(
        "judge_synthetic",
        *sets,
        "architecture.width=8",
        "training.epochs=3",
        "training.batch_images=32",
        "optimizer.learning_rate=5e-3",
    )
    scores = start_run(spec, load_plugins(), CPU, Silent(), out=tmp_path / "run", command=[]).scores
    # Chance is 1/7; twenty unseen people show seven expressions each, so that every class counts alike.
    assert scores["accuracy.accuracy"] == pytest.approx(scores["accuracy.macro_accuracy"])
    assert scores["accuracy.accuracy"] > 0.4
    assert {name for name in scores if name.startswith("accuracy.accuracy_")} == {
        f"accuracy.accuracy_{name}" for name in spec.data.label_names
    }


def test_c2_follows_its_score_on_its_test_images(tmp_path: Path) -> None:
    watching = ("training.evaluate_every_steps=1", "training.stop_after=1", "training.steps=9", "optimizer.learning_rate=1e-9")
    spec = spec_of("c2_resnet50", *FEW, *SMALL["c2_resnet50"], *watching, drawn=True)
    outcome = start_run(spec, load_plugins(), CPU, Silent(), out=tmp_path / "run", command=[])
    assert outcome.is_early
    assert 2 <= outcome.step < 9


def test_images_without_labels_are_refused() -> None:
    with pytest.raises(
        RecipeError, match="face_cnn does not fit the data set: the data have no labels; face_cnn needs classes"
    ):
        spec_of("judge_celeba", "dataset.labels=none")


class Silent:
    """Hears a session and shows nothing."""

    def opened(self, *facts: Any) -> None: ...
    def note(self, text: str) -> None: ...
    def reading(self, *facts: Any) -> None: ...
    def stepped(self, *facts: Any) -> None: ...
    def logged(self, *facts: Any) -> None: ...


def test_classes_and_test_images_agree(tmp_path: Path) -> None:
    """A judge of two classes is tested on the images of those two."""
    spec = spec_of("judge_synthetic", *FEW, 'dataset.classes=["happy", "angry"]', "architecture.width=4", "training.steps=1")
    parts = resolve(spec, CPU)
    test: ImageSet = parts.data.test
    assert (len(test.images), sorted(set(test.labels.tolist()))) == (4, [0, 1])
