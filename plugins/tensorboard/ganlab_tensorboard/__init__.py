"""What happens in a run -> TensorBoard's event files, in the run's folder `tensorboard`.

Active where the package tensorboard is installed: `pip install "ganlab[tensorboard]"`. Then `tensorboard --logdir runs`
shows every run. Without the package the plugin hears of a run's start and of nothing more.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from ganlab import RunInfo, hookimpl

if TYPE_CHECKING:
    from ganlab_tensorboard.board import Board


class TensorBoard:
    """Keeps a board for each run that is going on in this process."""

    def __init__(self) -> None:
        self._boards: dict[Path, Board] = {}

    @hookimpl
    def ganlab_run_started(self, run: RunInfo, step: int) -> bool:
        """Open a board; decline to observe the run if TensorBoard is not installed."""
        if find_spec("tensorboard") is None:
            return False
        from ganlab_tensorboard.board import Board

        self._boards[run.path] = Board(run, step)
        return True

    @hookimpl
    def ganlab_logged(self, run: RunInfo, step: int, row: Mapping[str, float]) -> None:
        """Draw one row of log.csv."""
        self._boards[run.path].draw_row(step, row)

    @hookimpl
    def ganlab_scored(self, run: RunInfo, step: int, scores: Mapping[str, float]) -> None:
        """Draw the scores."""
        self._boards[run.path].draw_scores(step, scores)

    @hookimpl
    def ganlab_checkpoint_saved(self, run: RunInfo, step: int) -> None:
        """Show the pictures since the last checkpoint, and make all of it last: a kill goes back to here."""
        board = self._boards[run.path]
        board.show_pictures(step)
        board.flush()

    @hookimpl
    def ganlab_run_ended(self, run: RunInfo) -> None:
        """Close the board."""
        self._boards.pop(run.path).close()


observer = TensorBoard()
