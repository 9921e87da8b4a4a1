"""`ganlab eval`: a checkpoint by any name, and images that are not those the model learned from."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Printed = Callable[..., tuple[int, str, str]]

# A stranger's evaluator that asks for the training images, and the readable data set by a second name.
LEARNED = """
from ganlab import Component, hookimpl
from installed_readable import Data, DataOptions

class Learned:
    split = "train"
    def score(self, model, test): return {"images": len(test.images)}

@hookimpl
def ganlab_datasets(): return [Component("twin", Data, DataOptions)]
@hookimpl
def ganlab_evaluators(): return [Component("learned", Learned)]
"""


@pytest.fixture
def run(installed_plugin: Any, trained_on: Any) -> str:
    """Return a run of two checkpoints; the evaluator is at hand."""
    trained = trained_on("classes", "training.steps=2", "training.checkpoint_every_steps=1")
    installed_plugin("learned", LEARNED)
    return str(trained)


def test_a_checkpoint_may_have_another_name(run: str, printed: Printed) -> None:
    shutil.copytree(Path(run, "checkpoints/step-00000002"), Path(run, "checkpoints/good"))
    assert printed("eval", f"{run}/checkpoints/good", f"{run}/checkpoints/step-00000001", "--score", "learned")[0] == 0
    assert [entry["step"] for entry in json.loads(Path(run, "scores.json").read_text())["scores"]] == [1, 2]


def test_images_of_another_data_set_are_none_that_the_model_learned_from(run: str, printed: Printed) -> None:
    for words in ((), ("--dataset", "ganlab-readable:readable")):
        assert printed("eval", run, "--score", "learned", *words)[0] == 0
    code, _, err = printed("eval", run, "--score", "learned", "--dataset", "twin")
    assert code == 3
    assert "wants the images of the split 'train', those that the model learned from" in err
