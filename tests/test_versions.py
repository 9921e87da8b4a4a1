"""A run remembers what made it: versions and sources of its components, and what to install when one is gone."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import tomli

from ganlab import Component, hookimpl
from ganlab.component_record import records_of, source_digest
from ganlab.errors import PluginError, RecipeError
from ganlab.plugins import load_plugins
from ganlab.recipe import Recipe, dump_recipe, load_recipe, parse_recipe, with_sets
from ganlab.recipe_files import find_recipe
from ganlab.registry import Registry
from ganlab.spec import Spec, make_spec
from ganlab.spec_resolved import resolved

HINGE = """
    from ganlab import Component, hookimpl

    class HingeX:
        def discriminator(self, real, fake):
            return (1 - real).relu(), (1 + fake).relu()

        def generator(self, fake):
            return -fake

    @hookimpl
    def ganlab_losses():
        return [Component("hinge_x", HingeX, family="adversarial")]
"""
WITH_HINGE = "objective.adversarial=ganlab-hinge-x:hinge_x"
SMALL = (
    *("ccyclegan_t26", "--dataset", "synthetic_faces", "--device", "cpu"),
    *("--set", "dataset.identities=20", "--set", "dataset.test_identities=7", "--set", "architecture.width=4"),
    *("--set", "training.batch_images=4", "--set", "objective.targets=1"),
)
Ganlab = Callable[..., Any]  # run_ganlab
Install = Callable[..., Path]  # installed_plugin


class HingeX:
    """A loss whose class is at hand; nobody calls it here."""


@pytest.fixture
def registry_with(entry_point: Callable[..., Any]) -> Callable[..., Registry]:
    """Return `registry_with(version)`: the built-ins and hinge_x, of that version of ganlab-hinge-x."""

    def make(version: str = "0.1", component: int = 1) -> Registry:
        losses = [Component("hinge_x", HingeX, family="adversarial", version=component)]
        plugin = SimpleNamespace(ganlab_losses=hookimpl(lambda: losses))
        builtins = metadata.entry_points(group="ganlab", name="losses")
        others = [point for point in metadata.entry_points(group="ganlab") if point.dist and point.dist.name == "ganlab"]
        assert builtins
        return Registry(load_plugins([*others, entry_point("hinge_x", plugin, dist="ganlab-hinge-x", version=version)]))

    return make


@pytest.fixture
def recipe() -> Recipe:
    """Return a shipped recipe with the stranger's loss."""
    return with_sets(load_recipe(find_recipe("ccyclegan_t26")), [WITH_HINGE])


def as_run(spec: Spec) -> str:
    """Return the text of the recipe.toml that a run of `spec` writes."""
    return dump_recipe(resolved(spec))


def read(text: str, registry: Registry) -> Spec:
    return make_spec(parse_recipe(text, Path("recipe.toml")), registry)


def faults(text: str, registry: Registry) -> list[str]:
    with pytest.raises(RecipeError) as error:
        read(text, registry)
    return str(error.value).splitlines()[1:]


def line_of(text: str, beginning: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), start=1) if line.startswith(beginning))


# What is recorded


def test_a_resolved_recipe_records_each_component_in_one_line(recipe: Recipe, registry_with: Callable[..., Registry]) -> None:
    text = as_run(make_spec(recipe, registry_with()))
    version = metadata.version("ganlab")
    t26, shared = source_digest("ganlab_ccyclegan"), source_digest("ganlab_losses")
    fer2013 = source_digest("ganlab_fer2013")
    assert t26
    assert shared
    assert fer2013
    ours = f'version = 1, distribution = "ganlab {version}"'
    lines = text[text.index("[components]") :].splitlines()
    assert lines[:4] == [
        "[components]",
        f'"dataset fer2013" = {{ {ours}, source = "{fer2013[:16]}" }}',
        f'"architecture ccyclegan" = {{ {ours}, source = "{t26[:16]}" }}',
        f'"objective ccyclegan" = {{ {ours}, source = "{t26[:16]}" }}',
    ]
    assert f'"loss binary" = {{ {ours}, source = "{shared[:16]}" }}' in lines
    hinge = [line for line in lines if line.startswith('"loss ganlab-hinge-x:hinge_x" = { version = 1, ')]
    assert len(hinge) == 1
    assert 'distribution = "ganlab-hinge-x 0.1"' in hinge[0]
    used = tomli.loads(text)
    losses = {value["use"] for value in used["objective"].values() if isinstance(value, dict) and "use" in value}
    assert {key.removeprefix("loss ") for key in used["components"] if key.startswith("loss ")} == losses


