"""The training step of T17 to T26: the order of its updates, its values, and that sharing work changes no gradient."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
import torch
from ganlab_ccyclegan.losses import SigmoidCrossEntropy
from ganlab_ccyclegan.networks import CCycleGan
from ganlab_ccyclegan.objective import SharedLatents
from ganlab_ccyclegan.options import CCycleGanNetworks, CCycleGanObjective
from ganlab_ccyclegan.other_labels import other_labels, random_other_label, random_other_labels
from ganlab_losses.adversarial import BinaryCrossEntropy, LeastSquares
from ganlab_losses.formulas import L1, BinaryClassification, CategoricalClassification
from ganlab_losses.lecam import LeCam
from ganlab_losses.relativistic import RelativisticAverage
from torch import Tensor, nn

from ganlab import Adversarial, Batch, Criterion, DataSpec, Step, Update, Verdict

DATA = DataSpec(size_px=48, channels=1, label_kind="classes", label_names=tuple("abcdefg"))
PLAYERS = CCycleGanObjective().players()
WEIGHTS = CCycleGanObjective().weights.model_dump()


@dataclass
class HandStep:
    """A step with one given batch."""

    nets: Mapping[str, nn.Module]
    phase: Any
    photos: Batch
    measures: dict[str, Tensor] = field(default_factory=dict)
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    def batch(self, count: int | None = None, of: int | None = None) -> Batch:
        return self.photos

    def labels(self, count: int) -> Tensor:
        raise AssertionError("T26 draws no labels")

    def noise(self, count: int) -> Tensor:
        raise AssertionError("T26 draws no noise")

    def log(self, **measures: Tensor) -> None:
        self.measures.update(measures)


class NaiveT26(SharedLatents):
    """T26 as published: fakes label by label, all again for the generator, the reconstruction six times, shuffled."""

    def step(self, s: Step) -> Iterator[Update]:
        encoder, decoder, discriminator = s.nets["encoder"], s.nets["decoder"], s.nets["discriminator"]
        batch = s.batch()
        photos, own, others = batch.images, batch.labels, other_labels(batch.labels).unbind(1)
        with torch.no_grad():
            latents = encoder(photos)
            fakes = [decoder(latents, label) for label in others]
        images = torch.cat([photos, *fakes])
        targets = torch.cat([own, *[torch.zeros_like(own)] * len(others)])
        order = torch.randperm(len(images))
        verdict = discriminator(images[order])
        yield Update(
            "discriminator",
            d_adversarial=self.adversarial.mixed(verdict.logits, order < len(photos)),
            d_class=self.d_classification(verdict.classes, targets[order]),
        )
        if s.phase == "both":
            order = torch.randperm(len(photos) * len(others))
            again = torch.cat([photos] * len(others))[order]
            asked, kept = torch.cat(others)[order], torch.cat([own] * len(others))[order]
            latents = encoder(again)
            verdict = discriminator(decoder(latents, asked))
            yield Update(
                "generator",
                g_adversarial=self.adversarial.generator(verdict.logits, lambda: verdict.logits),
                g_class=self.g_classification(verdict.classes, asked),
                g_reconstruction=self.distance(decoder(latents, kept), again),
            )


class NaiveOneByOne(SharedLatents):
    """T17 to T24 as published: one batch for D, shuffled; each update of G encodes its photos itself, one label each."""

    def step(self, s: Step) -> Iterator[Update]:
        encoder, decoder, discriminator = s.nets["encoder"], s.nets["decoder"], s.nets["discriminator"]
        batch = s.batch()
        photos, own = batch.images, batch.labels
        targets = (random_other_labels(own, self.targets) if self.targets else other_labels(own)).unbind(1)
        drawn = random_other_label(own) if self.fake_class == "drawn" else None
        with torch.no_grad():
            fakes = [decoder(encoder(photos), label) for label in targets]
        shown = [torch.zeros_like(own) if self.fake_class == "none" else label if drawn is None else drawn for label in targets]
        order = torch.randperm(len(photos) * (1 + len(targets)), generator=torch.Generator().manual_seed(5))
        verdict = discriminator(torch.cat([photos, *fakes])[order])
        is_real = torch.cat([torch.ones(len(photos)), torch.zeros(len(photos) * len(targets))]).double()[order]
        yield Update(
            "discriminator",
            d_adversarial=nn.functional.binary_cross_entropy_with_logits(verdict.logits, is_real),
            d_class=self.d_classification(verdict.classes, torch.cat([own, *shown])[order]),
        )
        for label in targets if s.phase == "both" else ():
            latents = encoder(photos)
            verdict = discriminator(decoder(latents, label))
            yield Update(
                "generator",
                g_adversarial=nn.functional.softplus(-verdict.logits).mean(),
                g_class=self.g_classification(verdict.classes, label if drawn is None else drawn),
                g_reconstruction=(decoder(latents, own) - photos).abs().mean(),
            )


def make(
    kind: type[SharedLatents] = SharedLatents,
    g_classification: Callable[..., Any] = SigmoidCrossEntropy,
    d_classification: Callable[..., Any] = BinaryClassification,
    **options: Any,
) -> SharedLatents:
    return kind(
        adversarial=Adversarial(BinaryCrossEntropy()),
        d_classification=Criterion(d_classification()),
        g_classification=Criterion(g_classification()),
        distance=Criterion(L1()),
        **options,
    )


def networks(dtype: torch.dtype = torch.float32, **options: Any) -> dict[str, nn.Module]:
    torch.manual_seed(0)
    built = CCycleGan(CCycleGanNetworks(width=4, **options), DATA).networks()
    return {name: net.to(dtype=dtype, memory_format=torch.channels_last) for name, net in built.items()}


def photos(count: int, dtype: torch.dtype = torch.float32, seed: int = 1) -> Batch:
    draw = torch.Generator().manual_seed(seed)
    images = torch.rand(count, 1, 48, 48, generator=draw, dtype=dtype) * 2 - 1
    return Batch(images=images, labels=torch.eye(7, dtype=dtype)[torch.randint(7, (count,), generator=draw)])


def weights_of(nets: Mapping[str, nn.Module], player: str) -> list[nn.Parameter]:
    return [weight for network in PLAYERS[player] for weight in nets[network].parameters()]


def drive(
    objective: SharedLatents, nets: dict[str, nn.Module], batches: list[Batch]
) -> list[tuple[dict[str, Tensor], list[Tensor]]]:
    """Return the terms and the gradients of every update, as Adam descends them."""
    optimizers = {player: torch.optim.Adam(weights_of(nets, player), 1e-3, (0.5, 0.999)) for player in PLAYERS}
    seen = []
    for index, batch in enumerate(batches, 1):
        for update in objective.step(HandStep(nets, objective.phase(index), batch)):
            weights = weights_of(nets, update.player)
            total = torch.stack([WEIGHTS[name] * term for name, term in update.terms.items()]).sum()
            total.backward(inputs=weights)
            seen.append(
                (
                    {name: term.detach() for name, term in update.terms.items()},
                    [weight.grad.clone() for weight in weights if weight.grad is not None],
                )
            )
            optimizers[update.player].step()
            optimizers[update.player].zero_grad()
    return seen


@pytest.mark.parametrize("g_classification", [SigmoidCrossEntropy, BinaryClassification])
@pytest.mark.parametrize("options", [{}, {"residual": True, "label_at_levels": True}])
def test_sharing_fakes_and_latents_changes_no_loss_and_no_gradient(
    g_classification: Callable[..., Any], options: dict[str, bool]
) -> None:
    batches = [photos(3, torch.double, seed) for seed in range(6)]
    runs = [
        drive(make(kind, g_classification, generator_every=2), networks(torch.double, **options), batches)
        for kind in (SharedLatents, NaiveT26)
    ]
    assert len(runs[0]) == len(runs[1]) == 9
    for (terms, gradients), (naive_terms, naive_gradients) in zip(*runs, strict=True):
        assert terms.keys() == naive_terms.keys()
        for name in terms:
            torch.testing.assert_close(terms[name], naive_terms[name], rtol=1e-9, atol=0)
        for gradient, naive in zip(gradients, naive_gradients, strict=True):
            assert (gradient - naive).norm() <= 1e-8 * naive.norm() + 1e-14


# Experiment -> its losses of D's and of G's classes, and the options of its step.
ONE_BY_ONE: dict[str, tuple[Callable[..., Any], Callable[..., Any], dict[str, Any]]] = {
    "t17": (CategoricalClassification, CategoricalClassification, {"fake_class": "drawn", "targets": 1, "generator_every": 2}),
    "t18": (CategoricalClassification, CategoricalClassification, {"fake_class": "asked", "targets": 1, "generator_every": 2}),
    "t21": (BinaryClassification, SigmoidCrossEntropy, {"fake_class": "asked", "targets": 1, "generator_every": 2}),
    "t22": (BinaryClassification, SigmoidCrossEntropy, {"targets": 1, "generator_every": 2}),
    "t24": (BinaryClassification, SigmoidCrossEntropy, {"each_label": True, "generator_every": 1}),
}


@pytest.mark.parametrize("experiment", ONE_BY_ONE)
def test_the_experiments_before_t25_descend_as_published(experiment: str) -> None:
    d_classification, g_classification, options = ONE_BY_ONE[experiment]
    batches = [photos(2, torch.double, seed) for seed in range(3)]
    runs = []
    for kind in (SharedLatents, NaiveOneByOne):
        nets = networks(torch.double)
        torch.manual_seed(7)  # the labels that both draw
        runs.append(drive(make(kind, g_classification, d_classification, **options), nets, batches))
    assert len(runs[0]) == len(runs[1]) == (3 * 7 if experiment == "t24" else 5)
    for (terms, gradients), (naive_terms, naive_gradients) in zip(*runs, strict=True):
        assert terms.keys() == naive_terms.keys()
        for name in terms:
            torch.testing.assert_close(terms[name], naive_terms[name], rtol=1e-9, atol=0)
        for gradient, naive in zip(gradients, naive_gradients, strict=True):
            assert (gradient - naive).norm() <= 1e-8 * naive.norm() + 1e-14


def test_t17_draws_another_wrong_label_for_both_players_and_t18_does_not() -> None:
    """Each class term compares with the labels that it is given; what D is told of fakes, G is told too."""
    told: list[Tensor] = []

    class Noted(nn.Module):
        def forward(self, logits: Tensor, target: Tensor) -> Tensor:
            told.append(target)
            return logits.sum(1)

    for fake_class in ("drawn", "asked"):
        told.clear()
        nets, batch = networks(), photos(60)
        asked: list[Tensor] = []
        nets["decoder"].register_forward_pre_hook(lambda _, given, asked=asked: asked.append(given[1][:60]))
        objective = make(g_classification=Noted, d_classification=Noted, targets=1, fake_class=fake_class)
        list(objective.step(HandStep(nets, "both", batch)))
        of_d, of_g = told
        assert torch.equal(of_d[:60], batch.labels)
        assert torch.equal(of_d[60:], of_g)
        assert torch.equal(of_g.sum(1), torch.ones(60))
        assert (of_g * batch.labels).sum() == 0
        agree = (of_g * asked[0]).sum() / 60
        assert agree == 1 if fake_class == "asked" else 0.02 < agree < 0.4  # one of six by chance


def test_warm_up_comes_first_and_teaches_the_classes_of_photos_only() -> None:
    objective = make(warm_up_steps=2, generator_every=3)
    assert [objective.phase(index) for index in range(1, 8)] == [
        "warm_up",
        "warm_up",
        "both",
        "discriminator",
        "discriminator",
        "both",
        "discriminator",
    ]
    nets, batch = networks(), photos(4)
    (update,) = objective.step(HandStep(nets, "warm_up", batch))
    assert (update.player, list(update.terms)) == ("discriminator", ["d_class"])
    expected = nn.functional.binary_cross_entropy_with_logits(nets["discriminator"](batch.images).classes, batch.labels)
    torch.testing.assert_close(update.terms["d_class"], expected)


def test_each_update_has_the_terms_that_have_weights() -> None:
    updates = drive(make(), networks(), [photos(2)])
    assert [list(terms) for terms, _ in updates] == [
        ["d_adversarial", "d_class"],
        ["g_adversarial", "g_class", "g_reconstruction"],
    ]
    weights = {"d_adversarial": 1, "d_class": 1, "d_penalty": 10, "g_adversarial": 2, "g_class": 2, "g_reconstruction": 1}
    assert weights == WEIGHTS
    assert [name for terms, _ in updates for name in terms] == [name for name in weights if name != "d_penalty"]


def test_t24_judges_448_images_and_moves_the_generator_six_times_on_64() -> None:
    seen: list[int] = []
    nets = networks()
    nets["discriminator"].register_forward_hook(lambda _, inputs, __: seen.append(len(inputs[0])))
    updates = list(make(each_label=True).step(HandStep(nets, "both", photos(64))))
    assert seen == [448, 64, 64, 64, 64, 64, 64]
    assert [update.player for update in updates] == ["discriminator"] + ["generator"] * 6


def test_discriminator_sees_448_images_for_64_photos_and_the_generator_384() -> None:
    seen: list[int] = []
    nets = networks()
    nets["discriminator"].register_forward_hook(lambda _, inputs, __: seen.append(len(inputs[0])))
    drive(make(), nets, [photos(64)])
    assert seen == [448, 384]


@pytest.mark.parametrize(("player", "index"), [("discriminator", 0), ("generator", 1)])
def test_an_update_reaches_only_its_players_networks(player: str, index: int) -> None:
    nets = networks()
    update = list(make().step(HandStep(nets, "both", photos(2))))[index]
    assert update.player == player
    others = [weight for name in PLAYERS if name != player for weight in weights_of(nets, name)]
    torch.stack(list(update.terms.values())).sum().backward(inputs=weights_of(nets, player))
    assert all(weight.grad is None for weight in others)
    assert all(weight.grad is not None and weight.grad.abs().sum() > 0 for weight in weights_of(nets, player))


def test_only_the_discriminator_moves_between_the_generators_steps() -> None:
    nets = networks()
    before = [weight.detach().clone() for weight in weights_of(nets, "generator")]
    objective = make()
    for index in range(2, 6):
        for update in objective.step(HandStep(nets, objective.phase(index), photos(2))):
            assert update.player == "discriminator"
    assert all(torch.equal(a, b) for a, b in zip(before, weights_of(nets, "generator"), strict=True))


def test_accuracies_are_those_of_the_published_log() -> None:
    class Fixed(nn.Module):
        """Finds one of two photos and 9 of 12 fakes real; gives every image the class a."""

        def forward(self, images: Tensor) -> Any:
            logits = torch.tensor([1.0, -1.0] + [1.0] * 9 + [-1.0] * 3)
            classes = torch.tensor([1.0] + [-1.0] * 6).expand(14, 7)
            return Verdict(logits=logits, classes=classes)

    nets = {**networks(), "discriminator": Fixed()}
    batch = Batch(images=photos(2).images, labels=torch.eye(7)[torch.tensor([0, 1])])
    step = HandStep(nets, "discriminator", batch)
    list(make().step(step))
    assert step.measures["d_adversarial_accuracy"] == torch.tensor((1 + 3) / 14)
    # Of 7 labels an image: the first photo all right, the second two wrong, each of 12 fakes one wrong.
    torch.testing.assert_close(step.measures["d_class_accuracy"], torch.tensor((7 + 5 + 12 * 6) / (14 * 7)))


@pytest.mark.parametrize(
    ("loss", "right"),
    [(BinaryCrossEntropy(), 2), (LeastSquares(), 13), (RelativisticAverage(), 14), (LeCam(base="lsgan"), 13)],
)
def test_the_accuracy_of_the_discriminator_is_on_which_side_of_its_own_loss_a_logit_is(loss: Any, right: int) -> None:
    class Fixed(nn.Module):
        """Gives one photo 0.9, the other 0.3, and all 12 fakes 0.1."""

        def forward(self, images: Tensor) -> Any:
            return Verdict(logits=torch.tensor([0.9, 0.3] + [0.1] * 12), classes=torch.zeros(14, 7))

    objective = make()
    objective.adversarial = Adversarial(loss)
    step = HandStep({**networks(), "discriminator": Fixed()}, "discriminator", photos(2))
    before = [buffer.clone() for buffer in objective.adversarial.buffers()]
    for _ in objective.step(step):
        after_update = [buffer.clone() for buffer in objective.adversarial.buffers()]
    assert step.measures["d_adversarial_accuracy"] == torch.tensor(right / 14)
    # LeCam's averages follow the logits of the update, once, and not those of the measure.
    assert all(torch.equal(a, b) for a, b in zip(after_update, objective.adversarial.buffers(), strict=True))
    assert not before or not torch.equal(before[0], after_update[0])


@pytest.mark.parametrize(("fake_class", "accuracy"), [("asked", 0.5), ("drawn", 0.5), ("none", (2 * 6 + 2 * 7) / 28)])
def test_where_fakes_have_a_class_accuracy_is_how_often_it_is_found(fake_class: str, accuracy: float) -> None:
    class Fixed(nn.Module):
        """Finds every image most like the class a, with sigmoids that are all below a half."""

        def forward(self, images: Tensor) -> Any:
            return Verdict(logits=torch.zeros(4), classes=torch.eye(7)[:1].repeat(4, 1) - 2)

    batch = Batch(images=photos(2).images, labels=torch.eye(7)[[0, 0]])  # no fake should show a
    step = HandStep({**networks(), "discriminator": Fixed()}, "discriminator", batch)
    list(make(targets=1, fake_class=fake_class).step(step))
    torch.testing.assert_close(step.measures["d_class_accuracy"], torch.tensor(accuracy))


def test_other_labels_are_the_six_others_ascending() -> None:
    labels = torch.eye(7)[torch.tensor([3, 0])]
    others = other_labels(labels)
    assert others.argmax(2).tolist() == [[0, 1, 2, 4, 5, 6], [1, 2, 3, 4, 5, 6]]
    assert torch.equal(others.sum(1) + labels, torch.ones(2, 7))


def test_random_labels_are_different_ones_that_the_image_does_not_have() -> None:
    torch.manual_seed(0)
    labels = torch.eye(7).repeat(200, 1)
    drawn = random_other_labels(labels, 2)
    assert drawn.shape == (1400, 2, 7)
    assert torch.equal((drawn.sum(1) + labels).amax(1), torch.ones(1400))
    counts = torch.einsum("ni,ntj->ij", labels, drawn)
    assert ((counts - 200 * 2 / 6).abs() < 30)[~torch.eye(7, dtype=torch.bool)].all()
    assert random_other_labels(labels, 9).shape == (1400, 6, 7)


def test_targets_limit_how_many_fakes_are_made() -> None:
    seen: list[int] = []
    nets = networks()
    nets["discriminator"].register_forward_hook(lambda _, inputs, __: seen.append(len(inputs[0])))
    drive(make(targets=1), nets, [photos(5)])
    assert seen == [10, 5]


def test_class_losses_have_the_values_of_keras() -> None:
    sigmoids = torch.tensor([[0.9, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6]], dtype=torch.double)
    first = torch.eye(7, dtype=torch.double)[:1]
    binary, categorical = Criterion(BinaryClassification()), Criterion(SigmoidCrossEntropy())
    assert binary(sigmoids.logit(), first).item() == pytest.approx(0.415829, abs=1e-6)
    assert binary(sigmoids.logit(), 0 * first).item() == pytest.approx(0.729718, abs=1e-6)
    assert categorical(sigmoids.logit(), first).item() == pytest.approx(1.203973, abs=1e-6)


def test_generators_loss_is_2_bce_2_ce_1_mae() -> None:
    nets, batch = networks(torch.double), photos(2, torch.double)
    _, (terms, _) = drive(make(), nets, [batch])
    total = sum(WEIGHTS[name] * float(term) for name, term in terms.items())
    assert total == pytest.approx(
        2 * float(terms["g_adversarial"]) + 2 * float(terms["g_class"]) + float(terms["g_reconstruction"])
    )
