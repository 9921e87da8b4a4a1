"""The command line around the training: help, lists, errors and exit codes, and how little it imports."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest

from ganlab.cli import COMMANDS, main
from ganlab.contracts import KINDS
from ganlab.errors import GanlabError, Interrupted
from ganlab.plugins import HOOKS, Stage
from ganlab.recipe import list_recipes

Run = Callable[..., subprocess.CompletedProcess[str]]
Captured = pytest.CaptureFixture[str]
README = Path(__file__).parent.parent / "plugins" / "README.md"


def printed(capsys: Captured, *arguments: str) -> tuple[int, str, str]:
    code = main(arguments)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


# Commands and errors


def test_help_shows_every_command_and_two_examples(capsys: Captured) -> None:
    code, out, err = printed(capsys, "--help")
    assert (code, err) == (0, "")
    assert re.findall(r"^  ([a-z][a-z-]+)  ", out, re.MULTILINE) == list(COMMANDS)
    assert re.findall(r"^  (ganlab .*)$", out, re.MULTILINE) == ["ganlab run recipes/quickstart.toml", "ganlab run --help"]
    assert printed(capsys) == printed(capsys, "-h") == printed(capsys, "help") == (0, out, "")


@pytest.mark.parametrize(
    "arguments",
    [
        ["list-plugins"],
        ["env"],
        *(["recipes"], ["recipes", "list"], ["recipes", "show"], ["recipes", "diff"], ["recipes", "cp"]),
        ["compare"],
        *(["components"], ["components", "list"], ["components", "show"]),
    ],
    ids=" ".join,
)
def test_the_help_of_a_command_shows_two_examples(arguments: list[str], capsys: Captured) -> None:
    code, out, err = printed(capsys, *arguments, "--help")
    command = " ".join(["ganlab", *arguments])
    assert (code, err) == (0, "")
    assert out.startswith(f"Usage: {command} ")
    assert len(re.findall(rf"^    {command}.*$", out, re.MULTILINE)) == 2


def test_every_command_has_two_examples_of_itself() -> None:
    wrong = [
        name for name, command in COMMANDS.items() for example in command.examples if not example.startswith(f"ganlab {name}")
    ]
    assert wrong == []


def test_version(capsys: Captured, run_ganlab: Run) -> None:
    code, out, _ = printed(capsys, "--version")
    assert (code, bool(re.fullmatch(r"ganlab \d+\.\d+\.\d+\S*\n", out))) == (0, True)
    assert run_ganlab("--version").stdout == out


@pytest.mark.parametrize(
    ("arguments", "code", "error"),
    [
        (["rnu"], 2, "no command 'rnu'; did you mean 'run'?\n  `ganlab --help` lists the commands."),
        (["list_plugins"], 2, "no command 'list_plugins'; did you mean 'list-plugins'?\n  `ganlab --help` lists the commands."),
        (["x.toml"], 2, "no command 'x.toml'; did you mean `ganlab run x.toml`?"),
        (["--verison"], 2, "no option '--verison'; `ganlab --help` lists commands and options"),
        (["\x1b[31m"], 2, "no command '\\x1b[31m'\n  `ganlab --help` lists the commands."),
        (["list-plugins", "--jsno"], 2, None),
        (["list-plugins", "x"], 2, None),
        (["recipes", "shwo"], 2, None),
        (["recipes", "show"], 2, None),
        (
            ["list-plugins", "--kind", "losses"],
            2,
            f"--kind losses: kinds are {', '.join(KINDS)}; did you mean 'loss'?",
        ),
    ],
)
def test_a_wrong_command_line_is_one_clear_error(arguments: list[str], code: int, error: str | None, capsys: Captured) -> None:
    found, out, err = printed(capsys, *arguments)
    assert (found, out) == (code, "")
    assert err.startswith("ganlab: error: ")
    assert "Traceback" not in err
    assert error is None or err == f"ganlab: error: {error}\n"


def test_no_such_recipe_exits_with_the_code_of_recipes(capsys: Captured) -> None:
    code, out, err = printed(capsys, "recipes", "show", "runs/[/x]\x1b[2J.toml")
    assert (code, out) == (3, "")
    assert err.startswith("ganlab: error: no recipe 'runs/[/x]\\x1b[2J.toml'\n  looked in runs/[\n")


def test_a_command_whose_library_is_missing_says_so(capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(COMMANDS, "run", COMMANDS["run"]._replace(target="no_such_module:command"))
    assert printed(capsys, "run") == (
        1,
        "",
        "ganlab: error: `ganlab run` cannot start: ModuleNotFoundError: No module named 'no_such_module'\n"
        "  `ganlab env` shows what is installed.\n",
    )


@pytest.mark.parametrize(
    ("raised", "code", "err"),
    [
        (GanlabError("first\nsecond \x07[/x]"), 1, "ganlab: error: first\n  second \N{REPLACEMENT CHARACTER}[/x]\n"),
        (Interrupted("stopped at step 3", 15), 143, "ganlab: stopped at step 3\n"),
        (KeyboardInterrupt(), 130, "ganlab: interrupted\n"),
    ],
)
def test_what_a_command_raises_becomes_a_message_and_an_exit_code(
    raised: BaseException, code: int, err: str, capsys: Captured, monkeypatch: pytest.MonkeyPatch, installed_plugin: Any
) -> None:
    installed_plugin("raising", "raised = None\ndef command() -> None:\n    raise raised\n")
    import installed_raising  # type: ignore[import-not-found]

    installed_raising.raised = raised
    monkeypatch.setitem(COMMANDS, "env", COMMANDS["env"]._replace(target="installed_raising:command"))
    assert printed(capsys, "env") == (code, "", err)


def test_a_reader_that_leaves_is_met_quietly() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "ganlab", "list-plugins", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert (process.stderr.read(), process.wait()) == (b"", 141)


def test_a_full_disk_behind_the_result_is_one_line() -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "ganlab", "recipes", "list"]
        answer = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    error = "ganlab: error: standard output: cannot be written (No space left on device); make room, or write elsewhere\n"
    assert (answer.returncode, answer.stderr) == (7, error)


def test_a_wrong_option_points_to_the_help_of_its_own_command(capsys: Captured) -> None:
    for line in ("models add x --nmae y", "data show fer2013 --ot x", "list-plugins --kid loss"):
        code, _, err = printed(capsys, *line.split())
        command = "list-plugins" if line.startswith("list") else " ".join(line.split()[:2])
        assert (code, err.splitlines()[-1]) == (2, f"  `ganlab {command} --help` explains.")


def test_a_component_that_the_command_line_names_wrongly_is_no_fault_of_a_recipe(capsys: Captured) -> None:
    for line in ("components show loss hinje", "data show fer2031", "data export fer2031 --layout fer2013 --out x"):
        code, _, err = printed(capsys, *line.split())
        assert (code, "; did you mean" in err) == (2, True)


# Lists


def test_list_plugins_prints_aligned_plain_text_in_a_pipe(installed_plugin: Any, capsys: Captured) -> None:
    installed_plugin(
        "aa_good",
        """
        from ganlab import Component, hookimpl

        @hookimpl
        def ganlab_losses():
            return [Component("x", "m:X", family="distance")]
        """,
    )
    installed_plugin("bad", 'raise ValueError("[red]why")', dist="ganlab-aa-z")
    code, out, err = printed(capsys, "list-plugins", "--kind", "loss")
    rows = [re.split(r"  +", line) for line in out.splitlines()]
    assert code == 0
    assert rows[0] == ["plugin", "version", "origin", "status", "components", "fault"]
    assert rows[-2] == ["aa_good", "1.0", "third party: ganlab-aa-good", "ready", "loss: x"]
    assert rows[-1] == ["bad", "1.0", "third party: ganlab-aa-z", "import", "ValueError: [red]why"]
    assert err == (
        "1 plugin is broken; a command fails only if its recipe needs it. `ganlab list-plugins --json` has the tracebacks, "
        "`ganlab plugin disable NAME` leaves one out.\n"
    )


def test_list_plugins_json_has_a_stable_shape(installed_plugin: Any, capsys: Captured) -> None:
    installed_plugin("bad", "raise ValueError")
    _, out, _ = printed(capsys, "list-plugins", "--json")
    listed = json.loads(out)
    assert list(listed) == ["schema", "plugins"]
    assert listed["schema"] == 1
    bad = next(plugin for plugin in listed["plugins"] if plugin["plugin"] == "bad")
    assert list(bad) == ["plugin", "distribution", "version", "origin", "status", "components", "observes", "fault"]
    assert bad["components"] == {kind: [] for kind in KINDS}
    assert list(bad["fault"]) == ["error", "line", "traceback"]
    bce = next(c for plugin in listed["plugins"] for c in plugin["components"]["loss"] if c["full_name"] == "ganlab:bce")
    assert list(bce) == ["name", "full_name", "family", "version", "summary", "paper"]
    by_parser = printed(capsys, "list-plugins", "--json", "--kind=loss")
    assert printed(capsys, "list-plugins", "--kind", "loss", "--json") == by_parser
    assert printed(capsys, "list-plugins", "--json", "--kind", "loss") == by_parser


def test_recipes_list_and_show(tmp_path: Path, installed_plugin: Any, capsys: Captured) -> None:
    folder = tmp_path / "theirs"
    folder.mkdir()
    (folder / "zz_theirs.toml").write_text("# Theirs: [/x].\n# More.\n\n[dataset]\nuse = 'x'\n")
    (folder / "zz_torn.toml").write_bytes(b"# \xff\n")
    source = f"from ganlab import hookimpl\n@hookimpl\ndef ganlab_recipes(): return [{str(folder)!r}]"
    installed_plugin("theirs", source)
    _, out, _ = printed(capsys, "recipes", "list")
    rows = [re.split(r"  +", line) for line in out.splitlines()]
    shipped = list_recipes()
    assert rows[:2] == [[str(shipped[0].parent)], ["recipe", "what it is"]]
    assert [row[0] for row in rows[2:-5]] == [path.stem for path in shipped]
    assert rows[-5:-1] == [[""], [str(folder)], ["recipe", "what it is"], ["zz_theirs", "Theirs: [/x]."]]
    assert rows[-1][1] == f"broken: {folder / 'zz_torn.toml'}:1: is not UTF-8 text"
    assert printed(capsys, "recipes", "list", "ZZ", "[/x]")[1].splitlines()[2:] == ["zz_theirs  Theirs: [/x]."]
    count = len(shipped) + 2
    none = f"ganlab: error: none of {count} recipes holds 'zz' and 'nothing'; `ganlab recipes list` shows all\n"
    assert printed(capsys, "recipes", "list", "zz", "nothing") == (2, "", none)
    _, out, _ = printed(capsys, "recipes", "list", "--json")
    assert json.loads(out)["recipes"][-2] == {
        "recipe": "zz_theirs",
        "title": "Theirs: [/x].",
        "path": str(folder / "zz_theirs.toml"),
    }
    assert printed(capsys, "recipes", "show", "ZZ-theirs") == (0, (folder / "zz_theirs.toml").read_text(), "")


def test_env_tells_what_a_bug_report_needs(capsys: Captured, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GANLAB_HOME", str(tmp_path / "home"))
    code, out, err = printed(capsys, "env", "--json")
    facts = json.loads(out)
    assert (code, err) == (0, "")
    assert list(facts) == [
        "schema",
        "versions",
        "platform",
        "cpu_count",
        "cpu_bf16",
        "torch_threads",
        "devices",
        "home",
        "disabled_plugins",
        "variables",
    ]
    assert facts["home"] == facts["variables"]["GANLAB_HOME"] == str(tmp_path / "home")
    assert facts["devices"][0] == "cpu"
    assert not (tmp_path / "home").exists()
    assert f"home:                   {tmp_path / 'home'}\n" in printed(capsys, "env")[1]


# What it costs

HEAVY = ("torch", "torchvision", "pandas", "cleanfid", "numpy", "PIL")


@pytest.mark.parametrize(
    ("arguments", "quick"),
    [
        (["--help"], True),
        (["--version"], True),
        (["list-plugins"], True),
        (["list-plugins", "--kind", "loss", "--json"], True),
        (["list-plugins", "--help"], False),
        (["recipes", "list"], False),
    ],
    ids=str,
)
def test_help_and_lists_import_nothing_heavy(arguments: list[str], quick: bool) -> None:
    heavy = (*HEAVY, "pydantic", "rich", "typer") if quick else HEAVY
    code = (
        f"import sys; from ganlab.cli import main; main({arguments!r}); "
        f"print([m for m in {heavy!r} if m in sys.modules], file=sys.stderr)"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stderr.splitlines()[-1] == "[]"


# The page for authors


def test_the_plugin_of_the_readme_has_twenty_lines_and_works(installed_plugin: Any, run_ganlab: Run) -> None:
    source = README.read_text().split("```python\n")[1].split("```")[0]
    assert len([line for line in source.splitlines() if line.strip()]) <= 20
    installed_plugin("hinge_x", source)
    answer = run_ganlab("list-plugins", "--json", "--kind", "loss")
    plugin = next(plugin for plugin in json.loads(answer.stdout)["plugins"] if plugin["plugin"] == "hinge_x")
    assert plugin["status"] == "ready"
    assert [loss["name"] for loss in plugin["components"]["loss"]] == ["hinge_x"]


def test_the_readme_knows_every_hook_and_every_status() -> None:
    text = README.read_text()
    assert [name for name in (*HOOKS, *get_args(Stage)) if f"`{name}`" not in text] == []


@pytest.mark.parametrize(
    ("given", "expected"), [({}, "10000"), ({"GOMP_SPINCOUNT": "7"}, "7"), ({"OMP_WAIT_POLICY": "ACTIVE"}, "None")]
)
def test_waiting_threads_soon_sleep_unless_the_user_says_otherwise(
    given: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = "import os; from ganlab.cli import main; main(['--version']); print(os.environ.get('GOMP_SPINCOUNT'))"
    for name in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.splitlines()[-1] == expected
