"""A translator of drawn faces -> scores against the truth: every answer can be drawn.

Two questions are kept apart. Is the asked expression there, in the eyes of a classifier that never saw the translator,
nor these people? And how far is the picture from the right one, that is the same person in the same light and pose with
the asked expression? A translator that redraws the whole face well enough for the first can fail the second.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganlab import ImageSet, Model
from ganlab_synthetic_faces.names import EXPRESSIONS
from ganlab_synthetic_faces.rendering import render
from ganlab_synthetic_faces.sampling import answers, face_window, faces

_BATCH_IMAGES = 64
_LEARNING_RATE = 3e-3
_SEED_OF_JUDGE = 2**31  # far from the seeds of data sets: the judge learns from people of its own


class ExpressionJudge:
    """Scores translations to the seven expressions on people that nobody was trained on."""

    def __init__(self, level: str, seed: int, people: int, judge_images: int, judge_epochs: int) -> None:
        self.level, self.seed, self.people = level, seed, people
        self.judge_images, self.judge_epochs = judge_images, judge_epochs

    def score(self, model: Model, test: ImageSet) -> Mapping[str, float]:
        """Return accuracies in [0, 1] and errors in gray levels, 0 to 255, inside the face.

        `error_ratio` is the error to the right answer over that of the untouched photo: below 1 the translation is nearer
        to the answer than the photo was. The images of `test` are not used: their answers are not known.
        """
        if tuple(model.data.label_names) != EXPRESSIONS:
            raise ValueError(f"the model translates to {', '.join(model.data.label_names)}, not to the seven expressions")
        if "translate" not in model.makes:
            raise ValueError("the model translates no image")
        size_px, channels = model.data.size_px, model.data.channels
        judge = trained_judge(self.level, size_px, channels, self.judge_images, self.judge_epochs)
        count = len(EXPRESSIONS)

        # Every person shows one expression, in turn; `right` holds that photo and the six right translations.
        rows = torch.arange(self.people)
        right = answers(
            self.seed,
            rows,
            level=self.level,
            split="fresh",
            identities=self.people,
            size_px=size_px,
            channels=channels,
        )
        own = faces(self.seed, rows, level=self.level, split="fresh", identities=self.people).labels
        photos = right[rows, own]
        made = model.translate(photos.repeat_interleave(count, 0), torch.eye(count).repeat(self.people, 1))
        made = made.view_as(right)

        is_own = torch.eye(count, dtype=torch.bool)[own]
        seen = judged(judge, made.flatten(0, 1)).view(self.people, count)
        is_right = (seen == torch.arange(count)).float()
        ceiling = (judged(judge, right.flatten(0, 1)).view(self.people, count) == torch.arange(count)).float()
        window = face_window(size_px)
        error = _error(made, right, window)
        untouched = _error(photos[:, None].expand_as(right), right, window)
        scores = {
            "accuracy": _mean(is_right, ~is_own),
            "accuracy_of_right_answers": _mean(ceiling, ~is_own),
            "error_ratio": _mean(error, ~is_own) / _mean(untouched, ~is_own),
            "error": _mean(error, ~is_own),
            "error_of_untouched_photo": _mean(untouched, ~is_own),
            "reconstruction_error": _mean(error, is_own),
        }
        for index, name in enumerate(EXPRESSIONS):
            others = ~is_own[:, index]
            scores[f"accuracy_{name}"] = _mean(is_right[:, index], others)
            scores[f"error_ratio_{name}"] = _mean(error[:, index], others) / _mean(untouched[:, index], others)
        return scores


class Judge(nn.Module):
    """Reads the expression of a face: [N, C, H, W] in [-1, 1] -> logits [N, 7]."""

    def __init__(self, channels: int, width: int = 20) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *_block(channels, width, 4, 2),
            *_block(width, width, 3, 1),
            *_block(width, 2 * width, 4, 2),
            *_block(2 * width, 2 * width, 3, 1),
            *_block(2 * width, 4 * width, 4, 2),
            nn.AdaptiveAvgPool2d(6),
            nn.Flatten(),
            nn.Dropout(0.3),
            nn.Linear(4 * width * 36, len(EXPRESSIONS)),
        )

    def forward(self, images: Tensor) -> Tensor:
        """Return logits [N, 7]."""
        logits: Tensor = self.body(images)
        return logits


@lru_cache(maxsize=4)
def trained_judge(level: str, size_px: int, channels: int, images: int, epochs: int) -> Judge:
    """Return a judge that learned from drawn faces of its own; the same weights for the same arguments and threads."""
    rows = torch.arange(images)
    drawn = faces(_SEED_OF_JUDGE, rows, level=level, identities=images)
    pixels = render(drawn.identity, drawn.scene, drawn.expression, size_px, channels)
    with torch.random.fork_rng([]):
        torch.manual_seed(_SEED_OF_JUDGE)
        judge = Judge(channels).to(memory_format=torch.channels_last)
        optimizer = torch.optim.Adam(judge.parameters(), _LEARNING_RATE, fused=True)
        steps = epochs * (images // _BATCH_IMAGES)
        order = torch.cat([torch.randperm(images)[: steps // epochs * _BATCH_IMAGES] for _ in range(epochs)])
        for step, chosen in enumerate(order.split(_BATCH_IMAGES)):
            optimizer.param_groups[0]["lr"] = _LEARNING_RATE * min(1.0, (step + 1) / 50) * (1 - step / steps)
            batch = _normalised(pixels[chosen])
            batch = torch.where(torch.rand(len(batch), 1, 1, 1) < 0.5, batch.flip(3), batch)
            loss = F.cross_entropy(judge(batch), drawn.labels[chosen], label_smoothing=0.05)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return judge.eval().requires_grad_(False)


def judged(judge: Judge, images: Tensor) -> Tensor:
    """Return the expression that the judge sees in each image, uint8 [N, C, H, W]: int64 [N]."""
    return torch.cat([judge(_normalised(part)).argmax(1) for part in images.split(256)])


def _normalised(images: Tensor) -> Tensor:
    return images.to(torch.float32, memory_format=torch.channels_last).div_(127.5).sub_(1)


def _block(inputs: int, outputs: int, kernel_px: int, stride_px: int) -> list[nn.Module]:
    convolution = nn.Conv2d(inputs, outputs, kernel_px, stride_px, 1, bias=False)
    return [convolution, nn.BatchNorm2d(outputs), nn.ReLU()]


def _error(made: Tensor, right: Tensor, window: tuple[slice, slice]) -> Tensor:
    """Return the mean absolute difference in the window, [people, 7]."""
    rows, columns = window
    return (made[..., rows, columns].float() - right[..., rows, columns].float()).abs().mean((2, 3, 4))


def _mean(values: Tensor, where: Tensor) -> float:
    return float(values[where].mean())
