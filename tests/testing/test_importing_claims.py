"""A plugin that is slow, loud or nosy when it is imported, or silent about what it offers, is found."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from ganlab import Component, Options, hookimpl
from ganlab.testing import Finding, cases, findings

GOOD = """
from ganlab import Component, hookimpl

@hookimpl
def ganlab_losses():
    return [Component("mine", "options_{name}:Mine", options="options_{name}:MineOptions", family="distance", summary="l1")]
"""
OPTIONS = """
from pydantic import Field
from ganlab import Options

class MineOptions(Options):
    power: int = Field(1, description="of the difference")

class Mine:
    def __init__(self, power): self.power = power
    def __call__(self, a, b): return (a - b).abs() ** self.power
"""


def whole(plugin: Any) -> dict[str, Finding]:
    """Return what is found of a plugin as a whole, by the name of the claim."""
    of = findings(case for case in cases(plugin) if case.subject.registered is None)
    return {finding.case.claim.__name__: finding for finding in of}


def verdicts(of: dict[str, Finding], verdict: str) -> dict[str, str]:
    return {name: finding.why for name, finding in of.items() if finding.verdict == verdict}


@pytest.fixture
def checked(installed_plugin: Any) -> Callable[..., dict[str, Finding]]:
    """Return `checked(name, source, options)`: install a plugin and find what is to be found of it as a whole."""

    def check(name: str, before: str = "", options: str = OPTIONS, source: str = GOOD, **facts: Any) -> dict[str, Finding]:
        file = installed_plugin(name, before + source.replace("{name}", name), **facts)
        (file.parent / f"options_{name}.py").write_text(options)
        return whole(name)

    return check


def test_a_good_plugin_holds_in_every_claim(checked: Any) -> None:
    of = checked("good")
    assert {name: finding.why for name, finding in of.items() if name != "is_quick"} == {
        "loads": "offers loss mine",
        "works_in_a_new_process": "",
        "waits_for_no_library": "",
        "reads_options_without_torch": "",
        "uses_no_network": "",
        "leaves_cuda_alone": "",
        "prints_nothing": "",
        "can_be_imported": "",
        "says_what_each_component_is": "",
        "says_what_each_option_is": "",
    }
    assert {finding.verdict for finding in of.values()} == {"holds"}
    assert of["is_quick"].why.endswith(" s")


def test_a_folder_that_is_not_installed_is_imported_from_its_place(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\n[project.entry-points.ganlab]\nfolded = "ganlab_folded"\n')
    (tmp_path / "src" / "ganlab_folded.py").write_text("print('hello')\n" + GOOD.replace("{name}", "folded"))
    of = whole(tmp_path)
    assert verdicts(of, "broken") == {
        "prints_nothing": "prints 'hello'",
        "can_be_imported": "plugin 'folded' (x 0): the loss 'mine' is broken: its target 'options_folded:Mine' cannot be "
        "imported: ModuleNotFoundError: No module named 'options_folded'",
    }


def test_a_module_at_hand_is_checked_for_what_it_offers_only() -> None:
    module = ModuleType("plugin_at_hand")
    module.ganlab_losses = hookimpl(lambda: [Component("l", abs, family="distance")], specname="ganlab_losses")  # type: ignore[attr-defined]
    of = whole(module)
    assert verdicts(of, "not applicable") == {
        "works_in_a_new_process": "no new process finds the module plugin_at_hand",
        **dict.fromkeys(
            (
                "is_quick",
                "waits_for_no_library",
                "reads_options_without_torch",
                "uses_no_network",
                "leaves_cuda_alone",
                "prints_nothing",
            ),
            "no new process imports it",
        ),
    }
    assert verdicts(of, "broken") == {
        "says_what_each_component_is": 'loss l has no summary; Component(..., summary="what it is, in a line")'
    }


FAULTS = {
    "raises": ("1 / 0", "import: ZeroDivisionError: division by zero"),
    "exits": ("import sys; sys.exit(3)", "import: SystemExit: 3"),
    "misspelt": (
        "import ganlab\n@ganlab.hookimpl\ndef ganlab_loses(): return []",
        "unknown hook: no hook is called 'ganlab_loses'; did you mean 'ganlab_losses'?",
    ),
    "clashing": (
        "import ganlab\n@ganlab.hookimpl\ndef ganlab_losses():\n"
        "    return [ganlab.Component('l1', abs, family='distance', summary='as l1')]",
        "clash: the loss 'l1' is also offered by ganlab itself; a recipe must say 'ganlab-clashing:l1'",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_plugin_that_does_not_load_is_told_with_its_stage(checked: Any, name: str) -> None:
    source, why = FAULTS[name]
    of = checked(name, source=source)
    assert verdicts(of, "broken") == {"loads": why}
    assert ("holds" in {finding.verdict for finding in of.values()}) == (name in ("misspelt", "clashing"))


def test_a_slow_import_is_told(checked: Any) -> None:
    why = verdicts(checked("slow", "import time\nwhile time.process_time() < 1.6: pass\n"), "broken")
    assert [*why] == ["is_quick"]
    assert re.fullmatch(
        r"takes [12]\.\d\d s of CPU time, which every command waits for; at most 1 s are allowed", why["is_quick"]
    )


def test_a_third_party_may_import_torch_and_is_told_what_that_costs_and_where_it_starts_cuda(
    checked: Any, installed_plugin: Any
) -> None:
    of = checked("gpu", "import torch\ntry:\n    torch.zeros(1, device='cuda')\nexcept Exception:\n    pass\n")
    assert verdicts(of, "broken") == {"leaves_cuda_alone": "starts CUDA while it is imported"}
    assert of["leaves_cuda_alone"].where == f"{installed_plugin.folder / 'installed_gpu.py'}:3"
    why = of["waits_for_no_library"].why
    assert why.startswith("imports torch (")
    assert why.endswith(
        ' s), for which `ganlab --help` and list-plugins wait; name target and options lazily: "package.module:Name"'
    )


@pytest.fixture
def small_torch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let new processes, which take `sys.path` from here, find a torch that is imported at once."""
    folder = tmp_path / "small-torch"
    folder.mkdir()
    (folder / "torch.py").write_text("class cuda:\n    @staticmethod\n    def _lazy_init(): ...\n")
    monkeypatch.syspath_prepend(folder)


