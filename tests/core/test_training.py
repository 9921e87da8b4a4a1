"""One step moves what the objective says, once, and records what it saw."""

import copy
import dataclasses
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ganlab import Component, Step, Update, hookimpl
from ganlab.errors import PluginError
from ganlab.options import ObjectiveOptions, TrainingOptions
from ganlab.plugins import Plugins
from ganlab.recipe import parse_recipe
from ganlab.registry import Registry
from ganlab.resolve import Parts, resolve
from ganlab.runs.checkpoints import find_checkpoint, open_checkpoint
from ganlab.spec import Spec, make_spec
from ganlab.training.schedule import End, end_of, rate_factor, set_learning_rates
from ganlab.training.session import start_run
from ganlab.training.step import TrainingStep, average, run_step
from ganlab.training.tally import Tally
from ganlab.training.trend import Trend

CPU = torch.device("cpu")
SpecOf = Callable[..., Spec]
StepCode = Callable[[Step], Iterator[Update]]
SGD = {"learning_rate = 1e-2": 'use = "sgd"\nlearning_rate = 1.0'}


@pytest.fixture
def parts_with(spec_of: SpecOf) -> Callable[..., Parts]:
    """Return `parts_with(step)`: the tiny recipe's parts, trained by the step that a test gives; every term counts once."""

    def make(step: StepCode, replacements: dict[str, str] | None = None, **changes: Any) -> Parts:
        objective = SimpleNamespace(step=step)
        return dataclasses.replace(
            resolve(spec_of(replacements), CPU), objective=objective, **{"term_weights": None, **changes}
        )

    return make


def take_step(parts: Parts) -> dict[str, float]:
    """Run one step and return what it recorded."""
    recorded = run_step(parts, TrainingStep(parts, None, batch_images=4, flip=False))
    return {name: float(value) for name, value in recorded}


def weights_of(net: nn.Module) -> list[Tensor]:
    return [weight.detach().clone() for weight in net.parameters()]


def all_equal(some: list[Tensor], others: list[Tensor]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(some, others, strict=True))


# The three traps that an objective's author cannot see (design/contract.md 2.1 to 2.3)


def test_a_graph_built_before_a_descent_is_refused_after_it(parts_with: Callable[..., Parts]) -> None:
    def stale(s: Step) -> Iterator[Update]:
        discriminator, images = s.nets["discriminator"], s.batch().images
        first, second = discriminator(images), discriminator(images)
        yield Update("discriminator", first=first.logits.mean())
        yield Update("discriminator", second=second.logits.mean())  # its graph holds the weights as they were

    parts = parts_with(stale)
    assert parts.optimizers["discriminator"].defaults["fused"]  # the optimizer that leaves version counters alone
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        take_step(parts)


@pytest.mark.parametrize("around", [nullcontext, lambda: torch.autocast("cpu", enabled=False)], ids=["bare", "in autocast"])
def test_under_bf16_the_generator_meets_the_updated_discriminator(
    parts_with: Callable[..., Parts], around: Callable[[], AbstractContextManager[Any]]
) -> None:
    seen: list[Tensor] = []

    def both(s: Step) -> Iterator[Update]:
        generator, discriminator = s.nets["generator"], s.nets["discriminator"]
        fake = generator(s.noise(4), s.labels(4))
        seen.append(fake.detach())
        yield Update("discriminator", d=discriminator(fake.detach()).logits.mean())
        yield Update("generator", g=discriminator(fake).logits.mean())

    parts = parts_with(both, SGD | {"steps = 20": 'steps = 20\nprecision = "bf16"'})
    before = copy.deepcopy(parts.nets["discriminator"])
    with around():  # the cache of casts lives as long as the outermost context
        recorded = take_step(parts)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        old, new = before(seen[0]).logits.mean(), parts.nets["discriminator"](seen[0]).logits.mean()
    assert (recorded["d"], recorded["g"]) == (float(old), float(new))
    assert abs(float(old) - float(new)) > 0.1


@pytest.mark.parametrize("guard", [torch.no_grad, torch.inference_mode])
def test_a_yield_inside_no_grad_is_refused(parts_with: Callable[..., Parts], guard: Callable[[], Any]) -> None:
    def leaking(s: Step) -> Iterator[Update]:
        verdict = s.nets["discriminator"](s.batch().images)
        with guard():
            yield Update("discriminator", d=verdict.logits.mean())

    with pytest.raises(PluginError) as error:
        take_step(parts_with(leaking))
    assert str(error.value) == "the objective yields inside `with torch.no_grad()`; end the block before the yield"
    assert torch.is_grad_enabled()


# What an objective may yield


