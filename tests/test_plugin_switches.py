"""A plugin that is disabled is not imported; a switch that matches nothing says so; recovery imports nothing."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ganlab.cli import COMMANDS, main
from ganlab.errors import DeviceError, PluginError, UsageError
from ganlab.files import lock, write_text_atomic
from ganlab.home import config_home
from ganlab.plugin_switches import disable, read_disabled, switches_file
from ganlab.plugins import PluginRecord, installed_plugins, load_plugins
from ganlab.registry import Registry, UnknownComponent

Printed = Callable[..., tuple[int, str, str]]

# A loss, and a file that tells that the module was imported.
MARKING = """
    from pathlib import Path
    from ganlab import Component, hookimpl

    Path(__file__).with_suffix(".imported").touch()

    @hookimpl
    def ganlab_losses():
        return [Component(Path(__file__).stem.removeprefix("installed_"), "nowhere:Loss", family="distance")]
"""


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the file of switches, which is not there yet."""
    monkeypatch.setenv("GANLAB_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "home" / "plugins.json"


@pytest.fixture
def imported(installed_plugin: Any) -> Callable[[], list[str]]:
    """Install two plugins; return a function that says which were imported."""
    modules = {name: installed_plugin(name, MARKING) for name in ("hinge_x", "other")}
    return lambda: [name for name, module in modules.items() if module.with_suffix(".imported").exists()]


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str]) -> Printed:
    def printed(*arguments: str) -> tuple[int, str, str]:
        code = main(arguments)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return printed


def disabled() -> dict[str, str]:
    """Return the plugins that are disabled now, and by what."""
    return {r.name: r.fault.line for r in load_plugins().records if r.is_disabled and r.fault}


RECOVERY = [
    *([], ["--help"], ["--version"], ["env"], ["env", "--json"], ["no-such-command"]),
    *([name, "--help"] for name in COMMANDS),
    *(["plugin", "disable", "hinge_x"], ["plugin", "enable", "hinge_x"], ["plugin", "enable", "--all"]),
    *(["plugin", "disable", "no_such"], ["plugin", "new", "mine", "--kind", "loss"]),
]


@pytest.mark.parametrize("arguments", RECOVERY, ids=" ".join)
def test_recovery_imports_no_plugin(arguments: list[str], imported: Callable[[], list[str]], printed: Printed) -> None:
    code, _, _ = printed(*arguments)
    assert code == {"no-such-command": UsageError.code, "no_such": PluginError.code}.get("".join(arguments[-1:]), 0)
    assert imported() == []


def test_without_switches_plugins_are_imported(imported: Callable[[], list[str]], printed: Printed, file: Path) -> None:
    assert printed("list-plugins")[0] == 0
    assert imported() == ["hinge_x", "other"]
    assert not file.parent.exists()


@pytest.mark.parametrize("name", ["hinge_x", "Hinge-X", "ganlab-hinge-x", "GANLAB_hinge_x", "ganlab-hinge-x:hinge_x"])
def test_a_plugin_is_disabled_and_enabled_by_any_of_its_names(
    name: str, imported: Callable[[], list[str]], printed: Printed, file: Path
) -> None:
    assert printed("plugin", "disable", name) == (0, "disabled ganlab-hinge-x:hinge_x\n", "")
    assert json.loads(file.read_text()) == {"schema": 1, "disabled": ["ganlab-hinge-x:hinge_x"]}
    assert disabled() == {"hinge_x": "by `ganlab plugin disable`"}
    assert imported() == ["other"]
    assert printed("plugin", "disable", name) == (0, "ganlab-hinge-x:hinge_x is disabled already\n", "")
    assert printed("plugin", "enable", name) == (0, "enabled ganlab-hinge-x:hinge_x\n", "")
    assert read_disabled(file) == ()
    assert printed("plugin", "enable", name) == (0, f"{name} is not disabled by `ganlab plugin disable`\n", "")
    assert disabled() == {}
    assert imported() == ["hinge_x", "other"]


