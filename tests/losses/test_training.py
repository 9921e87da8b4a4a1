"""The shared losses in real steps of CCycleGAN, chosen as `--set` chooses them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from ganlab import Batch
from ganlab.errors import RecipeError
from ganlab.plugins import Plugins
from ganlab.recipe import load_recipe
from ganlab.recipe_end import with_end
from ganlab.registry import Registry
from ganlab.resolve import Parts, resolve
from ganlab.runs.checkpoints import find_checkpoint, open_checkpoint
from ganlab.spec import Spec, make_spec
from ganlab.spec_resolved import resolved
from ganlab.testing.purity import DEVICE, watched
from ganlab.training.session import resume_run, start_run
from ganlab.training.step import TrainingStep, run_step

CPU = torch.device("cpu")
SpecWith = Callable[..., Spec]
ADVERSARIAL = ("bce", "bce_mse", "hinge", "lsgan", "wasserstein", "relativistic_average", "lecam")
PENALTIES = ("r1", "r2", "wgan_gp")


class Silent:
    """A listener that hears nothing."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *facts: None


def two_steps(spec: Spec) -> tuple[Parts, list[dict[str, Tensor]]]:
    """Return the parts after two steps, and what each step recorded; step 1 moves both players, step 2 one."""
    parts = resolve(spec, CPU)
    recorded = []
    for index in (1, 2):
        step = TrainingStep(parts, parts.objective.phase(index), batch_images=3, flip=False)
        recorded.append(dict(run_step(parts, step)))
    return parts, recorded


def weights(parts: Parts) -> dict[str, list[Tensor]]:
    return {name: [weight.detach().clone() for weight in net.parameters()] for name, net in parts.nets.items()}


def has_moved(before: list[Tensor], after: list[Tensor]) -> bool:
    return any(not torch.equal(a, b) for a, b in zip(before, after, strict=True))


def test_every_loss_that_fits_is_tried_here(plugins: Plugins) -> None:
    found = [r.component for r in Registry(plugins).all("loss")]
    assert sorted(ADVERSARIAL) == sorted(c.name for c in found if c.family in ("adversarial", "joint"))
    assert sorted((*PENALTIES, "none")) == sorted(c.name for c in found if c.family == "penalty")


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize(
    "sets",
    [
        *((f"objective.adversarial={name}",) for name in ADVERSARIAL),
        *((f"objective.penalty={name}",) for name in PENALTIES),
        ("objective.adversarial=wasserstein", "objective.penalty=wgan_gp", "architecture.spectral_norm=true"),
        ("objective.adversarial=lecam", "objective.penalty=r1", 'objective.augment=["colour", "translation", "cutout"]'),
    ],
    ids=" ".join,
)
def test_two_steps_move_both_players_by_finite_terms(spec_with: SpecWith, sets: tuple[str, ...], precision: str) -> None:
    spec = spec_with(*sets, f"training.precision={precision}")
    before = weights(resolve(spec, CPU))
    parts, (first, second) = two_steps(spec)
    assert all(value.isfinite() for value in (*first.values(), *second.values()))
    after = weights(parts)
    assert all(has_moved(before[name], after[name]) for name in before)
    has_penalty = any("penalty" in entry for entry in sets)
    assert ("d_penalty" in first, "d_penalty" in second) == (has_penalty, has_penalty)
    if has_penalty:
        assert first["d_penalty"].dtype == torch.float32
        assert first["d_penalty"] > 0


@pytest.mark.parametrize("name", PENALTIES)
def test_a_penalty_is_computed_in_full_precision_under_bf16(spec_with: SpecWith, name: str) -> None:
    parts = resolve(spec_with(f"objective.penalty={name}"), CPU)
    critic, images = parts.nets["discriminator"], torch.rand(2, 3, 1, 48, 48) * 2 - 1
    values = []
    for enabled in (False, True):
        torch.manual_seed(0)
        with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
            values.append(parts.objective.penalty(lambda x: critic(x).logits, *images))
    assert torch.equal(*values)


def test_by_default_there_is_no_penalty_no_augmentation_and_no_draw_for_them(spec_with: SpecWith) -> None:
    spec = spec_with()
    assert (spec.losses["penalty"].name, spec.objective.settings["augment"]) == ("none", [])
    parts, _ = two_steps(spec)
    assert torch.equal(torch.get_rng_state(), torch.random.manual_seed(spec.training.seed + 2).get_state())
    assert not any("parametrizations" in name for name in parts.nets["discriminator"].state_dict())


def test_the_penalty_gets_as_many_fakes_as_photos_at_random(spec_with: SpecWith) -> None:
    seen: list[tuple[Tensor, Tensor]] = []
    parts = resolve(spec_with("dataset.kind=classes", "objective.penalty=r1"), CPU)

    class Spy(torch.nn.Module):
        def forward(self, critic: Any, real: Tensor, fake: Tensor) -> Tensor:
            seen.append((real, fake))
            return parts.losses["penalty"](critic, real, fake)

    parts.objective.penalty = Spy()
    made: list[Tensor] = []
    parts.nets["decoder"].register_forward_hook(lambda _, __, images: made.append(images.detach()))
    step = TrainingStep(parts, "discriminator", batch_images=3, flip=False)
    run_step(parts, step)
    ((real, fake),) = seen
    assert (len(real), len(fake), len(made[0])) == (3, 3, 6)  # of three classes, two are not the photo's own
    which = [[bool(torch.equal(image, other)) for other in made[0]].index(True) for image in fake]
    assert len(set(which)) == 3
    torch.manual_seed(2)
    assert which == torch.rand(6).argsort()[:3].tolist()


