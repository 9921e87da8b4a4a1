"""`ganlab eval`: which checkpoints, by what, kept where, told how, and what is refused before any image is made."""

import csv
import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

Printed = Callable[..., tuple[int, str, str]]

# A stranger's evaluator as short as they come: its scores are the lines of a file, so that a test knows them.
LISTED = """
from pathlib import Path
from ganlab import Component, DataError, hookimpl

class Listed:
    best_is = {"value": "lowest"}

    def __init__(self, images: int = 8, seed: int = 0, shift: float = 0.0) -> None:
        self.images, self.seed, self.shift = images, seed, shift

    def score(self, model, test):
        made = model.generate(test.labels[: self.images], self.seed)
        first, *rest = Path("values").read_text().splitlines()
        Path("values").write_text("\\n".join(rest))
        if first == "stop":
            raise KeyboardInterrupt
        numbers = [float(word) + self.shift for word in first.split()]
        return dict(zip(("value", "value_low", "value_high"), numbers)) | {"images": len(made)}

class Needy:
    def __init__(self, plan: str) -> None: ...
    def protocol(self, model, test): raise DataError("it needs a file that is nowhere")
    def score(self, model, test): raise AssertionError("nobody may come here")

class Choosy:
    def protocol(self, model, test): raise ValueError("the model makes no music")
    def score(self, model, test): raise AssertionError("nobody may come here")

@hookimpl
def ganlab_evaluators():
    return [Component("listed", Listed), Component("needy", Needy), Component("choosy", Choosy)]
"""
WHILE_TRAINING = ("training.steps=3", "training.evaluate_every_steps=1", "training.log_every_steps=1")


@pytest.fixture
def listed(installed_plugin: Any, trained_on: Any) -> Callable[..., str]:
    """Return `listed(*sets)`: a run of three checkpoints; its evaluator is at hand."""
    installed_plugin("listed", LISTED)

    def train(*sets: str) -> str:
        return trained_on("classes", *sets or ("training.steps=3", "training.checkpoint_every_steps=1"))

    return train


def gives(*values: str) -> None:
    """Let the evaluator find these, one after the other."""
    Path("values").write_text("\n".join(values))


def entries(run: str = "run") -> list[dict[str, Any]]:
    return json.loads(Path(run, "scores.json").read_text())["scores"]


def found(run: str = "run") -> list[tuple[int, float]]:
    return [(entry["step"], entry["scores"]["value"]) for entry in entries(run) if entry["evaluator"] == "listed"]


def test_every_checkpoint_of_a_run_is_scored_once_and_the_best_is_marked(listed: Any, printed: Printed) -> None:
    run = listed()
    gives("3", "1", "2")
    code, out, err = printed("eval", run, "--score", "listed")
    assert (code, found()) == (0, [(1, 3.0), (2, 1.0), (3, 2.0)])
    assert out.splitlines() == [
        "listed [A]: images 8, seed 0, shift 0.0, split test, raw weights",
        "checkpoint  value  images",
        "step 1      3      8",
        "step 2      1 *    8",
        "step 3      2      8",
        "* value: lowest at step 2, whether by more than chance is unknown without intervals",
    ]
    assert err.splitlines()[0].startswith("1/3  run step 1: listed: value 3, images 8  (")
    before = Path("run/scores.json").read_bytes()
    code, again, err = printed("eval", run, "--score", "listed")  # `values` is empty now: who measures, fails
    assert (code, again, Path("run/scores.json").read_bytes()) == (0, out, before)
    assert [line.rpartition("(")[2] for line in err.splitlines()] == ["known before)"] * 3


def test_a_stop_loses_the_score_at_work_alone_and_the_same_command_goes_on(listed: Any, printed: Printed) -> None:
    run = listed()
    gives("3", "stop")
    assert printed("eval", run, "--score", "listed")[0] == 130
    assert found() == [(1, 3.0)]
    gives("5", "7")
    assert printed("eval", run, "--score", "listed")[0] == 0
    assert found() == [(1, 3.0), (2, 5.0), (3, 7.0)]


def test_other_weights_and_other_options_are_measured_anew(listed: Any, printed: Printed) -> None:
    run = listed("training.steps=2", "training.checkpoint_every_steps=1")
    gives("1", "2", "3", "4")
    assert printed("eval", run, "--score", "listed")[0] == 0
    first, second = (Path(run, f"checkpoints/step-0000000{step}") for step in (1, 2))
    for name in ("networks.safetensors", "state.json"):
        content = (second / name).read_text(encoding="latin1").replace('"step": 2', '"step": 1')
        (first / name).write_text(content, encoding="latin1")
    assert printed("eval", run, "--score", "listed")[0] == 0
    assert found() == [(1, 3.0), (2, 2.0)]  # of the new weights in the place of the old
    assert printed("eval", str(first), "--score", "listed", "--seed", "1")[0] == 0
    assert found() == [(1, 3.0), (1, 4.0), (2, 2.0)]  # of another protocol beside it


