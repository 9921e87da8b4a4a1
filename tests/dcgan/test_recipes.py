"""The recipes without labels: each says what was published, and trains, in small, on drawn faces and on unlabelled images."""

from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from ganlab.plugins import load_plugins
from ganlab.recipe import find_recipe, list_recipes, load_recipe, swap_dataset, with_sets
from ganlab.registry import Registry
from ganlab.report.pictures import make_grid
from ganlab.resolve import Parts, resolve
from ganlab.spec import Spec, make_spec
from ganlab.testing.fixtures import Train, ganlab_home, train  # noqa: F401
from ganlab.training.milestones import trained_model
from ganlab.training.schedule import end_of
from ganlab.training.step import TrainingStep, run_step

CPU = torch.device("cpu")
OURS = ("face_mlp", "dcgan", "smile")
RECIPES = {path.stem: path for path in list_recipes() if path.stem.rpartition("_")[0] in OURS and "acgan" not in path.stem}
SMALL = {
    "face_mlp": ("architecture.width=4",),
    "dcgan": ("architecture.width=4",),
    "smile_gan": ("architecture.width=4", "architecture.discriminator_width=4"),
    "smile_wgan": ("architecture.width=4", "architecture.discriminator_width=4"),
}
FEW_FACES = ("dataset.identities=10", "dataset.test_identities=1", "dataset.size_px=16")
LOSSES = ("hinge", "lsgan", "wasserstein", "relativistic_average", "lecam", "relativistic_paired")


@cache
def registry() -> Registry:
    return Registry(load_plugins())


def published(name: str, *sets: str) -> Spec:
    return make_spec(with_sets(load_recipe(RECIPES[name]), sets), registry())


def small(name: str, *sets: str) -> Spec:
    """Return a recipe with few drawn faces of 16 px and networks of a few channels; all else is as published."""
    recipe, _ = swap_dataset(load_recipe(RECIPES[name]), "synthetic_faces")
    architecture = recipe.values["architecture"]["use"]
    return make_spec(with_sets(recipe, (*FEW_FACES, *SMALL[architecture], *sets)), registry())


def take_steps(spec: Spec, count: int, batch_images: int = 4, first: int = 1) -> tuple[Parts, list[list[tuple[str, Tensor]]]]:
    """Return the parts after `count` steps from number `first`, and what each recorded."""
    parts = resolve(spec, CPU)
    phase_of = getattr(parts.objective, "phase", lambda index: None)
    steps = (TrainingStep(parts, phase_of(first + i), batch_images=batch_images, flip=False) for i in range(count))
    return parts, [run_step(parts, step) for step in steps]


def test_these_recipes_are_there() -> None:
    kinds = ("base", "improved", "mini")
    expected = [f"{family}_{kind}" for family in ("face_mlp", "dcgan") for kind in kinds] + ["smile_gan", "smile_wgan"]
    assert sorted(RECIPES) == sorted(expected)


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_says_what_was_published(name: str) -> None:
    spec = published(name)
    assert (spec.data.size_px, spec.data.channels) == ((128, 3) if name.startswith("smile") else (64, 3))
    assert spec.dataset.settings["crop"] == ("smile" if name.startswith("smile") else "centre_160")
    assert spec.dataset.settings["partition"] == "all"  # no split in either seed
    assert spec.training.batch_images == 64
    options: Any = spec.optimizers["discriminator"]
    assert spec.optimizers["generator"] == options
    if name == "smile_wgan":
        assert (options.use, options.learning_rate, options.decay, options.epsilon) == ("rmsprop", 5e-5, 0.9, 1e-5)
    else:
        assert (options.use, options.learning_rate, options.betas) == ("adam", 2e-4, (0.5, 0.999))
    ends = {"base": (100, None), "improved": (16, None), "mini": (100, None), "gan": (None, 100_000), "wgan": (None, 100_000)}
    assert (spec.training.epochs, spec.training.steps) == ends[name.rpartition("_")[2]]
    assert spec.term_weights is not None
    assert {spec.term_weights[term] for term in ("d_adversarial", "g_adversarial")} == {1.0}


@pytest.mark.parametrize("family", ["face_mlp", "dcgan"])
def test_improved_differs_from_base_in_activation_dropout_and_targets(family: str) -> None:
    base, improved = published(f"{family}_base"), published(f"{family}_improved")
    slope = 0.01 if family == "face_mlp" else 0.2
    changed = {key: value for key, value in improved.architecture.settings.items() if value != base.architecture.settings[key]}
    assert changed == {"generator_slope": slope, "dropout": 0.1}
    assert base.architecture.settings["discriminator_slope"] == slope
    hard = {"real_low": 1.0, "real_high": 1.0, "fake_low": 0.0, "fake_high": 0.0, "smooth_generator": False}
    assert base.losses["adversarial"].settings == hard
    assert improved.losses["adversarial"].settings == {**hard, "real_low": 0.7, "real_high": 1.2}
    as_code = published(f"{family}_improved", "objective.adversarial.smooth_generator=true")
    assert as_code.losses["adversarial"].settings == {**hard, "real_low": 0.7, "real_high": 1.2, "smooth_generator": True}