def test_a_step_with_everything_asks_nothing_of_the_host(spec_with: SpecWith) -> None:
    sets = ("objective.adversarial=lecam", "objective.penalty=wgan_gp", "architecture.spectral_norm=true")
    parts = resolve(spec_with(*sets, 'objective.augment=["colour", "translation", "cutout"]'), DEVICE)
    batch = TrainingStep(parts, None, batch_images=3, flip=False).batch()

    class Drawn(TrainingStep):
        def batch(self, count: int | None = None, of: int | None = None) -> Batch:
            return batch

    for phase in ("both", "discriminator"):
        with watched() as found:
            run_step(parts, Drawn(parts, phase, batch_images=3, flip=False))
        assert found == []


def test_a_loss_of_pairs_is_refused_with_the_reason(spec_with: SpecWith) -> None:
    with pytest.raises(RecipeError) as error:
        spec_with("objective.adversarial=relativistic_paired")
    assert str(error.value) == (
        "small.toml: 1 fault\n  --set: objective.adversarial: relativistic_paired is of the family paired (one fake to each "
        "real), and ccyclegan takes adversarial or joint here: bce, bce_mse, hinge, lecam, lsgan, relativistic_average, "
        "wasserstein"
    )


def test_a_loss_that_is_no_penalty_is_refused_as_one(spec_with: SpecWith) -> None:
    with pytest.raises(RecipeError) as error:
        spec_with("objective.penalty=hinge")
    assert str(error.value).splitlines()[1] == (
        "  --set: objective.penalty: hinge is of the family adversarial (real and fake logits, each on "
        "its own), and ccyclegan takes penalty here: none, r1, r2, wgan_gp"
    )


def test_an_augmentation_that_does_not_exist_is_refused(spec_with: SpecWith) -> None:
    with pytest.raises(RecipeError) as error:
        spec_with('objective.augment=["rotation"]')
    assert str(error.value).splitlines()[1] == (
        "  --set: objective.augment: 'rotation' must be 'colour', 'translation' or 'cutout'"
    )


def test_lecam_and_spectral_normalisation_resume_bit_for_bit(spec_with: SpecWith, plugins: Plugins, tmp_path: Path) -> None:
    sets = (
        'objective.adversarial={use = "lecam", decay = 0.5}',
        "objective.penalty=wgan_gp",
        "architecture.spectral_norm=true",
        'objective.augment=["translation", "cutout"]',
    )
    whole = start_run(spec_with(*sets), plugins, CPU, Silent(), out=tmp_path / "whole", command=[])
    part = start_run(spec_with(*sets, "training.steps=2"), plugins, CPU, Silent(), out=tmp_path / "part", command=[])
    spec = make_spec(with_end(load_recipe(part.run.recipe), steps=4), Registry(plugins))
    resume_run(spec, plugins, part.run, CPU, Silent(), command=[], has_new_end=True)
    assert part.run.log.read_bytes() == whole.run.log.read_bytes()
    checkpoints = [open_checkpoint(find_checkpoint(run.path)) for run in (whole.run, part.run)]
    for file in ("networks", "averaged", "training"):
        one, other = (checkpoint.tensors(file) for checkpoint in checkpoints)
        assert one.keys() == other.keys()
        assert all(torch.equal(one[name], other[name]) for name in one)
    kept = checkpoints[0].tensors("training")
    assert kept["losses/adversarial.loss.averages.started"] == 1
    assert kept["losses/adversarial.loss.averages.values"].abs().min() > 0


def test_the_resolved_recipe_names_every_new_setting_and_gives_the_same_spec(spec_with: SpecWith, plugins: Plugins) -> None:
    values = resolved(spec_with("objective.adversarial=lecam", 'objective.augment=["cutout"]'))
    assert values["objective"]["adversarial"] == {"use": "lecam", "base": "hinge", "decay": 0.99, "weight": 0.3}
    assert (values["objective"]["penalty"], values["objective"]["augment"]) == ({"use": "none"}, ["cutout"])
    assert values["objective"]["weights"]["d_penalty"] == 10.0
    assert values["architecture"]["spectral_norm"] is False


def test_augmentation_changes_all_that_the_discriminator_sees(spec_with: SpecWith) -> None:
    """Cover half of every image of ones: the discriminator meets zeros in photos and fakes, in every update."""
    parts = resolve(spec_with('objective.augment=["cutout"]', "objective.warm_up_steps=1", "objective.penalty=r1"), CPU)
    seen: list[Tensor] = []
    discriminator = parts.nets["discriminator"]
    discriminator.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].detach()))
    for phase in ("warm_up", "both"):
        run_step(parts, TrainingStep(parts, phase, batch_images=3, flip=False))
    assert [len(images) for images in seen] == [3, 9, 3, 6]  # photos; photos and fakes; the penalty's photos; fakes
    for images in seen:
        covered = (images == 0).flatten(1).sum(1)
        assert covered.min() >= 24 * 24 // 4  # at a corner, a quarter of the rectangle lies inside


def test_spectral_normalisation_leaves_every_drawn_weight_as_it_was(spec_with: SpecWith) -> None:
    plain, normalised = (resolve(spec_with(f"architecture.spectral_norm={on}"), CPU).nets for on in ("false", "true"))
    for name, net in plain.items():
        held = normalised[name].state_dict()
        for key, value in net.state_dict().items():
            original = f"{key.removesuffix('.weight')}.parametrizations.weight.original"
            assert torch.equal(held.get(key, held.get(original)), value)
        assert any("parametrizations" in key for key in held) is (name == "discriminator")
