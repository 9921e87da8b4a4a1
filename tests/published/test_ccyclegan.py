"""The weights and the batches of CCycleGAN T1 to T26, C1 and C2, as published, that the shipped recipes are held to.

Their settings are in tests/ccyclegan and tests/classifier. A recipe without a row fails.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from ganlab.recipe import list_recipes


@dataclass(frozen=True)
class Published:
    """The weights of each network; a line for each update: who moves, and how many images are judged for it at once."""

    weights: Mapping[str, int]
    updates: tuple[str, ...]


# The published ResNet50 has more: Keras gives its convolutions biases, and counts running statistics.
RESNET, C2 = 25_710_333, 25_613_383
G = "generator 64"
THREE = ("discriminator 64", "discriminator 64", "discriminator 64", G)  # photos; photos with a wrong label; fakes


def pair(generator: int, discriminator: int, *updates: str) -> Published:
    return Published({"generator": generator, "discriminator": discriminator}, updates)


def latents(encoder: int, decoder: int, discriminator: int, *updates: str) -> Published:
    return Published({"encoder": encoder, "decoder": decoder, "discriminator": discriminator}, updates)


T1 = pair(1_558_479, 2_778_823, *THREE)
T18 = latents(2_754_504, 3_676_615, 3_283_918, "discriminator 128", G)
T20 = latents(2_754_504, 3_946_495, 3_283_918, "discriminator 128", G)
T26 = latents(2_754_504, 3_946_495, 3_283_918, "discriminator 448", "generator 384")
TABLE = {
    "ccyclegan_t01": T1,
    "ccyclegan_t02": T1,
    "ccyclegan_t03": pair(1_558_479, 2_780_232, *THREE),
    # Both discriminators have the same size and see as many images, and so have the generators; photos, then fakes.
    "ccyclegan_t04": Published(
        dict.fromkeys(("generator_ab", "generator_ba"), 1_542_351)
        | dict.fromkeys(("discriminator_a", "discriminator_b"), 2_762_695),
        ("discriminator 1 1", "discriminator 1 1", "generator 1 1"),
    ),
    "ccyclegan_t05": pair(1_565_572, 2_778_823, *THREE),
    "ccyclegan_t06": pair(1_568_646, RESNET, "discriminator 192", G),
    "ccyclegan_t07": pair(1_568_646, RESNET, "discriminator 128", G),
    "ccyclegan_t08": Published(
        {"generator": 1_568_646, "discriminator": RESNET, "classifier": C2}, ("discriminator 128", "generator 64 64")
    ),
    "ccyclegan_t09": pair(1_568_646, 2_801_615, "discriminator 64", "discriminator 64", G),
    "ccyclegan_t10": T1,
    "ccyclegan_t11": T1,
    "ccyclegan_t12": pair(7_326_679, 2_778_823, *THREE),
    "ccyclegan_t13": T1,
    "ccyclegan_t14": pair(1_558_479, 2_762_758, "discriminator 192", G),
    "ccyclegan_t15": pair(1_558_479, 2_762_758, "discriminator 128", G),
    "ccyclegan_t16": pair(1_558_479, 2_778_823, "discriminator 128", G),
    "ccyclegan_t17": latents(689_128, 870_111, 10_135_310, "discriminator 128", G),
    "ccyclegan_t18": T18,
    "ccyclegan_t19": T18,
    "ccyclegan_t20": T20,
    "ccyclegan_t21": T20,
    "ccyclegan_t22": T20,
    "ccyclegan_t23": T20,
    "ccyclegan_t24": latents(2_754_504, 3_946_495, 3_283_918, "discriminator 448", *[G] * 6),
    "ccyclegan_t25": T26,
    "ccyclegan_t26": T26,
    "c1_matching": Published({"discriminator": RESNET}, ("discriminator 128",)),
    "c2_resnet50": Published({"classifier": C2}, ("classifier 64",)),
}

ALTERNATIVES = {
    "ccyclegan_t01_as_code": "ccyclegan_t01",
    **{f"ccyclegan_t26_{name}": "ccyclegan_t26" for name in ("bce", "cce", "lr1e4", "w10_100", "w11", "w12", "w21", "w39")},
}


def test_every_recipe_has_a_row_and_every_row_a_recipe() -> None:
    found = [path.stem for path in list_recipes() if re.match("ccyclegan|c1|c2", path.stem)]
    assert sorted(found) == sorted([*TABLE, *ALTERNATIVES])


@pytest.mark.parametrize("name", TABLE)
def test_networks_have_the_published_number_of_weights(name: str, built: Callable[[str], Any]) -> None:
    assert built(name).weights == TABLE[name].weights


@pytest.mark.parametrize("name", TABLE)
def test_a_step_takes_the_published_updates_on_the_published_batches(name: str, built: Callable[[str], Any]) -> None:
    recipe, row = built(name), TABLE[name]
    assert tuple(map(judged, recipe.updates(recipe.phase(1)))) == row.updates
    if recipe.phase(2) == "discriminator":  # between the generator's
        assert tuple(map(judged, recipe.updates("discriminator"))) == row.updates[:1]
    elif recipe.phase(1) is not None:
        assert recipe.phase(2) == "both"


@pytest.mark.parametrize("name", ALTERNATIVES)
def test_an_alternative_has_the_networks_and_the_batches_of_its_experiment(name: str, built: Callable[[str], Any]) -> None:
    own, experiment = built(name).spec, built(ALTERNATIVES[name]).spec
    assert (own.architecture, own.roles, own.data) == (experiment.architecture, experiment.roles, experiment.data)
    other = {key for key, value in own.objective.settings.items() if value != experiment.objective.settings[key]}
    assert other <= {"weights", "g_classification"}
    assert own.training.batch_images == experiment.training.batch_images


def test_c1_trains_as_long_as_published_and_the_code_of_t1_has_weights_of_its_own(built: Callable[[str], Any]) -> None:
    spec = built("c1_matching").spec
    training = (spec.training.epochs, spec.training.batch_images, spec.training.with_replacement, spec.training.flip)
    assert training == (200, 64, True, False)
    assert spec.optimizers["discriminator"].model_dump() == {
        "use": "adam",
        "learning_rate": 2e-4,
        "betas": (0.5, 0.999),
        "epsilon": 1e-7,
    }
    assert (spec.losses["adversarial"].name, spec.data.channels, spec.data.labels) == ("bce", 3, 7)
    text, code = (built(name).spec.term_weights for name in ("ccyclegan_t01", "ccyclegan_t01_as_code"))
    assert code == {**text, "g_adversarial": 20, "g_cycle": 1, "g_identity": 0.1}


def judged(update: str) -> str:
    """Return who moves, and how many images each network that judges has seen."""
    player, _, seen = update.partition(": ")
    return " ".join([player, *re.findall(r"(?:discriminator|classifier)\w* (\d+)", seen)])
