"""Each wrong objective is found by the claim that it breaks, with the reason and the line."""

from __future__ import annotations

import inspect
import random
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Annotated, Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganlab import Adversarial, Component, Step, Update, clip, hookimpl
from ganlab.options import Family, LossName, ObjectiveOptions, Options
from ganlab.testing import Broken, Finding, cases, findings
from ganlab.testing.objective import claims
from ganlab.testing.objective.state import goes_on_after_a_checkpoint


class Weights(Options):
    d_adversarial: float = 1.0
    g_adversarial: float = 1.0


class GanOptions(ObjectiveOptions):
    adversarial: Annotated[LossName, Family("adversarial", "joint", "paired")] = "bce"
    weights: Weights = Weights()

    def players(self) -> dict[str, tuple[str, ...]]:
        return {"generator": ("generator",), "discriminator": ("discriminator",)}

    def needs(self) -> dict[str, str]:
        return {"generator": "noise labels -> images", "discriminator": "images -> logits"}


class Gan:
    """A right objective; `early` and `late` are where the wrong ones differ."""

    def __init__(self, adversarial: Adversarial) -> None:
        self.adversarial = adversarial

    def early(self, s: Step, images: Tensor, logits: Tensor) -> Any:
        """Return a factor of the first term; called before the first yield."""
        return 1.0

    def late(self, s: Step, images: Tensor, logits: Tensor) -> Any:
        """Return a factor of the second term; called after the first yield."""
        return 1.0

    def step(self, s: Step) -> Iterator[Update]:
        generator, discriminator = s.nets["generator"], s.nets["discriminator"]
        batch = s.batch()
        fake = generator(s.noise(len(batch)), batch.labels)
        real, false = discriminator(batch.images).logits, discriminator(fake.detach()).logits
        early = self.early(s, batch.images, real)
        yield Update("discriminator", d_adversarial=self.adversarial.discriminator(real, false) * early)
        late = self.late(s, batch.images, real)
        logits = discriminator(fake).logits
        yield Update("generator", g_adversarial=self.adversarial.generator(logits, lambda: real) * late)


def plugin(objective: type, options: type = GanOptions) -> ModuleType:
    module = ModuleType("fake")
    module.ganlab_objectives = hookimpl(lambda: [Component("fake", objective, options)])  # type: ignore[attr-defined]
    return module


def found(claim: Callable[..., Any], objective: type = Gan, options: type = GanOptions) -> Finding:
    """Return what the claim says of the objective."""
    case = next(case for case in cases(plugin(objective, options)) if case.claim is claim)
    return next(findings([case]))


def like_gan(**methods: Any) -> type:
    """Return a Gan with other methods."""
    return type("Fake", (Gan,), methods)


def line_of(function: Any, text: str = "") -> str:
    """Return "file:line" of a function, or of the first line in it that holds `text`."""
    lines, first = inspect.getsourcelines(function)
    return f"{__file__}:{first + next((n for n, line in enumerate(lines) if text in line), 0)}"


# What is said of it in its options


class NoPlayers(GanOptions):
    def players(self) -> dict[str, tuple[str, ...]]:
        return {}


class IdlePlayer(GanOptions):
    def players(self) -> dict[str, tuple[str, ...]]:
        return {"generator": ("generator",), "discriminator": ()}


class UnknownNetwork(GanOptions):
    def players(self) -> dict[str, tuple[str, ...]]:
        return {"generator": ("decoder",)}


class OddRole(GanOptions):
    def needs(self) -> dict[str, str]:
        return {"generator": "noise labels images", "discriminator": "images -> logits"}


class WordWeights(GanOptions):
    weights: str = "all"  # type: ignore[assignment]