@pytest.mark.usefixtures("small_torch")
def test_a_built_in_may_not(checked: Any) -> None:
    why = verdicts(checked("inner", "import torch, pydantic\n", dist="ganlab"), "broken")
    assert [*why] == ["waits_for_no_library"]
    assert why["waits_for_no_library"].startswith("imports torch and pydantic (")


@pytest.mark.usefixtures("small_torch")
@pytest.mark.parametrize(("dist", "verdict"), [("ganlab", "broken"), ("stranger", "holds")])
def test_options_that_import_torch_are_told_and_forbidden_to_built_ins(checked: Any, dist: str, verdict: str) -> None:
    name = f"late_{dist}"
    found = checked(name, options="import torch\n" + OPTIONS, dist=dist)["reads_options_without_torch"]
    why = f"importing the options options_{name}:MineOptions imports torch; keep them in a module without it"
    assert (found.verdict, found.why) == (verdict, why)


@pytest.mark.parametrize("is_caught", [True, False])
def test_the_network_is_refused_and_told_with_its_line(installed_plugin: Any, is_caught: bool) -> None:
    name = f"nosy_{is_caught}".lower()
    ask = "import socket\ndef ask():\n    socket.create_connection(('192.0.2.1', 9), timeout=0.01)\n"
    call = "try:\n    ask()\nexcept OSError:\n    pass\n" if is_caught else "try:\n    ask()\nexcept TimeoutError:\n    pass\n"
    file = installed_plugin(name, ask + call + GOOD.replace("{name}", "good"))
    of = whole(name)
    assert (of["uses_no_network"].verdict, of["uses_no_network"].why, of["uses_no_network"].where) == (
        "broken",
        "asks the network (socket.getaddrinfo) while it is imported",
        f"{file}:3",
    )
    assert (of["is_quick"].verdict == "not applicable") is not is_caught


