"""The recipes of AE-AC-GAN: as published, and trained for two steps on drawn faces with reduced networks."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from ganlab.plugins import Plugins, load_plugins
from ganlab.recipe import find_recipe, load_recipe, swap_dataset, with_sets
from ganlab.registry import Registry
from ganlab.spec import Spec, make_spec
from ganlab.testing.small_run import train_small

MEASURES = ["d_accuracy", "d_f1", "g_accuracy", "g_f1"]
TERMS = {
    "ae_acgan": ["d_adversarial", "d_class", "g_adversarial", "g_class", "ae_reconstruction", *MEASURES],
    "ae_acgan_no_ae": ["d_adversarial", "d_class", "g_adversarial", "g_class", *MEASURES],
}
SMALL = (
    "architecture.depth=4",
    "dataset.size_px=16",
    "dataset.identities=2",
    "dataset.test_identities=1",
    "training.batch_images=4",
    "training.steps=2",
    "training.log_every_steps=1",
)


@pytest.fixture(scope="module")
def plugins() -> Plugins:
    return load_plugins()


def spec_of(name: str, plugins: Plugins, sets: tuple[str, ...] = (), dataset: str | None = None) -> Spec:
    recipe = load_recipe(find_recipe(name), sets if dataset is None else ())
    if dataset is not None:
        recipe, _ = swap_dataset(recipe, dataset)
        recipe = with_sets(recipe, sets)
    return make_spec(recipe, Registry(plugins))


@pytest.mark.parametrize("name", TERMS)
def test_settings_are_the_published_ones(name: str, plugins: Plugins) -> None:
    spec = spec_of(name, plugins)
    assert (spec.data.size_px, spec.data.channels, spec.data.labels) == (64, 3, 40)
    assert (spec.training.batch_images, spec.training.epochs) == (256, 25)
    assert 200_704 // 256 == 784
    rates = {player: options.model_dump()["learning_rate"] for player, options in spec.optimizers.items()}
    expected = {"discriminator": 5e-5, "generator": 5e-5, "autoencoder": 5e-5 / 4}
    assert rates == {player: expected[player] for player in spec.players}
    for options in spec.optimizers.values():
        assert (options.model_dump()["betas"], options.model_dump()["epsilon"]) == ((0.5, 0.999), 1e-7)
    assert spec.objective.settings["adversarial"] == {
        "use": "bce",
        "real_low": 0.9,
        "real_high": 0.9,
        "smooth_generator": True,
    }


def test_only_the_auto_encoder_translates(plugins: Plugins) -> None:
    made: Mapping[str, frozenset[str]] = {name: spec_of(name, plugins, dataset="synthetic_faces").makes for name in TERMS}
    assert made == {"ae_acgan": {"generate", "translate"}, "ae_acgan_no_ae": {"generate"}}


@pytest.mark.parametrize("name", TERMS)
def test_it_trains_on_drawn_faces(name: str, plugins: Plugins, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANLAB_HOME", str(tmp_path / "home"))
    rows = train_small(spec_of(name, plugins, SMALL, "synthetic_faces"), plugins, tmp_path / "run")
    assert [row["step"] for row in rows] == [1, 2]
    assert [term for term in rows[0] if term in TERMS["ae_acgan"]] == TERMS[name]
    assert [term for term in rows[1] if term in TERMS["ae_acgan"]] == [t for t in TERMS[name] if t not in MEASURES]
