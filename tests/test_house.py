"""The house as a whole: what importing costs, what is declared."""

import subprocess
import sys
from pathlib import Path

import tomli

ROOT = Path(__file__).parent.parent


def test_importing_ganlab_imports_no_torch() -> None:
    code = "import ganlab, sys; print([m for m in ('torch', 'pandas', 'torchvision', 'pydantic') if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_every_public_name_can_be_imported() -> None:
    import ganlab

    assert all(hasattr(ganlab, name) for name in ganlab.__all__)
    assert ganlab.__all__ == sorted(ganlab.__all__)


def test_constraints_are_the_same_for_pip_and_uv() -> None:
    project = tomli.loads((ROOT / "pyproject.toml").read_text())
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    assert project["tool"]["uv"]["constraint-dependencies"] == lines
    assert all(line.count("==") == 1 for line in lines)


def test_every_plugin_folder_enters_by_its_entry_point_and_is_in_the_wheel() -> None:
    project = tomli.loads((ROOT / "pyproject.toml").read_text())
    folders = {path.parent.name: path.name for path in ROOT.glob("plugins/*/ganlab_*") if path.is_dir()}
    enters = {name: place.partition(":")[0] for name, place in project["project"]["entry-points"]["ganlab"].items()}
    assert enters == folders
    packages = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert packages == ["ganlab", *(f"plugins/{name}/{package}" for name, package in sorted(folders.items()))]


def test_functions_stay_within_sixty_lines() -> None:
    import ast

    long = []
    for path in [*ROOT.glob("ganlab/**/*.py"), *ROOT.glob("plugins/**/*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and (node.end_lineno or 0) - node.lineno >= 60:
                long.append(f"{path.relative_to(ROOT)}:{node.lineno} {node.name}")
    assert long == []
