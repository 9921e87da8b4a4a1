"""What was published of each face generator (seeds 000, 001, 003, 004), as one table that the shipped recipes are held to.

Networks are built at their published size, and steps taken with the published batch. A recipe without a row fails.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from ganlab.recipe import list_recipes, load_recipe
from ganlab.spec import Spec

# CCycleGAN and its classifiers have a table of their own beside this one; judges were not published.
ELSEWHERE = ("ccyclegan_", "c1_", "c2_", "judge_")


@dataclass(frozen=True, kw_only=True)
class Published:
    """What a recipe must come to; left out, it is as SMiLEConverter has it."""

    weights: Mapping[str, int]  # network -> how many
    updates: tuple[str, ...]  # a line each: who moves, after which networks have seen how many images
    size_px: int = 128
    labels: int = 2  # K
    crop: str = "smile"
    train_count: int | None = None  # so many of CelebA's first images train; None: all 202,599
    batch_images: int = 64
    optimizers: Mapping[str, tuple[str, float, float]]  # player -> which, learning rate, first beta or decay
    end: tuple[str, float] = ("steps", 100_000)
    settings: Mapping[str, Any] = field(default_factory=dict)  # of architecture, objective and losses, by name
    critic_updates: tuple[int, int] | None = None  # in 1,000 and in 100,000 steps; None: as many in every step


def adam(rate: float, beta: float, *players: str) -> dict[str, tuple[str, float, float]]:
    return dict.fromkeys(players or ("generator", "discriminator"), ("adam", rate, beta))


def rmsprop(rate: float) -> dict[str, tuple[str, float, float]]:
    return dict.fromkeys(("generator", "discriminator"), ("rmsprop", rate, 0.9))


MLP = {"generator": 14_327_552, "discriminator": 3_278_081}
RADFORD = {"generator": 3_576_704, "discriminator": 2_765_568}
SMILE = {"generator": 47_890_551, "discriminator": 11_199_171}

# Fakes that the discriminator has just seen are judged again when it has moved.
SAME_FAKES = ("discriminator: generator 64, discriminator 64, discriminator 64", "generator: discriminator 64")
MATCHED = (SAME_FAKES[0], "generator: generator 64, discriminator 64, discriminator 64")
NEW_FAKES = (SAME_FAKES[0], "generator: generator 64, discriminator 64")
HALVES = (
    "discriminator: discriminator 64",
    "discriminator: generator 64, discriminator 64",
    "generator: generator 128, discriminator 128",
)
OF_512 = ("discriminator: generator 256, discriminator 256", "generator: discriminator 256")  # half of real and fake ones
LONG = (24 * 25 + 2 * 25 + 974 * 5, 24 * 25 + 200 * 25 + (100_000 - 224) * 5)


def face(weights: Mapping[str, int], end: tuple[str, float], **settings: Any) -> Published:
    """Return seed 001: no labels, no split."""
    return Published(
        weights=weights,
        updates=SAME_FAKES,
        size_px=64,
        labels=0,
        crop="centre_160",
        optimizers=adam(2e-4, 0.5),
        end=end,
        settings={"noise": "normal", "noise_length": 100, **settings},
    )


def attributes(weights: Mapping[str, int], optimizers: Mapping[str, Any], epochs: float, **settings: Any) -> Published:
    """Return seed 004: 40 attributes, halves of 128."""
    return Published(
        weights=weights,
        updates=HALVES,
        size_px=64,
        labels=40,
        crop="centre_160",
        train_count=180_000,
        batch_images=128,
        optimizers=optimizers,
        end=("epochs", epochs),
        settings={"noise": 128, "adversarial": "bce", **settings},
    )


def ae_acgan(networks: tuple[str, ...], updates: tuple[str, ...], optimizers: Mapping[str, Any]) -> Published:
    """Return seed 003: 49 files of 4,096 images."""
    weights = {"encoder": 1_245_264, "generator": 2_406_627, "discriminator": 1_219_593}
    return Published(
        weights={name: weights[name] for name in networks},
        updates=updates,
        size_px=64,
        labels=40,
        crop="ae_acgan",
        train_count=200_704,
        batch_images=256,
        optimizers=optimizers,
        end=("epochs", 25),
        settings={"noise_length": 200, "depth": 32, "slope": 0.3, "label_draws": 10, "real_low": 0.9, "real_high": 0.9},
    )


IMPROVED = {"dropout": 0.1, "real_low": 0.7, "real_high": 1.2, "smooth_generator": False}
L2 = {"feature_distance": "l2", "feature_scale": "half_sum", "g_features": 0.1}
L1 = {"feature_distance": "l1", "feature_scale": "mean", "g_features": 0.1}
CLIPPED = {"adversarial": "wasserstein", "clip_limit": 0.01}
TWO_RATES = {**adam(2e-4, 0.0, "discriminator"), **adam(5e-4, 0.0, "generator")}
ENCODER = {"encoder": 7_912_932, "generator": SMILE["generator"]}
ENCODED = ("encoder: encoder 64, generator 64",)

TABLE = {
    "face_mlp_base": face(MLP, ("epochs", 100), generator_slope=0.0, discriminator_slope=0.01, dropout=0.0),
    "face_mlp_improved": face(MLP, ("epochs", 16), generator_slope=0.01, discriminator_slope=0.01, **IMPROVED),
    "face_mlp_mini": face(MLP, ("epochs", 100), images=69, generator_slope=0.0, dropout=0.0),
    "dcgan_base": face(RADFORD, ("epochs", 100), generator_slope=0.0, discriminator_slope=0.2, dropout=0.0),
    "dcgan_improved": face(RADFORD, ("epochs", 16), generator_slope=0.2, discriminator_slope=0.2, **IMPROVED),
    "dcgan_mini": face(RADFORD, ("epochs", 100), images=69, generator_slope=0.0, dropout=0.0),
    "cgan_celeba": attributes({"generator": 1_400_979, "discriminator": 21_425_409}, adam(2e-4, 0.5), 40, embedding=128),
    "acgan_celeba": attributes({"generator": 3_822_083, "discriminator": 530_345}, TWO_RATES, 50, classification="binary"),
    # Its generator has the layers of the cGAN's.
    "acgan_celeba_embed": attributes({"generator": 1_400_979, "discriminator": 530_345}, TWO_RATES, 50, embedding=128),
    "ae_acgan": ae_acgan(
        ("encoder", "generator", "discriminator"),
        (*OF_512, "autoencoder: encoder 256, generator 256"),
        {**adam(5e-5, 0.5), **adam(5e-5 / 4, 0.5, "autoencoder")},
    ),
    "ae_acgan_no_ae": ae_acgan(("generator", "discriminator"), OF_512, adam(5e-5, 0.5)),
    "smile_gan": Published(
        weights={"generator": 72_961_027, "discriminator": 17_435_009},
        updates=SAME_FAKES,  # published: made anew of the same noise, by a generator that has not moved
        labels=0,
        optimizers=adam(2e-4, 0.5),
        settings={"noise": "uniform", "noise_length": 100},
    ),
    "smile_wgan": Published(
        weights={"generator": 72_961_027, "discriminator": 11_164_416},
        updates=NEW_FAKES,
        labels=0,
        optimizers=rmsprop(5e-5),
        settings={"noise": "uniform", "noise_length": 100, **CLIPPED},
        critic_updates=LONG,
    ),
    "smile_acgan_fm_l1": Published(weights=SMILE, updates=MATCHED, optimizers=adam(2e-4, 0.5), settings=L1),
    "smile_acgan_fm_l2": Published(weights=SMILE, updates=MATCHED, optimizers=adam(2e-4, 0.5), settings=L2),
    "smile_wacgan": Published(
        weights=SMILE, updates=NEW_FAKES, optimizers=rmsprop(1e-5), settings=CLIPPED, critic_updates=LONG
    ),
    "smile_wacgan_fm_l1": Published(
        weights=SMILE, updates=MATCHED, optimizers=rmsprop(1e-5), settings={**CLIPPED, **L1}, critic_updates=LONG
    ),
    "smile_wacgan_fm_l2": Published(
        weights=SMILE, updates=MATCHED, optimizers=rmsprop(1e-5), settings={**CLIPPED, **L2}, critic_updates=LONG
    ),
    "smile_encoder_l1": Published(
        weights=ENCODER,
        updates=ENCODED,
        optimizers=adam(2e-4, 0.5, "encoder"),
        settings={"distance": "l1", "distance_scale": "mean", "output": "sigmoid"},
    ),
    "smile_encoder_l2": Published(
        weights=ENCODER,
        updates=ENCODED,
        optimizers=adam(2e-4, 0.5, "encoder"),
        settings={"distance": "l2", "distance_scale": "half_sum", "output": "sigmoid"},
    ),
}


def test_every_recipe_has_a_row_and_every_row_a_recipe() -> None:
    recipes = [path for path in list_recipes() if not path.stem.startswith(ELSEWHERE)]
    # Drawn faces are ganlab's own: what trains on them was published by nobody.
    published = [path.stem for path in recipes if load_recipe(path).values["dataset"]["use"] != "synthetic_faces"]
    assert sorted(published) == sorted(TABLE)


@pytest.mark.parametrize("name", TABLE)
def test_a_recipe_states_what_was_published(name: str, built: Callable[[str], Any]) -> None:
    spec, row = built(name).spec, TABLE[name]
    assert (spec.data.size_px, spec.data.channels, spec.model_data.labels) == (row.size_px, 3, row.labels)
    data = spec.dataset.settings
    everyone = {"partition": "all"} if row.train_count is None else {"partition": "first", "train_count": row.train_count}
    assert {key: data[key] for key in ("crop", *everyone)} == {"crop": row.crop, **everyone}
    assert spec.training.batch_images == row.batch_images
    assert (spec.training.epochs, spec.training.steps) == tuple(dict([row.end]).get(key) for key in ("epochs", "steps"))
    optimizers: Mapping[str, Any] = spec.optimizers
    found = {player: (o.use, o.learning_rate, o.betas[0] if o.use == "adam" else o.decay) for player, o in optimizers.items()}
    assert found == row.optimizers
    stated = settings_of(spec)
    assert {key: stated[key] for key in row.settings} == row.settings
    # Whatever is not named here counts once; the weight of a penalty counts where there is one.
    weights = dict(spec.term_weights or {})
    if not spec.losses.get("penalty") or spec.losses["penalty"].name == "none":
        weights.pop("d_penalty", None)
    assert {term: weight for term, weight in weights.items() if weight != 1 and term not in row.settings} == (
        {} if "g_features" in row.settings or "g_features" not in weights else {"g_features": 0.1}
    )


@pytest.mark.parametrize("name", TABLE)
def test_networks_have_the_published_number_of_weights(name: str, built: Callable[[str], Any]) -> None:
    assert built(name).weights == TABLE[name].weights


@pytest.mark.parametrize("name", TABLE)
def test_a_step_takes_the_published_updates_in_their_order(name: str, built: Callable[[str], Any]) -> None:
    recipe = built(name)
    # The phase of a critic's step is how many updates it has; one here, the next test counts them.
    phase = 1 if is_critics(recipe.spec) else recipe.phase(1)
    assert recipe.updates(phase) == TABLE[name].updates


@pytest.mark.parametrize("name", TABLE)
def test_a_critic_moves_as_often_as_published(name: str, built: Callable[[str], Any]) -> None:
    moves = None
    if is_critics(built(name).spec):
        phase = built(name).phase
        moves = sum(map(phase, range(1, 1001))), sum(map(phase, range(1, 100_001)))
    assert moves == TABLE[name].critic_updates
    assert LONG == (5_520, 504_480)


def is_critics(spec: Spec) -> bool:
    """Return whether the phase of a step is how often the critic moves."""
    return "critic_steps" in spec.objective.settings


def settings_of(spec: Spec) -> dict[str, Any]:
    """Return by name what data set, architecture and objective are told, losses by their names, and what those are told."""
    losses = {key: loss.name for key, loss in spec.losses.items()}
    of_losses = {key: value for loss in spec.losses.values() for key, value in loss.settings.items()}
    return {
        **spec.dataset.settings,
        **spec.architecture.settings,
        **spec.objective.settings,
        **of_losses,
        **losses,
        **(spec.term_weights or {}),
    }