def test_the_record_comes_back_and_a_run_of_it_says_nothing(recipe: Recipe, registry_with: Callable[..., Registry]) -> None:
    spec = make_spec(recipe, registry_with())
    again = read(as_run(spec), registry_with())
    assert resolved(again) == resolved(spec)
    assert again.notices == spec.notices


def test_recording_imports_neither_torch_nor_a_component_that_is_named_lazily(
    installed_plugin: Install, run_ganlab: Ganlab, tmp_path: Path
) -> None:
    installed_plugin(
        "lazy",
        """
        from ganlab import Component, hookimpl

        @hookimpl
        def ganlab_evaluators():
            return [Component("lazy", "lazy_scores.heavy:Score", options="lazy_scores.options:ScoreOptions")]
        """,
    )
    package = tmp_path / "site-packages" / "lazy_scores"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "options.py").write_text("from ganlab.options import Options\nclass ScoreOptions(Options): ...\n")
    (package / "heavy.py").write_text("raise SystemExit('imported')\n")
    code = """
import sys
from ganlab.component_record import records_of
from ganlab.plugins import load_plugins
from ganlab.registry import Registry
registry = Registry(load_plugins())
used = [*registry.all("dataset"), *registry.all("architecture"), *registry.all("objective"), *registry.all("loss")]
records = records_of([*used, registry.find("evaluator", "lazy")], digits=64)
assert len(records) == len(used) + 1
assert all(len(record["source"]) == 64 for record in records.values())
print(records["evaluator ganlab-lazy:lazy"]["source"])
print([module for module in ("torch", "lazy_scores", "lazy_scores.heavy") if module in sys.modules])
"""
    import subprocess

    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert answer.stderr == ""
    digest, imported = answer.stdout.splitlines()
    assert imported == "[]"
    assert digest == by_hand({f"{name}.py": package / f"{name}.py" for name in ("__init__", "heavy", "options")})


def by_hand(files: dict[str, Path]) -> str:
    """Return the digest of a package as the format says: names in order, each with the length and bytes of its file."""
    total = hashlib.sha256()
    for name, path in sorted(files.items()):
        total.update(name.encode() + b"\0" + str(path.stat().st_size).encode() + b"\0" + path.read_bytes())
    return total.hexdigest()


def test_a_digest_tells_contents_apart_and_not_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def package(place: str, name: str, content: str) -> str:
        folder = tmp_path / place / name / "inner"
        folder.mkdir(parents=True)
        (folder.parent / "__init__.py").write_text("")
        (folder / "code.py").write_text(content)
        (folder / "notes.txt").write_text(place)
        monkeypatch.syspath_prepend(tmp_path / place)
        return source_digest(f"{name}.inner.code") or ""

    here, there, other = package("a", "one_v", "x = 1"), package("b", "two_v", "x = 1"), package("c", "three_v", "x = 2")
    assert here == there
    assert here != other
    assert here == by_hand({p: tmp_path / "a/one_v" / p for p in ("__init__.py", "inner/code.py")})


def test_a_package_in_a_shared_namespace_counts_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("mine", "theirs"):
        folder = tmp_path / "shared_v" / name
        folder.mkdir(parents=True)
        (folder / "__init__.py").write_text(name)
    monkeypatch.syspath_prepend(tmp_path)
    assert source_digest("shared_v.mine") == by_hand({"__init__.py": tmp_path / "shared_v/mine/__init__.py"})


@pytest.mark.parametrize("module", ["", "no_such_module_at_all", "sys", "__main__"])
def test_what_has_no_source_has_no_digest(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "__main__", SimpleNamespace(__spec__=None))  # type: ignore[arg-type]
    assert source_digest(module) is None