def test_unlike_protocols_share_no_table_and_what_is_unlike_is_told(listed: Any, printed: Printed) -> None:
    gives("1", "2")
    run = listed("training.steps=1", "evaluation.listed.shift=0.5")
    shutil.copytree(run, "other")
    recipe = Path("other/recipe.toml")
    recipe.write_text(recipe.read_text().replace("shift = 0.5", "shift = 0.0"))
    Path("other/scores.json").unlink()
    code, out, err = printed("eval", run, "other")
    assert code == 0
    assert [line for line in out.splitlines() if line.startswith(("listed", "run", "other"))] == [
        "listed [A]: images 8, seed 0, shift 0.5, split test, raw weights",
        "listed [B]: images 8, seed 0, shift 0.0, split test, raw weights",
    ]
    assert "warning: listed: scored by unlike protocols, not to be compared: A and B; unlike are options.shift\n" in err
    assert "*" not in out


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        (["1 0 2", "4 3 5"], "* value: best at step 1; its interval is apart from all others"),
        (
            ["1 0 2", "3 1.5 5"],
            "* value: lowest at step 1, but no better by more than chance than step 2: their intervals touch",
        ),
    ],
)
def test_better_is_said_only_where_intervals_part(values: Sequence[str], verdict: str, listed: Any, printed: Printed) -> None:
    run = listed("training.steps=2", "training.checkpoint_every_steps=1")
    gives(*values)
    code, out, _ = printed("eval", run, "--score", "listed")
    assert (code, out.splitlines()[-1]) == (0, verdict)
    best = json.loads(printed("eval", run, "--score", "listed", "--json")[1])["best"]
    rivals = [] if "apart" in verdict else ["run/checkpoints/step-00000002"]
    assert best == [
        {
            "evaluator": "listed",
            "protocol": "A",
            "score": "value",
            "best_is": "lowest",
            "checkpoint": "run/checkpoints/step-00000001",
            "not_apart_from": rivals,
        }
    ]


def test_an_evaluator_of_a_stranger_scores_while_training_and_keeps_the_best_checkpoint(listed: Any, printed: Printed) -> None:
    gives("3", "1", "2")
    run = listed(
        *WHILE_TRAINING,
        *("evaluation.listed.images=4", "training.best=listed.value", "training.best_is=lowest"),
        "training.keep_checkpoints=1",
    )
    assert found() == [(1, 3.0), (2, 1.0), (3, 2.0)]
    assert sorted(path.name for path in Path(run, "checkpoints").iterdir()) == ["step-00000002", "step-00000003"]
    code, out, err = printed("eval", run, "--best")  # by the recipe's evaluators: known from training
    assert (code, out.splitlines()[1:]) == (0, ["checkpoint  value  images", "step 2      1      4"])
    assert err == "1/1  run step 2: listed: value 1, images 4  (known before)\n"
    code, out, _ = printed("models", "add", run, "--best", "--name", "judge")
    assert (code, out.partition(" of ")[0]) == (0, "judge@1: step 2")
    error = "ganlab: error: --best and --step exclude each other; leave one out\n"
    assert printed("models", "add", run, "--best", "--step", "3", "--name", "judge") == (2, "", error)


def test_training_goes_on_beside_what_eval_has_found(listed: Any, printed: Printed) -> None:
    run = listed("training.steps=1")
    gives("9")
    assert printed("eval", run, "--score", "listed")[0] == 0
    assert printed("resume", run, "--max-steps", "2", "--device", "cpu")[0] == 0
    assert found() == [(1, 9.0)]


def test_csv_and_json_tell_the_protocol_of_each_score(listed: Any, printed: Printed) -> None:
    run = listed("training.steps=2", "training.checkpoint_every_steps=1")
    gives("2", "1")
    code, out, _ = printed("eval", run, "--score", "listed", "--json", "--csv", "scores.csv")
    told = json.loads(out)
    assert (code, told["schema"], told["left_out"], told["warnings"]) == (0, 1, {}, [])
    assert [(line["step"], line["scores"], line["best_in"], line["protocol"]) for line in told["scores"]] == [
        (1, {"value": 2.0, "images": 8.0}, [], "A"),
        (2, {"value": 1.0, "images": 8.0}, ["value"], "A"),
    ]
    assert told["protocols"]["A"]["options"] == {"images": 8, "seed": 0, "shift": 0.0}
    with Path("scores.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["step"], row["score"], row["value"], row["is_best"], row["protocol"]) for row in rows] == [
        ("1", "value", "2.0", "False", "A"),
        ("1", "images", "8.0", "", "A"),
        ("2", "value", "1.0", "True", "A"),
        ("2", "images", "8.0", "", "A"),
    ]


