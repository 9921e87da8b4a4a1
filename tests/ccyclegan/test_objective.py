"""The training step of T26: the order of its updates, its values, and that sharing work changes no gradient."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
import torch
from ganlab_ccyclegan.losses import SigmoidCrossEntropy
from ganlab_ccyclegan.networks import CCycleGan
from ganlab_ccyclegan.objective import T26, other_labels, random_other_labels
from ganlab_ccyclegan.options import CCycleGanNetworks, CCycleGanObjective
from ganlab_losses.adversarial import BinaryCrossEntropy
from ganlab_losses.formulas import L1, BinaryClassification
from torch import Tensor, nn

from ganlab import Adversarial, Batch, Criterion, DataSpec, Step, Update

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


class NaiveT26(T26):
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


def make(kind: type[T26] = T26, g_classification: Callable[..., Any] = SigmoidCrossEntropy, **options: Any) -> T26:
    return kind(
        adversarial=Adversarial(BinaryCrossEntropy()),
        d_classification=Criterion(BinaryClassification()),
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


def drive(objective: T26, nets: dict[str, nn.Module], batches: list[Batch]) -> list[tuple[dict[str, Tensor], list[Tensor]]]:
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
        for kind in (T26, NaiveT26)
    ]
    assert len(runs[0]) == len(runs[1]) == 9
    for (terms, gradients), (naive_terms, naive_gradients) in zip(*runs, strict=True):
        assert terms.keys() == naive_terms.keys()
        for name in terms:
            torch.testing.assert_close(terms[name], naive_terms[name], rtol=1e-9, atol=0)
        for gradient, naive in zip(gradients, naive_gradients, strict=True):
            assert (gradient - naive).norm() <= 1e-8 * naive.norm() + 1e-14


def test_generator_moves_in_steps_1_6_11_and_112_times_an_epoch() -> None:
    objective = make()
    moves = [index for index in range(1, 561) if objective.phase(index) == "both"]
    assert (moves[:3], len(moves)) == ([1, 6, 11], 112)


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
            from ganlab import Verdict

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
