"""Who may import whom: the walls of the house, read from the source of every file."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# Imports point up this table only: a file may import its own row and the rows above.
LAYERS = (
    ("words", ("contracts", "errors", "hookspecs", "options")),
    (
        "stores",
        (
            *("plugins", "plugin_offers", "plugin_switches", "registry", "recipe", "recipe_files", "recipe_text"),
            *("files", "tensors", "home", "runs", "weights"),
        ),
    ),
    (
        "meaning",
        (
            *("spec", "spec_faults", "spec_match", "spec_optimizers", "spec_resolved", "spec_signature", "component_record"),
            *("spec_options", "spec_words", "spec_snippet", "spec_card", "spec_schema", "spec_training"),
            *("recipe_end", "recipe_diff", "recipe_copy", "data", "losses", "layers", "scores"),
        ),
    ),
    ("assembly", ("resolve",)),
    ("work", ("training", "evaluation", "report", "scaffold")),
    ("surface", ("cli", "testing", "__main__")),
)
# Every file of the core may import these; any other library has one door.
FREE_LIBRARIES = ("numpy", "pydantic", "pydantic_core", "torch")
DOORS = {
    "tomli": "ganlab/recipe_text.py",
    "tomli_w": "ganlab/recipe_text.py",
    "safetensors": "ganlab/tensors.py",
    "pluggy": "ganlab/hookspecs.py ganlab/plugins.py",  # markers there, the manager here
    "pandas": "ganlab/report/tables.py",
    "matplotlib": "ganlab/report/curves.py",
    "PIL": "ganlab/report/pictures.py ganlab/data/celeba_layout.py",  # the first reads and shows pictures
    "rich": "ganlab/cli/console.py",
    "pytest": "ganlab/testing/fixtures.py",
    "typer": "ganlab/cli/*.py",  # each command declares its options
}
# The public doors for plugins, and the libraries that a plugin declares beyond those of the core.
PUBLIC = ("ganlab", "ganlab.options", "ganlab.layers", "ganlab.losses", "ganlab.scores")
DECLARED: dict[str, tuple[str, ...]] = {
    "ganlab_ccyclegan": ("torchvision",),
    "ganlab_celeba": ("PIL",),
    "ganlab_image_folder": ("PIL",),
    "ganlab_tensorboard": ("PIL",),  # its other library comes by torch.utils
}


def python_files(folder: str) -> list[Path]:
    return sorted(path for path in (ROOT / folder).rglob("*.py") if "tests" not in path.relative_to(ROOT).parts)


CORE = python_files("ganlab")
PLUGINS = python_files("plugins")


def test_every_file_of_the_core_has_a_layer() -> None:
    known = {"", *(name for _, names in LAYERS for name in names)}
    assert [path.name for path in CORE if part_of(module_name(path)) not in known] == []


@pytest.mark.parametrize("path", CORE, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_down_only(path: Path) -> None:
    mine = layer(module_name(path))
    above = [module for module in imports(path) if module.split(".")[0] == "ganlab" and layer(module) > mine]
    assert above == []


def test_no_modules_of_the_core_import_each_other_in_a_circle() -> None:
    names = {module_name(path) for path in CORE}
    graph = {module_name(path): {module for module in imports(path) if module in names and module != "ganlab"} for path in CORE}
    del graph["ganlab"]  # the doorway: its lazy names are imported when first asked for
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_each_library_has_one_door() -> None:
    strangers = [
        f"{path.relative_to(ROOT)} imports {library}"
        for path in CORE
        for library in libraries(path)
        if library not in FREE_LIBRARIES
        and not any(path.relative_to(ROOT).match(door) for door in DOORS.get(library, "").split())
    ]
    assert strangers == []


@pytest.mark.parametrize("path", PLUGINS, ids=lambda path: str(path.relative_to(ROOT)))
def test_plugins_import_public_names_and_what_they_declare(path: Path) -> None:
    own = next(part for part in path.relative_to(ROOT).parts if part.startswith("ganlab_"))
    allowed = {own, *FREE_LIBRARIES, *DECLARED.get(own, ())}
    wrong = {module for module in imports(path) if module.split(".")[0] == "ganlab" and module not in PUBLIC}
    assert sorted(wrong | {library for library in libraries(path) if library not in allowed}) == []


def test_the_reader_of_imports_sees_functions_and_not_type_checking(tmp_path: Path) -> None:
    source = "import a.b\nif TYPE_CHECKING:\n    import c\ndef f():\n    from ganlab.cli import console, main\n    import d"
    (tmp_path / "x.py").write_text(source)
    assert imports(tmp_path / "x.py") == {"a.b", "ganlab.cli.console", "ganlab.cli", "d"}


def module_name(path: Path) -> str:
    """Return "ganlab.cli.run" for ganlab/cli/run.py, and "ganlab.cli" for its `__init__`."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def part_of(module: str) -> str:
    """Return the room: "cli" for "ganlab.cli.run", "" for the doorway."""
    return [*module.split("."), ""][1]


def layer(module: str) -> int:
    """Return the row of the table; the doorway `ganlab` is one of the words, since its other names are lazy."""
    rooms = [names for _, names in LAYERS]
    return next((row for row, names in enumerate(rooms) if part_of(module) in names), 0)


def libraries(path: Path) -> set[str]:
    """Return the imported packages that are neither Python's nor the core's."""
    return {module.split(".")[0] for module in imports(path)} - {"ganlab", *sys.stdlib_module_names}


def imports(path: Path) -> set[str]:
    """Return every module that a file imports, inside functions too, but not for type checking alone."""
    found = set()
    for node in running(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            module = node.module or ""
            for alias in node.names:  # `from ganlab.cli import console` imports a module
                inner = ROOT.joinpath(*module.split("."), alias.name)
                is_module = module.startswith("ganlab") and (inner.with_suffix(".py").exists() or inner.is_dir())
                found.add(f"{module}.{alias.name}" if is_module else module)
    return found


def running(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of a tree that run, leaving out `if TYPE_CHECKING:`."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            continue
        yield node
        yield from running(node)
