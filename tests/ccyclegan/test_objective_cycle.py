"""The training steps of T1 to T16 and C1: against the published forms, in float64, and their order, counts and values."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from ganlab_ccyclegan.architecture_options import UnetNetworks
from ganlab_ccyclegan.architectures import UnetPair
from ganlab_ccyclegan.cycle import TrueCycle
from ganlab_ccyclegan.cycle_options import CycleObjective
from ganlab_ccyclegan.losses import CrossEntropyThenSquares, SoftmaxDistance
from ganlab_ccyclegan.matching import Matching
from ganlab_ccyclegan.other_labels import random_other_label
from ganlab_ccyclegan.verdicts import share_right
from ganlab_losses.adversarial import BinaryCrossEntropy, LeastSquares
from ganlab_losses.formulas import L1, CategoricalClassification
from pydantic import ValidationError
from torch import Tensor, nn

from ganlab import Adversarial, Batch, Criterion, DataSpec, Step, Update, Verdict

DATA = DataSpec(size_px=16, channels=1, label_kind="classes", label_names=tuple("abcdefg"))
PLAYERS = ("discriminator", "generator")


@dataclass
class HandStep:
    """A step with one given batch."""

    nets: Mapping[str, nn.Module]
    photos: Batch
    phase: Any = None
    measures: list[tuple[str, float]] = field(default_factory=list)
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    def batch(self, count: int | None = None, of: int | None = None) -> Batch:
        return self.photos

    def labels(self, count: int) -> Tensor:
        raise AssertionError("these objectives draw no labels of other images")

    def noise(self, count: int) -> Tensor:
        raise AssertionError("these objectives draw no noise")

    def log(self, **measures: Tensor) -> None:
        self.measures.extend((name, float(value)) for name, value in measures.items())


class SharesOfSoftmax:
    """T9's binary cross-entropy of eight shares of a softmax."""

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        return F.binary_cross_entropy(logits.softmax(1), target, reduction="none")


class Published(TrueCycle):
    """The published loop: fakes predicted first and made again for G, labels 1 and 0, a shuffle where there is one batch."""

    def step(self, s: Step) -> Iterator[Update]:
        generator, discriminator = s.nets["generator"], s.nets["discriminator"]
        photos, own = s.batch().images, s.batch().labels
        count, tells = len(photos), self.class_from == "discriminator"
        asked = random_other_label(own)
        wrong = random_other_label(own) if self.wrong_labels else None
        with torch.no_grad():
            fakes = generator(photos, asked)

        kinds = [(photos, own, torch.ones(count, dtype=own.dtype)), (fakes, asked, torch.zeros(count, dtype=own.dtype))]
        if wrong is not None:
            kinds.insert(1, (photos, wrong, torch.zeros(count, dtype=own.dtype)))
        if self.together:
            order = torch.randperm(len(kinds) * count, generator=torch.Generator().manual_seed(5))
            kinds = [tuple(torch.cat(parts)[order] for parts in zip(*kinds, strict=True))]  # type: ignore[list-item]
        for images, labels, valid in kinds:
            verdict = discriminator(images) if tells else discriminator(images, labels)
            terms = {"d_adversarial": d_loss(self, verdict.logits, valid)}
            if tells:
                labels8 = F.pad(labels, (0, 1)) if valid[0] else torch.eye(8, dtype=own.dtype)[7].repeat(len(labels), 1)
                terms["d_class"] = F.binary_cross_entropy(verdict.classes.softmax(1), labels8)
            yield Update("discriminator", **terms)

        fakes = generator(photos, asked)
        verdict = discriminator(fakes) if tells else discriminator(fakes, asked)
        told = verdict.logits.sigmoid() if is_cross_entropy(self) else verdict.logits
        terms = {"g_adversarial": F.mse_loss(told, torch.ones_like(told)), "g_cycle": F.l1_loss(generator(fakes, own), photos)}
        if self.identity:
            terms["g_identity"] = F.l1_loss(generator(photos, own), photos)
        if tells:
            terms["g_class"] = F.cross_entropy(verdict.classes, F.pad(asked, (0, 1)))
        elif self.class_from == "classifier":
            terms["g_class"] = F.l1_loss(s.nets["classifier"](fakes).softmax(1), asked)
        yield Update("generator", **terms)


