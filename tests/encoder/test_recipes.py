"""The recipes hold, and train on drawn faces with a generator of another run, which they keep as it came."""

import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest
import torch

from ganlab.errors import RecipeError, RunError
from ganlab.evaluation.asking import asked_targets
from ganlab.plugins import load_plugins
from ganlab.recipe import find_recipe, load_recipe, swap_dataset, with_sets
from ganlab.registry import Registry
from ganlab.resolve import resolve
from ganlab.runs.checkpoints import find_checkpoint, open_checkpoint
from ganlab.spec import Spec, make_spec
from ganlab.training.borrowed import take_networks
from ganlab.training.session import start_run
from ganlab.training.step import TrainingStep, run_step

CPU = torch.device("cpu")
NAMES = ("smile_encoder_l1", "smile_encoder_l2")
FEW = ("dataset.identities=2", "dataset.test_identities=1", "training.batch_images=4", "dataset.size_px=16")
THIN = ("architecture.width=4", "frozen.generator.architecture.width=2")


class Silent:
    """Hears nothing."""

    def __getattr__(self, name: str) -> Any:
        return lambda *facts: None


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(autouse=True)
def _at_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANLAB_HOME", str(home))


def drawn(name: str, *sets: str) -> Spec:
    recipe, _ = swap_dataset(load_recipe(find_recipe(name)), "synthetic_faces")
    return make_spec(with_sets(recipe, (*FEW, *sets)), Registry(load_plugins()))


@pytest.fixture
def generator(home: Path) -> Path:
    """Return a run of smile_acgan of one step, trained once."""
    run = home / "generator"
    if not run.exists():
        spec = drawn("smile_acgan_fm_l2", "architecture.width=2", "training.steps=1")
        start_run(spec, load_plugins(), CPU, Silent(), out=run, command=[])
    return run


@pytest.mark.parametrize(("name", "distance", "scale"), [(NAMES[0], "l1", "mean"), (NAMES[1], "l2", "half_sum")])
def test_recipes_state_the_published_settings(name: str, distance: str, scale: str) -> None:
    spec = make_spec(load_recipe(find_recipe(name)), Registry(load_plugins()))
    assert (spec.losses["distance"].name, spec.objective.settings["distance_scale"]) == (distance, scale)
    assert spec.architecture.settings == {"width": 64, "noise": 100, "end_px": 4, "output": "sigmoid", "slope": 0.0}
    assert spec.optimizers["encoder"].model_dump() == {
        "use": "adam",
        "learning_rate": 2e-4,
        "betas": (0.5, 0.999),
        "epsilon": 1e-8,
    }
    assert (spec.training.steps, spec.training.batch_images, spec.data.size_px) == (100_000, 64, 128)
    assert spec.roles == {"encoder": "images -> noise", "generator": "noise labels -> images"}
    assert spec.makes == {"translate"}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("more", [(), ("objective.noise_match=energy",)])
def test_steps_move_the_encoder_and_nothing_of_the_generator(name: str, more: tuple[str, ...], generator: Path) -> None:
    spec = drawn(name, *THIN, f"frozen.generator.run={generator}", *more)
    parts = resolve(spec, CPU)
    taken = take_networks(spec, parts)
    assert taken["frozen.generator"]["step"] == 1
    theirs = open_checkpoint(find_checkpoint(generator)).tensors("networks")
    before = {name: value.clone() for name, value in parts.nets["encoder"].state_dict().items()}
    for index in (1, 2):
        s = TrainingStep(parts, None, batch_images=4, flip=False)
        recorded = dict(run_step(parts, s))
        assert recorded.keys() >= {"e_image", "noise_deviation", *(["e_noise"] if more else [])}, index
        assert all(value.isfinite() for value in recorded.values())
    after = parts.nets["generator"].state_dict()
    assert any("running_mean" in key for key in after)
    assert all(torch.equal(value, theirs[f"generator/{key}"]) for key, value in after.items())
    moved = [name for name, value in parts.nets["encoder"].named_parameters() if not torch.equal(value, before[name])]
    assert len(moved) == len(list(parts.nets["encoder"].parameters()))
    assert s.noise(2000).min() < -0.9  # the generator's, uniform in [-1, 1)


def test_a_perceptual_loss_freezes_the_discriminator_too(generator: Path) -> None:
    recipe, _ = swap_dataset(load_recipe(find_recipe(NAMES[0])), "synthetic_faces")
    lent = {"run": str(generator), "architecture": {"use": "smile_acgan", "width": 2}}
    frozen = {"frozen": {"generator": lent, "discriminator": lent}}
    recipe = with_sets(recipe, (*FEW, THIN[0], "objective.perceptual=true"))
    spec = make_spec(type(recipe)(path=None, name="mine", values={**recipe.values, **frozen}), Registry(load_plugins()))
    parts = resolve(spec, CPU)
    take_networks(spec, parts)
    before = {name: value.clone() for name, value in parts.nets["discriminator"].state_dict().items()}
    recorded = dict(run_step(parts, TrainingStep(parts, None, batch_images=4, flip=False)))
    assert recorded["e_features"] > 0
    assert all(torch.equal(value, before[name]) for name, value in parts.nets["discriminator"].state_dict().items())


