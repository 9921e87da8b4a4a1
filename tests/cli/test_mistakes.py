"""Whatever is wrong with a recipe, a command line, data or a checkpoint is one clear error, with its exit code."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ganlab.recipe import find_recipe, load_recipe

Printed = Callable[..., tuple[int, str, str]]
Small = tuple[str, ...]
T26 = str(find_recipe("ccyclegan_t26"))
T26_ARCHITECTURE = str(load_recipe(Path(T26)).place(("architecture",)))  # in the file that T26 takes it from

RECIPES = {
    "syntax.toml": '[dataset]\nuse = "synthetic_faces"\n[architecture\n',
    "misspelt.toml": """
[dataset]
use = "synthetic_faces"
[architecture]
use = "ccyclegan"
[objective]
use = "ccyclegan"
[training]
epochs = 1
batch_imagez = 3
[sampling]
""",
    "a.toml": 'extends = "b.toml"\n',
    "b.toml": 'extends = "a.toml"\n',
    "outside.toml": 'extends = "../outside.toml"\n',
}
FER2013 = """\
FER2013 is not here; looked for {cwd}/datasets/fer2013.csv (or .gz, .xz).
It is the file fer2013.csv (columns emotion,pixels,Usage) of the FER2013 contest, Goodfellow et al., 2013. Put it there, \
or set dataset.path or GANLAB_DATA to the file or its folder.
`--dataset synthetic_faces` needs no file and runs now."""
WRONG = [
    # The recipe
    ("run nosuch", 3, "no recipe 'nosuch'\nlooked in {cwd}, {recipes}\n`ganlab recipes list` shows the recipes."),
    (
        "run quick-strat",
        3,
        "no recipe 'quick-strat'; did you mean 'quickstart'?\nlooked in {cwd}, {recipes}\n"
        "`ganlab recipes list` shows the recipes.",
    ),
    ("run no/such", 3, "no recipe 'no/such'\nlooked in no\n`ganlab recipes list` shows the recipes."),
    ("run ../x/../no", 3, "no recipe '../x/../no'\nlooked in ../x/..\n`ganlab recipes list` shows the recipes."),
    ("run runs", 3, "runs: is a folder, not a recipe"),
    ("run syntax.toml", 3, "syntax.toml:3:14: expected ']' at the end of a table declaration"),
    ("run a.toml", 3, "b.toml:1: extends loops: a.toml -> b.toml -> a.toml"),
    (
        "run outside.toml",
        3,
        "outside.toml:1: extends '../outside.toml' leaves the recipe's folder; copy that recipe into {cwd}",
    ),
    (
        "validate misspelt.toml",
        3,
        "misspelt.toml: 2 faults\n"
        "  misspelt.toml:11: sampling: unknown section; sections are dataset, architecture, objective, optimizer, training, "
        "frozen, evaluation, components\n"
        "  misspelt.toml:10: training.batch_imagez: unknown key; did you mean 'batch_images'?",
    ),
    # Values
    ("run T26 --set training.steps", 3, "--set training.steps: there is no `=`; write it as training.epochs=3"),
    (
        "run T26 --set training.batch_images=many",
        3,
        "{t26}: 1 fault\n  --set: training.batch_images: 'many' must be a whole number",
    ),
    (
        "run T26 --set training.precision=fp16 --set optimizer.learning_rate=nan --seed -1",
        3,
        "{t26}: 3 faults\n"
        "  --set: training.seed: -1 must be greater than or equal to 0\n"
        "  --set: training.precision: 'fp16' must be 'auto', 'fp32' or 'bf16'\n"
        "  --set: optimizer.learning_rate: nan must be a finite number",
    ),
    ("run T26 --precision fp16", 3, "{t26}: 1 fault\n  --set: training.precision: 'fp16' must be 'auto', 'fp32' or 'bf16'"),
    (
        "run T26 --set training=3 --max-steps 2",
        3,
        "{t26}: 2 faults\n  --set: training: must be a section [training], not 3\n"
        "  --set: training: says no end: set training.epochs or training.steps",
    ),
    (
        "run T26 --set objective.adversarial=bcee",
        3,
        "{t26}: 1 fault\n  --set: objective.adversarial.use: no loss is called 'bcee'; did you mean 'bce'?\n"
        "`ganlab list-plugins` shows what is there.",
    ),
    # Data
    ("run T26", 4, FER2013),
    (
        "run T26 --dataset synthetic_face",
        3,
        "{t26}: 1 fault\n  --set: dataset.use: no dataset is called 'synthetic_face'; did you mean 'synthetic_faces'?\n"
        "`ganlab list-plugins` shows what is there.",
    ),
    (
        "run T26 --dataset synthetic_faces --set dataset.labels=attributes",
        3,
        "{t26}: 1 fault\n  {place}: architecture: ccyclegan does not fit the data set: labels are attributes: ccyclegan "
        'needs classes; say dataset.labels = "expression", or one attribute',
    ),
    (
        "run T26 --dataset synthetic_faces --set dataset.labels=Smilin",
        3,
        "{t26}: 1 fault\n  --set: dataset.labels: no label is called 'Smilin'. Did you mean 'Smiling'? Say expression, "
        "attributes or one of CelebA's 40 names",
    ),
    (
        "run T26 --dataset synthetic_faces --set dataset.channels=4",
        3,
        "{t26}: 1 fault\n  --set: dataset.channels: 4 must be 1 or 3",
    ),
    (
        "run T26 --dataset synthetic_faces --set dataset.size_px=32",
        3,
        "{t26}: 1 fault\n  {place}: architecture: ccyclegan does not fit the data set: ccyclegan's four 4x4 convolutions "
        "need images of 46 px or more, not 32",
    ),
    ("run SMALL --set dataset.images=2", 4, "training.batch_images: a batch of 4 is more than the 2 training images"),
    # Device and disk
    ("run SMALL --device tpu", 7, "--device 'tpu': no such device; say auto, cpu, cuda, cuda:1 or mps"),
    ("run SMALL --device cuda:²", 7, "--device 'cuda:²': no such device; say auto, cpu, cuda, cuda:1 or mps"),
    ("run SMALL --device cpu:3", 7, None),
    ("run SMALL --device cuda:7", 7, None),
    ("run SMALL --out full", 6, "full: exists and is not an empty folder; choose another with --out DIR"),
    ("run SMALL --out syntax.toml", 6, "syntax.toml: exists and is not an empty folder; choose another with --out DIR"),
    (
        "run SMALL --out trained",
        6,
        "trained: exists and is not an empty folder; `ganlab resume trained` continues the run in it",
    ),
    (
        "run SMALL --out syntax.toml/x",
        7,
        "syntax.toml/x: cannot make a run folder (Not a directory); choose another with --out DIR",
    ),
    # Usage; the first line is in the words of the library that reads options
    ("run", 2, None),
    ("run T26 --max-steps 0", 2, None),
    ("run T26 --max-steps some", 2, None),
    ("run T26 --max-minutes nan", 2, None),
    ("run T26 --no-such", 2, None),
    ("run T26 more", 2, None),
    ("sample trained --rows 0", 2, None),
    ("resume trained --max-steps 9 --epochs 9", 2, "--max-steps and --epochs are two ends; give one"),
    # Runs and checkpoints
    (
        "resume nowhere",
        6,
        "nowhere: no such run folder; runs are made by `ganlab run`, by default as runs/NNNN-name",
    ),
    ("resume full", 6, "full: not a run folder: it holds no recipe.toml"),
    ("sample nowhere", 6, "nowhere: no such run or checkpoint"),
    ("sample full", 6, "full: is no folder of a run or a checkpoint"),
    (
        "sample evil.pt",
        6,
        "evil.pt: is a file; a checkpoint of ganlab is a folder, such as RUN/checkpoints/step-00001000",
    ),
    (
        "run SMALL --set training.start_from=evil.pt",
        6,
        "evil.pt: is a file; a checkpoint of ganlab is a folder, such as RUN/checkpoints/step-00001000",
    ),
    ("run SMALL --set training.start_from=nowhere", 6, "nowhere: no such run or checkpoint"),
    (
        "sample trained --raw",
        6,
        "trained/checkpoints/step-00000006: --raw: only raw weights were kept; leave the option out",
    ),
    ("sample trained --images nowhere", 4, "--images nowhere: no such folder"),
    (
        "sample trained --images full",
        4,
        "--images full: holds no image; looked for .png, .jpg, .jpeg, .bmp, .webp, .gif, .tif, .tiff",
    ),
    ("sample trained --dataset fer2013", 4, FER2013),
]


class Evil:
    """Writes a file when it is unpickled."""

    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (Path("unpickled"),))


@pytest.fixture(scope="module")
def wrong_files(place: Path, trained: Path) -> None:
    for name, text in RECIPES.items():
        Path(name).write_text(text)
    Path("full").mkdir()
    Path("full/file").touch()
    Path("evil.pt").write_bytes(pickle.dumps(Evil()))
    Path("runs").mkdir(exist_ok=True)


@pytest.mark.usefixtures("wrong_files")
@pytest.mark.parametrize(("line", "code", "message"), WRONG, ids=[line for line, *_ in WRONG])
def test_bad_input_is_one_clear_error_with_its_exit_code(
    line: str, code: int, message: str | None, small: Small, printed: Printed
) -> None:
    words = [small if word == "SMALL" else ["ccyclegan_t26"] if word == "T26" else [word] for word in line.split()]
    before = sorted(Path("runs").iterdir())
    found, out, err = printed(*(part for word in words for part in word))
    notes = [text for text in err.splitlines(keepends=True) if text.startswith("--dataset synthetic_faces: dropped")]
    error = err.removeprefix("".join(notes))
    assert (found, out) == (code, "")
    assert error.startswith("ganlab: error: ")
    if message is None:
        assert code == 7 or error.splitlines()[-1] == f"  `ganlab {line.split()[0]} --help` explains."
    else:
        expected = message.format(cwd=Path.cwd(), recipes=Path(T26).parent, t26=T26, place=T26_ARCHITECTURE)
        assert error == "ganlab: error: " + expected.replace("\n", "\n  ") + "\n"
    assert sorted(Path("runs").iterdir()) == before


@pytest.mark.usefixtures("wrong_files")
@pytest.mark.parametrize("command", ["resume", "sample"])
@pytest.mark.parametrize("is_sworn", [False, True], ids=["changed", "with a digest that fits"])
def test_a_foreign_file_in_a_checkpoint_is_never_unpickled(
    command: str, is_sworn: bool, run_copy: Path, printed: Printed
) -> None:
    newest = run_copy / "checkpoints" / "step-00000006"
    networks = newest / "networks.safetensors"
    networks.write_bytes(Path("evil.pt").read_bytes())
    if is_sworn:
        state = json.loads((newest / "state.json").read_text())
        state["digests"]["networks"] = hashlib.sha256(networks.read_bytes()).hexdigest()
        (newest / "state.json").write_text(json.dumps(state))
        reason = "damaged, or not a safetensors file (header too large)"
    else:
        reason = f"damaged: its content is not what was saved. Remove {newest} to go on from step 3."
    extended = ["--max-steps", "9"] if command == "resume" else []
    assert printed(command, str(run_copy), "--device", "cpu", *extended) == (
        6,
        "",
        f"ganlab: error: {networks}: {reason}\n",
    )
    assert not Path("unpickled").exists()


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ("{", "state.json: not a checkpoint of this ganlab, or damaged ("),
        ("[" * 100_000, "state.json: not a checkpoint of this ganlab, or damaged ("),
        ('{"ganlab": 2, "step": 6, "digests": {}}', "state.json: not a checkpoint of this ganlab, or damaged (format 2)."),
        ('{"ganlab": 1, "step": 6, "digests": {}}', "holds no network encoder; it holds none"),
    ],
    ids=["torn", "nested", "newer", "empty"],
)
def test_a_damaged_state_of_a_checkpoint_is_one_line(state: str, reason: str, run_copy: Path, printed: Printed) -> None:
    newest = run_copy / "checkpoints" / "step-00000006"
    (newest / "state.json").write_text(state)
    code, out, err = printed("resume", str(run_copy), "--device", "cpu")
    assert (code, out, len(err.splitlines())) == (6, "", 1)
    assert err.startswith(f"ganlab: error: {newest}")
    assert reason in err


def test_a_training_state_that_does_not_fit_is_one_line(run_copy: Path, printed: Printed) -> None:
    newest = run_copy / "checkpoints" / "step-00000006"
    whole = json.loads((newest / "state.json").read_text())
    for key, value in (("scalars", None), ("sums", [{"names": 3}]), ("data", None), ("log", None), ("log", {"rows": "x"})):
        state = dict(whole)
        if value is None:
            del state[key]
        else:
            state[key] = value
        (newest / "state.json").write_text(json.dumps(state))
        code, out, err = printed("resume", str(run_copy), "--device", "cpu")
        assert (code, out, len(err.splitlines())) == (6, "", 1), err
        assert err.startswith(f"ganlab: error: {newest}: ")


def test_networks_of_another_shape_or_other_data_are_refused(
    trained: Path, run_copy: Path, small: Small, printed: Printed
) -> None:
    newest = "checkpoints/step-00000006"
    code, _, err = printed("run", *small, "--set", "architecture.width=8", "--set", "training.start_from=trained")
    assert code == 6
    assert err.splitlines()[-1].startswith(
        f"ganlab: error: {trained}/{newest}: network encoder is not the recipe's: size mismatch for convolutions.0.weight: "
    )
    recipe = run_copy / "recipe.toml"
    recipe.write_text(recipe.read_text().replace("identities = 20\n", "identities = 21\n"))
    code, out, err = printed("resume", str(run_copy), "--device", "cpu")
    assert (code, out) == (6, "")
    assert err.startswith(f"ganlab: error: {run_copy}/{newest}: the data are not those that the run was trained on (")
    assert err.endswith("). Restore them, or start a new run with training.start_from.\n")


def test_a_folder_that_may_not_be_written_is_told_before_any_step(small: Small, printed: Printed, tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(0o555)
    if os.access(locked, os.W_OK):
        pytest.skip("this user may write everywhere")
    assert printed("run", *small, "--out", str(locked / "run"))[::2] == (
        7,
        f"ganlab: error: {locked}/run: cannot make a run folder (Permission denied); choose another with --out DIR\n",
    )


def test_a_recipe_that_may_need_a_broken_plugin_names_it(installed_plugin: Any, printed: Printed) -> None:
    installed_plugin("torn", "raise ValueError('[/why]')")
    recipe = ["run", "ccyclegan_t26", "--dataset", "synthetic_faces", "--dry-run", "--device", "cpu"]
    assert printed(*recipe)[0] == 0  # it does not need it
    code, out, err = printed(*recipe, "--set", "objective.distance=perceptual")
    assert (code, out) == (5, "")
    assert "no loss is called 'perceptual'" in err.splitlines()[1]
    assert err.splitlines()[2:] == [
        "  A plugin that is broken may offer it:",
        "    torn (ganlab-torn 1.0): import: ValueError: [/why]",
        "  Mend or update it, or leave it out: `ganlab plugin disable torn`",
        "  `ganlab list-plugins` shows what is there.",
    ]
