"""Scores, samples and models leave the run as it was."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from ganlab.contracts import DataSpec, ImageSet
from ganlab.evaluation.model import TrainedModel, from_pixels, to_pixels
from ganlab.plugins import Plugins
from ganlab.runs.checkpoints import list_checkpoints
from ganlab.spec import Spec
from ganlab.training.session import start_run

CPU = torch.device("cpu")


def test_pixels_come_back_exactly() -> None:
    pixels = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16)
    scaled = from_pixels(pixels, CPU)
    assert (float(scaled.min()), float(scaled.max())) == (-1.0, 1.0)
    assert torch.equal(to_pixels(scaled), pixels)
    assert to_pixels(torch.tensor([[[[-1.5, 1.5]]]])).tolist() == [[[[0, 255]]]]


def test_a_model_is_the_same_for_the_same_seed_and_moves_nothing(spec_of: Callable[..., Spec]) -> None:
    from ganlab.resolve import build_networks

    spec = spec_of()
    architecture, nets = build_networks(spec)
    model = TrainedModel(architecture, nets, spec.data, spec.makes, CPU)
    nets["generator"].train()
    state = torch.get_rng_state()
    labels = torch.eye(3).repeat(100, 1)
    first, again, other = model.generate(labels, 1), model.generate(labels, 1), model.generate(labels, 2)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert first.shape == (300, 1, 8, 8)
    assert first.dtype == torch.uint8
    assert nets["generator"].training
    assert torch.equal(torch.get_rng_state(), state)


def test_scoring_and_sampling_change_no_byte_of_the_run(
    spec_of: Callable[..., Spec], plugins: Plugins, listener: Any, tmp_path: Path
) -> None:
    often = {
        "steps = 20": "steps = 20\nsample_every_steps = 1\nevaluate_every_steps = 1",
        "[dataset]": "[evaluation.brightness]\n[dataset]",
    }
    never = {"steps = 20": "steps = 20\nsample_every_steps = 100"}
    contents = []
    for name, replacements in (("often", often), ("never", never)):
        run = start_run(spec_of(replacements), plugins, CPU, listener, out=tmp_path / name, command=[]).run
        newest = list_checkpoints(run.checkpoints)[-1][1]
        contents.append([run.log.read_bytes(), *((newest / f"{f}.safetensors").read_bytes() for f in ("networks", "training"))])
    assert contents[0] == contents[1]


def test_the_judge_knows_the_truth_and_an_untouched_photo_scores_nothing() -> None:
    from ganlab_synthetic_faces import EXPRESSIONS, answers, faces
    from ganlab_synthetic_faces.judge import ExpressionJudge

    people = 14
    right = answers(0, torch.arange(people), level="easy", split="fresh", identities=people)
    own = faces(0, torch.arange(people), level="easy", split="fresh", identities=people).labels

    class Fake:
        data = DataSpec(size_px=48, channels=1, label_kind="classes", label_names=EXPRESSIONS)
        makes = frozenset({"translate"})

        def __init__(self, is_perfect: bool) -> None:
            self.is_perfect = is_perfect

        def translate(self, images: Any, labels: Any) -> Any:
            assert torch.equal(images, right[torch.arange(people), own].repeat_interleave(7, 0))
            return right.flatten(0, 1) if self.is_perfect else images

    judge = ExpressionJudge("easy", 0, people, judge_images=700, judge_epochs=1)
    nothing = ImageSet(images=None)
    perfect, untouched = (judge.score(Fake(is_perfect), nothing) for is_perfect in (True, False))
    assert perfect["accuracy"] == perfect["accuracy_of_right_answers"]
    assert (perfect["error_ratio"], perfect["reconstruction_error"]) == (0, 0)
    assert {untouched[f"error_ratio_{name}"] for name in EXPRESSIONS} == {1.0}
    assert untouched["error"] == untouched["error_of_untouched_photo"] > 5
    assert judge.score(Fake(True), nothing) == perfect