def test_what_a_plugin_prints_is_told_from_any_depth(checked: Any) -> None:
    of = checked("loud", "import os\nos.write(1, b'two\\nlines\\n')\n")
    assert verdicts(of, "broken") == {"prints_nothing": "prints 'two'"}


def test_an_import_that_works_once_only_is_told(checked: Any) -> None:
    of = checked("once", "import sys\nif 'pytest' not in sys.modules: raise KeyError('pytest')\n")
    assert verdicts(of, "broken") == {"works_in_a_new_process": "raises KeyError: 'pytest' in a new process"}
    of = checked("dies", "import os, sys\nif 'pytest' not in sys.modules: os._exit(7)\n")
    assert verdicts(of, "broken") == {"works_in_a_new_process": "its import ends the process: exit code 7"}


def test_every_option_says_what_it_is_those_of_a_table_too() -> None:
    class Inner(Options):
        depth: int = 1

    class Outer(Options):
        inner: Inner = Inner()

    class Plain:
        def __init__(self, margin: float = 1.0) -> None: ...

    def offering(*components: Component) -> ModuleType:
        module = ModuleType("plugin_at_hand")
        module.ganlab_losses = hookimpl(lambda: list(components), specname="ganlab_losses")  # type: ignore[attr-defined]
        return module

    described = {"family": "distance", "summary": "as it says"}
    why = whole(offering(Component("a", Plain, options=Inner, **described)))["says_what_each_option_is"]  # type: ignore[arg-type]
    assert (why.verdict, why.why) == ("broken", 'loss a: depth has no description; Field(..., description="...")')
    assert why.where.startswith(f"{__file__}:")
    why = whole(offering(Component("a", Plain, **described)))["says_what_each_option_is"]  # type: ignore[arg-type]
    assert (why.verdict, why.why) == ("holds", "a constructor cannot describe a.margin; an options model can")


RECIPES = """
from pathlib import Path
from ganlab import hookimpl

@hookimpl
def ganlab_recipes(): return [Path(__file__).parent / "recipes_{name}"]
"""


def test_recipes_that_a_plugin_offers_are_checked(installed_plugin: Any) -> None:
    folder = installed_plugin("offering", RECIPES.replace("{name}", "offering")).parent / "recipes_offering"
    folder.mkdir()
    base = (Path(__file__).parents[2] / "recipes" / "quickstart.toml").read_text()
    (folder / "a.toml").write_text('extends = "part.toml"\n[training]\nsteps = 5\n')
    (folder / "part.toml").write_text(base.replace("\nsteps =", "\n# steps ="))  # says no end: valid only where extended
    assert whole("offering")["offers_valid_recipes"].verdict == "holds"

    (folder / "b.toml").write_text('extends = "part.toml"\n[training]\nsteps = 5\nbatch_imges = 4\n')
    finding = whole("offering")["offers_valid_recipes"]
    assert (finding.verdict, finding.where) == ("broken", str(folder / "b.toml"))
    assert finding.why == f"{folder / 'b.toml'}:4: training.batch_imges: unknown key; did you mean 'batch_images'?"


def test_a_recipe_whose_data_are_absent_is_no_fault_of_the_plugin(
    installed_plugin: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GANLAB_DATA", str(tmp_path / "nowhere"))
    folder = installed_plugin("distant", RECIPES.replace("{name}", "distant")).parent / "recipes_distant"
    folder.mkdir()
    table = '[dataset]\nuse = "image_folder"\n[architecture]\nuse = "dcgan"\n[objective]\nuse = "gan"\n'
    (folder / "far.toml").write_text(table + "[training]\nsteps = 5\n")
    finding = whole("distant")["offers_valid_recipes"]
    assert (finding.verdict, finding.why) == ("holds", "the data of far.toml are not here: not checked to the end")
