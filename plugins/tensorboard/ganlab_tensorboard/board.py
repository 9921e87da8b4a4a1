"""Rows, scores and pictures of one run -> an event file."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
from PIL import Image
from torch.utils.tensorboard import SummaryWriter

from ganlab import RunInfo


class Board:
    """What one process adds to a run's board; the event file is made with the first thing that it holds."""

    def __init__(self, run: RunInfo, step: int) -> None:
        self._folder, self._samples = run.path / "tensorboard", run.path / "samples"
        self._terms: Mapping[str, float] | None = run.recipe["objective"].get("weights")
        self._start = self._shown = step
        self._events: SummaryWriter | None = None

    def draw_row(self, step: int, row: Mapping[str, float]) -> None:
        """Draw a row of log.csv: terms as losses/NAME, what is not descended as measures/NAME."""
        if step <= self._start:  # the last row of a finished run, which is told again when that is resumed
            return
        for name, value in row.items():
            if name in ("epoch", "images"):
                self._writer().add_scalar(name, value, step)
            elif name != "step":
                is_term = self._terms is None or name in self._terms  # without declared weights nobody can tell
                self._writer().add_scalar(f"{'losses' if is_term else 'measures'}/{name}", value, step)
        self.flush()  # a process that is killed after its next checkpoint goes on from there, and tells this row no more

    def draw_scores(self, step: int, scores: Mapping[str, float]) -> None:
        """Draw the scores of a step as scores/EVALUATOR.SCORE."""
        for name, value in scores.items():
            self._writer().add_scalar(f"scores/{name}", value, step)

    def show_pictures(self, step: int) -> None:
        """Show the run's pictures that are not shown yet, each at its own step, up to `step`.

        A run's first kind of picture is called samples, a further one samples/KIND, such as samples/translated. Those of
        later steps are left by a process that was killed; they will be drawn anew.
        """
        for path in sorted(self._samples.glob("step-*.png")):
            found = re.fullmatch(r"step-(\d+)(?:-(\w+))?\.png", path.name)
            if found and self._shown < int(found[1]) <= step:
                tag = f"samples/{found[2]}" if found[2] else "samples"
                with Image.open(path) as picture:
                    self._writer().add_image(tag, np.asarray(picture.convert("RGB")), int(found[1]), dataformats="HWC")
        self._shown = step

    def flush(self) -> None:
        """Write what is held back."""
        if self._events is not None:
            self._events.flush()

    def close(self) -> None:
        """Write what is held back, and end."""
        if self._events is not None:
            self._events.close()

    def _writer(self) -> SummaryWriter:
        if self._events is None:
            # A run that was killed goes on from its newest checkpoint: what lay beyond it comes again. A run that is
            # extended keeps the row of its former end, which log.csv drops: a true mean, of fewer steps.
            self._events = SummaryWriter(str(self._folder), purge_step=self._start + 1)
        return self._events
