"""The training step of T4: against the published form, in float64, and what each network sees."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from ganlab_ccyclegan.architecture_options import DomainNetworks
from ganlab_ccyclegan.architectures import Domains
from ganlab_ccyclegan.cycle_options import DomainObjective
from ganlab_ccyclegan.two_domains import TwoDomains
from ganlab_losses.adversarial import LeastSquares
from ganlab_losses.formulas import L1
from torch import Tensor, nn

from ganlab import Adversarial, Batch, Criterion, DataSpec, Step, Update, Verdict

DATA = DataSpec(size_px=16, channels=1, label_kind="classes", label_names=("neutral", "happy"))
PLAYERS = DomainObjective().players()
WEIGHTS = DomainObjective().weights.model_dump()


@dataclass
class HandStep:
    """A step with one given image, or more, of either class."""

    nets: Mapping[str, nn.Module]
    classes: tuple[Tensor, Tensor]
    phase: Any = None
    measures: list[tuple[str, float]] = field(default_factory=list)
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    def batch(self, count: int | None = None, of: int | None = None) -> Batch:
        assert of is not None
        images = self.classes[of]
        return Batch(images=images, labels=torch.eye(2)[of].repeat(len(images), 1))

    def labels(self, count: int) -> Tensor:
        raise AssertionError("T4 draws no labels")

    def noise(self, count: int) -> Tensor:
        raise AssertionError("T4 draws no noise")

    def log(self, **measures: Tensor) -> None:
        self.measures.extend((name, float(value)) for name, value in measures.items())


class Published(TwoDomains):
    """The published loop: each discriminator on photos, then on fakes, one after the other; six terms of the generators."""

    def step(self, s: Step) -> Iterator[Update]:
        to_a, to_b = s.nets["generator_ba"], s.nets["generator_ab"]
        a, b = s.batch(of=0).images, s.batch(of=1).images
        with torch.no_grad():
            fakes = {"a": to_a(b), "b": to_b(a)}
        for domain, photos in (("a", a), ("b", b)):
            for images, target in ((photos, 1.0), (fakes[domain], 0.0)):
                logits = s.nets[f"discriminator_{domain}"](images).logits
                yield Update("discriminator", d_adversarial=F.mse_loss(logits, torch.full_like(logits, target)))
        fake_a, fake_b = to_a(b), to_b(a)
        judged = [s.nets["discriminator_a"](fake_a).logits, s.nets["discriminator_b"](fake_b).logits]
        yield Update(
            "generator",
            g_adversarial=sum((F.mse_loss(each, torch.ones_like(each)) for each in judged), start=torch.zeros(())),
            g_cycle=F.l1_loss(to_a(fake_b), a) + F.l1_loss(to_b(fake_a), b),
            g_identity=F.l1_loss(to_a(a), a) + F.l1_loss(to_b(b), b),
        )


def objective(kind: type[TwoDomains] = TwoDomains, **options: bool) -> TwoDomains:
    return kind(adversarial=Adversarial(LeastSquares(factor=1.0)), distance=Criterion(L1()), **options)


def networks(dtype: torch.dtype = torch.float32) -> dict[str, nn.Module]:
    torch.manual_seed(0)
    built = Domains(DomainNetworks(width=4, discriminator_width=4), DATA).networks()
    return {name: net.to(dtype) for name, net in built.items()}


def faces(count: int = 1, dtype: torch.dtype = torch.float32, seed: int = 0) -> tuple[Tensor, Tensor]:
    draw = torch.Generator().manual_seed(seed)
    a, b = torch.rand(2, count, 1, 16, 16, generator=draw, dtype=dtype) * 2 - 1
    return a, b


def test_moving_both_discriminators_at_once_gives_the_same_weights() -> None:
    """They share none, and an optimizer leaves out what has no gradient."""
    ends = []
    for kind in (TwoDomains, Published):
        nets = networks(torch.double)
        optimizers = {
            player: torch.optim.Adam([w for name in names for w in nets[name].parameters()], 1e-3, (0.5, 0.999))
            for player, names in PLAYERS.items()
        }
        last: dict[str, Tensor] = {}
        for seed in range(3):
            for update in objective(kind).step(HandStep(nets, faces(2, torch.double, seed))):
                optimizers[update.player].zero_grad()
                weighted = [WEIGHTS[name] * term for name, term in update.terms.items()]
                torch.stack(weighted).sum().backward(inputs=optimizers[update.player].param_groups[0]["params"])
                optimizers[update.player].step()
                last |= {name: term.detach() for name, term in update.terms.items() if name.startswith("g_")}
        ends.append((last, {f"{name}.{k}": v for name, net in nets.items() for k, v in net.state_dict().items()}))
    torch.testing.assert_close(ends[0], ends[1], rtol=1e-9, atol=1e-12)
    start = {f"{name}.{k}": v for name, net in networks(torch.double).items() for k, v in net.state_dict().items()}
    assert sum(not torch.equal(ends[0][1][key], start[key]) for key in start) == len(start)


def test_each_discriminator_sees_its_own_class_and_the_fakes_of_it() -> None:
    nets, (a, b) = networks(), faces()
    seen: dict[str, list[Tensor]] = {"a": [], "b": []}
    for domain, images in seen.items():
        nets[f"discriminator_{domain}"].register_forward_pre_hook(lambda _, given, images=images: images.append(given[0]))
    step = HandStep(nets, (a, b))
    players = [update.player for update in objective().step(step)]
    assert players == ["discriminator", "discriminator", "generator"]
    with torch.no_grad():
        fakes = {"a": nets["generator_ba"](b), "b": nets["generator_ab"](a)}
    for domain, photos in (("a", a), ("b", b)):
        assert torch.equal(seen[domain][0], photos)
        for images in seen[domain][1:]:
            torch.testing.assert_close(images.detach(), fakes[domain])
    assert [name for name, _ in step.measures] == ["d_adversarial_accuracy"] * 2


def test_each_update_reaches_all_of_its_player_and_nothing_else() -> None:
    nets = networks()
    for update in objective().step(HandStep(nets, faces())):
        mine = [w for name in PLAYERS[update.player] for w in nets[name].parameters()]
        for name, term in update.terms.items():
            slopes = torch.autograd.grad(term, mine, retain_graph=True, allow_unused=True)
            assert all(slope is not None for slope in slopes), name
        torch.stack(list(update.terms.values())).sum().backward(inputs=mine)
        others = [name for player, names in PLAYERS.items() if player != update.player for name in names]
        assert all(w.grad is None for name in others for w in nets[name].parameters())
        for weight in mine:
            weight.grad = None


def test_identity_can_be_left_out_and_weighs_a_tenth_of_the_cycle() -> None:
    *_, update = objective(identity=False).step(HandStep(networks(), faces()))
    assert list(update.terms) == ["g_adversarial", "g_cycle"]
    weights = {"d_adversarial": 1, "g_adversarial": 1, "g_cycle": 10, "g_identity": 1}
    assert weights == WEIGHTS


@pytest.mark.parametrize(("value", "accuracy"), [(0.6, [1.0, 0.0]), (0.4, [0.0, 1.0])])
def test_accuracy_is_that_of_photos_and_then_of_fakes(value: float, accuracy: list[float]) -> None:
    class Fixed(nn.Module):
        def forward(self, images: Tensor) -> Any:
            return Verdict(logits=torch.full((len(images), 1, 1, 1), value, requires_grad=True))

    step = HandStep({**networks(), "discriminator_a": Fixed(), "discriminator_b": Fixed()}, faces())
    list(objective().step(step))
    assert [measured for _, measured in step.measures] == accuracy