@pytest.mark.parametrize(
    ("options", "why", "where"),
    [
        (NoPlayers, "players() names none: nothing would be trained", NoPlayers.players),
        (IdlePlayer, "the player discriminator moves (), not a tuple of networks", IdlePlayer.players),
        (
            UnknownNetwork,
            "the player generator moves decoder, and needs() names generator, discriminator",
            UnknownNetwork.players,
        ),
        (
            OddRole,
            'generator: the role \'noise labels images\' does not read "inputs -> outputs", such as "noise labels -> images"',
            OddRole.needs,
        ),
        (WordWeights, "the weight weights is 'all'; its options' `weights` hold one number a term", WordWeights),
    ],
)
def test_options_that_do_not_go_together_are_found(options: type, why: str, where: object) -> None:
    finding = found(claims.names_who_moves_what, options=options)
    assert (finding.verdict, finding.why, finding.where) == ("broken", why, line_of(where))


def test_options_that_are_no_objectives_are_found() -> None:
    class Bare(Options):
        pass

    finding = found(claims.names_who_moves_what, options=Bare)
    assert finding.why == "its options (Bare) do not derive from ganlab.ObjectiveOptions"


def test_a_fault_of_the_options_is_told_as_a_recipe_would_tell_it() -> None:
    class Unknown(GanOptions):
        adversarial: Annotated[LossName, Family("adversarial")] = "hingee"

    finding = found(claims.goes_with_networks, options=Unknown)
    assert finding.verdict == "broken"
    assert finding.why.startswith("objective.adversarial.use: no loss is called 'hingee'; did you mean 'hinge'?")
    follower = found(claims.yields_terms, options=Unknown)
    assert (follower.verdict, follower.why[:27]) == ("not applicable", "it cannot be put together (")


def test_a_need_that_nothing_here_fits_is_not_applicable() -> None:
    class Styled(GanOptions):
        def needs(self) -> dict[str, str]:
            return {"generator": "style -> images", "discriminator": "images -> logits"}

    finding = found(claims.goes_with_networks, options=Styled)
    assert finding.verdict == "not applicable"
    assert "there is no stand-in for generator (style -> images): 'style' is unknown" in finding.why
    assert "ccyclegan offers encoder (images -> latents)" in finding.why


def test_an_objective_without_a_step_is_found() -> None:
    finding = found(claims.goes_with_networks, type("Idle", (), {"__init__": Gan.__init__}))
    assert finding.why == "Idle has no method step(s), which yields the updates"


# Its phases


def counting(self: Any, index: int) -> int:
    self.asked = getattr(self, "asked", 0) + 1
    return int(self.asked) % 3


