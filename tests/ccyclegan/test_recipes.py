"""The experiment log as recipes: each says what was published and only what changed, and trains, in small, on drawn faces."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import pytest
import torch
from ganlab_ccyclegan.objective import SharedLatents
from ganlab_losses.adversarial import BinaryCrossEntropy
from ganlab_losses.formulas import L1

from ganlab import Adversarial, Criterion
from ganlab.plugins import load_plugins
from ganlab.recipe import find_recipe, list_recipes, load_recipe, parse_recipe, swap_dataset, with_sets
from ganlab.registry import Registry
from ganlab.resolve import resolve
from ganlab.spec import Spec, make_spec
from ganlab.training.step import TrainingStep, run_step

RECIPES = {p.stem: p for p in list_recipes() if re.match(r"ccyclegan_t\d\d|c1_", p.stem)}
LOG = [f"ccyclegan_t{number:02}" for number in range(1, 27)]
RATIOS = {"w11": (1, 1), "w12": (1, 2), "w21": (2, 1), "w39": (3, 9), "w10_100": (10, 100)}
OTHERS = ["ccyclegan_t01_as_code", *(f"ccyclegan_t26_{name}" for name in (*RATIOS, "lr1e4", "bce", "cce")), "c1_matching"]
FEW = (
    *("dataset.identities=8", "dataset.test_identities=1", "training.batch_images=2"),
    *("architecture.width=4", "architecture.discriminator_width=4"),
)
# T1 to T16 without T4: where G is told the label; D; weights of the generator's terms; how D sees what it sees; epochs.
PAIRS: dict[int, tuple[str, str, dict[str, float], tuple[bool, bool], int]] = {
    1: ("image", "label_at_image", {"adversarial": 1, "cycle": 10, "identity": 1}, (True, False), 200),
    2: ("image", "label_at_image", {"adversarial": 20, "cycle": 10, "identity": 1}, (True, False), 200),
    3: ("image", "label_at_image_dense", {"adversarial": 7, "cycle": 10}, (True, False), 200),
    5: ("bottleneck_concat", "label_at_image", {"adversarial": 1, "cycle": 10}, (True, False), 200),
    6: ("bottleneck_concat", "resnet", {"adversarial": 1, "cycle": 10}, (True, True), 200),
    7: ("bottleneck_concat", "resnet", {"adversarial": 1, "cycle": 10}, (False, True), 200),
    8: ("bottleneck_concat", "resnet", {"adversarial": 1, "cycle": 5, "class": 5}, (False, True), 200),
    9: ("bottleneck_concat", "classes", {"adversarial": 1, "cycle": 1, "class": 1}, (False, False), 200),
    10: ("image", "label_at_image", {"adversarial": 2, "cycle": 1, "identity": 0.1}, (True, False), 200),
    11: ("bottleneck", "label_at_image", {"adversarial": 2, "cycle": 1, "identity": 0.1}, (True, False), 200),
    12: ("bottleneck", "label_at_image", {"adversarial": 2, "cycle": 1, "identity": 0.1}, (True, False), 400),
    13: ("bottleneck", "label_at_image", {"adversarial": 2, "cycle": 1, "identity": 0.1}, (True, False), 300),
    14: ("bottleneck", "label_at_patches", {"adversarial": 2, "cycle": 1, "identity": 0.1}, (True, True), 300),
    15: ("bottleneck", "label_at_patches", {"adversarial": 2, "cycle": 1, "identity": 0.1}, (False, True), 300),
    16: ("bottleneck", "label_at_image", {"adversarial": 2, "cycle": 1, "identity": 0.1}, (False, True), 300),
}
# T17 to T26: D's weights (real or fake, class); G's (real or fake, class, reconstruction); losses of D's and G's classes;
# the class of a fake; how many labels; G moves every so many batches; epochs; whether there is a dense layer.
SOFTMAX, SIGMOIDS = ("categorical", "categorical"), ("binary", "sigmoid_cce")
LATENTS: dict[int, tuple[Any, ...]] = {
    17: ((1, 1), (1, 1, 1), SOFTMAX, "drawn", 1, 10, 400, None),
    18: ((1, 1), (1, 1, 1), SOFTMAX, "asked", 1, 2, 400, False),
    19: ((1, 7), (1, 7, 1), SOFTMAX, "asked", 1, 2, 400, False),
    20: ((1, 7), (1, 7, 1), SOFTMAX, "asked", 1, 2, 400, True),
    21: ((1, 3), (1, 7, 1), SIGMOIDS, "asked", 1, 2, 400, True),
    22: ((1, 3), (1, 3, 1), SIGMOIDS, "none", 1, 2, 400, True),
    23: ((1, 1), (1, 1, 1), SIGMOIDS, "none", 1, 2, 600, True),
    24: ((1, 1), (1, 1, 1), SIGMOIDS, "none", 0, 1, 600, True),
    25: ((1, 1), (1, 1, 1), SIGMOIDS, "none", 0, 1, 200, True),
    26: ((1, 1), (2, 2, 1), SIGMOIDS, "none", 0, 5, 170, True),
}


@pytest.fixture(scope="module", autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the drawn faces for the next test, and use one thread: these networks are too small to share."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GANLAB_HOME", str(tmp_path_factory.mktemp("home")))
        torch.set_num_threads(1)
        yield


@cache
def registry() -> Registry:
    return Registry(load_plugins())


@cache
def published(name: str) -> Spec:
    return make_spec(load_recipe(find_recipe(name)), registry())


def drawn(name: str, *sets: str) -> Spec:
    recipe, notices = swap_dataset(load_recipe(RECIPES[name]), "synthetic_faces")
    assert all("dropped dataset.test_in_training" in notice for notice in notices)
    return make_spec(with_sets(recipe, sets), registry())


def test_every_experiment_of_the_log_is_there() -> None:
    assert set(RECIPES) == {*LOG, *OTHERS}
    assert all(len(path.read_text().splitlines()) < 40 for path in RECIPES.values())


@pytest.mark.parametrize("name", RECIPES)
def test_a_header_says_what_was_published_how_to_run_it_and_what_to_expect(name: str) -> None:
    header = load_recipe(RECIPES[name]).header
    assert {"Published: ", "Expect: "} <= set(re.findall(r"Published: |Expect: ", header))
    assert f"ganlab run {name}" in header
    for text in re.findall(r"--set ('[^']+'|\S+)", header):
        if not text.endswith(("=FILE", "=PATH,")):
            drawn(name, text.strip("'"))


def restated(own: Mapping[str, Any], below: Mapping[str, Any]) -> Iterator[str]:
    """Yield the keys at which a recipe says again what it extends; a table of another `use` is told anew, as a whole."""
    for key, value in own.items():
        before = below.get(key)
        if isinstance(value, dict) and isinstance(before, dict):
            if value.get("use", before.get("use")) == before.get("use"):
                yield from (f"{key}.{inner}" for inner in restated(value, before) if inner != "use")
        elif value == before:
            yield key


@pytest.mark.parametrize("name", [name for name in (*LOG, *OTHERS) if name != "ccyclegan_t01"])
def test_a_recipe_shows_only_what_changed(name: str) -> None:
    own = parse_recipe(RECIPES[name].read_text(), RECIPES[name]).values
    parent = load_recipe(RECIPES[name].parent / own.pop("extends")).values
    assert own
    assert list(restated(own, parent)) == []


@pytest.mark.parametrize("number", PAIRS)
def test_t1_to_t16_are_as_published(number: int) -> None:
    spec = published(f"ccyclegan_t{number:02}")
    label_at, discriminator, weights, (wrong_labels, together), epochs = PAIRS[number]
    settings = spec.objective.settings
    assert (spec.objective.name, spec.architecture.name) == ("ccyclegan_cycle", "ccyclegan_unet")
    assert (spec.architecture.settings["label_at"], spec.architecture.settings["discriminator"]) == (label_at, discriminator)
    assert spec.architecture.settings["deep"] == (number == 12)
    terms = [name for name in weights if name not in ("identity", "class")]
    terms += [name for name in ("identity",) if settings["identity"]]
    terms += [name for name in ("class",) if settings["class_from"] != "none"]
    assert spec.term_weights is not None
    assert {name: spec.term_weights[f"g_{name}"] for name in terms} == weights
    assert (spec.term_weights["d_adversarial"], spec.term_weights["d_class"]) == (1, 1)
    assert (settings["wrong_labels"], settings["together"], spec.training.epochs) == (wrong_labels, together, epochs)
    loss = {3: "bce", 6: "bce_mse", 7: "bce_mse", 8: "bce_mse"}.get(number, "lsgan")
    assert spec.losses["adversarial"].name == loss
    assert loss != "lsgan" or spec.losses["adversarial"].settings["factor"] == 1
    assert spec.data.channels == (3 if number in (6, 7, 8, 9) else 1)
    assert spec.training.flip == (number >= 10)
    common(spec)


def common(spec: Spec) -> None:
    """Check what no experiment but T4 changes."""
    adam = {"use": "adam", "learning_rate": 2e-4, "betas": (0.5, 0.999), "epsilon": 1e-7}
    assert [options.model_dump() for options in spec.optimizers.values()] == [adam] * len(spec.players)
    assert (spec.data.size_px, spec.data.labels) == (48, 7)
    assert (spec.training.batch_images, spec.training.with_replacement) == (64, True)
    assert spec.losses["distance"].name == "l1"


def test_t8_is_judged_by_c2_and_t9_by_eight_classes() -> None:
    judged, told = published("ccyclegan_t08"), published("ccyclegan_t09")
    c2 = published("c2_resnet50")
    assert judged.losses["g_classification"].name == "softmax_mae"
    assert judged.lent["classifier"].settings == c2.architecture.settings
    assert (judged.roles["classifier"], judged.data) == (c2.roles["classifier"], c2.data)
    assert told.roles["discriminator"] == "images -> logits classes+1"
    assert [told.losses[f"{who}_classification"].name for who in "dg"] == ["softmax_bce", "categorical"]


def test_t4_is_a_cyclegan_of_two_classes_one_image_at_a_time() -> None:
    spec = published("ccyclegan_t04")
    assert (spec.objective.name, spec.data.label_names) == ("ccyclegan_domains", ("neutral", "happy"))
    assert spec.term_weights == {"d_adversarial": 1, "g_adversarial": 1, "g_cycle": 10, "g_identity": 1}
    assert (spec.training.batch_images, spec.training.flip, spec.losses["adversarial"].settings["factor"]) == (1, False, 1)
    # 200 epochs of as many steps as FER2013 has training images, of which 4,965 are neutral and 7,215 happy; two a step.
    assert spec.training.epochs == pytest.approx(200 * 28_709 * 2 / (4_965 + 7_215), abs=0.1)


@pytest.mark.parametrize("number", LATENTS)
def test_t17_to_t26_are_as_published(number: int) -> None:
    spec = published(f"ccyclegan_t{number:02}")
    of_d, of_g, classes, fake_class, targets, every, epochs, transform = LATENTS[number]
    settings, weights = spec.objective.settings, spec.term_weights
    assert weights is not None
    assert (weights["d_adversarial"], weights["d_class"]) == of_d
    assert (weights["g_adversarial"], weights["g_class"], weights["g_reconstruction"]) == of_g
    assert (spec.losses["d_classification"].name, spec.losses["g_classification"].name) == classes
    assert (settings["fake_class"], settings["targets"], settings["generator_every"]) == (fake_class, targets, every)
    assert (settings["each_label"], spec.training.epochs) == (number == 24, epochs)
    assert (spec.losses["adversarial"].name, settings["warm_up_steps"], settings["augment"]) == ("bce", 0, [])
    assert spec.architecture.name == ("ccyclegan_t17" if number == 17 else "ccyclegan")
    assert spec.architecture.settings.get("transform") == transform
    assert (spec.data.test_seen, spec.training.flip) == (number >= 23, True)
    common(spec)


@pytest.mark.parametrize(("number", "batches", "moves"), [(17, 448, 45), (18, 448, 224), (24, 560, 560), (26, 560, 112)])
def test_the_generator_moves_as_often_in_an_epoch_as_published(number: int, batches: int, moves: int) -> None:
    assert (35_887 if number >= 23 else 28_709) // 64 == batches
    every = published(f"ccyclegan_t{number:02}").objective.settings["generator_every"]
    unused = Criterion(L1())
    objective = SharedLatents(
        adversarial=Adversarial(BinaryCrossEntropy()),
        d_classification=unused,
        g_classification=unused,
        distance=unused,
        generator_every=every,
    )
    assert sum(objective.phase(index) == "both" for index in range(1, batches + 1)) == moves


def test_t26_is_what_it_was_before_it_extended_t25() -> None:
    spec = published("ccyclegan_t26")
    assert spec.architecture.settings == {
        "width": 64,
        "transform": True,
        **dict.fromkeys(("residual", "label_at_levels", "spectral_norm"), False),
    }
    training = spec.training.model_dump(exclude_defaults=True)
    assert training == {"epochs": 170, "with_replacement": True, "flip": True, "checkpoint_every_steps": 2800}


def test_the_alternatives_of_t26_differ_from_it_in_one_thing() -> None:
    base = published("ccyclegan_t26")
    for name, (adversarial, of_class) in RATIOS.items():
        weights = published(f"ccyclegan_t26_{name}").term_weights
        assert weights == {**(base.term_weights or {}), "g_adversarial": adversarial, "g_class": of_class}
    assert published("ccyclegan_t26_lr1e4").optimizers["generator"].model_dump()["learning_rate"] == 1e-4
    bce, cce = published("ccyclegan_t26_bce"), published("ccyclegan_t26_cce")
    assert [spec.losses["g_classification"].name for spec in (bce, cce)] == ["binary", "sigmoid_cce"]
    assert bce.training == cce.training == base.training.model_copy(update={"epochs": 200})


TERMS = {
    "c1_matching": ["d_matching"],
    "ccyclegan_t01": ["d_adversarial"] * 3 + ["g_adversarial", "g_cycle", "g_identity"],
    "ccyclegan_t03": ["d_adversarial"] * 3 + ["g_adversarial", "g_cycle"],
    "ccyclegan_t04": ["d_adversarial"] * 2 + ["g_adversarial", "g_cycle", "g_identity"],
    "ccyclegan_t06": ["d_adversarial", "g_adversarial", "g_cycle"],
    "ccyclegan_t08": ["d_adversarial", "g_adversarial", "g_cycle", "g_class"],
    "ccyclegan_t09": ["d_adversarial", "d_class"] * 2 + ["g_adversarial", "g_cycle", "g_class"],
    "ccyclegan_t14": ["d_adversarial", "g_adversarial", "g_cycle", "g_identity"],
    "ccyclegan_t17": ["d_adversarial", "d_class", "g_adversarial", "g_class", "g_reconstruction"],
    "ccyclegan_t24": ["d_adversarial", "d_class"] + ["g_adversarial", "g_class", "g_reconstruction"] * 6,
}
LIKE = {2: 1, 5: 3, 7: 6, 10: 1, 11: 1, 12: 1, 13: 1, 15: 14, 16: 14, **dict.fromkeys((18, 19, 20, 21, 22, 23, 25, 26), 17)}


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_takes_a_real_step_that_moves_all_that_it_trains(name: str) -> None:
    small = [*FEW]
    if published(name).architecture.settings.get("discriminator") == "resnet":
        small.append("architecture.backbone=resnet18")
    if name == "ccyclegan_t08":
        small.append("frozen.classifier.architecture.backbone=resnet18")
    spec = drawn(name, *small)
    parts = resolve(spec, torch.device("cpu"))
    before = {key: {k: v.clone() for k, v in net.state_dict().items()} for key, net in parts.nets.items()}
    phase = parts.objective.phase(1) if hasattr(parts.objective, "phase") else None
    recorded = run_step(parts, TrainingStep(parts, phase, batch_images=2, flip=False))
    assert all(value.isfinite() for _, value in recorded)
    number = int(name[11:13]) if name.startswith("ccyclegan_t") else 0
    model = f"ccyclegan_t{LIKE.get(number, number):02}" if number else name
    assert [term for term, _ in recorded if not term.endswith("accuracy")] == TERMS[model]
    assert any(term.endswith("accuracy") for term, _ in recorded)
    trained = {network for networks in spec.players.values() for network in networks}
    for key, net in parts.nets.items():
        moved = [not torch.equal(weight, before[key][k]) for k, weight in net.named_parameters()]
        assert sum(moved) > 0.8 * len(moved) if key in trained else not any(moved), key  # a bias before a norm need not