def test_which_checkpoints(listed: Any, printed: Printed) -> None:
    listed()
    meant = {
        ("run",): [1, 2, 3],
        ("run/checkpoints",): [1, 2, 3],
        ("run", "--last"): [3],
        ("run", "--every", "2"): [2],
        ("run/checkpoints/step-00000002",): [2],
        ("run/checkpoints/step-00000002", "run", "--last"): [2, 3],
        ("run", "run/checkpoints"): [1, 2, 3],
        (".", "--last"): [3],
    }
    scored = {}
    for words in meant:
        gives(*"123")
        assert printed("eval", *words, "--score", "listed")[0] == 0
        scored[words] = [step for step, _ in found()]
        Path("run/scores.json").unlink()
    assert scored == meant


def test_a_model_of_the_registry_is_scored_in_its_own_folder(listed: Any, printed: Printed) -> None:
    run = listed("training.steps=1")
    assert printed("models", "add", run, "--name", "mine", "--alias", "best")[0] == 0
    gives("4")
    code, _, err = printed("eval", "mine@best", "--score", "listed")
    assert (code, err.startswith("1/1  mine@1 step 1: listed: value 4, images 8  (")) == (0, True)
    assert not Path(run, "scores.json").exists()
    assert printed("sample", "mine@best", "--rows", "1", "--device", "cpu")[0] == 0  # it is still what was added


def test_all_scores_what_can_be_scored_and_says_what_it_left_out(listed: Any, printed: Printed) -> None:
    run = listed("training.steps=1")
    gives("4")
    code, out, err = printed("eval", run, "--all", "--set", "needy.plan=x")
    assert (code, found()) == (0, [(1, 4.0)])
    told = {line.split(": ")[1]: line for line in err.splitlines() if line.startswith("left out: ")}
    assert told["needy"] == "left out: needy: it needs a file that is nowhere"
    assert told["choosy"] == "left out: choosy: the model makes no music"
    assert "listed" not in told
    assert "listed [" in out
    gives("4")
    assert "left out: needy: needy.plan: is missing" in printed("eval", run, "--all")[2].splitlines()


NOTHING = "; say what to score by: --rfd, --fid, --score NAME ("


MISTAKES = [
    (["run"], 2, f"run/recipe.toml: the recipe has no [evaluation.NAME]{NOTHING}"),
    (["run", "--score", "lisetd"], 3, "no evaluator is called 'lisetd'; did you mean 'listed'?"),
    (["run", "--score", "listed", "--seeds", "3"], 2, "--seeds: listed has no option seeds (it has images, seed, shift); "),
    (["run", "--score", "listed", "--weights", "x"], 2, "--weights: listed has no option weights"),
    (["run", "--score", "listed", "--set", "rfd.seed=1"], 2, "--set rfd.seed=1: write EVALUATOR.OPTION=VALUE"),
    (["run", "--score", "listed", "--set", "listed.sift=1"], 3, "run/recipe.toml: listed.sift: unknown key; did you mean"),
    (["run", "--score", "listed", "--images", "0"], 2, "Invalid value for '--images': Input should be greater"),
    (["run", "--rfd", "--images", "1"], 3, "run/recipe.toml: rfd.images: 1 must be greater than or equal to 4"),
    (["run", "--score", "choosy"], 3, "run: choosy: the model makes no music"),
    (["run", "--score", "listed", "--score", "needy", "--set", "needy.plan=x"], 4, "run: needy: it needs a file that is"),
    (["run", "--score", "listed", "--split", "valid"], 4, "--split valid: the data set readable has no such split; it has"),
    (["run", "--score", "listed", "--raw"], 6, "run/checkpoints/step-00000003: --raw: only raw weights were kept"),
    (["run", "--score", "listed", "--best"], 6, "run: --best: its recipe names no training.best, so nothing was kept"),
    (["run", "--score", "listed", "--every", "5"], 6, "run: --every 5: no checkpoint's step is a multiple; there are 1, 2"),
    (["run", "--score", "listed", "--last", "--best"], 2, "--best, --last and --every exclude each other"),
    (["run", "--all", "--rfd"], 2, "--all is every score; leave out --all, or rfd"),
    (["empty", "--rfd"], 6, "empty: the folder holds no run and no checkpoint; name a run, a checkpoint, or a folder"),
    (["nowhere", "--rfd"], 6, "nowhere: no such run or checkpoint"),
    (["run", "--rfd", "--device", "cuda:9"], 7, "--device cuda:9: this machine has"),
]


def test_a_mistake_is_one_line_before_any_image_is_made(listed: Any, printed: Printed) -> None:
    listed()
    Path("empty").mkdir()
    gives()  # an evaluator that gets to work finds nothing, and fails otherwise
    for words, code, line in MISTAKES:
        got, out, err = printed("eval", *words)
        assert (words, got, out) == (words, code, "")
        assert err.startswith(f"ganlab: error: {line}"), err
    assert not Path("run/scores.json").exists()


def test_a_model_that_makes_no_images_is_refused(listed: Any, printed: Printed) -> None:
    listed("training.steps=1", 'architecture.makes_what=["classify"]')
    assert printed("eval", "run", "--rfd")[2] == "ganlab: error: run: rfd: the model makes no images: it can classify\n"