def is_cross_entropy(objective: TrueCycle) -> bool:
    return isinstance(objective.adversarial.loss, CrossEntropyThenSquares)


def d_loss(objective: TrueCycle, logits: Tensor, valid: Tensor) -> Tensor:
    targets = valid.view(-1, *[1] * (logits.dim() - 1)).expand_as(logits)
    return (F.binary_cross_entropy_with_logits if is_cross_entropy(objective) else F.mse_loss)(logits, targets)


def mse() -> LeastSquares:
    return LeastSquares(factor=1.0)


# Experiment -> its discriminator, its adversarial loss, the loss of the class that a fake shows, options of the step.
EXPERIMENTS: dict[str, tuple[str, Any, Any, dict[str, Any]]] = {
    "t01": ("label_at_image", mse, CategoricalClassification, {}),
    "t05": ("label_at_image", mse, CategoricalClassification, {"identity": False}),
    "t06": ("label_at_patches", CrossEntropyThenSquares, CategoricalClassification, {"identity": False, "together": True}),
    "t08": (
        "label_at_patches",
        CrossEntropyThenSquares,
        SoftmaxDistance,
        {"identity": False, "together": True, "wrong_labels": False, "class_from": "classifier"},
    ),
    "t09": (
        "classes",
        mse,
        CategoricalClassification,
        {"identity": False, "wrong_labels": False, "class_from": "discriminator"},
    ),
    "t14": ("label_at_patches", mse, CategoricalClassification, {"together": True}),
    "t16": ("label_at_image", mse, CategoricalClassification, {"together": True, "wrong_labels": False}),
}


def objective(experiment: str, kind: type[TrueCycle] = TrueCycle) -> TrueCycle:
    _, adversarial, g_classification, options = EXPERIMENTS[experiment]
    return kind(
        adversarial=Adversarial(adversarial()),
        d_classification=Criterion(SharesOfSoftmax()),
        g_classification=Criterion(g_classification()),
        distance=Criterion(L1()),
        **options,
    )


def networks(experiment: str, dtype: torch.dtype = torch.float32) -> dict[str, nn.Module]:
    torch.manual_seed(0)
    options = UnetNetworks(width=4, discriminator_width=4, discriminator=EXPERIMENTS[experiment][0])
    nets = {**UnetPair(options, DATA).networks(), "classifier": nn.Sequential(nn.Flatten(), nn.Linear(256, 7))}
    nets["classifier"].requires_grad_(False)
    return {name: net.to(dtype) for name, net in nets.items()}


def photos(count: int, dtype: torch.dtype = torch.float32, seed: int = 1) -> Batch:
    draw = torch.Generator().manual_seed(seed)
    images = torch.rand(count, 1, 16, 16, generator=draw, dtype=dtype) * 2 - 1
    return Batch(images=images, labels=torch.eye(7, dtype=dtype)[torch.randint(7, (count,), generator=draw)])


