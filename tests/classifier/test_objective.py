"""Supervised training: what a step descends and logs."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from ganlab_classifier.objective import Classification, accuracy
from ganlab_losses.formulas import CategoricalClassification
from torch import Tensor, nn

from ganlab import Batch, Criterion


class Fixed(nn.Module):
    """Says the same of every image, and remembers what it was shown."""

    def __init__(self, logits: Tensor) -> None:
        super().__init__()
        self.logits, self.seen = nn.Parameter(logits), torch.empty(0)

    def forward(self, images: Tensor) -> Tensor:
        self.seen = images
        return self.logits


def stepped(objective: Classification, logits: Tensor, labels: Tensor) -> tuple[Any, dict[str, float], Fixed, Tensor]:
    """Return the one update of a step, what it logged, the network and the images."""
    logged: dict[str, Tensor] = {}
    net, images = Fixed(logits), torch.rand(len(labels), 1, 16, 16)
    s = SimpleNamespace(
        nets={"classifier": net},
        batch=lambda: Batch(images=images, labels=labels),
        log=lambda **measures: logged.update(measures),
    )
    (update,) = objective.step(s)  # type: ignore[arg-type]
    return update, {name: float(value) for name, value in logged.items()}, net, images


def test_a_step_descends_the_loss_of_the_batch() -> None:
    logits, labels = torch.tensor([[2.0, 0, 0], [0.0, 1, 0]]), torch.eye(3)[[0, 2]]
    objective = Classification(classification=Criterion(CategoricalClassification()), augment=())
    update, logged, net, images = stepped(objective, logits, labels)
    assert (update.player, list(update.terms)) == ("classifier", ["c_class"])
    update.terms["c_class"].backward()
    torch.testing.assert_close(net.logits.grad, (logits.softmax(1) - labels) / 2)
    assert logged == {"accuracy": 0.5}
    assert net.seen is images  # without augmentation nothing is changed


def test_augmentation_changes_what_the_network_sees() -> None:
    torch.manual_seed(0)
    objective = Classification(classification=Criterion(CategoricalClassification()), augment=("translation",))
    _, _, net, images = stepped(objective, torch.zeros(4, 3), torch.eye(3)[[0, 1, 2, 0]])
    assert net.seen.shape == images.shape
    assert not torch.equal(net.seen, images)


@pytest.mark.parametrize(
    ("labels", "share"),
    [
        ([[1, 0, 0], [0, 1, 0]], 1 / 2),  # classes: of two images one is told
        ([[1, 0, 1], [0, 1, 0]], 5 / 6),  # attributes: of six labels five are
        ([[1, 0, 0], [0, 0, 0]], 5 / 6),
    ],
)
def test_accuracy_counts_images_of_classes_and_single_attributes(labels: list[list[float]], share: float) -> None:
    logits = {1 / 2: [[2.0, 1, -1], [1.0, 0.5, -1]], 5 / 6: [[2.0, -1, 1], [-2.0, 1, 3]]}[share]
    if labels[1] == [0, 0, 0]:
        logits = [[2.0, -1, 1], [-1.0, -1, -3]]
    assert accuracy(torch.tensor(logits), torch.tensor(labels, dtype=torch.float32)).item() == pytest.approx(share)
