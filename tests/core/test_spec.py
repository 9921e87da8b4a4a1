"""A recipe is checked whole before anything is built, and every fault is told at once."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from ganlab import Component, DataSpec, hookimpl
from ganlab.errors import PluginError, RecipeError
from ganlab.options import ArchitectureOptions, LossName, ObjectiveOptions
from ganlab.plugins import Plugins
from ganlab.recipe import dump_recipe, parse_recipe
from ganlab.registry import Registry
from ganlab.spec import Spec, make_spec
from ganlab.spec_resolved import resolved

SpecOf = Callable[..., Spec]


def faults(spec_of: SpecOf, *args: Any, **kwargs: Any) -> list[str]:
    with pytest.raises(RecipeError) as error:
        spec_of(*args, **kwargs)
    return [line.strip() for line in str(error.value).splitlines()[1:]]


def test_all_faults_of_a_recipe_are_told_at_once_with_file_line_and_key(spec_of: SpecOf) -> None:
    wrong = {
        "steps = 20": "stepz = 20",
        "learning_rate = 1e-2": 'learning_rate = "fast"',
        "batch_images = 4": "batch_images = 0",
        "averaging_decay = 0.9": "averaging_decay = 1.5",
        '[objective]\nuse = "tiny"': '[objective]\nuse = "tiny"\ngenerator_every = 2.5\n[sampling]\nrows = 3',
    }
    assert sorted(faults(spec_of, wrong)) == [
        "tiny.toml:10: sampling: unknown section; sections are dataset, architecture, objective, optimizer, training, "
        "frozen, evaluation, components",
        "tiny.toml:13: optimizer.learning_rate: 'fast' must be a number",
        "tiny.toml:15: training.stepz: unknown key; did you mean 'steps'?",
        "tiny.toml:16: training.batch_images: 0 must be greater than or equal to 1",
        "tiny.toml:19: training.averaging_decay: 1.5 must be less than 1",
        "tiny.toml:9: objective.generator_every: 2.5 must be a whole number",
    ]


def test_faults_name_value_and_limit(spec_of: SpecOf) -> None:
    assert faults(spec_of, {"batch_images = 4": "batch_images = 0"}) == [
        "tiny.toml:13: training.batch_images: 0 must be greater than or equal to 1"
    ]


def test_an_unknown_key_gets_the_near_name(spec_of: SpecOf) -> None:
    (line,) = faults(spec_of, {"batch_images = 4": "batch_image = 4"})
    assert line.startswith("tiny.toml:13: training.batch_image: unknown key; did you mean 'batch_images'?")


def test_an_unknown_component_gets_the_near_name(spec_of: SpecOf) -> None:
    text = '[dataset]\nuse = "tinny"\n[architecture]\nuse = "tiny"\n[objective]\nuse = "tiny"\n[training]\nsteps = 1\n'
    assert faults(spec_of, text=text)[0] == "tiny.toml:2: dataset.use: no dataset is called 'tinny'; did you mean 'tiny'?"


def test_a_missing_section_lists_what_there_is(spec_of: SpecOf) -> None:
    text = '[dataset]\nuse = "tiny"\n[objective]\nuse = "tiny"\n[training]\nsteps = 1\n'
    assert faults(spec_of, text=text) == ['tiny.toml: architecture: needs `use = "NAME"`; architectures are tiny']


def test_a_loss_of_another_family_is_refused_with_those_that_fit(spec_of: SpecOf) -> None:
    wrong = {'[objective]\nuse = "tiny"': '[objective]\nuse = "tiny"\nadversarial = "l1"'}
    assert faults(spec_of, wrong) == [
        "tiny.toml:9: objective.adversarial: l1 is of the family distance (two images), and tiny takes adversarial or joint or "
        "paired here: bce, hinge, lecam, lsgan, relativistic_average, relativistic_paired, wasserstein"
    ]


def test_options_of_a_loss_are_checked_too(spec_of: SpecOf) -> None:
    wrong = {'[objective]\nuse = "tiny"': '[objective]\nuse = "tiny"\nadversarial = { use = "bce", real_lo = 0.5 }'}
    (line,) = faults(spec_of, wrong)
    assert line.startswith("tiny.toml:9: objective.adversarial.real_lo: unknown key; did you mean 'real_low'?")
    wrong = {'[objective]\nuse = "tiny"': '[objective]\nuse = "tiny"\nadversarial = { use = "bce", real_low = 1.5 }'}
    assert faults(spec_of, wrong) == ["tiny.toml:9: objective.adversarial: real_low 1.5 is above real_high 1.0"]


def test_data_that_do_not_fit_the_networks_are_refused(spec_of: SpecOf) -> None:
    wrong = {'[dataset]\nuse = "tiny"': '[dataset]\nuse = "tiny"\nchannels = 3'}
    assert faults(spec_of, wrong) == ["tiny.toml:6: architecture: tiny does not fit the data set: channels 3: gray images only"]
    wrong = {'[dataset]\nuse = "tiny"': '[dataset]\nuse = "tiny"\nlabels = "none"'}
    assert faults(spec_of, wrong) == ["tiny.toml:3: dataset: tiny needs labels, and these data have none"]


def test_an_unknown_player_and_an_unknown_optimizer_are_refused(spec_of: SpecOf) -> None:
    wrong = {
        "[optimizer]\nlearning_rate = 1e-2": '[optimizer.critic]\nlearning_rate = 1e-3\n[optimizer.generator]\nuse = "lion"'
    }
    assert faults(spec_of, wrong) == [
        "tiny.toml:9: optimizer.critic: no such player; players are generator, discriminator",
        "tiny.toml:12: optimizer.generator.use: 'lion' is no optimizer; choose adam, rmsprop or sgd",
    ]


def test_a_run_without_an_end_is_refused(spec_of: SpecOf) -> None:
    assert faults(spec_of, {"steps = 20\n": ""}) == [
        "tiny.toml:11: training: says no end: set training.epochs or training.steps"
    ]


def test_the_best_score_must_be_one_of_the_recipes(spec_of: SpecOf) -> None:
    assert faults(spec_of, {"steps = 20": 'steps = 20\nbest = "fid.value"'}) == [
        "tiny.toml:13: training.best: 'fid.value' names no section [evaluation.NAME] of this recipe"
    ]


def test_a_players_optimizer_overrides_the_shared_one(spec_of: SpecOf) -> None:
    spec = spec_of({"learning_rate = 1e-2": "learning_rate = 1e-2\n[optimizer.generator]\nbetas = [0.0, 0.9]"})
    generator, discriminator = spec.optimizers["generator"].model_dump(), spec.optimizers["discriminator"].model_dump()
    assert (generator["learning_rate"], generator["betas"]) == (0.01, (0.0, 0.9))
    assert (discriminator["learning_rate"], discriminator["betas"]) == (0.01, (0.5, 0.999))
    other = spec_of({"learning_rate = 1e-2": 'learning_rate = 1e-2\n[optimizer.generator]\nuse = "rmsprop"'})
    assert other.optimizers["generator"].model_dump() == {
        "use": "rmsprop",
        "learning_rate": 5e-5,
        "decay": 0.9,
        "epsilon": 1e-8,
    }


def test_a_player_that_names_the_usual_optimizer_keeps_the_shared_values(spec_of: SpecOf) -> None:
    spec = spec_of({"learning_rate = 1e-2": 'learning_rate = 1e-2\n[optimizer.generator]\nuse = "adam"'})
    assert spec.optimizers["generator"] == spec.optimizers["discriminator"]
    assert spec.optimizers["generator"].model_dump()["learning_rate"] == 0.01


def test_the_resolved_recipe_means_the_same_and_states_every_default(spec_of: SpecOf, registry: Registry) -> None:
    spec = spec_of({'[objective]\nuse = "tiny"': '[objective]\nuse = "TINY"\nadversarial = { use = "bce", real_low = 0.7 }'})
    text = dump_recipe(resolved(spec))
    again = make_spec(parse_recipe(text, Path("again.toml")), registry)
    assert resolved(again) == resolved(spec)
    assert resolved(spec)["objective"] == {
        "use": "tiny",
        "generator_every": 3,
        "explode_at": 0,
        "adversarial": {
            "use": "bce",
            "real_low": 0.7,
            "real_high": 1.0,
            "fake_low": 0.0,
            "fake_high": 0.0,
            "smooth_generator": False,
        },
        "classification": {"use": "binary", "smoothing": 0.0},
        "weights": {"d_adversarial": 1.0, "d_class": 1.0, "g_adversarial": 1.0},
    }


def test_a_loss_without_an_options_model_takes_its_constructors_signature(
    plugins_with: Callable[[ModuleType], Plugins],
) -> None:
    class HingeX:
        def __init__(self, margin: float = 1.0) -> None:
            self.margin = margin

        def discriminator(self, real: Any, fake: Any) -> tuple[Any, Any]:
            return (self.margin - real).relu(), (self.margin + fake).relu()

        def generator(self, fake: Any) -> Any:
            return -fake

    @hookimpl
    def ganlab_losses() -> list[Component]:
        return [Component("hinge_x", HingeX, family="adversarial", summary="hinge loss on logits")]

    module = ModuleType("ganlab_hinge_x")
    vars(module)["ganlab_losses"] = ganlab_losses
    registry = Registry(plugins_with(module))
    text = (
        '[dataset]\nuse = "tiny"\n[architecture]\nuse = "tiny"\n[objective]\nuse = "tiny"\n'
        'adversarial = { use = "hinge-x", margin = 0.5 }\n[training]\nsteps = 1\n'
    )
    spec = make_spec(parse_recipe(text, Path("x.toml")), registry)
    assert dict(spec.losses["adversarial"].settings) == {"margin": 0.5}
    with pytest.raises(RecipeError, match="margin: 'x' must be a number"):
        make_spec(parse_recipe(text.replace("0.5", '"x"'), Path("x.toml")), registry)


def test_the_resolved_recipe_shares_an_optimizer_that_all_players_have(spec_of: SpecOf) -> None:
    assert resolved(spec_of())["optimizer"]["learning_rate"] == 0.01
    apart = spec_of({"learning_rate = 1e-2": "learning_rate = 1e-2\n[optimizer.generator]\nlearning_rate = 1e-3"})
    assert {player: o["learning_rate"] for player, o in resolved(apart)["optimizer"].items()} == {
        "generator": 1e-3,
        "discriminator": 1e-2,
    }


def test_a_shared_value_that_every_player_replaces_is_told(spec_of: SpecOf) -> None:
    own = "\n[optimizer.generator]\nlearning_rate = 1e-3\n[optimizer.discriminator]\nlearning_rate = 1e-4"
    assert spec_of({"learning_rate = 1e-2": f"learning_rate = 1e-2{own}"}).notices == (
        "optimizer.learning_rate is not used: each of generator, discriminator has its own",
    )


@pytest.mark.parametrize(
    ("need", "role", "expected"),
    [
        ("images -> logits", "images -> logits classes", True),
        ("images -> logits classes", "images -> logits", False),
        ("images labels -> logits", "images -> logits", False),
        ("noise labels -> images", "noise labels -> images", True),
    ],
)
def test_a_role_serves_a_need_with_equal_inputs_and_enough_outputs(need: str, role: str, expected: bool) -> None:
    from ganlab.spec_match import fits

    assert fits(need, role) is expected


def test_every_kind_of_option_comes_back_from_the_resolved_recipe(plugins_with: Callable[[ModuleType], Plugins]) -> None:
    class Sizes(ArchitectureOptions):
        sizes: tuple[int, ...] = (4, 8)
        weights: Path = Path("weights")

        def roles(self, data: DataSpec) -> dict[str, str]:
            return {"generator": "noise labels -> images", "discriminator": "images -> logits classes"}

    @hookimpl
    def ganlab_architectures() -> list[Component]:
        return [Component("sizes", object, Sizes)]

    module = ModuleType("ganlab_sizes")
    vars(module)["ganlab_architectures"] = ganlab_architectures
    registry = Registry(plugins_with(module))
    text = '[dataset]\nuse = "tiny"\n[architecture]\nuse = "sizes"\n[objective]\nuse = "tiny"\n[training]\nsteps = 1\n'
    spec = make_spec(parse_recipe(text, Path("x.toml")), registry)
    again = make_spec(parse_recipe(dump_recipe(resolved(spec)), Path("x.toml")), registry)
    assert again.architecture.options == spec.architecture.options == Sizes()
    changed = make_spec(parse_recipe(text.replace('"sizes"', '"sizes"\nsizes = [1, 2]'), Path("x.toml")), registry)
    assert changed.architecture.settings["sizes"] == [1, 2]
    with pytest.raises(RecipeError, match=r"architecture\.sizes: 3 must be a list"):
        make_spec(parse_recipe(text.replace('"sizes"', '"sizes"\nsizes = 3'), Path("x.toml")), registry)


def objective_with(registry_of: Callable[[ModuleType], Plugins], options: type) -> Registry:
    @hookimpl
    def ganlab_objectives() -> list[Component]:
        return [Component("odd", object, options)]

    module = ModuleType("ganlab_odd")
    vars(module)["ganlab_objectives"] = ganlab_objectives
    return Registry(registry_of(module))


def test_a_plugins_wrong_declarations_are_named(plugins_with: Callable[[ModuleType], Plugins]) -> None:
    class Odd(ObjectiveOptions):
        adversarial: LossName = "bce"

        def players(self) -> dict[str, tuple[str, ...]]:
            return {"generator": ("generator", "helper")}

        def needs(self) -> dict[str, str]:
            return {"generator": "noise labels to images", "discriminator": "images -> logits"}

    registry = objective_with(plugins_with, Odd)
    text = '[dataset]\nuse = "tiny"\n[architecture]\nuse = "tiny"\n[objective]\nuse = "odd"\n[training]\nsteps = 1\n'
    with pytest.raises(RecipeError) as error:
        make_spec(parse_recipe(text, Path("x.toml")), registry)
    assert [line.strip() for line in str(error.value).splitlines()[1:]] == [
        "x.toml:5: objective.adversarial: plugin ganlab_odd: the field must say which families it takes: "
        'Annotated[LossName, Family("adversarial")]',
        "x.toml:6: objective.use: odd or tiny says 'noise labels to images' of generator; a role reads \"inputs -> outputs\"",
        "x.toml:6: objective.use: odd has a player that moves helper, which its needs do not name",
        'x.toml:6: objective.use: nobody trains discriminator: name the run it comes from, [frozen.discriminator] run = "..."',
    ]


def test_a_default_that_no_recipe_can_hold_is_named(plugins_with: Callable[[ModuleType], Plugins]) -> None:
    class Odd:
        def __init__(self, key: Any = max) -> None: ...

    @hookimpl
    def ganlab_losses() -> list[Component]:
        return [Component("odd", Odd, family="adversarial")]

    module = ModuleType("ganlab_odd")
    vars(module)["ganlab_losses"] = ganlab_losses
    text = (
        '[dataset]\nuse = "tiny"\n[architecture]\nuse = "tiny"\n[objective]\nuse = "tiny"\nadversarial = "odd"\n'
        "[training]\nsteps = 1\n"
    )
    with pytest.raises(RecipeError, match=r"the default of key is <built-in function max>, which no recipe can hold") as error:
        make_spec(parse_recipe(text, Path("x.toml")), Registry(plugins_with(module)))
    assert error.value.code == PluginError.code
