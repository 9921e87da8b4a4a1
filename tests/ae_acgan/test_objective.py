"""The training step of AE-AC-GAN: the order of its updates, its values and its measures."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
import torch
from ganlab_ae_acgan.networks import AeAcGan as Networks
from ganlab_ae_acgan.objective import AeAcGan, f1, random_rows
from ganlab_ae_acgan.options import AeAcGanNetworks, AeAcGanObjective
from ganlab_losses.adversarial import BinaryCrossEntropy
from ganlab_losses.formulas import L1, BinaryClassification
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from ganlab import Adversarial, Batch, Criterion, DataSpec, Verdict

DATA = DataSpec(size_px=16, channels=1, label_kind="attributes", label_names=tuple(f"attribute {k}" for k in range(40)))
PLAYERS = AeAcGanObjective().players()


@dataclass
class HandStep:
    """A step with one given batch; labels of training images are all ones."""

    nets: Mapping[str, nn.Module]
    photos: Batch
    phase: Any = False
    measures: dict[str, Tensor] = field(default_factory=dict)
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    def batch(self, count: int | None = None, of: int | None = None) -> Batch:
        return self.photos

    def labels(self, count: int) -> Tensor:
        return torch.ones(count, 40)

    def noise(self, count: int) -> Tensor:
        return torch.randn(count, 6, dtype=self.photos.images.dtype)

    def log(self, **measures: Tensor) -> None:
        self.measures.update(measures)


def make(**options: Any) -> AeAcGan:
    smoothed = AeAcGanObjective().adversarial
    assert not isinstance(smoothed, str)
    return AeAcGan(
        adversarial=Adversarial(BinaryCrossEntropy(**smoothed.settings)),
        classification=Criterion(BinaryClassification()),
        distance=Criterion(L1()),
        **options,
    )


def networks(dtype: torch.dtype = torch.float32, **options: Any) -> dict[str, nn.Module]:
    torch.manual_seed(0)
    built = Networks(AeAcGanNetworks.model_validate({"depth": 4, "noise_length": 6, **options}), DATA).networks()
    return {name: net.to(dtype=dtype) for name, net in built.items()}


def photos(count: int, dtype: torch.dtype = torch.float32) -> Batch:
    draw = torch.Generator().manual_seed(1)
    images = torch.rand(count, 1, 16, 16, generator=draw, dtype=dtype) * 2 - 1
    return Batch(images=images, labels=(torch.rand(count, 40, generator=draw) < 0.2).to(dtype))


def weights_of(nets: Mapping[str, nn.Module], player: str) -> list[nn.Parameter]:
    return [weight for network in PLAYERS[player] for weight in nets[network].parameters()]


def drive(objective: AeAcGan, step: HandStep, rate: float = 1e-3) -> list[tuple[str, dict[str, Tensor]]]:
    """Return player and terms of every update, each descended by SGD."""
    seen = []
    for update in objective.step(step):
        weights = weights_of(step.nets, update.player)
        slopes = torch.autograd.grad(torch.stack(list(update.terms.values())).sum(), weights)
        with torch.no_grad():
            for weight, slope in zip(weights, slopes, strict=True):
                weight -= rate * slope
        seen.append((update.player, {name: term.detach() for name, term in update.terms.items()}))
    return seen


class Fixed(nn.Module):
    """A discriminator of given logits: of being real for all images, and of the labels."""

    def __init__(self, reality: float, classes: float) -> None:
        super().__init__()
        self.reality, self.classes = nn.Parameter(torch.tensor(reality)), nn.Parameter(torch.tensor(classes))

    def forward(self, images: Tensor) -> Verdict:
        of_image = 0 * images.sum((1, 2, 3)).float()
        return Verdict(logits=self.reality + of_image, classes=self.classes + of_image[:, None].expand(-1, 40))


def test_three_updates_come_in_order_with_terms_that_have_weights() -> None:
    seen = drive(make(), HandStep(networks(), photos(4)))
    assert [(player, list(terms)) for player, terms in seen] == [
        ("discriminator", ["d_adversarial", "d_class"]),
        ("generator", ["g_adversarial", "g_class"]),
        ("autoencoder", ["ae_reconstruction"]),
    ]
    weights = AeAcGanObjective().weights.model_dump()
    assert weights == {name: 1.0 for _, terms in seen for name in terms} | {"ae_class": 1.0}


def test_two_players_move_the_generator() -> None:
    assert PLAYERS == {
        "discriminator": ("discriminator",),
        "generator": ("generator",),
        "autoencoder": ("encoder", "generator"),
    }
    nets = networks()
    moved = []
    before = {name: [w.detach().clone() for w in net.parameters()] for name, net in nets.items()}
    updates = make().step(HandStep(nets, photos(4)))
    for update in updates:
        weights = weights_of(nets, update.player)
        slopes = torch.autograd.grad(torch.stack(list(update.terms.values())).sum(), weights)
        with torch.no_grad():
            for weight, slope in zip(weights, slopes, strict=True):
                weight -= 0.1 * slope.sign()
        now = {name: [w.detach().clone() for w in net.parameters()] for name, net in nets.items()}
        moved.append({n for n in nets if any(not torch.equal(a, b) for a, b in zip(before[n], now[n], strict=True))})
        before = now
    assert moved == [{"discriminator"}, {"generator"}, {"encoder", "generator"}]


def test_discriminator_sees_256_of_512_images() -> None:
    seen: list[int] = []
    nets = networks()
    nets["discriminator"].register_forward_hook(lambda _, inputs, __: seen.append(len(inputs[0])))
    drive(make(), HandStep(nets, photos(256)))
    drive(make(kept=1.0), HandStep(nets, photos(256)))
    assert seen == [256, 256, 512, 256]


def test_real_and_fake_images_are_shuffled_without_repetition() -> None:
    torch.manual_seed(0)
    rows = torch.stack([random_rows(512, 256, torch.device("cpu")) for _ in range(200)])
    assert all(len(row.unique()) == 256 for row in rows)
    assert (rows < 256).float().mean().item() == pytest.approx(0.5, abs=0.01)
    assert (rows < 256).sum(1).unique().numel() > 5  # the numbers of real images differ
    assert rows.flatten().bincount(minlength=512).min() > 50  # of 100 expected


def test_a_fake_has_one_to_ten_attributes_about_9_of_them() -> None:
    torch.manual_seed(0)
    labels = make()._fake_labels(HandStep({}, photos(1)), torch.zeros(20_000, 40))
    assert set(labels.unique().tolist()) == {0.0, 1.0}
    counts = labels.sum(1)
    assert counts.min() >= 1
    assert counts.max() == 10
    assert counts.mean().item() == pytest.approx(40 * (1 - (39 / 40) ** 10), abs=0.02)
    assert pytest.approx(8.95, abs=0.005) == 40 * (1 - (39 / 40) ** 10)
    torch.testing.assert_close(labels.mean(0), torch.full((40,), 8.948 / 40), atol=0.015, rtol=0)


def test_labels_of_fakes_may_be_those_of_training_images() -> None:
    told: list[Tensor] = []
    nets = networks()
    nets["generator"].register_forward_hook(lambda _, inputs, __: told.append(inputs[1]))
    drive(make(fake_labels="real"), HandStep(nets, photos(3)))
    assert torch.equal(told[0], torch.ones(3, 40))


def test_losses_have_the_published_values() -> None:
    torch.manual_seed(0)
    step = HandStep({**networks(), "discriminator": Fixed(0.0, 0.0)}, photos(64))
    (_, d), (_, g), _ = drive(make(), step, rate=0.0)
    # At logits of 0 the cross-entropy is ln 2, whatever the targets: BCE(0.9, 0.5) = 0.693147.
    assert [float(term) for term in (*d.values(), *g.values())] == pytest.approx([0.693147] * 4, abs=1e-6)
    adversarial = make().adversarial
    half = torch.tensor([0.0], dtype=torch.double)
    assert adversarial.generator(half, lambda: half).item() == pytest.approx(0.693147, abs=1e-6)
    certain = torch.tensor([0.8], dtype=torch.double).logit()
    assert Adversarial(BinaryCrossEntropy()).generator(certain, lambda: certain).item() == pytest.approx(0.223144, abs=1e-6)


def test_smoothed_targets_are_those_of_real_images_and_of_the_generator() -> None:
    logits, is_real = torch.tensor([2.0, -1.0, 0.5]), torch.tensor([True, False, True])
    adversarial = make().adversarial
    expected = binary_cross_entropy_with_logits(logits, torch.tensor([0.9, 0.0, 0.9]))
    torch.testing.assert_close(adversarial.mixed(logits, is_real=is_real), expected)
    expected = binary_cross_entropy_with_logits(logits, torch.full((3,), 0.9))
    torch.testing.assert_close(adversarial.generator(logits, lambda: logits), expected)


def test_terms_are_those_of_the_published_procedure() -> None:
    """Compare with the step as published: fakes made apart, batches joined and shuffled, targets as arrays."""
    nets, batch = networks(torch.double), photos(6, torch.double)
    torch.manual_seed(7)
    seen = [update.terms for update in make().step(HandStep(nets, batch))]

    torch.manual_seed(7)
    z, draws = torch.randn(6, 6, dtype=torch.double), torch.randint(40, (6, 10))
    order = torch.rand(12).argsort()
    asked = torch.zeros(6, 40, dtype=torch.double)
    for row in range(6):
        for draw in range(10):
            asked[row, draws[row, draw]] = 1
    with torch.no_grad():
        fakes = nets["generator"](z, asked)
        w = torch.cat([torch.full((6,), 0.9), torch.zeros(6)]).double()[order][:6]
        x, y = (torch.cat(pair)[order][:6] for pair in ((batch.images, fakes), (batch.labels, asked)))
        verdict, judged = nets["discriminator"](x), nets["discriminator"](nets["generator"](z, asked))
        labels, noise = nets["encoder"](batch.images)
    expected = [
        {
            "d_adversarial": binary_cross_entropy_with_logits(verdict.logits, w),
            "d_class": binary_cross_entropy_with_logits(verdict.classes, y),
        },
        {
            "g_adversarial": binary_cross_entropy_with_logits(judged.logits, torch.full((6,), 0.9).double()),
            "g_class": binary_cross_entropy_with_logits(judged.classes, asked),
        },
        {"ae_reconstruction": (nets["generator"](noise, labels) - batch.images).abs().mean()},
    ]
    torch.testing.assert_close(seen, expected)


def test_an_update_of_the_discriminator_leaves_the_generator_without_gradients() -> None:
    nets = networks()
    update = next(make().step(HandStep(nets, photos(4))))
    torch.stack(list(update.terms.values())).sum().backward()
    assert all(weight.grad is None for weight in nets["generator"].parameters())


def test_without_the_auto_encoder_nothing_needs_an_encoder() -> None:
    options = AeAcGanObjective(autoencoder=False)
    assert options.players() == {"discriminator": ("discriminator",), "generator": ("generator",)}
    assert options.needs() == {"generator": "noise labels -> images", "discriminator": "images -> logits classes"}
    nets = {name: net for name, net in networks().items() if name != "encoder"}
    seen = drive(make(autoencoder=False), HandStep(nets, photos(4), phase=True))
    assert [player for player, _ in seen] == ["discriminator", "generator"]


def test_a_supervised_encoder_learns_the_labels_of_its_images() -> None:
    nets, batch = networks(torch.double), photos(4, torch.double)
    *_, update = make(supervised=True).step(HandStep(nets, batch))
    encoder = nets["encoder"]
    logits = encoder.get_submodule("labels")(encoder.get_submodule("trunk")(batch.images))
    torch.testing.assert_close(update.terms["ae_class"].double(), binary_cross_entropy_with_logits(logits, batch.labels))
    *_, update = make().step(HandStep(nets, batch))
    assert list(update.terms) == ["ae_reconstruction"]


def test_unsupervised_labels_learn_from_the_image_alone() -> None:
    nets = networks()
    *_, update = make().step(HandStep(nets, photos(4)))
    update.terms["ae_reconstruction"].backward()
    slope = nets["encoder"].get_submodule("labels").weight.grad
    assert slope is not None
    assert slope.any()


def test_fakes_of_the_discriminator_may_be_made_in_inference() -> None:
    modes: list[bool] = []
    nets = networks(batch_norm=True, dropout=0.4)
    nets["generator"].register_forward_hook(lambda net, _, __: modes.append(net.training))
    drive(make(), HandStep(nets, photos(4)))
    drive(make(inference_fakes=True), HandStep(nets, photos(4)))
    assert modes == [True, True, True, False, True]
    assert all(net.training for net in nets.values())


def test_without_dropout_and_batch_norm_inference_makes_the_same_fakes() -> None:
    terms = []
    for inference_fakes in (False, True):
        torch.manual_seed(3)
        terms.append(next(make(inference_fakes=inference_fakes).step(HandStep(networks(), photos(4)))).terms)
    torch.testing.assert_close(terms[0], terms[1], rtol=0, atol=0)


def test_steps_1_9_17_are_measured() -> None:
    assert [index for index in range(1, 25) if make().phase(index)] == [1, 9, 17]
    assert all(make(measure_every=1).phase(index) for index in range(1, 25))
    assert not any(make(measure_every=0).phase(index) for index in range(1, 25))
    step = HandStep(networks(), photos(2))
    drive(make(), step)
    assert step.measures == {}


@pytest.mark.parametrize(("reality", "g_accuracy"), [(1.0, 1.0), (-1.0, 0.0)])
def test_accuracies_are_the_shares_that_are_judged_right(reality: float, g_accuracy: float) -> None:
    torch.manual_seed(0)
    step = HandStep({**networks(), "discriminator": Fixed(reality, 1.0)}, photos(64), phase=True)
    drive(make(kept=1.0), step, rate=0.0)
    assert list(step.measures) == ["d_accuracy", "d_f1", "g_accuracy", "g_f1"]
    assert step.measures["d_accuracy"] == 0.5  # one half is real
    assert step.measures["g_accuracy"] == g_accuracy  # a fake that is taken for real counts as right
    # All 40 labels are found, about 8.95 of them asked for: F1 = 2 * 8.95 / 48.95.
    assert step.measures["g_f1"].item() == pytest.approx(2 * 8.95 / 48.95, abs=0.01)


def test_measures_are_taken_in_inference_after_all_updates() -> None:
    nets, modes = networks(dropout=0.4), []
    step = HandStep(nets, photos(4), phase=True)
    players = []
    hook = nets["discriminator"].register_forward_hook(lambda net, _, __: modes.append((len(players), net.training)))
    for update in make().step(step):
        players.append(update.player)
    hook.remove()
    assert modes == [(0, True), (1, True), (3, False), (3, False)]


def test_f1_is_averaged_over_images() -> None:
    logits = torch.tensor([[1.0, 1.0, -1.0], [-1.0, -1.0, -1.0], [1.0, 0.0, -2.0], [-1.0, -1.0, -1.0]])
    labels = torch.tensor([[1.0, 0.0, 1.0], [0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [1.0, 1.0, 1.0]])
    # One of two right and one missed: 2 / 4; nothing to find: 0, as scikit-learn counts it; all right: 1; none found: 0.
    assert f1(logits, labels).item() == pytest.approx((0.5 + 0 + 1 + 0) / 4)