def drive(one: Any, nets: Mapping[str, nn.Module], batches: list[Batch]) -> list[tuple[str, dict[str, Tensor], list[Tensor]]]:
    """Return player, terms and gradients of every update, as Adam descends them."""
    optimizers = {player: torch.optim.Adam(nets[player].parameters(), 1e-3, (0.5, 0.999)) for player in PLAYERS}
    seen = []
    for batch in batches:
        for update in one.step(HandStep(nets, batch)):
            weights = list(nets[update.player].parameters())
            torch.stack(list(update.terms.values())).sum().backward(inputs=weights)
            terms = {name: term.detach() for name, term in update.terms.items()}
            seen.append((update.player, terms, [weight.grad.clone() for weight in weights if weight.grad is not None]))
            optimizers[update.player].step()
            optimizers[update.player].zero_grad()
    return seen


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_sharing_fakes_changes_no_loss_and_no_gradient(experiment: str) -> None:
    runs = []
    for kind in (TrueCycle, Published):
        nets = networks(experiment, torch.double)
        torch.manual_seed(7)  # the labels that both draw
        runs.append(drive(objective(experiment, kind), nets, [photos(3, torch.double, seed) for seed in range(3)]))
    assert len(runs[0]) == len(runs[1])
    for (player, terms, gradients), (theirs, their_terms, their_gradients) in zip(*runs, strict=True):
        assert (player, terms.keys()) == (theirs, their_terms.keys())
        for name in terms:
            torch.testing.assert_close(terms[name], their_terms[name], rtol=1e-9, atol=0)
        assert any(gradient.abs().max() > 0 for gradient in gradients)
        torch.testing.assert_close(gradients, their_gradients, rtol=1e-7, atol=1e-12)


@pytest.mark.parametrize(
    ("experiment", "counts"),
    [("t01", [64, 64, 64, 64]), ("t06", [192, 64]), ("t08", [128, 64]), ("t09", [64, 64, 64]), ("t14", [192, 64])],
)
def test_the_discriminator_sees_as_many_images_at_once_as_published(experiment: str, counts: list[int]) -> None:
    nets, seen = networks(experiment), []
    nets["discriminator"].register_forward_pre_hook(lambda _, given: seen.append(len(given[0])))
    players = [player for player, _, _ in drive(objective(experiment), nets, [photos(64)])]
    assert seen == counts  # the last are the fakes for the generator
    assert players == ["discriminator"] * (len(counts) - 1) + ["generator"]


def test_photos_wrong_labels_and_fakes_are_judged_in_this_order() -> None:
    nets, batch = networks("t01"), photos(5)
    given: list[tuple[Tensor, Tensor]] = []
    nets["discriminator"].register_forward_pre_hook(lambda _, pair: given.append((pair[0].detach(), pair[1])))
    made: list[Tensor] = []
    nets["generator"].register_forward_hook(lambda _, __, images: made.append(images.detach()))
    list(objective("t01").step(HandStep(nets, batch)))
    real, wrong, fake, again = given
    assert torch.equal(real[0], batch.images)
    assert torch.equal(real[1], batch.labels)
    assert torch.equal(wrong[0], batch.images)
    assert torch.equal(fake[0], made[0][:5])
    assert torch.equal(again[0], fake[0])
    assert torch.equal(again[1], fake[1])
    for labels in (wrong[1], fake[1]):  # one label each, never its own
        assert torch.equal(labels.sum(1), torch.ones(5))
        assert (labels * batch.labels).sum() == 0


def test_an_update_reaches_only_its_player() -> None:
    for experiment in ("t01", "t08"):
        nets = networks(experiment)
        for update in objective(experiment).step(HandStep(nets, photos(2))):
            others = [weight for name in nets if name != update.player for weight in nets[name].parameters()]
            torch.stack(list(update.terms.values())).sum().backward(inputs=list(nets[update.player].parameters()))
            assert all(weight.grad is None for weight in others)
            nets[update.player].zero_grad()


def test_least_squares_of_nine_patches_of_a_half_is_a_quarter() -> None:
    class Half(nn.Module):
        def forward(self, images: Tensor, labels: Tensor) -> Verdict:
            return Verdict(logits=torch.full((len(images), 1, 3, 3), 0.5, requires_grad=True))

    updates = list(objective("t01").step(HandStep({**networks("t01"), "discriminator": Half()}, photos(2))))
    assert [update.terms["d_adversarial"].item() for update in updates[:3]] == [0.25] * 3
    assert updates[3].terms["g_adversarial"].item() == 0.25


