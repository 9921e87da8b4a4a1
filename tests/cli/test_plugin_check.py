"""`ganlab plugin check`: what it prints of plugins that are right, broken, not installed or not there, and its exit codes."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

Printed = Callable[..., tuple[int, str, str]]
Written = Callable[[str], Path]
LOSS = """
from ganlab import Component, hookimpl

class Checked:
    def discriminator(self, real, fake):
        print("said by the plugin")
        return {real}, {fake}

    def generator(self, fake):
        return -fake

@hookimpl
def ganlab_losses():
    return [Component("checked", Checked, family="adversarial", summary="a loss under test")]
"""
GOOD = LOSS.format(real="(1 - real).relu()", fake="(1 + fake).relu()")
MEAN = LOSS.format(real="(1 - real).relu().mean()", fake="(1 + fake).relu().mean()")
ONE_VALUE = "Gives one loss for each logit, image or label, no mean"
APART = "Gives a logit the same loss whatever the others are"
WHY = (
    "discriminator[0] is one number for 5 real and 5 fake logits; return the losses as they are: ganlab takes the mean, in fp32"
)


@pytest.fixture
def written(tmp_path: Path) -> Iterator[Written]:
    """Return `written(source)`: the folder of a plugin that nobody installed."""

    def written(source: str) -> Path:
        folder = tmp_path / "ganlab-checked"
        folder.mkdir()
        (folder / "ganlab_checked.py").write_text(source)
        points = '[project.entry-points.ganlab]\nchecked = "ganlab_checked"\n'
        (folder / "pyproject.toml").write_text(f'[project]\nname = "ganlab-checked"\nversion = "1"\n{points}')
        return folder

    yield written
    sys.modules.pop("ganlab_checked", None)
    sys.path[:] = [place for place in sys.path if place != str(tmp_path / "ganlab-checked")]


@pytest.fixture
def check(printed: Printed) -> Printed:
    """Return `check(*arguments)`: exit code, standard output, standard error."""
    return lambda *arguments: printed("plugin", "check", *arguments)


def test_of_a_plugin_that_is_right_every_claim_holds(written: Written, check: Printed) -> None:
    folder = written(GOOD)
    code, out, err = check(str(folder), "--only", "LOSS checked: gives")
    assert (code, out) == (
        0,
        f"loss checked\n  holds           {ONE_VALUE}\n  holds           {APART}\n{folder}: 2 claims hold\n",
    )
    assert set(err.splitlines()) == {"said by the plugin"}  # never among the results


def test_what_is_broken_is_told_with_reason_and_place(written: Written, check: Printed) -> None:
    folder = written(MEAN)
    code, out, err = check(str(folder), "--only", "loss checked: gives")
    line = 1 + MEAN.splitlines().index("class Checked:")
    assert (code, out.splitlines()) == (
        5,
        [
            "loss checked",
            f"  broken          {ONE_VALUE}",
            f"                  {WHY}",
            f"                  at {folder}/ganlab_checked.py:{line}",
            f"  not applicable  {APART}",
            "                  it does not give one loss a logit",
        ],
    )
    assert err.splitlines()[-1] == f"ganlab: error: {folder}: 0 claims hold, 1 could not be checked here, 1 is broken"


def test_a_plugin_that_cannot_be_imported_is_broken_where_it_raises(written: Written, check: Printed) -> None:
    folder = written("import sys\nsys.exit(3)\n")
    code, out, err = check(str(folder), "--only", "without a fault")
    assert (code, out.splitlines()[:2]) == (
        5,
        ["plugin checked", "  broken          Loads without a fault, and every name that it offers is its own"],
    )
    assert "SystemExit: 3" in out
    assert err == f"ganlab: error: {folder}: 0 claims hold, 1 is broken\n"


def test_json_holds_every_finding_and_nothing_that_a_plugin_prints(written: Written, check: Printed) -> None:
    folder = written(MEAN)
    code, out, _ = check(str(folder), "--json", "--only", "loss checked: gives")
    answer = json.loads(out)
    assert code == 5
    assert list(answer) == ["schema", "plugin", "holds", "broken", "not_applicable", "findings"]
    assert [answer[key] for key in list(answer)[:-1]] == [1, str(folder), 0, 1, 1]
    broken, skipped = answer["findings"]
    assert broken.pop("seconds") >= 0
    assert broken == {
        "component": "loss checked",
        "claim": ONE_VALUE,
        "verdict": "broken",
        "why": WHY,
        "where": f"{folder}/ganlab_checked.py:{1 + MEAN.splitlines().index('class Checked:')}",
    }
    assert (skipped["claim"], skipped["verdict"]) == (APART, "not applicable")


def test_an_installed_plugin_goes_by_its_name_or_its_distribution(installed_plugin: Any, check: Printed) -> None:
    installed_plugin("checked", GOOD, dist="of-a-stranger")
    for name in ("Checked", "of_a_stranger"):
        code, out, _ = check(name, "--only", "no mean")
        assert (code, out) == (0, f"loss checked\n  holds           {ONE_VALUE}\n{name}: 1 claim holds\n")


@pytest.mark.parametrize(
    ("arguments", "code", "error"),
    [
        (["nosuch"], 5, "no plugin is called 'nosuch'\n  `ganlab list-plugins` shows what is installed."),
        (
            ["lossse"],
            5,
            "no plugin is called 'lossse'; did you mean 'losses'?\n  `ganlab list-plugins` shows what is installed.",
        ),
        (["./no"], 5, "no/pyproject.toml: No such file or directory; a plugin's folder holds its pyproject.toml"),
        (["ccyclegan", "--only", "[/x]"], 2, None),
    ],
)
def test_what_is_not_there_is_one_clear_error(arguments: list[str], code: int, error: str | None, check: Printed) -> None:
    found, out, err = check(*arguments)
    assert (found, out) == (code, "")
    expected = re.escape(error) if error else r"--only \[/x\]: none of the \d+ claims about ccyclegan holds these words"
    assert re.fullmatch(rf"ganlab: error: {expected}\n", err)
