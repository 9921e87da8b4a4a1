"""The file scores.json of a run: what evaluators found, each entry with its protocol card; read, added to, never half written.

Training and `ganlab eval` write the same file, maybe at once: a lock of its own lets each add to what the other wrote.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from ganlab.errors import RunError
from ganlab.files import lock
from ganlab.runs.directory import Run

Entry = Mapping[str, Any]  # step, evaluator, scores, protocol; epoch, data_fingerprint, checkpoint, best_is, details

_NO_PROTOCOL = ("ganlab",)  # of a card: the release, since the evaluator's own version counts what changes a score
_LOCK = ".scores.lock"
_WAIT_SECONDS, _LONGEST_WAIT_SECONDS = 0.05, 30.0


def decides(evaluator: str, card: Mapping[str, Any]) -> str:
    """Return what of a protocol decides whether two scores may stand beside each other."""
    return json.dumps([evaluator, {key: value for key, value in card.items() if key not in _NO_PROTOCOL}], sort_keys=True)


def unlike_keys(cards: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the keys that decide and are not equal in all cards; those of inner tables with a point."""
    flat = []
    for card in cards:
        inner = {f"{key}.{k}": v for key, value in card.items() if isinstance(value, Mapping) for k, v in value.items()}
        flat.append({**{k: v for k, v in card.items() if not isinstance(v, Mapping)}, **inner})
    keys = {key: None for card in flat for key in card if key not in _NO_PROTOCOL}
    return [key for key in keys if any(card.get(key) != flat[0].get(key) for card in flat)]


def read_scores(run: Run) -> list[dict[str, Any]]:
    """Return the entries of scores.json, none if there is no file; raises `RunError` for a file that is none of ours."""
    try:
        entries = json.loads(run.scores.read_bytes())["scores"]
        for entry in entries:
            int(entry["step"])
            str(entry["evaluator"])
            dict(entry["scores"])
            dict(entry["protocol"])
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise RunError(f"{run.scores}: damaged, or cannot be read ({type(error).__name__}); remove it to score anew") from None
    return list(entries)


def alarms(entries: Iterable[Entry]) -> list[str]:
    """Return a line for each entry whose details hold an `alarm`, a text: of what the scores alone may hide."""
    told = [(entry["evaluator"], entry.get("details", {}).get("alarm")) for entry in entries]
    return [f"alarm: {evaluator}: {' '.join(text.split())}" for evaluator, text in told if isinstance(text, str)]


def add_scores(run: Run, entries: Sequence[Entry], *, replaces: Callable[[Entry], bool]) -> None:
    """Add entries to scores.json, by step, in the place of those that they replace; the file is whole at any time."""
    with _held(run):
        kept = [entry for entry in read_scores(run) if not replaces(entry)]
        run.write_json(run.scores.name, {"scores": sorted([*kept, *entries], key=lambda entry: int(entry["step"]))})


@contextmanager
def _held(run: Run) -> Iterator[None]:
    """Wait for whoever else writes the scores of this run, then hold them."""
    path, begun = run.path / _LOCK, time.monotonic()
    try:
        file = path.open("a+")
    except OSError as error:
        raise RunError(f"{run.scores}: cannot be written ({error.strerror})") from None
    with file:
        while not lock(file.fileno()):
            if time.monotonic() - begun > _LONGEST_WAIT_SECONDS:
                raise RunError(f"{run.scores}: another ganlab process does not let go of it; stop that one")
            time.sleep(_WAIT_SECONDS)
        yield
