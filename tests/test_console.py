"""What a person and what a pipe see: no markup, no control characters, live on a terminal, plain lines elsewhere."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

import pytest

from ganlab.cli import console

Captured = pytest.CaptureFixture[str]


def test_user_text_is_never_markup_and_control_characters_are_replaced(capsys: Captured) -> None:
    console.result("runs/[/x] [bold]\x1b[31m\x00\r\u202e\ud800 é\tok")
    console.table([["[/x]", "a\nb"]], ["one", "two"])
    assert capsys.readouterr().out == (
        "runs/[/x] [bold]\N{REPLACEMENT CHARACTER}[31m" + 4 * "\N{REPLACEMENT CHARACTER}" + " é\tok\none   two\n[/x]  a b\n"
    )


def test_a_stream_that_cannot_encode_a_character_does_not_stop_a_command() -> None:
    code = "from ganlab.cli import console; console.result('é'); console.error('é')"
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, env=environment, check=True)
    assert (answer.stdout, answer.stderr) == (b"?\n", b"ganlab: error: ?\n")


def on_a_terminal(code: str, **variables: str) -> str:
    """Return what `code` writes to a terminal of 100 columns."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "100", **variables}
    environment = {name: value for name, value in environment.items() if value}
    subprocess.run([sys.executable, "-c", code], stdin=theirs, stdout=theirs, stderr=theirs, env=environment, check=True)
    os.close(theirs)
    written = b""
    try:
        while chunk := os.read(ours, 65536):
            written += chunk
    except OSError:  # the other end is closed
        pass
    os.close(ours)
    return written.decode()


TABLE = "from ganlab.cli import console; console.table([['[/x]', '[red]y[/red]']], ['one', 'two'])"
TRAINING = """
from ganlab.cli.console import TrainingDisplay, result
with TrainingDisplay('runs/[/x]', 200, 0, {'device': 'cpu'}) as display:
    display.update(50, {'d_[bold]': 0.5}, 12.3)
    display.message('saved [/x]')
result('done [/x]')
"""


def test_a_table_is_drawn_on_a_terminal_without_markup_and_keeps_no_color() -> None:
    drawn = on_a_terminal(TABLE)
    assert "\x1b[" in drawn
    assert "[/x]" in drawn
    assert "[red]y[/red]" in drawn
    assert "\x1b[3" not in on_a_terminal(TABLE, NO_COLOR="1")


def test_training_is_shown_live_on_a_terminal() -> None:
    drawn = on_a_terminal(TRAINING)
    for text in ("runs/[/x]: device cpu", "step 50/200", "25 %  12 images/s  d_[bold] 0.5", "saved [/x]", "done [/x]"):
        assert text in drawn
    assert drawn.endswith("\x1b[?25hdone [/x]\r\n")


def test_training_is_plain_lines_in_a_pipe(capsys: Captured) -> None:
    with console.TrainingDisplay("runs/[/x]", 200, 100, {"device": "cpu", "precision": "fp32"}, 0.0) as display:
        display.update(101, {"d_adversarial": 0.693147}, 0.0)
        display.message("checkpoint [/x]")
        display.total_steps = 400
        display.update(200, {}, 99.6)
    assert capsys.readouterr() == (
        "",
        "runs/[/x]: device cpu, precision fp32\n"
        "step 101/200  50 %  d_adversarial 0.6931\n"
        "checkpoint [/x]\n"
        "step 200/400  50 %  100 images/s\n",
    )


def test_a_pipe_gets_a_line_an_interval_and_the_last_state(capsys: Captured) -> None:
    with console.TrainingDisplay("run", 1000, 0, {}) as display:
        for step in range(1, 1001):
            display.update(step, {}, 0.0)
    assert capsys.readouterr().err == "run: \nstep 1000/1000  100 %\n"