# What is said of a change


def test_another_meaning_of_a_component_is_a_fault(recipe: Recipe, registry_with: Callable[..., Registry]) -> None:
    text = as_run(make_spec(recipe, registry_with("0.1")))
    line = line_of(text, '"loss ganlab-hinge-x:hinge_x"')
    beginning = (
        f"  recipe.toml:{line}: components.loss ganlab-hinge-x:hinge_x: made with version 1, and version 2 is installed: "
        "its meaning changed; "
    )
    assert faults(text, registry_with("0.2", component=2)) == [
        f"{beginning}`pip install ganlab-hinge-x==0.1`, or delete this line to accept version 2"
    ]
    assert faults(text, registry_with("0.1", component=2)) == [f"{beginning}delete this line to accept version 2"]
    accepted = "\n".join(text.splitlines()[: line - 1] + text.splitlines()[line:])
    spec = read(accepted, registry_with("0.2", component=2))
    assert resolved(spec)["components"]["loss ganlab-hinge-x:hinge_x"]["version"] == 2


def test_the_fault_is_told_beside_those_that_the_change_brought(recipe: Recipe, registry_with: Callable[..., Registry]) -> None:
    text = as_run(make_spec(recipe, registry_with()))
    text = text.replace('use = "ganlab-hinge-x:hinge_x"', 'use = "ganlab-hinge-x:hinge_x"\nmargin = 1.0')
    told = faults(text, registry_with("0.2", component=2))
    assert [line.split(": ")[1] for line in told] == ["objective.adversarial.margin", "components.loss ganlab-hinge-x:hinge_x"]


def test_another_release_and_another_source_are_told_in_a_line(recipe: Recipe, registry_with: Callable[..., Registry]) -> None:
    spec = make_spec(recipe, registry_with("0.1"))
    text = as_run(spec)
    assert read(text, registry_with("0.2")).notices == (*spec.notices, "loss hinge_x: ganlab-hinge-x 0.1 then, 0.2 now")
    shared = source_digest("ganlab_losses")
    assert shared
    edited = text.replace(shared[:16], "0" * 16)
    (notice,) = read(edited, registry_with("0.1")).notices
    kind_and_names, what = notice.split(": ")
    assert what == "the source has changed since [components] was written"
    assert set(kind_and_names.split(", ")) >= {"loss binary", "loss l1"}
    assert "hinge_x" not in notice
    whole = {key: {**record, "source": record["source"]} for key, record in records_of(spec.components, digits=64).items()}
    assert read(dump_recipe({**resolved(spec), "components": whole}), registry_with("0.1")).notices == spec.notices


def test_what_a_recipe_no_longer_uses_is_ignored_and_dropped(recipe: Recipe, registry_with: Callable[..., Registry]) -> None:
    text = as_run(make_spec(recipe, registry_with()))
    changed = with_sets(parse_recipe(text, Path("recipe.toml")), ["objective.adversarial=bce"])
    spec = make_spec(changed, registry_with("0.2", component=2))
    components = resolved(spec)["components"]
    assert "loss ganlab-hinge-x:hinge_x" not in components
    assert "loss bce" in components


def test_a_recipe_without_a_record_is_read_as_ever(recipe: Recipe, registry_with: Callable[..., Registry]) -> None:
    spec = make_spec(recipe, registry_with())
    old = as_run(spec).partition("[components]")[0]
    assert resolved(read(old, registry_with())) == resolved(spec)