def test_several_names_are_one_change_or_none(imported: Callable[[], list[str]], printed: Printed, file: Path) -> None:
    code, out, err = printed("plugin", "disable", "other", "hinge_y", "zzz")
    assert (code, out) == (PluginError.code, "")
    assert err.splitlines()[0] == "ganlab: error: no plugin is called 'hinge_y'; did you mean 'hinge_x'?"
    assert err.splitlines()[1].startswith("  no plugin is called 'zzz'; there are ")
    assert not file.exists()
    assert printed("plugin", "disable", "other", "hinge_x")[0] == 0
    assert sorted(disabled()) == ["hinge_x", "other"]
    assert imported() == []
    assert printed("plugin", "enable", "--all")[1] == "enabled ganlab-hinge-x:hinge_x\nenabled ganlab-other:other\n"


def test_a_distribution_names_all_its_plugins(installed_plugin: Any, printed: Printed) -> None:
    for name in ("one", "two"):
        installed_plugin(name, MARKING, dist="ganlab-pair")
    assert printed("plugin", "disable", "ganlab-pair")[1] == "disabled ganlab-pair:one\ndisabled ganlab-pair:two\n"
    assert printed("plugin", "enable", "ganlab-pair")[1] == "enabled ganlab-pair:one\nenabled ganlab-pair:two\n"


def test_a_plugin_that_was_uninstalled_since_can_be_enabled(printed: Printed, file: Path) -> None:
    file.parent.mkdir()
    file.write_text('{"schema": 1, "disabled": ["ganlab-gone:gone", "gone-too:x", "by_hand"]}')
    assert disabled() == {}  # an old name is no error
    code, out, err = printed("plugin", "enable", "gon")
    assert (code, out, err.splitlines()[0]) == (5, "", "ganlab: error: no plugin is called 'gon'; did you mean 'gone'?")
    assert printed("plugin", "enable", "gone", "gone-too", "By-Hand") == (
        0,
        "enabled ganlab-gone:gone\nenabled gone-too:x\nenabled by_hand\n",
        "",
    )
    assert read_disabled(file) == ()


def test_a_name_that_was_typed_by_hand_counts(imported: Callable[[], list[str]], printed: Printed, file: Path) -> None:
    file.parent.mkdir()
    file.write_text('{"schema": 1, "disabled": ["Hinge-X"]}')
    assert (list(disabled()), imported()) == (["hinge_x"], ["other"])
    assert printed("plugin", "enable", "ganlab-hinge-x:hinge_x")[1] == "enabled Hinge-X\n"


def test_enable_wants_names_or_all(printed: Printed) -> None:
    for arguments in ([], ["losses", "--all"]):
        code, _, err = printed("plugin", "enable", *arguments)
        assert (code, err) == (2, "ganlab: error: name the plugins to enable, or give --all\n")
    assert printed("plugin", "enable", "--all")[1] == "no plugin is disabled by `ganlab plugin disable`\n"