@pytest.mark.parametrize("family", ["face_mlp", "dcgan"])
def test_mini_takes_one_batch_of_64_of_69_images_an_epoch(family: str) -> None:
    spec = small(f"{family}_mini")
    data = resolve(spec, CPU).data
    assert (len(data.bank), data.draws.epoch_images) == (69, 64)
    end = end_of(spec.training, data.draws.epoch_images)
    assert (end.share(99, 99 * 64) < 1, end.share(100, 100 * 64)) == (True, 1)


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_takes_real_steps(name: str) -> None:
    spec = small(name)
    assert [notice.split(":")[0] for notice in spec.notices] == ["labels are not used"]
    before = {key: [w.detach().clone() for w in net.parameters()] for key, net in resolve(spec, CPU).nets.items()}
    parts, recorded = take_steps(spec, 2, first=24)
    assert all(value.isfinite() for step in recorded for _, value in step)
    critic_steps = [25, 5] if name == "smile_wgan" else [1, 1]
    terms = [[term for term, _ in step if "accuracy" not in term] for step in recorded]
    assert terms == [["d_adversarial"] * count + ["g_adversarial"] for count in critic_steps]
    for key, net in parts.nets.items():
        assert not any(torch.equal(old, new) for old, new in zip(before[key], net.parameters(), strict=True)), key


@pytest.mark.parametrize("labels", ["expression", "attributes", "Smiling"])
def test_pictures_of_a_model_without_labels_claim_none(labels: str) -> None:
    spec = small("dcgan_base", f"dataset.labels={labels}")
    assert spec.data.labels > 0
    assert (spec.model_data.labels, spec.model_data.label_kind, spec.model_data.size_px) == (0, "none", 16)
    parts = resolve(spec, CPU)
    grid, captions = make_grid(trained_model(spec, parts), parts.data.test, rows=2)
    assert (captions, tuple(grid.shape)) == ([""] * 8, (2, 8, 3, 16, 16))
    conditional = make_spec(swap_dataset(load_recipe(find_recipe("ccyclegan_t26")), "synthetic_faces")[0], registry())
    assert conditional.model_data == conditional.data


def test_the_critic_of_the_recipe_stays_within_the_limit() -> None:
    parts, _ = take_steps(small("smile_wgan"), 1, first=25)
    assert max(weight.abs().max().item() for weight in parts.nets["discriminator"].parameters()) <= 0.01


def test_the_discriminator_may_be_moved_by_sgd() -> None:
    sets = ("optimizer.discriminator.use=sgd", "optimizer.discriminator.learning_rate=0.01")
    parts, _ = take_steps(small("face_mlp_improved", *sets), 1)
    assert {name: type(optimizer).__name__ for name, optimizer in parts.optimizers.items()} == {
        "generator": "Adam",
        "discriminator": "SGD",
    }


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("name", ["dcgan_base", "smile_wgan"])
def test_losses_of_every_family_train(name: str, loss: str) -> None:
    sets = (f"objective.adversarial={loss}", "objective.penalty=wgan_gp", 'objective.augment=["colour", "translation"]')
    _, recorded = take_steps(small(name, *sets, "architecture.spectral_norm=true"), 1, first=25)
    assert {term for term, _ in recorded[0] if "accuracy" not in term} == {"d_adversarial", "d_penalty", "g_adversarial"}
    assert all(value.isfinite() for _, value in recorded[0])


@pytest.mark.parametrize("labels", ["none", "classes", "attributes"])
@pytest.mark.parametrize("name", ["gan", "wgan"])
def test_images_may_have_any_labels_or_none(train: Train, name: str, labels: str) -> None:  # noqa: F811
    recipe = f'[dataset]\nuse = "tiny"\nkind = "{labels}"\n[architecture]\nuse = "dcgan"\n[objective]\nuse = "{name}"'
    assert [row["step"] for row in train("dcgan", recipe)] == [1, 2, 3]


def test_a_headers_lines_can_be_typed() -> None:
    """Every key that a header tells the user to `--set`, or names as an option, is one."""
    for name in RECIPES:
        words = Path(RECIPES[name]).read_text().replace("\n#", " ").split()
        sets = [words[i + 1] for i, word in enumerate(words) if word == "--set"]
        published(name, *(text for text in sets if "NAME" not in text))