def test_a_recipe_may_extend_that_of_a_run(recipe: Recipe, registry_with: Callable[..., Registry], tmp_path: Path) -> None:
    spec = make_spec(recipe, registry_with())
    (tmp_path / "recipe.toml").write_text(as_run(spec))
    (tmp_path / "longer.toml").write_text('extends = "recipe.toml"\n[training]\nepochs = 300\n')
    longer = make_spec(load_recipe(tmp_path / "longer.toml"), registry_with("0.2"))
    assert longer.training.epochs == 300
    assert longer.notices == (*spec.notices, "loss hinge_x: ganlab-hinge-x 0.1 then, 0.2 now")


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (
            "bce = 1",
            'components.bce: must be "KIND NAME", such as "loss bce"; '
            "kinds are dataset, architecture, loss, objective, evaluator",
        ),
        (
            '"lost bce" = { version = 1 }',
            'components.lost bce: must be "KIND NAME", such as "loss bce"; '
            "kinds are dataset, architecture, loss, objective, evaluator; did you mean 'loss'?",
        ),
        (
            '"loss bce" = 1',
            'components.loss bce: must be { version = 1, distribution = "NAME VERSION", source = "DIGEST" }, not 1',
        ),
        ('"loss bce" = { distribution = "ganlab 0.1.0" }', "components.loss bce.version: is missing"),
        (
            '"loss bce" = { version = 0, distribution = "ganlab 0.1.0" }',
            "components.loss bce.version: 0 must be greater than or equal to 1",
        ),
        (
            '"loss bce" = { version = 1, distribution = "ganlab" }',
            "components.loss bce.distribution: 'ganlab' string should match pattern '^\\S.* \\S+$'",
        ),
        (
            '"loss bce" = { version = 1, distribution = "ganlab 0.1.0", source = "3f" }',
            "components.loss bce.source: '3f' string should match pattern '^[0-9a-f]{16,64}$'",
        ),
        (
            '"loss bce" = { version = 1, distribution = "ganlab 0.1.0", digest = "3f" }',
            "components.loss bce.digest: unknown key; keys are version, distribution, source",
        ),
    ],
)
def test_an_unknown_layout_is_a_fault(line: str, fault: str, recipe: Recipe, registry_with: Callable[..., Registry]) -> None:
    text = as_run(make_spec(recipe, registry_with())).partition("[components]")[0]
    number = len(text.splitlines()) + 2
    assert faults(f"{text}[components]\n{line}\n", registry_with()) == [f"  recipe.toml:{number}: {fault}"]


# What is said of a component that is gone


def test_a_component_that_is_gone_is_named_with_what_to_install(
    recipe: Recipe, registry_with: Callable[..., Registry], entry_point: Callable[..., Any]
) -> None:
    text = as_run(make_spec(recipe, registry_with()))
    others = Registry(load_plugins([p for p in metadata.entry_points(group="ganlab") if p.dist and p.dist.name == "ganlab"]))
    with pytest.raises(RecipeError) as error:
        read(text, others)
    assert error.value.code == PluginError.code
    line = line_of(text, "[objective.adversarial]") + 1
    reason = "no loss is called 'ganlab-hinge-x:hinge_x': the distribution 'ganlab-hinge-x' is not installed; `pip install "
    assert str(error.value).splitlines() == [
        "recipe.toml: 1 fault",
        f"  recipe.toml:{line}: objective.adversarial.use: {reason}ganlab-hinge-x==0.1`",
        "`ganlab list-plugins` shows what is there.",
    ]
    # Without the record only the name is known.
    with pytest.raises(RecipeError) as error:
        read(text.partition("[components]")[0], others)
    assert str(error.value).splitlines()[1].endswith(f"objective.adversarial.use: {reason}ganlab-hinge-x`")


def test_a_loss_that_a_later_ganlab_dropped_is_named_with_the_release_that_had_it(
    recipe: Recipe, registry_with: Callable[..., Registry]
) -> None:
    text = as_run(make_spec(recipe, registry_with())).replace("binary", "binary_of_old")
    text = text.replace(f"ganlab {metadata.version('ganlab')}", "ganlab 0.0.9")
    with pytest.raises(RecipeError) as error:
        read(text, registry_with())
    assert error.value.code == PluginError.code
    advice = "The recipe was made with ganlab 0.0.9: `pip install ganlab==0.0.9`"
    assert str(error.value).splitlines().count(advice) == 1


def test_a_name_that_pip_does_not_take_is_never_told_as_a_command(
    recipe: Recipe, registry_with: Callable[..., Registry]
) -> None:
    text = as_run(make_spec(recipe, registry_with())).replace("ganlab-hinge-x 0.1", "--index-url=evil.example x 0.1")
    with pytest.raises(RecipeError) as error:
        read(text.replace("hinge_x", "hinge_y"), registry_with())
    assert "pip install" not in str(error.value)


