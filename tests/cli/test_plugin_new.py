"""`ganlab plugin new`: what it writes, what it refuses, and that all five packages build, install and pass as they are."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from ganlab.cli import main
from ganlab.contracts import KINDS

Captured = pytest.CaptureFixture[str]
MODULES = {
    "loss": ["loss", "options"],
    "architecture": ["networks", "options"],
    "objective": ["objective", "options"],
    "dataset": ["dataset", "examples", "options"],
    "evaluator": ["options", "score"],
}
NAMES = {kind: f"first_{kind}" for kind in MODULES}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def refused(here: Path, capsys: Captured) -> Callable[..., str]:
    """Return `refused(*arguments)`: the one error of a command that writes nothing."""

    def refused(*arguments: str) -> str:
        before = sorted(here.rglob("*"))
        code = main(["plugin", "new", *arguments])
        out, err = capsys.readouterr()
        assert (code, out, sorted(here.rglob("*"))) == (2, "", before)
        return err.removeprefix("ganlab: error: ").removesuffix("\n")

    return refused


def files_of(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


# What it writes


def test_there_is_a_template_for_every_kind() -> None:
    assert sorted(MODULES) == sorted(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_package_has_these_files_and_no_placeholder_left(kind: str, here: Path, capsys: Captured) -> None:
    assert main(["plugin", "new", "Hinge-X", "--kind", kind]) == 0
    folder = here / "ganlab-hinge-x"
    modules = [f"ganlab_hinge_x/{module}.py" for module in ("__init__", *MODULES[kind])]
    expected = [
        *(".gitignore", "README.md", "pyproject.toml", "tests/test_hinge_x.py"),
        *("ganlab_hinge_x/recipes/hinge_x.toml", *modules),
    ]
    assert files_of(folder) == sorted(expected)
    assert [file for file in files_of(folder) if "$" in (folder / file).read_text()] == []
    *written, last = capsys.readouterr().out.splitlines()
    assert written[: len(expected)] == sorted(f"ganlab-hinge-x/{file}" for file in expected)
    assert [re.split(r"  +", line.removeprefix("next:").strip()) for line in written[len(expected) :]] == [
        ["pip install -e ./ganlab-hinge-x", "or: uv pip install -e ./ganlab-hinge-x"],
        *(
            [["python -m ganlab_hinge_x.examples datasets/hinge_x", "a few images, to try it with"]]
            if kind == "dataset"
            else []
        ),
        ["ganlab plugin check hinge_x", "what the contract asks, claim by claim"],
        ["ganlab run hinge_x --max-steps 20", "the recipe of the package"],
    ]
    assert last == "ganlab-hinge-x/README.md says what to edit first"


@pytest.mark.parametrize("written", ["hinge_x", "HINGE-x", "ganlab-hinge-x", "ganlab_Hinge_X"])
def test_a_name_is_understood_however_it_is_written(written: str, here: Path) -> None:
    assert main(["plugin", "new", written, "--kind", "loss", "--out", "sub/own folder"]) == 0
    project = (here / "sub/own folder/pyproject.toml").read_text()
    assert 'name = "ganlab-hinge-x"\n' in project
    assert '[project.entry-points.ganlab]\nhinge_x = "ganlab_hinge_x"\n' in project
    assert '"ganlab_hinge_x.loss:HingeXLoss"' in (here / "sub/own folder/ganlab_hinge_x/__init__.py").read_text()


def test_an_empty_folder_is_taken(here: Path) -> None:
    (here / "mine").mkdir()
    assert main(["plugin", "new", "x", "--kind", "loss", "--out", "mine"]) == 0


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["x", "a_name_as_long_as_one_may_be_x"])
def test_what_is_written_is_clean_by_the_package_s_own_rules(kind: str, name: str, here: Path) -> None:
    assert main(["plugin", "new", name, "--kind", kind, "--out", "made"]) == 0
    for check in (["check"], ["format", "--check"]):
        answer = subprocess.run(
            [sys.executable, "-m", "ruff", *check, "--no-cache", "made"], capture_output=True, text=True, cwd=here
        )
        assert answer.returncode == 0, answer.stdout + answer.stderr


# What it refuses


@pytest.mark.parametrize("name", ["", "9lives", "a b", "a__b", "-x", "x-", "a.b", "é", "a/b", "[/x]", "x" * 31])
def test_a_name_that_can_be_none_is_refused(name: str, refused: Callable[..., str]) -> None:
    assert refused("--kind", "loss", "--", name) == (
        f"{name!r} can be no plugin's name: a name begins with a letter and has letters, digits and single - or _ between "
        "them, at most 30, such as hinge-x"
    )


@pytest.mark.parametrize(
    ("name", "kind", "error"),
    [
        ("BCE", "loss", "'BCE': ganlab has a loss of this name; choose another, such as my-bce"),
        ("sigmoid-cce", "loss", "'sigmoid-cce': ganlab has a loss of this name; choose another, such as my-sigmoid-cce"),
        (
            "ccyclegan",
            "architecture",
            "'ccyclegan': ganlab has an architecture of this name; choose another, such as my-ccyclegan",
        ),
        ("losses", "objective", "'losses': ganlab has a plugin of this name; choose another, such as my-losses"),
        ("quickstart", "loss", "'quickstart': ganlab has a recipe of this name; choose another, such as my-quickstart"),
        ("Dataset", "dataset", "'Dataset' is a kind; name the plugin after what it does, such as hinge-x"),
        ("x", "losses", "--kind losses: kinds are dataset, architecture, loss, objective, evaluator; did you mean 'loss'?"),
        ("x", "net", "--kind net: kinds are dataset, architecture, loss, objective, evaluator"),
    ],
)
def test_a_name_that_ganlab_has_and_a_kind_that_is_none_are_refused(
    name: str, kind: str, error: str, refused: Callable[..., str]
) -> None:
    assert refused(name, "--kind", kind) == error


def test_a_component_s_name_is_free_for_another_kind(here: Path) -> None:
    assert main(["plugin", "new", "bce", "--kind", "evaluator"]) == 0


def test_a_folder_that_holds_something_is_left_alone(here: Path, refused: Callable[..., str]) -> None:
    (here / "ganlab-x").mkdir()
    (here / "ganlab-x/mine").touch()
    assert refused("x", "--kind", "loss") == "ganlab-x: is a folder that is not empty; choose another with --out DIR"
    assert refused("x", "--kind", "loss", "--out", "ganlab-x/mine") == (
        "ganlab-x/mine: is a file; choose another with --out DIR"
    )


def test_a_folder_that_cannot_be_made_is_told(here: Path, capsys: Captured) -> None:
    (here / "file").touch()
    assert main(["plugin", "new", "x", "--kind", "loss", "--out", "file/x"]) == 7
    assert capsys.readouterr().err == (
        "ganlab: error: file/x: cannot be written: Not a directory; choose another folder with --out DIR\n"
    )


# What it costs


def test_it_imports_no_torch_and_no_plugin_of_others(here: Path, installed_plugin: Callable[..., Path]) -> None:
    installed_plugin("stranger", "raise SystemExit('imported')")
    code = "import sys; from ganlab.cli import main; main(['plugin', 'new', 'x', '--kind', 'loss']); print(sorted(sys.modules))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=here)
    loaded = answer.stdout.splitlines()[-1]
    assert [module for module in ("torch", "numpy", "PIL", "installed_stranger") if f"'{module}'" in loaded] == []


# All five, built and installed

BUILD = """
import os, sys
from hatchling.build import build_wheel
for folder in sys.argv[2:]:
    os.chdir(folder)
    build_wheel(sys.argv[1])
