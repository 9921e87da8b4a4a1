"""A stranger's plugin that fails in a run, or has changed since, is named in a few lines; ours keep their traceback."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ganlab_losses.adversarial import LeastSquares

from ganlab.errors import PluginError

LOSS = """
from ganlab import Component, hookimpl

class Odd:
    def {discriminator}(self, real, fake): return (1 - real).relu(), (1 + fake).relu()
    def generator(self, fake): return {generator}

@hookimpl
def ganlab_losses(): return [Component("odd", Odd, family="adversarial")]
"""


def test_a_loss_without_a_method_of_its_family_fails_before_a_run_begins(
    installed_plugin: Any, printed: Any, small: tuple[str, ...]
) -> None:
    installed_plugin("odd", LOSS.format(discriminator="discrimnator", generator="-fake"))
    code, _, err = printed("run", *small, "--set", "objective.adversarial=odd", "--max-steps", "6", "--out", "lacking")
    assert code == PluginError.code
    assert (
        "plugin 'odd' (ganlab-odd 1.0): the loss 'odd' of the family adversarial has no method discriminator; "
        "did you mean 'discrimnator'? `ganlab plugin check odd`" in " ".join(err.split())
    )
    assert not Path("lacking").exists()


def test_an_exception_of_a_stranger_names_its_line_and_keeps_the_traceback(
    installed_plugin: Any, printed: Any, small: tuple[str, ...]
) -> None:
    file = installed_plugin("odd", LOSS.format(discriminator="discriminator", generator="self.weight * fake"))
    code, _, err = printed("run", *small, "--set", "objective.adversarial=odd", "--max-steps", "9", "--out", "torn")
    said = " ".join(err.split())
    assert code == PluginError.code
    assert "plugin 'odd' (ganlab-odd 1.0) failed after step " in said
    assert "AttributeError: 'Odd' object has no attribute 'weight'" in said
    assert f"{file}:6 in generator" in said
    assert "`ganlab plugin check odd`" in said
    assert "Traceback" not in err
    text = Path("torn/traceback.txt").read_text()
    assert text.startswith("Traceback")
    assert "ganlab/training/loop.py" in text


def test_a_fault_of_a_built_in_plugin_stays_a_traceback(
    printed: Any, small: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise AttributeError("ours")

    monkeypatch.setattr(LeastSquares, "discriminator", fail)
    with pytest.raises(AttributeError, match="ours"):
        printed("run", *small, "--set", "objective.adversarial=lsgan", "--max-steps", "2", "--out", "ours")
    assert Path("ours").exists()
    assert not Path("ours/traceback.txt").exists()


@pytest.mark.parametrize("command", ["sample", "translate"])
def test_pictures_say_that_a_plugin_has_changed_since_the_run(command: str, trained_on: Any, printed: Any) -> None:
    run = trained_on("classes", 'architecture.makes_what=["generate", "translate"]')
    recipe = Path(run, "recipe.toml")
    words = [command, run, "--device", "cpu"]
    if command == "translate":
        assert printed("sample", run, "--separate", "--out", "photos", "--device", "cpu")[0] == 0
        words.insert(2, "photos")
    code, _, before = printed(*words)
    assert (code, "changed" in before) == (0, False)
    text = recipe.read_text()
    start = text.index('source = "', text.index("architecture ganlab-readable")) + len('source = "')
    recipe.write_text(text[:start] + "0" * 16 + text[start + 16 :])
    code, out, err = printed(*words)
    assert code == 0
    assert "architecture readable: the source has changed since [components] was written" in err
    assert "changed" not in out