def test_losses_have_the_values_of_keras() -> None:
    logit = torch.tensor([0.8]).double().logit()
    one = Adversarial(CrossEntropyThenSquares())
    assert one.real(logit).item() == pytest.approx(0.223144, abs=1e-6)  # BCE(1, 0.8)
    assert one.fake(logit).item() == pytest.approx(1.609438, abs=1e-6)
    assert one.generator(logit, real=lambda: logit).item() == pytest.approx(0.04, abs=1e-6)
    shares = torch.tensor([[0.5, 0.2, 0.3]]).double().log()
    assert Criterion(SoftmaxDistance())(shares, torch.eye(3).double()[:1]).item() == pytest.approx(1 / 3, abs=1e-6)


def test_accuracy_asks_on_which_side_of_the_losses_middle_a_logit_is() -> None:
    """Least squares of 1 and 0 meet at 1/2, cross-entropies at 0; patches count one by one."""
    logits = torch.tensor([0.2, 0.7]).view(2, 1, 1, 1).repeat(1, 1, 3, 3)
    both_real = torch.tensor([True, True])
    assert share_right(Adversarial(mse()), logits, both_real) == 0.5
    assert share_right(Adversarial(BinaryCrossEntropy()), logits, both_real) == 1
    assert share_right(Adversarial(mse()), logits, torch.tensor([False, True])) == 1
    step = HandStep(networks("t01"), photos(4))
    list(objective("t01").step(step))
    assert [name for name, _ in step.measures] == ["d_adversarial_accuracy"] * 3  # the log has their mean


def test_a_discriminator_of_classes_puts_fakes_into_the_eighth() -> None:
    class Fixed(nn.Module):
        """Gives photos their class a, and every fake the eighth class."""

        def forward(self, images: Tensor) -> Verdict:
            best = 7 if next(calls) else 0
            return Verdict(logits=torch.zeros(len(images)), classes=torch.eye(8)[best].repeat(len(images), 1).requires_grad_())

    calls = iter([False, True, True])
    batch = Batch(images=photos(2).images, labels=torch.eye(7)[torch.tensor([0, 1])])
    step = HandStep({**networks("t09"), "discriminator": Fixed()}, batch)
    list(objective("t09").step(step))
    assert [value for name, value in step.measures if name == "d_class_accuracy"] == [0.5, 1.0]


def test_wrong_labels_are_refused_where_none_is_told() -> None:
    with pytest.raises(ValidationError, match="say wrong_labels = false"):
        CycleObjective(class_from="discriminator")
    needs = CycleObjective(class_from="discriminator", wrong_labels=False).needs()
    assert needs == {"generator": "images labels -> images", "discriminator": "images -> logits classes+1"}
    assert CycleObjective(class_from="classifier").needs()["classifier"] == "images -> classes"


def test_c1_learns_from_one_batch_of_true_and_wrong_labels() -> None:
    nets, batch = networks("t14", torch.double), photos(64, torch.double)
    given: list[tuple[Tensor, Tensor]] = []
    nets["discriminator"].register_forward_pre_hook(lambda _, pair: given.append(pair))
    step = HandStep(nets, batch)
    (update,) = Matching(adversarial=Adversarial(BinaryCrossEntropy())).step(step)
    ((images, labels),) = given
    assert torch.equal(images, torch.cat([batch.images] * 2))
    assert torch.equal(labels[:64], batch.labels)
    assert torch.equal((labels[64:] + batch.labels).amax(1), torch.ones(64).double())  # another label, each
    logits = nets["discriminator"](images, labels).logits
    targets = torch.cat([torch.ones(64), torch.zeros(64)]).double().view(-1, 1, 1, 1).expand_as(logits)
    expected = F.binary_cross_entropy_with_logits(logits, targets)
    torch.testing.assert_close(update.terms["d_matching"], expected)
    assert step.measures == [("d_matching_accuracy", float(((logits > 0) == (targets > 0)).float().mean()))]