"""
RUN = """
import sys
from ganlab.cli import main
from ganlab_first_dataset.examples import draw
from pathlib import Path
draw(Path("datasets/first_dataset"))
small = ["--set", "training.batch_images=2", "--set", "architecture.width=4", "--max-steps", "1", "--device", "cpu"]
for name in sys.argv[1:]:
    drawn = [] if name == "first_dataset" else ["--set", "dataset.identities=4", "--set", "dataset.test_identities=2"]
    print(name, main(["validate", name]), main(["run", name, "--out", name, *small, *drawn]), file=sys.stderr)
"""


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the five packages, build their wheels with their own backend, and unpack them into one folder, `site`."""
    workshop = tmp_path_factory.mktemp("workshop")
    folders = [workshop / kind for kind in KINDS]
    for kind, folder in zip(KINDS, folders, strict=True):
        assert main(["plugin", "new", NAMES[kind], "--kind", kind, "--out", str(folder)]) == 0
    python(BUILD, str(workshop), *map(str, folders), cwd=workshop)
    for wheel in sorted(workshop.glob("*.whl")):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(workshop / "site")
    return workshop


def python(code: str, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return finished([sys.executable, "-c", code, *arguments], cwd)


def finished(command: list[str], cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a command that sees the unpacked wheels and keeps its cache in `cwd`; what it printed is in the failure."""
    environment: Mapping[str, str] = {
        **os.environ,
        "PYTHONPATH": str(cwd / "site"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "GANLAB_HOME": str(cwd / "home"),
        "OMP_NUM_THREADS": "1",
    }
    answer = subprocess.run(command, capture_output=True, text=True, cwd=cwd, env=environment, timeout=300)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return answer


@pytest.mark.parametrize("kind", KINDS)
def test_the_wheel_holds_the_package_its_recipe_and_the_entry_point(kind: str, workshop: Path) -> None:
    (wheel,) = workshop.glob(f"ganlab_{NAMES[kind]}-*.whl")
    package = f"ganlab_{NAMES[kind]}"
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if ".dist-info/" not in name]
        points = archive.read(f"{package}-0.1.0.dist-info/entry_points.txt").decode()
    modules = [f"{package}/{module}.py" for module in ("__init__", *MODULES[kind])]
    assert sorted(names) == sorted([*modules, f"{package}/recipes/{NAMES[kind]}.toml"])
    assert points == f"[ganlab]\n{NAMES[kind]} = {package}\n"


def test_all_five_pass_their_own_tests(workshop: Path) -> None:
    tests = [str(workshop / kind / "tests") for kind in KINDS]
    answer = finished([sys.executable, "-m", "pytest", "-rA", "-p", "no:cacheprovider", "-W", "error", *tests], workshop)
    passed = re.findall(r"^PASSED \S*test_first_(\w+)\.py::(\w+)", answer.stdout, re.MULTILINE)
    assert {kind for kind, test in passed if test == "test_contract"} == set(KINDS)  # the claims were found
    assert {kind for kind, test in passed if test != "test_contract"} == set(KINDS)


def test_the_recipes_of_all_five_hold_and_run(workshop: Path) -> None:
    answer = python(RUN, *NAMES.values(), cwd=workshop)
    assert re.findall(r"^(first_\w+ \d+ \d+)$", answer.stderr, re.MULTILINE) == [f"{name} 0 0" for name in NAMES.values()]