def test_terms_and_players_that_were_not_declared_are_refused(parts_with: Callable[..., Parts]) -> None:
    def message(step: StepCode, **changes: Any) -> str:
        with pytest.raises(PluginError) as error:
            take_step(parts_with(step, **changes))
        return str(error.value)

    def verdict(s: Step) -> Tensor:
        logits: Tensor = s.nets["discriminator"](s.batch().images).logits.mean()
        return logits

    def undeclared(s: Step) -> Iterator[Update]:
        yield Update("discriminator", d_surprise=verdict(s))

    weights = {"d_adversarial": 1.0, "d_class": 2.0}
    assert message(undeclared, term_weights=weights) == (
        "the objective yields a term 'd_surprise' that its weights do not declare: d_adversarial, d_class"
    )

    def stranger(s: Step) -> Iterator[Update]:
        yield Update("critic", d=verdict(s))

    assert message(stranger) == "the objective yields an update of 'critic'; its players are generator, discriminator"

    def idle(s: Step) -> Iterator[Update]:
        verdict(s)
        return
        yield

    assert message(idle) == "SimpleNamespace.step yielded no Update"

    def empty(s: Step) -> Iterator[Update]:
        yield Update("discriminator")

    for term_weights in (None, weights):
        assert message(empty, term_weights=term_weights) == "the objective yields an update without terms"


# What a descent moves


def test_a_descent_moves_the_weights_of_its_player_only(parts_with: Callable[..., Parts]) -> None:
    def attached(s: Step) -> Iterator[Update]:
        fake = s.nets["generator"](s.noise(4), s.labels(4))  # not detached: gradients could reach the generator
        yield Update("discriminator", d=s.nets["discriminator"](fake).logits.mean())

    parts = parts_with(attached)
    generator, discriminator = weights_of(parts.nets["generator"]), weights_of(parts.nets["discriminator"])
    take_step(parts)
    assert all_equal(weights_of(parts.nets["generator"]), generator)
    assert not all_equal(weights_of(parts.nets["discriminator"]), discriminator)
    assert all(weight.grad is None for net in parts.nets.values() for weight in net.parameters())


def test_weights_of_terms_scale_gradients_and_leave_the_record_raw(parts_with: Callable[..., Parts]) -> None:
    images = torch.linspace(-1, 1, 4 * 64).view(4, 1, 8, 8)

    def terms(net: nn.Module) -> tuple[Tensor, Tensor]:
        verdict = net(images)
        return verdict.logits.square().mean(), verdict.classes.mean()

    def weighted(s: Step) -> Iterator[Update]:
        real, classes = terms(s.nets["discriminator"])
        yield Update("discriminator", d_adversarial=real, d_class=classes)

    parts = parts_with(weighted, SGD, term_weights={"d_adversarial": 3.0, "d_class": 0.5})
    net = parts.nets["discriminator"]
    before, raw = weights_of(net), [term.item() for term in terms(net)]
    gradients = [
        torch.autograd.grad(term, list(net.parameters()), retain_graph=True, allow_unused=True, materialize_grads=True)
        for term in terms(net)
    ]
    recorded = take_step(parts)
    assert recorded == {"d_adversarial": raw[0], "d_class": raw[1]}
    for was, now, real, classes in zip(before, weights_of(net), *gradients, strict=True):
        torch.testing.assert_close(was - now, 3.0 * real + 0.5 * classes)


class PaintingOptions(ObjectiveOptions):
    def players(self) -> dict[str, tuple[str, ...]]:
        return {"painter": ("generator",)}

    def needs(self) -> dict[str, str]:
        return {"generator": "noise labels -> images", "discriminator": "images -> logits"}


class Painting:
    """Trains a generator against a discriminator that nobody trains."""

    def step(self, s: Step) -> Iterator[Update]:
        fake = s.nets["generator"](s.noise(4), s.labels(4))
        yield Update("painter", g_adversarial=-s.nets["discriminator"](fake).logits.mean())


def test_a_frozen_network_is_that_of_its_run_and_stays_as_it_was(
    spec_of: SpecOf, plugins: Plugins, plugins_with: Callable[[ModuleType], Plugins], listener: Any, tmp_path: Path
) -> None:
    @hookimpl
    def ganlab_objectives() -> list[Component]:
        return [Component("painting", Painting, PaintingOptions)]

    module = ModuleType("ganlab_painting")
    vars(module)["ganlab_objectives"] = ganlab_objectives
    source = start_run(spec_of(), plugins, CPU, listener, out=tmp_path / "source", command=[]).run

    more = plugins_with(module)
    text = (
        '[dataset]\nuse = "tiny"\n[architecture]\nuse = "tiny"\n[objective]\nuse = "painting"\n'
        "[training]\nsteps = 3\nbatch_images = 4\n"
    )
    with pytest.raises(Exception, match=re.escape("nobody trains discriminator: name the run it comes from, [frozen.disc")):
        make_spec(parse_recipe(text, Path("x.toml")), Registry(more))
    text += f'[frozen.discriminator]\nrun = "{source.path}"\nstep = 15\n'
    spec = make_spec(parse_recipe(text, Path("x.toml")), Registry(more))
    run = start_run(spec, more, CPU, listener, out=tmp_path / "run", command=[]).run

    theirs = open_checkpoint(find_checkpoint(source.path, 15)).tensors("averaged")
    ours = open_checkpoint(find_checkpoint(run.path)).tensors("networks")
    frozen = {name for name in theirs if name.startswith("discriminator/")}  # weights, and buffers of the batch norm
    assert "discriminator/norm.running_mean" in frozen
    assert all(torch.equal(theirs[name], ours[name]) for name in frozen)
    parts = resolve(spec, CPU)
    assert not parts.nets["discriminator"].training
    assert not any(weight.requires_grad for weight in parts.nets["discriminator"].parameters())