@pytest.mark.parametrize(
    ("phase", "why"),
    [
        (lambda self, index: [index % 2], "phase(1) is a list, [1], which cannot be hashed; a tuple can"),
        (counting, "phase(1048591) is 0 when first asked and 1 when asked again: it must depend on the number alone"),
        (lambda self, index: 1 // (index - 5), "raises ZeroDivisionError: integer division or modulo by zero"),
    ],
)
def test_phases_that_are_not_their_steps_alone_are_found(phase: Callable[..., Any], why: str) -> None:
    finding = found(claims.tells_phases, like_gan(phase=phase))
    assert (finding.verdict, finding.why[: len(why)]) == ("broken", why)


def test_many_phases_are_told() -> None:
    assert found(claims.tells_phases, like_gan(phase=lambda self, index: index)).why == "has 300 phases or more; 8 were tried"
    two = found(claims.tells_phases, like_gan(phase=lambda self, index: index % 2 == 0))
    assert (two.verdict, two.why) == ("holds", "phases are False, True")


# Its updates


def in_no_grad(self: Any, s: Step) -> Iterator[Update]:
    with torch.no_grad():
        yield Update("discriminator", d_adversarial=s.nets["discriminator"](s.batch().images).logits.mean())


def of_nobody(self: Any, s: Step) -> Iterator[Update]:
    yield Update("critic", d_adversarial=s.nets["discriminator"](s.batch().images).logits.mean())


def undeclared(self: Any, s: Step) -> Iterator[Update]:
    yield Update("discriminator", d_adverserial=s.nets["discriminator"](s.batch().images).logits.mean())


def without_terms(self: Any, s: Step) -> Iterator[Update]:
    yield Update("discriminator")


def unaveraged(self: Any, s: Step) -> Iterator[Update]:
    yield Update("discriminator", d_adversarial=s.nets["discriminator"](s.batch().images).logits)


def not_a_number(self: Any, s: Step) -> Iterator[Update]:
    yield Update("discriminator", d_adversarial=s.nets["discriminator"](s.batch().images).logits.mean() * torch.nan)


def a_number(self: Any, s: Step) -> Iterator[Update]:
    yield Update("discriminator", d_adversarial=0.5)  # type: ignore[arg-type]


def a_pair(self: Any, s: Step) -> Iterator[Any]:
    yield "discriminator", s.nets["discriminator"](s.batch().images).logits.mean()


def detached(self: Any, s: Step) -> Iterator[Update]:
    yield Update("discriminator", d_adversarial=s.nets["discriminator"](s.batch().images).logits.mean().detach())


def stale(self: Any, s: Step) -> Iterator[Update]:
    batch = s.batch()
    logits = s.nets["discriminator"](s.nets["generator"](s.noise(4), batch.labels)).logits
    yield Update("discriminator", d_adversarial=s.nets["discriminator"](batch.images).logits.mean())
    yield Update("generator", g_adversarial=logits.mean())


def twice(self: Any, s: Step) -> Iterator[Update]:
    logits = s.nets["discriminator"](s.batch().images).logits.sigmoid()
    yield Update("discriminator", d_adversarial=logits.mean())
    yield Update("discriminator", d_adversarial=logits.mean())


def odd_measure(self: Any, s: Step) -> Iterator[Update]:
    yield Update("discriminator", d_adversarial=s.nets["discriminator"](s.batch().images).logits.mean())
    s.log(d_accuracy=0.5)  # type: ignore[arg-type]


def nothing(self: Any, s: Step) -> Iterator[Update]:
    yield from ()


def of_two(self: Any, s: Step) -> Iterator[Update]:
    yield from undeclared(self, s)


@pytest.mark.parametrize(
    ("step", "why", "line"),
    [
        (in_no_grad, "the objective yields inside `with torch.no_grad()`; end the block before the yield", "yield"),
        (of_nobody, "the objective yields an update of 'critic'; its players are generator, discriminator", "yield"),
        (
            undeclared,
            "the objective yields a term 'd_adverserial' that its weights do not declare: d_adversarial, g_adversarial",
            "yield",
        ),
        (without_terms, "the objective yields an update without terms", "yield"),
        (unaveraged, "the term d_adversarial has the shape [4], not [] of one mean", "yield"),
        (not_a_number, "the term d_adversarial is nan", "yield"),
        (a_number, "the term d_adversarial is a float, not a tensor", "yield"),
        (a_pair, "step yields a tuple, not a ganlab.Update", "yield"),
        (detached, "the update of discriminator has no gradient: its terms were computed under no_grad, or detached", "yield"),
        (
            stale,
            "the update of generator was computed with weights that have moved since: compute it anew after they have",
            'yield Update("generator"',
        ),
        (odd_measure, "the measure d_accuracy is a float, not a tensor on the device", "yield"),
    ],
)
def test_updates_that_the_core_refuses_are_found_at_their_yield(step: Callable[..., Any], why: str, line: str) -> None:
    finding = found(claims.yields_terms, like_gan(step=step))
    assert (finding.verdict, finding.why, finding.where) == ("broken", why, line_of(step, line))


def test_a_step_that_stands_in_inference_mode_leaves_the_process_out_of_it() -> None:
    def guarded(self: Any, s: Step) -> Iterator[Update]:
        logits = s.nets["discriminator"](s.batch().images).logits
        with torch.inference_mode():
            yield Update("discriminator", d_adversarial=logits.mean())

    case = next(case for case in cases(plugin(like_gan(step=guarded))) if case.claim is claims.yields_terms)
    with pytest.raises(Broken, match=r"the objective yields inside `with torch\.no_grad\(\)`") as error:
        case.run()
    # The error still holds every frame, and so the step itself: nothing but closing it can have ended the mode.
    assert (bool(error.tb), torch.is_inference_mode_enabled()) == (True, False)


def test_updates_of_a_part_of_the_step_are_found_at_their_own_yield() -> None:
    assert found(claims.yields_terms, like_gan(step=of_two)).where == line_of(undeclared, "yield")


def test_a_graph_that_is_gone_back_twice_is_found() -> None:
    finding = found(claims.yields_terms, like_gan(step=twice))
    assert finding.verdict == "broken"
    assert finding.why.startswith(("the update of discriminator goes back", "the update of discriminator was computed"))


@pytest.mark.parametrize(
    ("step", "why"),
    [
        (nothing, "Fake.step yielded no Update"),
        (lambda self, s: [], "step must be a generator, which yields its updates; it returns a list"),
    ],
)
def test_steps_without_updates_are_found(step: Callable[..., Any], why: str) -> None:
    assert found(claims.yields_terms, like_gan(step=step)).why == why


def test_an_error_of_the_step_itself_is_told_as_it_is() -> None:
    broken = like_gan(early=lambda self, s, images, logits: torch.ones(2) @ torch.ones(3))
    finding = found(claims.yields_terms, broken)
    assert finding.why.startswith("raises RuntimeError: inconsistent tensor size")
    for claim in (claims.moves_one_player_at_a_time, goes_on_after_a_checkpoint, claims.computes_in_bf16):
        follower = found(claim, broken)
        assert (follower.verdict, follower.why[:27]) == ("not applicable", "its steps cannot be taken (")


def test_a_weight_without_a_term_is_told_and_no_fault() -> None:
    class More(Weights):
        g_features: float = 0.1

    class Options_(GanOptions):
        weights: More = More()

    finding = found(claims.yields_terms, options=Options_)
    assert (finding.verdict, finding.why) == ("holds", "no step yielded g_features, which the weights name")


# What it moves


def shrink(self: Any, s: Step, images: Tensor, logits: Tensor) -> float:
    clip(s.nets["discriminator"], 0.01)
    return 1.0


def shrink_first(self: Any, s: Step) -> Iterator[Update]:
    clip(s.nets["discriminator"], 0.01)
    yield from Gan.step(self, s)


class FrozenOptions(GanOptions):
    def players(self) -> dict[str, tuple[str, ...]]:
        return {"generator": ("generator",)}


class Frozen(Gan):
    """Learns against a discriminator that nobody moves."""

    def step(self, s: Step) -> Iterator[Update]:
        batch = s.batch()
        logits = s.nets["discriminator"](s.nets["generator"](s.noise(len(batch)), batch.labels)).logits
        yield Update("generator", g_adversarial=self.adversarial.generator(logits, lambda: logits))
        self.late(s, batch.images, logits)


def wake(self: Any, s: Step, images: Tensor, logits: Tensor) -> None:
    discriminator = s.nets["discriminator"].train()
    discriminator(images)
    discriminator.eval()


@pytest.mark.parametrize(
    ("objective", "options", "why"),
    [
        (
            like_gan(late=shrink),
            GanOptions,
            None,  # as weight clipping does
        ),
        (
            like_gan(step=shrink_first),
            GanOptions,
            "the lines before any update move discriminator (readers.0.0.weight), of the player discriminator",
        ),
        (
            type("Fake", (Frozen,), {"late": shrink}),
            FrozenOptions,
            "the lines after the update of generator move discriminator (readers.0.0.weight), which no player moves",
        ),
        (
            type("Fake", (Frozen,), {"late": wake}),
            FrozenOptions,
            "the lines after the update of generator move discriminator (readers.0.1.running_mean), which no player moves",
        ),
        (Frozen, FrozenOptions, None),
    ],
)
def test_networks_that_move_out_of_turn_are_found(objective: type, options: type, why: str | None) -> None:
    finding = found(claims.moves_one_player_at_a_time, objective, options)
    assert (finding.verdict, finding.why) == (("broken", why) if why else ("holds", ""))


def test_a_network_that_shares_weights_with_another_players_is_found() -> None:
    def tie(self: Any, s: Step, images: Tensor, logits: Tensor) -> float:
        generator, discriminator = (s.nets[name].get_submodule("body.0") for name in ("generator", "discriminator"))
        generator.weight = discriminator.weight
        return 1.0

    finding = found(claims.moves_one_player_at_a_time, like_gan(early=tie))
    assert finding.verdict == "broken"


def never_generator(self: Any, s: Step) -> Iterator[Update]:
    yield Update("discriminator", d_adversarial=s.nets["discriminator"](s.batch().images).logits.mean())


def unreached(self: Any, s: Step) -> Iterator[Update]:
    batch = s.batch()
    yield Update("discriminator", d_adversarial=s.nets["discriminator"](batch.images).logits.mean())
    fake = s.nets["generator"](s.noise(len(batch)), batch.labels)
    yield Update("generator", g_adversarial=s.nets["discriminator"](fake.detach()).logits.mean())


def late_generator(self: Any, s: Step) -> Iterator[Update]:
    yield from Gan.step(self, s) if s.phase else never_generator(self, s)


@pytest.mark.parametrize(
    ("methods", "why"),
    [
        ({"step": never_generator}, "the player generator never moves: no phase yields an update of it"),
        ({"step": unreached}, "the updates of generator never reach generator: its gradients are none, or zero"),
        ({"step": late_generator, "phase": lambda self, index: index > 5000}, None),
        ({"step": late_generator, "phase": lambda self, index: min(index - 1, 30) // 30}, None),
    ],
)
def test_players_and_networks_that_never_move_are_found(methods: dict[str, Any], why: str | None) -> None:
    finding = found(claims.reaches_every_network, like_gan(**methods))
    assert (finding.verdict, finding.why) == (("broken", why) if why else ("holds", ""))


def change_mode(self: Any, s: Step, images: Tensor, logits: Tensor) -> float:
    s.nets["generator"].eval()
    return 1.0


def freeze(self: Any, s: Step, images: Tensor, logits: Tensor) -> float:
    s.nets["discriminator"].requires_grad_(False)
    return 1.0


def hook(self: Any, s: Step, images: Tensor, logits: Tensor) -> float:
    s.nets["discriminator"].register_forward_hook(lambda *_: None)
    return 1.0


def mode_until_the_end(self: Any, s: Step) -> Iterator[Update]:
    s.nets["generator"].eval()
    yield from Gan.step(self, s)
    s.nets["generator"].train()


@pytest.mark.parametrize(
    ("methods", "why"),
    [
        ({"early": change_mode}, "the update of discriminator leaves generator with its training mode changed"),
        ({"late": freeze}, "the update of generator leaves discriminator with requires_grad changed"),
        ({"late": hook}, "the update of generator leaves discriminator with its hooks changed"),
        ({"step": mode_until_the_end}, "the update of discriminator leaves generator with its training mode changed"),
    ],
)
def test_networks_left_in_another_mode_are_found(methods: dict[str, Any], why: str) -> None:
    finding = found(claims.leaves_networks_as_they_were, like_gan(**methods))
    assert (finding.verdict, finding.why) == ("broken", f"{why}; put it back before the yield")


def test_a_step_that_cannot_be_broken_off_is_found() -> None:
    def stubborn(self: Any, s: Step) -> Iterator[Update]:
        for update in Gan.step(self, s):
            try:
                yield update
            except GeneratorExit:
                yield update

    finding = found(claims.leaves_networks_as_they_were, like_gan(step=stubborn))
    assert finding.why == "step goes on when it is broken off: let GeneratorExit pass"


# What it keeps


def count_up(self: Any, s: Step, images: Tensor, logits: Tensor) -> float:
    self.count = getattr(self, "count", 0) + 1
    return float(1 + self.count % 7)


def remember_batch(self: Any, s: Step, images: Tensor, logits: Tensor) -> Tensor:
    before = getattr(self, "before", images)
    self.before = images
    return before.mean().exp()


def dice(self: Any, s: Step, images: Tensor, logits: Tensor) -> float:
    return 1 + random.random()


@pytest.mark.parametrize(
    ("early", "why"),
    [
        (count_up, "it keeps count in plain attributes, which no checkpoint holds; let phase() tell what changes with time"),
        (remember_batch, "it keeps before in plain attributes, which no checkpoint holds; let phase() tell"),
        (dice, "two runs of one seed differ in networks generator/"),
    ],
)
def test_what_a_checkpoint_loses_is_found(early: Callable[..., Any], why: str) -> None:
    finding = found(goes_on_after_a_checkpoint, like_gan(early=early))
    assert finding.verdict == "broken"
    assert why in finding.why


def test_a_counter_that_changes_nothing_is_told() -> None:
    def count(self: Any, s: Step, images: Tensor, logits: Tensor) -> float:
        self.count = getattr(self, "count", 0) + 1
        return 1.0

    finding = found(goes_on_after_a_checkpoint, like_gan(early=count))
    assert (finding.verdict, finding.why) == (
        "holds",
        "it keeps count in plain attributes, which no checkpoint holds; nothing came of it in 16 steps",
    )


def test_what_a_module_keeps_in_buffers_is_not_lost() -> None:
    class Remembering(nn.Module):
        mean: Tensor
        step = Gan.step
        late = Gan.late

        def __init__(self, adversarial: Adversarial) -> None:
            super().__init__()
            self.adversarial = adversarial
            self.register_buffer("mean", torch.zeros(()))

        def early(self, s: Step, images: Tensor, logits: Tensor) -> Tensor:
            self.mean = self.mean.lerp(images.mean().detach(), 0.1)
            return self.mean.exp()

    finding = found(goes_on_after_a_checkpoint, Remembering)
    assert (finding.verdict, finding.why) == ("holds", "")


# What a GPU does not forgive


@pytest.mark.parametrize(
    ("early", "why"),
    [
        (lambda self, s, images, logits: logits.mean().item(), ".item() reads a value on the host"),
        (lambda self, s, images, logits: sum(logits.tolist()), ".tolist() reads a value on the host"),
        (lambda self, s, images, logits: logits.mean().cpu(), ".cpu() reads a value on the host"),
        (lambda self, s, images, logits: 2.0 if images.mean() > 0 else 1.0, "bool(), as `if` and `and` do, reads a value"),
        (lambda self, s, images, logits: images[images > 0].mean(), "indexing by a mask has a shape that depends on the data"),
        (lambda self, s, images, logits: F.one_hot(logits.argsort()).sum(), "F.one_hot reads a value on the host"),
        (lambda self, s, images, logits: torch.rand(4).mean(), "torch.rand without device= makes a tensor on the CPU"),
        (lambda self, s, images, logits: torch.ones(4, device="cpu").mean(), 'device "cpu" moves to the CPU or makes a tensor'),
    ],
)
def test_what_waits_or_stays_on_the_cpu_is_found_with_its_line(early: Callable[..., Any], why: str) -> None:
    finding = found(claims.stays_on_the_device, like_gan(early=early))
    assert (finding.verdict, finding.why[: len(why)], finding.where) == ("broken", why, line_of(early))


def test_a_tensor_that_no_run_moves_to_its_device_is_found() -> None:
    class Tabled(Gan):
        def __init__(self, adversarial: Adversarial) -> None:
            super().__init__(adversarial)
            self.table = torch.ones(4)

    finding = found(claims.stays_on_the_device, Tabled)
    why = "its attribute table holds a tensor, which stays on the CPU: make the objective an nn.Module and the tensor a buffer"
    assert (finding.verdict, finding.why) == ("broken", why)


def test_random_numbers_on_the_steps_device_are_fine() -> None:
    def draw(self: Any, s: Step, images: Tensor, logits: Tensor) -> Tensor:
        s.log(d_accuracy=(logits > 0).float().mean())
        return torch.rand(len(images), device=s.device).mean() + torch.randperm(4, device=images.device).float().mean()

    assert found(claims.stays_on_the_device, like_gan(early=draw)).verdict == "holds"


# What a phase does


def now_and_then(self: Any, s: Step, images: Tensor, logits: Tensor) -> Any:
    self.count = getattr(self, "count", 0) + 1
    return images.square().mean() if self.count % 3 == 0 else 1.0


def by_the_data(self: Any, s: Step, images: Tensor, logits: Tensor) -> Any:
    self.rows = len(images[images[:, 0, 0, 0] > -0.9])
    return torch.ones(self.rows + 1, device=s.device).mean()


@pytest.mark.parametrize(
    ("early", "why"),
    [
        (count_up, "aten.mul.Tensor(float32 [], 3.0), not aten.mul.Tensor(float32 [], 2.0)"),
        (now_and_then, "aten.pow.Tensor_Scalar(float32 [4, 1, 8, 8], 2), not aten.neg.default(float32 [4])"),
        (by_the_data, "torch.ones("),
    ],
)
def test_steps_of_one_phase_that_differ_are_found(early: Callable[..., Any], why: str) -> None:
    finding = found(claims.keeps_the_shape_of_a_phase, like_gan(early=early))
    assert finding.verdict == "broken"
    assert f"is unlike the first: {why}" in finding.why
    assert finding.where.startswith(f"{__file__}:")


def test_steps_of_two_phases_may_differ() -> None:
    different = like_gan(
        phase=lambda self, index: index % 2,
        early=lambda self, s, images, logits: images.square().mean() if s.phase else 1.0,
    )
    assert found(claims.keeps_the_shape_of_a_phase, different).verdict == "holds"


def test_a_formula_that_bf16_cannot_hold_is_found() -> None:
    too_fine = like_gan(early=lambda self, s, images, logits: 1 / (logits.new_full((), 1.001) - 1))
    assert found(claims.yields_terms, too_fine).verdict == "holds"
    finding = found(claims.computes_in_bf16, too_fine)
    assert (finding.verdict, finding.why) == ("broken", "the term d_adversarial is inf")


# A right one


def test_a_right_objective_holds_in_every_claim() -> None:
    held = [finding for finding in findings(cases(plugin(Gan))) if finding.case.about == "objective fake"]
    assert [(finding.case.text, finding.verdict) for finding in held if finding.verdict != "holds"] == []
    assert [finding.why for finding in held if finding.why] == ["with stand-ins, on gray images of 8 px with classes"]
    assert len(held) == len(list(claims.claims(held[0].case.subject)))


class Preserved(Gan):
    """Its generator learns from one term; the other is of fakes that are detached."""

    def step(self, s: Step) -> Iterator[Update]:
        generator, discriminator = s.nets["generator"], s.nets["discriminator"]
        batch = s.batch()
        fake = generator(s.noise(len(batch)), batch.labels)
        real, false = discriminator(batch.images).logits, discriminator(fake.detach()).logits
        yield Update("discriminator", d_adversarial=self.adversarial.discriminator(real, false))
        logits = discriminator(fake.detach()).logits
        g_adversarial = self.adversarial.generator(logits, lambda: real.detach())
        yield Update("generator", g_adversarial=g_adversarial, g_size=fake.square().mean())


class SizeWeights(Weights):
    g_size: float = 1.0


class SizeOptions(GanOptions):
    weights: SizeWeights = SizeWeights()


def test_a_term_that_moves_nothing_is_named() -> None:
    finding = found(claims.moves_with_each_term, Preserved, SizeOptions)
    why = "computed of detached images, under no_grad, or of another player's networks alone?"
    assert (finding.verdict, finding.why) == ("broken", f"g_adversarial moves no network of generator: {why}")
    assert finding.where == line_of(Preserved.step, 'Update("generator"')
    assert found(claims.reaches_every_network, Preserved, SizeOptions).verdict == "holds"


def test_a_term_without_slope_still_counts_as_connected() -> None:
    flat = like_gan(late=lambda self, s, images, logits: 0.0)
    assert found(claims.moves_with_each_term, flat).verdict == "holds"
    assert found(claims.moves_with_each_term).verdict == "holds"