def test_a_generator_that_was_built_or_labelled_otherwise_is_refused(generator: Path) -> None:
    source = f"frozen.generator.run={generator}"
    for sets, reason in (
        (THIN[:1], r"with architecture\.width 2, here 32\. "),
        ((*THIN, "dataset.labels=Eyeglasses"), r"with dataset\.labels 'Smiling', here 'Eyeglasses'\. "),
        (
            (*THIN, 'dataset.classes=["Smiling", "not Smiling"]'),
            r"with dataset\.classes None, here \['Smiling', 'not Smiling'\]\. ",
        ),
    ):
        spec = drawn(NAMES[0], *sets, source)
        with pytest.raises(RunError, match=reason):
            take_networks(spec, resolve(spec, CPU))


def test_a_run_states_what_its_generator_is_and_stands_alone(generator: Path, tmp_path: Path) -> None:
    copied = tmp_path / "generator"
    shutil.copytree(generator, copied)
    spec = drawn(NAMES[1], *THIN, f"frozen.generator.run={copied}", "training.steps=1")
    run = start_run(spec, load_plugins(), CPU, Silent(), out=tmp_path / "encoder", command=[]).run
    shutil.rmtree(copied)
    recipe = load_recipe(run.recipe)
    assert recipe.values["frozen"]["generator"]["architecture"] == {
        "use": "smile_acgan",
        "width": 2,
        "noise": 100,
        "start_px": 4,
    }
    assert "architecture smile_acgan" in recipe.values["components"]
    again = make_spec(recipe, Registry(load_plugins()))
    assert (again.roles, again.makes, again.lent["generator"].settings) == (
        spec.roles,
        {"translate"},
        spec.lent["generator"].settings,
    )
    held = open_checkpoint(find_checkpoint(run.path)).tensors("networks")
    assert {key.partition("/")[0] for key in held} == {"encoder", "generator"}
    assert [path.name for path in run.samples.iterdir()] == ["step-00000001.png"]


@pytest.mark.parametrize(
    ("architecture", "reason"),
    [
        ('{ use = "smile_encoder" }', "smile_encoder has no network generator; it has encoder"),
        ('{ use = "smile_acgn" }', "no architecture is called 'smile_acgn'; did you mean 'smile_acgan'"),
        ("{ width = 2 }", 'needs `use = "NAME"`; architectures are '),
        ('{ use = "smile_acgan", start_px = 5 }', "smile_acgan does not fit the data set: 16 px, halved, is never start_px 5"),
        ('{ use = "smile_gan", width = 2 }', "encoder needs generator as noise labels -> images; smile_encoder offers it as"),
    ],
)
def test_what_cannot_have_built_a_generator_is_told(architecture: str, reason: str) -> None:
    recipe, _ = swap_dataset(load_recipe(find_recipe(NAMES[0])), "synthetic_faces")
    frozen = {"generator": {"run": "x", "architecture": tomllib.loads(f"a = {architecture}")["a"]}}
    changed = type(recipe)(path=None, name="mine", values={**with_sets(recipe, (*FEW, THIN[0])).values, "frozen": frozen})
    with pytest.raises(RecipeError) as error:
        make_spec(changed, Registry(load_plugins()))
    assert reason in str(error.value)


def test_without_its_architecture_the_recipe_says_where_to_state_it() -> None:
    recipe, _ = swap_dataset(load_recipe(find_recipe(NAMES[0])), "synthetic_faces")
    values = {**with_sets(recipe, FEW).values, "frozen": {"generator": {"run": "x"}}}
    with pytest.raises(RecipeError, match=r"\[frozen\.generator\.architecture\]"):
        make_spec(type(recipe)(path=None, name="mine", values=values), Registry(load_plugins()))


def test_of_two_classes_one_is_on_and_the_other_off() -> None:
    data = drawn(NAMES[0], *THIN).data
    off, on = data.label_names
    assert on == "Smiling"
    assert [target.caption for target in asked_targets(data, ["smiling=1", "Smiling = 0"])] == [on, off]
    assert [target.caption for target in asked_targets(data, [])] == [off, on]


def test_the_recipes_on_drawn_faces_fit_each_other_with_all_that_the_header_names(tmp_path: Path) -> None:
    few = (*FEW, "training.steps=1")
    registry, plugins = Registry(load_plugins()), load_plugins()
    generator = tmp_path / "generator"
    start_run(
        make_spec(with_sets(load_recipe(find_recipe("smile_acgan_faces")), few), registry),
        plugins,
        CPU,
        Silent(),
        out=generator,
        command=[],
    )
    recipe = load_recipe(find_recipe("smile_encoder_faces"))
    words = recipe.header.split()
    named = [
        words[i + 1].replace("runs/NNNN-smile_acgan_faces", str(generator)) for i, word in enumerate(words) if word == "--set"
    ]
    assert {setting.partition("=")[0] for setting in named} >= {"objective.perceptual", "objective.noise_match"}
    run = start_run(
        make_spec(with_sets(recipe, (*few, *named)), registry), plugins, CPU, Silent(), out=tmp_path / "run", command=[]
    ).run
    columns = run.log.read_text().splitlines()[0].split(",")
    assert {"e_image", "e_features", "e_noise", "noise_deviation"} <= set(columns)