def test_averaged_weights_follow_by_their_decay_and_buffers_are_copied(spec_of: SpecOf) -> None:
    parts = resolve(spec_of(), CPU)
    assert parts.averaged is not None
    net, averaged = parts.nets["discriminator"], parts.averaged["discriminator"]
    assert all_equal(weights_of(averaged), weights_of(net))
    before = weights_of(net)
    with torch.no_grad():
        for weight in net.parameters():
            weight.add_(1)
        net.norm.running_mean.fill_(5)  # type: ignore[union-attr, operator]
    average(parts)
    for was, now in zip(before, weights_of(averaged), strict=True):
        torch.testing.assert_close(now, was + 0.1)
    assert averaged.norm.running_mean.tolist() == [5.0] * 4  # type: ignore[union-attr, operator]
    assert not averaged.training


# What is recorded


def test_a_term_recorded_twice_in_a_step_counts_as_its_mean() -> None:
    tally = Tally(CPU)
    tally.add(1, [("d", torch.tensor(1.0)), ("d", torch.tensor(3.0)), ("g", torch.tensor(5.0))])
    assert tally.means() == {"d": 2.0, "g": 5.0}
    tally.add(2, [("d", torch.tensor(4.0)), ("d", torch.tensor(8.0))])
    assert tally.means() == {"d": 4.0, "g": 5.0}
    tally.clear()
    assert (bool(tally), tally.means()) == (False, {})


def test_open_sums_survive_a_checkpoint() -> None:
    tally, again = Tally(CPU), Tally(CPU)
    tally.add(1, [("d", torch.tensor(0.1)), ("g", torch.tensor(0.2))])
    tally.add(2, [("d", torch.tensor(0.3))])
    again.load(*tally.state())
    for each in (tally, again):
        each.add(3, [("d", torch.tensor(0.7))])
    assert again.means() == tally.means()


def test_measures_are_recorded_after_terms_without_their_graphs(parts_with: Callable[..., Parts]) -> None:
    def measuring(s: Step) -> Iterator[Update]:
        verdict = s.nets["discriminator"](s.batch().images)
        s.log(d_accuracy=verdict.logits.mean())
        yield Update("discriminator", d=verdict.logits.mean())

    parts = parts_with(measuring)
    recorded = run_step(parts, TrainingStep(parts, None, batch_images=4, flip=False))
    assert [(name, value.requires_grad) for name, value in recorded] == [("d", False), ("d_accuracy", False)]


# How far a run is


@pytest.mark.parametrize(
    ("schedule", "decay_start", "factors"),
    [
        ("constant", 0.0, [1, 1, 1, 1, 1]),
        ("linear", 0.0, [1, 0.75, 0.5, 0.25, 0]),
        ("linear", 0.5, [1, 1, 1, 0.5, 0]),
        ("cosine", 0.0, [1, 0.853553, 0.5, 0.146447, 0]),
        ("cosine", 0.5, [1, 1, 1, 0.5, 0]),
    ],
)
def test_learning_rates_fall_by_the_schedule(schedule: str, decay_start: float, factors: list[float]) -> None:
    training = TrainingOptions.model_validate({"learning_rate_schedule": schedule, "decay_start": decay_start})
    assert [rate_factor(training, share) for share in (0, 0.25, 0.5, 0.75, 1)] == pytest.approx(factors, abs=1e-6)


def test_each_player_keeps_its_own_base_rate(spec_of: SpecOf) -> None:
    parts = resolve(spec_of({"learning_rate = 1e-2": "learning_rate = 1e-2\n[optimizer.generator]\nlearning_rate = 1e-3"}), CPU)
    training = TrainingOptions.model_validate({"learning_rate_schedule": "linear"})
    set_learning_rates(parts, training, 0.75, Trend(), {"generator": 1e-3, "discriminator": 1e-2})
    rates = {player: optimizer.param_groups[0]["lr"] for player, optimizer in parts.optimizers.items()}
    assert rates == pytest.approx({"generator": 2.5e-4, "discriminator": 2.5e-3})


def test_a_run_ends_by_steps_or_images_whichever_comes_first() -> None:
    assert [End(10, None).share(step, 0) for step in (0, 5, 10, 12)] == [0, 0.5, 1, 1]
    assert End(None, 80).share(999, 40) == 0.5
    assert End(10, 80).share(2, 40) == 0.5
    assert end_of(TrainingOptions.model_validate({"epochs": 2.5}), 16) == End(None, 40)
    assert end_of(TrainingOptions.model_validate({"epochs": 2.5, "steps": 7}), 16) == End(7, 40)
    assert End(None, 80).total_steps(0, 0, 16) == 5
    assert End(None, 80).total_steps(2, 40, 16) == 4  # the objective draws 20 images a step
    assert End(3, 80).total_steps(2, 40, 16) == 3
