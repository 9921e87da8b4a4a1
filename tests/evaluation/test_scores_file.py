"""scores.json: whole at any time, written by several at once, and a protocol that decides what may stand beside what."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ganlab.errors import RunError
from ganlab.runs.directory import Run
from ganlab.runs.scores import add_scores, decides, read_scores, unlike_keys

WRITER = """
import sys
from pathlib import Path
from ganlab.runs.directory import Run
from ganlab.runs.scores import add_scores

name = sys.argv[1]
for step in range(10):
    entry = {"step": step, "evaluator": name, "scores": {"value": step}, "protocol": {}}
    add_scores(Run(Path(".")), [entry], replaces=lambda old: False)
"""


def entry(step: int, evaluator: str = "a", **card: Any) -> dict[str, Any]:
    return {"step": step, "evaluator": evaluator, "scores": {"value": 1.0}, "protocol": card}


def test_of_several_writers_each_keeps_what_the_others_wrote(tmp_path: Path) -> None:
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, name], cwd=tmp_path) for name in "abc"]
    assert [writer.wait(timeout=60) for writer in writers] == [0, 0, 0]
    told = [(each["step"], each["evaluator"]) for each in read_scores(Run(tmp_path))]
    assert sorted(told) == [(step, name) for step in range(10) for name in "abc"]
    assert [step for step, _ in told] == sorted(step for step, _ in told)


def test_an_entry_takes_the_place_of_what_does_not_stay(tmp_path: Path) -> None:
    run = Run(tmp_path)
    add_scores(run, [entry(1), entry(2)], replaces=lambda old: False)
    add_scores(run, [entry(2, "b")], replaces=lambda old: old["step"] == 2)
    assert [(each["step"], each["evaluator"]) for each in read_scores(run)] == [(1, "a"), (2, "b")]


@pytest.mark.parametrize("content", ["{", "[]", '{"scores": 3}', '{"scores": [{"step": 1}]}', '{"scores": [{"step": "x"}]}'])
def test_a_damaged_file_is_one_line_and_is_not_overwritten(content: str, tmp_path: Path) -> None:
    (tmp_path / "scores.json").write_text(content)
    for ask in (lambda: read_scores(Run(tmp_path)), lambda: add_scores(Run(tmp_path), [entry(1)], replaces=lambda old: False)):
        with pytest.raises(RunError, match=r"scores\.json: damaged, or cannot be read \(\w+\); remove it to score anew$"):
            ask()
    assert (tmp_path / "scores.json").read_text() == content


@pytest.mark.parametrize(
    ("other", "keys"),
    [
        ({"options": {"images": 5}, "split": "test", "ganlab": "2"}, []),
        ({"options": {"images": 6}, "split": "test", "ganlab": "1"}, ["options.images"]),
        ({"options": {"images": 5}, "split": "train", "facts": {"digest": "x"}}, ["split", "facts.digest"]),
    ],
)
def test_what_is_unlike_in_two_cards_is_named_and_the_release_decides_nothing(
    other: Mapping[str, Any], keys: list[str]
) -> None:
    card = {"options": {"images": 5}, "split": "test", "ganlab": "1"}
    assert unlike_keys([card, other]) == keys
    assert (decides("a", card) == decides("a", other)) == (not keys)
    assert decides("a", card) != decides("b", card)


def test_a_card_survives_the_file(tmp_path: Path) -> None:
    card = {"options": {"shift": 0.1, "names": ["a"]}, "facts": {"seeds": [0, 1]}}
    add_scores(Run(tmp_path), [entry(1, **card)], replaces=lambda old: False)
    (kept,) = read_scores(Run(tmp_path))
    assert decides("a", kept["protocol"]) == decides("a", json.loads(json.dumps(card)))
