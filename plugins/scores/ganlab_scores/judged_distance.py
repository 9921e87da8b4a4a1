"""A model, real images and a judge -> the Frechet distance of what the judge's last layer reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from ganlab import ImageSet, Model, NamedModel
from ganlab.scores import Sampling, check_pixels, frechet_scores, protocol_card
from ganlab_scores.judging import fitting_judge


class JudgeFeatures:
    """A `ganlab.scores.FeatureExtractor`: what the last linear layer of a judge reads."""

    name = "classifier"
    preprocessing = "none: pixels as the judge was trained on them"

    def __init__(self, judge: NamedModel) -> None:
        self._judge = judge

    @property
    def digest(self) -> str:
        """Return the digest of the judge's weights."""
        return self._judge.digest

    def __call__(self, images: Tensor) -> Tensor:
        """Return [N, D] on the CPU."""
        check_pixels(images)
        return self._judge.features(images)


class JudgedDistance:
    """The score carries the judge's digest in its name: distances by two judges never stand in one column."""

    def __init__(self, judge: NamedModel | None, images: int | None, seed: int, seeds: int) -> None:
        self._judge, self._sampling = judge, Sampling(images=images, seed=seed, seeds=seeds)

    @property
    def best_is(self) -> Mapping[str, str]:
        """Return that the distance is best when lowest."""
        return {} if self._judge is None else {_name(self._judge): "lowest"}

    def protocol(self, model: Model, test: ImageSet) -> Mapping[str, Any]:
        """Return what the score rests on; raises `DataError` without judge, `ValueError` for misfits."""
        return protocol_card(model, test, JudgeFeatures(fitting_judge(self._judge, model)), self._sampling)

    def score(self, model: Model, test: ImageSet) -> Mapping[str, float]:
        """Return `fd_classifier_` with the judge's digest, `floor`, and of several seeds `low` and `high`."""
        self.protocol(model, test)
        judge = fitting_judge(self._judge, model)
        return frechet_scores(model, test, JudgeFeatures(judge), self._sampling, name=_name(judge))


def _name(judge: NamedModel) -> str:
    return f"fd_classifier_{judge.digest[:8]}"