def test_enable_tells_what_a_variable_still_disables(
    imported: Callable[[], list[str]], printed: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GANLAB_DISABLE", "hinge_x")
    printed("plugin", "disable", "hinge_x")
    assert disabled() == {"hinge_x": "by `ganlab plugin disable` and by GANLAB_DISABLE"}
    assert printed("plugin", "enable", "hinge_x") == (
        0,
        "enabled ganlab-hinge-x:hinge_x\n",
        "ganlab-hinge-x:hinge_x stays disabled here by GANLAB_DISABLE\n",
    )
    assert imported() == ["other"]


# Variables and --no-plugins

NONE = "by --no-plugins or an empty GANLAB_PLUGINS"


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"GANLAB_PLUGINS": ""}, {"hinge_x": NONE, "other": NONE}),
        ({"GANLAB_PLUGINS": " , "}, {"hinge_x": NONE, "other": NONE}),
        ({"GANLAB_PLUGINS": "losses"}, {"hinge_x": "not in GANLAB_PLUGINS", "other": "not in GANLAB_PLUGINS"}),
        ({"GANLAB_PLUGINS": " Hinge-X , "}, {"other": "not in GANLAB_PLUGINS"}),
        ({"GANLAB_PLUGINS": "ganlab-other,ganlab-hinge-x:hinge-x"}, {}),
        ({"GANLAB_DISABLE": ""}, {}),
        ({"GANLAB_DISABLE": "other,losses"}, {"losses": "by GANLAB_DISABLE", "other": "by GANLAB_DISABLE"}),
        (
            {"GANLAB_PLUGINS": "hinge_x", "GANLAB_DISABLE": "ganlab-hinge-x"},
            {"hinge_x": "by GANLAB_DISABLE", "other": "not in GANLAB_PLUGINS"},
        ),
    ],
    ids=str,
)
def test_variables_choose_what_is_imported(
    variables: dict[str, str], expected: dict[str, str], imported: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert disabled() == expected
    assert imported() == [name for name in ("hinge_x", "other") if name not in expected]


@pytest.mark.parametrize(
    "arguments",
    [
        *(["list-plugins"], ["recipes", "list"], ["validate", "quickstart"], ["run", "quickstart", "--dry-run"]),
        ["data", "export", "synthetic_faces", "--layout", "fer2013", "--out", "out"],
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("variable", ["GANLAB_PLUGINS", "GANLAB_DISABLE"])
def test_a_variable_that_names_no_plugin_is_an_error(
    variable: str,
    arguments: list[str],
    imported: Callable[[], list[str]],
    printed: Printed,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(variable, "other,hinge_y")
    line = f"ganlab: error: {variable}: no installed plugin is called 'hinge_y'; did you mean 'hinge_x'?\n"
    assert printed(*arguments) == (UsageError.code, "", line)
    assert imported() == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["--no-plugins", "list-plugins", "--json"],
        ["list-plugins", "--no-plugins", "--json"],
        ["list-plugins", "--json", "--no-plugins"],
    ],
    ids=" ".join,
)
def test_no_plugins_may_stand_anywhere_and_holds_for_one_command(
    arguments: list[str], imported: Callable[[], list[str]], printed: Printed
) -> None:
    code, out, _ = printed(*arguments)
    found = {plugin["plugin"]: (plugin["status"], plugin["fault"]) for plugin in json.loads(out)["plugins"]}
    assert (code, found["losses"]) == (0, ("ready", None))
    assert found["hinge_x"] == found["other"] == ("disabled", {"error": "", "line": NONE, "traceback": ""})
    assert imported() == []
    assert "GANLAB_PLUGINS" not in os.environ
    assert disabled() == {}


def test_no_plugins_is_inherited_and_given_back(printed: Printed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANLAB_PLUGINS", "losses")
    assert json.loads(printed("env", "--json", "--no-plugins")[1])["variables"]["GANLAB_PLUGINS"] == ""
    assert os.environ["GANLAB_PLUGINS"] == "losses"
    code, _, err = printed("recipes", "show", "--", "--no-plugins")  # what follows `--` is never an option
    assert (code, err.splitlines()[0]) == (3, "ganlab: error: no recipe '--no-plugins'")


def test_plugins_that_are_given_are_not_switched(entry_point: Any, monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    file.parent.mkdir()
    file.write_text("{")
    monkeypatch.setenv("GANLAB_PLUGINS", "")
    monkeypatch.setenv("GANLAB_DISABLE", "no_such")
    assert load_plugins([entry_point("x")]).records[0].status == "register"


# What is shown


def test_list_plugins_shows_what_is_disabled_and_counts_it_as_no_fault(
    imported: Callable[[], list[str]], printed: Printed
) -> None:
    printed("plugin", "disable", "hinge_x")
    _, out, err = printed("list-plugins")
    (row,) = [line for line in out.splitlines() if line.startswith("hinge_x ")]
    assert row.split("  ")[-1].strip() == "by `ganlab plugin disable`"
    assert " disabled " in row
    assert err == "A plugin that is disabled is not imported; `ganlab plugin enable --help` says how to use it again.\n"
    assert "hinge_x" in printed("list-plugins", "--kind", "dataset")[1]
    assert imported() == ["other"]


def test_env_shows_the_switches(imported: Callable[[], list[str]], printed: Printed, file: Path) -> None:
    assert json.loads(printed("env", "--json")[1])["disabled_plugins"] == []
    printed("plugin", "disable", "hinge_x", "other")
    assert "disabled_plugins:       ganlab-hinge-x:hinge_x, ganlab-other:other\n" in printed("env")[1]
    file.write_text("{")
    code, out, _ = printed("env", "--json")
    assert code == 0
    assert json.loads(out)["disabled_plugins"].startswith(f"PluginError: {file}: which plugins are disabled cannot be read")


def test_a_recipe_that_needs_a_disabled_plugin_says_which(
    imported: Callable[[], list[str]], printed: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    printed("plugin", "disable", "hinge_x")
    monkeypatch.setenv("GANLAB_DISABLE", "other")
    registry = Registry(load_plugins())
    hint = "`ganlab list-plugins` shows what is there."
    for name, lines in {
        "ganlab-hinge-x:hinge_x": ["  hinge_x (disabled by `ganlab plugin disable`); `ganlab plugin enable hinge_x`"],
        "ganlab-other:other": ["  other (disabled by GANLAB_DISABLE)"],
        "zzz": [
            "  hinge_x (disabled by `ganlab plugin disable`); `ganlab plugin enable hinge_x`",
            "  other (disabled by GANLAB_DISABLE)",
        ],
    }.items():
        with pytest.raises(UnknownComponent) as fault:
            registry.find("loss", name)
        assert str(fault.value).splitlines()[1:] == ["A plugin that is disabled may offer it:", *lines, hint]
        assert fault.value.code == PluginError.code
    assert imported() == []


def test_a_recipe_that_needs_a_disabled_built_in_says_which(printed: Printed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANLAB_DISABLE", "synthetic_faces")
    code, _, err = printed("validate", "quickstart")
    assert code == PluginError.code
    assert "  synthetic_faces (disabled by GANLAB_DISABLE)" in err.replace("    ", "  ").splitlines()


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("ganlab-hinge-x:hinge", "the distribution 'ganlab-hinge-x' is not installed; `pip install ganlab-hinge-x`"),
        ("a b; rm:hinge", "the distribution 'a b; rm' is not installed"),
        ("pluggy:hinge", "the distribution 'pluggy' is installed, but offers no plugin"),
    ],
)
def test_a_distribution_that_is_not_there_is_named(name: str, reason: str) -> None:
    with pytest.raises(UnknownComponent) as fault:
        Registry(load_plugins()).find("loss", name)
    line = f"no loss is called {name!r}: {reason}"
    assert str(fault.value) == f"{line}\n`ganlab list-plugins` shows what is there."
    assert fault.value.code == PluginError.code


# The file


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is not JSON"),
        (b"\xff", "it is not JSON"),
        (b'{"disabled": ["x"', "it is not JSON"),
        (b"[" * 100_000, "it is not JSON"),
        (b"[]", 'it holds no list "disabled" of names'),
        (b'{"schema": 1, "disabled": "x"}', 'it holds no list "disabled" of names'),
        (b'{"schema": 1, "disabled": [1]}', 'it holds no list "disabled" of names'),
        (b'{"schema": 2, "disabled": []}', "its schema is 2, and this ganlab reads 1"),
        (None, "Is a directory"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_a_damaged_file_is_one_line_and_is_mended_by_enable(
    content: bytes | None, reason: str, imported: Callable[[], list[str]], printed: Printed, file: Path
) -> None:
    file.parent.mkdir()
    file.write_bytes(content) if content is not None else file.mkdir()
    line = f"{file}: which plugins are disabled cannot be read: {reason}. `ganlab plugin enable --all` mends it."
    assert printed("list-plugins") == (PluginError.code, "", f"ganlab: error: {line}\n")
    assert [printed(*arguments)[0] for arguments in (["--help"], ["env"], ["list-plugins", "--help"])] == [0, 0, 0]
    assert imported() == []
    code, _, err = printed("plugin", "enable", "--all")
    told = f"{file} was damaged and is now plugins.damaged; whatever it disabled is enabled\n"
    assert (code, err) == (0, told)
    assert content is None or file.with_suffix(".damaged").read_bytes() == content
    assert printed("list-plugins")[0] == 0


def test_disable_works_with_a_damaged_file(imported: Callable[[], list[str]], printed: Printed, file: Path) -> None:
    file.parent.mkdir()
    file.write_text("{")
    assert printed("plugin", "disable", "hinge_x")[:2] == (0, "disabled ganlab-hinge-x:hinge_x\n")
    assert list(disabled()) == ["hinge_x"]
    assert imported() == ["other"]


def test_the_file_lies_with_the_settings_of_the_user() -> None:
    assert switches_file({"GANLAB_HOME": "/g"}) == Path("/g/plugins.json")
    assert switches_file({}) == config_home({}) / "plugins.json"


def record(name: str) -> PluginRecord:
    return PluginRecord(name=name, distribution=f"ganlab-{name}", version="1", origin="third party")


def test_a_change_waits_for_the_change_of_another_process(file: Path) -> None:
    file.parent.mkdir()
    with file.with_suffix(".lock").open("a+") as held:
        assert lock(held.fileno())
        mine = threading.Thread(target=disable, args=(["mine"], [record("mine")], file))
        mine.start()
        mine.join(0.1)
        assert mine.is_alive()
        assert not file.exists()
        write_text_atomic(file, '{"schema": 1, "disabled": ["theirs"]}')
    mine.join()
    assert read_disabled(file) == ("theirs", "ganlab-mine:mine")
    assert sorted(path.name for path in file.parent.iterdir()) == ["plugins.json", "plugins.lock"]


def test_a_folder_that_cannot_be_written_is_named_with_a_way_on(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    file = tmp_path / "taken" / "plugins.json"
    with pytest.raises(DeviceError) as fault:
        disable(["losses"], installed_plugins(), file)
    way_on = "name a folder that can in GANLAB_HOME, or use GANLAB_DISABLE=NAME"
    assert str(fault.value) == f"{file}: cannot be written: File exists; {way_on}"


def test_a_file_that_enable_cannot_mend_is_not_said_to_be_mended_by_it(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    file = tmp_path / "taken" / "plugins.json"
    with pytest.raises(PluginError) as fault:
        read_disabled(file)
    reason = "which plugins are disabled cannot be read: Not a directory"
    assert str(fault.value) == f"{file}: {reason}. Mend that, or name another folder in GANLAB_HOME."


@pytest.mark.parametrize("asked", ["hinge-x", "ganlab-hinge-x"])
def test_a_disabled_plugin_that_goes_by_the_asked_name_is_named_beside_a_near_name(
    asked: str, installed_plugin: Any, imported: Callable[[], list[str]]
) -> None:
    installed_plugin("hinge_xx", MARKING)
    installed_plugin("ganlab_hinge_xx", MARKING)
    disable(["hinge_x", "other"], installed_plugins(), switches_file())
    with pytest.raises(UnknownComponent) as fault:
        Registry(load_plugins()).find("loss", asked)
    lines = str(fault.value).splitlines()
    assert "did you mean" in lines[0]
    assert lines[1] == "A plugin that is disabled may offer it:"
    assert lines[2].startswith("  hinge_x (disabled ")
    assert lines[2].endswith("`ganlab plugin enable hinge_x`")
    assert fault.value.code == PluginError.code