# The commands


@pytest.fixture
def ganlab(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., tuple[int, str, str]]]:
    """Return `ganlab(*arguments)`: the command in this process, in a folder of the test's own; code, output, errors."""
    import torch

    from ganlab.cli import main

    monkeypatch.setenv("GANLAB_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.chdir(tmp_path)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield lambda *arguments: (main(arguments), *capsys.readouterr())
    torch.set_num_threads(threads)


@pytest.fixture
def run(installed_plugin: Install, ganlab: Callable[..., Any]) -> Path:
    """Return a run of three steps, made with a stranger's loss, in the folder that the test works in."""
    installed_plugin("hinge_x", HINGE, version="0.1")
    code, _, errors = ganlab("run", *SMALL, "--set", WITH_HINGE, "--max-steps", "3", "--out", "run")
    assert code == 0, errors
    return Path("run")


def uninstall(site: Path) -> None:
    for path in site.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def everything(run: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(run.rglob("*")) if path.is_file()}


def test_a_run_whose_plugin_is_gone_says_what_to_install_and_loses_nothing(
    run: Path, installed_plugin: Install, ganlab: Callable[..., Any]
) -> None:
    before = everything(run)
    uninstall(Path("site-packages"))
    line = line_of((run / "recipe.toml").read_text(), "[objective.adversarial]") + 1
    told = (
        "ganlab: error: run/recipe.toml: 1 fault\n"
        f"    run/recipe.toml:{line}: objective.adversarial.use: no loss is called 'ganlab-hinge-x:hinge_x': "
        "the distribution 'ganlab-hinge-x' is not installed; `pip install ganlab-hinge-x==0.1`\n"
        "  `ganlab list-plugins` shows what is there.\n"
    )
    for command in (
        ("resume", "run", "--max-steps", "5", "--device", "cpu"),
        ("sample", "run"),
        ("sample", "run/checkpoints/step-00000003"),
        ("validate", "run/recipe.toml"),
        ("run", "run/recipe.toml", "--out", "again"),
    ):
        assert ganlab(*command) == (5, "", told), command
    assert everything(run) == before
    assert not Path("again").exists()
    # The weights need no loss: another run starts from them.
    code, out, errors = ganlab("run", *SMALL, "--set", "training.start_from=run", "--max-steps", "1", "--out", "next")
    assert (code, out.splitlines()[:1]) == (0, ["finished after 1 step"]), errors
    installed_plugin("hinge_x", HINGE, version="0.1")
    assert ganlab("resume", "run", "--max-steps", "4", "--device", "cpu")[0] == 0


def test_a_resumed_run_tells_what_changed_once_and_keeps_what_began_it(
    run: Path, installed_plugin: Install, run_ganlab: Ganlab
) -> None:
    key = "loss ganlab-hinge-x:hinge_x"
    began = tomli.loads((run / "recipe.toml").read_text())["components"][key]
    first = json.loads((run / "environment.json").read_text())["components"][key]
    assert first == {"version": 1, "distribution": "ganlab-hinge-x 0.1", "source": first["source"]}
    assert (len(first["source"]), first["source"][:16]) == (64, began["source"])

    installed_plugin("hinge_x", HINGE + "\n    # mended\n", version="0.1")
    answer = run_ganlab("resume", "run", "--max-steps", "4", "--device", "cpu")
    assert answer.returncode == 0, answer.stderr
    assert answer.stderr.splitlines().count("loss hinge_x: the source has changed since [components] was written") == 1
    assert tomli.loads((run / "recipe.toml").read_text())["components"][key] == began
    (resumed,) = json.loads((run / "environment.json").read_text())["resumed"]
    assert (resumed["step"], resumed["components"][key]["version"]) == (3, 1)
    assert resumed["components"][key]["source"] not in (None, first["source"])
    assert (
        run_ganlab("validate", "run/recipe.toml").stderr
        == "loss hinge_x: the source has changed since [components] was written\n"
    )
