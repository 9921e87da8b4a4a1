"""A run at steps of its own -> pictures, scores, and what its watch looks at; the run goes on as if there were none."""

from __future__ import annotations

from ganlab.errors import RecipeError
from ganlab.evaluation.diversity import diversity_of, real_difference
from ganlab.evaluation.model import TrainedModel
from ganlab.evaluation.scores import evaluate
from ganlab.report.pictures import kinds_of_pictures, make_grid, write_grid
from ganlab.resolve import Parts
from ganlab.runs.directory import Run
from ganlab.runs.scores import alarms, read_scores
from ganlab.spec import Spec
from ganlab.training.loop import Milestones, Watcher


def milestones_of(spec: Spec, parts: Parts, run: Run, watcher: Watcher) -> Milestones:
    """Return what the loop calls when a picture, scores or a look are due."""
    data = parts.data

    def sample(step: int) -> None:
        for index, kind in enumerate(kinds_of_pictures(spec.makes)):
            grid, captions = make_grid(trained_model(spec, parts), data.test, kind)
            write_grid(run.samples / f"step-{step:08}{'-translated' if index else ''}.png", grid, captions)

    def score(step: int) -> float | None:
        if not spec.evaluation:
            return None
        watcher.note(f"step {step}: scoring by {', '.join(spec.evaluation)}")
        facts = {"step": step, "epoch": data.draws.epoch, "data_fingerprint": data.fingerprint}
        scores = evaluate(spec, trained_model(spec, parts), data.test, run, parts.device, facts, training=data.training)
        for line in alarms(entry for entry in read_scores(run) if entry["step"] == step):
            watcher.note(f"step {step}: {line}")
        watcher.scored(step, scores)
        best = spec.training.best
        if best is not None and best not in scores:
            raise RecipeError(f"training.best: {best!r} is not among the scores: {', '.join(scores)}")
        return scores.get(best) if best else None

    real = real_difference(data.test, spec.model_data) if spec.training.watch else 0.0

    def look() -> dict[str, float]:
        # Of the weights that move: an average of them would show a collapse late, and be gray at first.
        model = TrainedModel(parts.architecture, parts.nets, spec.model_data, spec.makes, parts.device)
        return diversity_of(model, data.test, real)

    return Milestones(sample=sample, evaluate=score, look=look)


def trained_model(spec: Spec, parts: Parts) -> TrainedModel:
    """Return the run's model as it is now, with averaged weights where they are kept."""
    nets = {**parts.nets, **(parts.averaged or {})}
    return TrainedModel(parts.architecture, nets, spec.model_data, spec.makes, parts.device)
