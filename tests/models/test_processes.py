"""Several processes at once lose nothing, and a kill at any moment leaves a registry that is whole."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from ganlab.runs.model_adding import _is_whole
from ganlab.runs.model_folder import checkpoint_of, is_called_rightly
from ganlab.runs.models import Models

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the processes are made by fork")

# One process imports all and forks the others, so that torch is imported once.
START = """
import os, random, signal, sys, time
from ganlab.runs.model_adding import add_model
from ganlab.runs.model_folder import is_called_rightly
from ganlab.runs.models import Models

def told(*words):
    os.write(1, (" ".join(map(str, words)) + "\\n").encode())  # whole, however many write
"""
AT_ONCE = (
    START
    + """
def work(worker):
    models = Models()
    for turn in range(4):
        version = add_model(f"run-{worker}", "shared").model.version
        told("added", version)
        models.promote(f"shared@{version}", f"worker-{worker}")
        models.promote(f"shared@{version}", "newest")
        own = add_model(f"run-{worker}", f"own-{worker}", step=10, aliases=["best"]).model.version
        if own > 1:
            models.remove(f"own-{worker}@{own - 1}")
        if turn % 2:
            models.remove(f"shared@{version}", force=True)
            told("removed", version)

children = []
for worker in range(4):
    child = os.fork()
    if not child:
        try:
            work(worker)
        except BaseException as error:
            told("failed", repr(error))
        finally:
            os._exit(0)
    children.append(child)
for child in children:
    os.waitpid(child, 0)
"""
)
KILLED = (
    START
    + """
def work(first):
    models = Models()
    for turn in range(first, 10**6):
        version = add_model(f"run-{turn % 3}", "killed", aliases=["newest"]).model.version
        told("added", version)
        if version > 2:
            models.remove(f"killed@{version - 2}")
            told("removed", version - 2)

moments = random.Random(int(sys.argv[1]))
for round in range(8):
    child = os.fork()
    if not child:
        try:
            work(round)
        except BaseException as error:
            told("failed", repr(error))
        finally:
            os._exit(0)
    time.sleep(moments.uniform(0.02, 0.5))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    models = Models()
    known = [(model.version, "newest" in model.aliases) for model in models.all()]
    told("lost", *(model.version for model in models.all() if not is_called_rightly(models.folder_of(model))))
    told("known", *(version for version, _ in known))
    told("newest", *(version for version, is_newest in known if is_newest))
add_model("run-0", "killed")
"""
)


def lines_of(script: str, *arguments: str) -> list[list[str]]:
    answer = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, timeout=100)
    assert answer.returncode == 0, answer.stderr
    lines = [line.split() for line in answer.stdout.splitlines()]
    assert [line for line in lines if line[0] == "failed"] == []
    return lines


def assert_whole(models: Models) -> None:
    """Assert that each version has its files, each folder its version, and that nothing half done is left."""
    known = {model.digest for model in models.all()}
    assert {path.name for path in models.folder.iterdir() if path.is_dir()} == known
    for digest in known:
        assert is_called_rightly(models.folder / digest)
        assert _is_whole(checkpoint_of(models.folder / digest))
    text = json.loads((models.folder / "registry.json").read_text())
    assert sorted(row[:2] for row in text["versions"]) == sorted(
        [model.name.replace("-", "_"), model.version] for model in models.all()
    )


@pytest.mark.usefixtures("runs")
def test_several_processes_that_add_promote_and_remove_at_once_lose_nothing(models: Models) -> None:
    lines = lines_of(AT_ONCE)
    added = sorted(int(line[1]) for line in lines if line[0] == "added")
    removed = {int(line[1]) for line in lines if line[0] == "removed"}
    assert added == list(range(1, 17))
    assert len(removed) == 8
    known = models.all()
    assert {model.version for model in known if model.name == "shared"} == set(added) - removed
    assert [(m.reference, m.aliases) for m in known if m.name != "shared"] == [(f"own-{w}@4", ("best",)) for w in range(4)]
    assert_whole(models)


@pytest.mark.usefixtures("runs")
def test_killed_at_any_moment_the_registry_is_whole_and_knows_all_that_was_told(models: Models) -> None:
    seed = int.from_bytes(os.urandom(2))
    print(f"seed of the random moments: {seed}")  # pytest shows it with a failure
    known: set[int] = set()  # after the kill before
    added: list[int] = []
    removed: list[int] = []
    given: set[int] = set()
    for what, *numbers in lines_of(KILLED, str(seed)):
        versions = [int(number) for number in numbers]
        if what == "added":
            added += versions
        elif what == "removed":
            removed += versions
        elif what == "lost":
            assert not versions  # no version without its files
        elif what == "known":
            told = (known | set(added)) - set(removed)
            untold = told ^ set(versions)  # a kill may come between a change and its telling
            assert len(untold) <= 1, (told, versions)
            assert untold <= told or min(untold) > max(given | set(added), default=0)
            assert not set(added) & given  # no number twice
            known, given = set(versions), given | set(added) | set(versions)
            added, removed = [], []
        else:
            assert versions == [max(known)] if known else not versions
    assert len(given) > 3
    models.sweep()
    assert_whole(models)
    assert models.find("killed").version > max(given)
