"""What each command around training prints, and where; what it makes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from ganlab.recipe import find_recipe

Printed = Callable[..., tuple[int, str, str]]
Small = tuple[str, ...]
T26 = str(find_recipe("ccyclegan_t26"))
EXPRESSIONS = ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"]


# Runs


def test_a_run_prints_results_on_standard_output_and_progress_on_standard_error(small: Small, printed: Printed) -> None:
    code, out, err = printed("run", *small, "--max-steps", "4", "--out", "runs/[/x]", "--set", "training.log_every_steps=2")
    assert code == 0
    assert out.splitlines()[:4] == [
        "finished after 4 steps",
        "pictures:    runs/[/x]/samples/step-00000004.png",
        "log:         runs/[/x]/log.csv",
        "checkpoint:  runs/[/x]/checkpoints/step-00000004",
    ]
    assert all("ganlab " in line for line in out.splitlines()[4:])  # what to try next
    dropped, device, *rows = err.splitlines()
    assert dropped == "--dataset synthetic_faces: dropped dataset.test_in_training, which belonged to 'fer2013'"
    assert device == "runs/[/x]: device cpu, precision fp32, images 140"
    assert rows[-1].startswith("step 4/4  100 %  ")
    assert "d_adversarial" in rows[-1]


def test_runs_are_numbered_and_hold_the_command_and_the_resolved_recipe(small: Small, printed: Printed) -> None:
    code, out, _ = printed("run", *small, "--max-steps", "1", "--seed", "7")
    assert (code, out.splitlines()[0]) == (0, "finished after 1 step")
    run = Path("runs/0001-ccyclegan_t26")
    header, *recipe = (run / "recipe.toml").read_text().splitlines()
    assert header == f"# As run. `ganlab resume {run}` goes on; `ganlab run` on this file repeats the run."
    assert {"seed = 7", "steps = 1", "identities = 20", "width = 4", 'precision = "fp32"'} <= set(recipe)
    assert "epochs = 170" not in recipe
    code, out, _ = printed("run", str(run / "recipe.toml"), "--device", "cpu", "--set", "optimizer.learning_rate=1e-3")
    again = Path("runs/0002-ccyclegan_t26/recipe.toml").read_text()
    assert (code, "learning_rate = 0.001" in again, again.count("As run.")) == (0, True, 1)


def test_a_run_stopped_by_its_minutes_goes_on_by_resume_and_may_be_extended(small: Small, printed: Printed) -> None:
    code, out, _ = printed("run", *small, "--max-steps", "3", "--max-minutes", "0", "--out", "short")
    assert (code, out.splitlines()) == (
        0,
        ["stopped after 1 step", "checkpoint:  short/checkpoints/step-00000001", "go on:       ganlab resume short"],
    )
    code, out, err = printed("resume", "short", "--device", "cpu")
    assert (code, out.splitlines()[0], err.splitlines()[-1][:9]) == (0, "finished after 3 steps", "step 3/3 ")
    finished = "short: already finished at step 3; `ganlab resume short --max-steps N` extends it\n"
    assert printed("resume", "short", "--device", "cpu") == (0, finished, "")
    assert printed("resume", "short", "--device", "cpu", "--max-steps", "5")[1].startswith("finished after 5 steps\n")
    recipe = Path("short/recipe.toml").read_text()
    assert printed("resume", "short", "--device", "cpu", "--max-steps", "4") == (
        2,
        "",
        "ganlab: error: --max-steps 4: short is at step 5 already; name a later end\n",
    )
    assert printed("resume", "short", "--epochs", "0.01")[2] == (
        "ganlab: error: --epochs 0.01: short is at epoch 0.142857 already; name a later end\n"
    )
    assert Path("short/recipe.toml").read_text() == recipe


def test_a_run_that_ends_early_says_so_and_is_not_extended(printed: Printed) -> None:
    sets = ["dataset.identities=4", "dataset.test_identities=2", "architecture.width=4", "training.batch_images=8"]
    # The highest log loss as the best: it will fall.
    sets += ["training.best=accuracy.log_loss", "training.evaluate_every_steps=1", "training.stop_after=2"]
    more = [part for text in sets for part in ("--set", text)]
    code, out, err = printed("run", "judge_synthetic", "--device", "cpu", "--max-steps", "99", "--out", "judge", *more)
    assert code == 0, err
    first, *scores = out.splitlines()
    steps = first.removeprefix("finished early after ").removesuffix(" steps")
    assert steps.isdecimal()
    assert scores[-1].split() == ["next:", "ganlab", "recipes", "list", "published", "experiments"]  # a judge draws no faces
    told = "accuracy.log_loss was not better in the last 2 evaluations; the run ends here, by training.stop_after = 2"
    assert f"step {steps}: {told}" in err
    assert printed("resume", "judge", "--device", "cpu") == (
        0,
        f"judge: already finished at step {steps}, early, as training.stop_after says\n",
        "",
    )
    assert printed("resume", "judge", "--device", "cpu", "--max-steps", "999") == (
        2,
        "",
        f"ganlab: error: judge: ended early at step {steps}, as training.stop_after = 2 says; the best step is "
        f"{int(steps) - 2}. To train longer, start a run without it, with training.start_from\n",
    )


def test_a_dry_run_prints_a_recipe_with_the_published_parameter_counts_and_makes_nothing(printed: Printed) -> None:
    before = sorted(Path.cwd().iterdir())
    code, out, err = printed("run", "ccyclegan_t26", "--dataset", "synthetic_faces", "--dry-run", "--device", "cpu")
    assert code == 0
    assert err == "--dataset synthetic_faces: dropped dataset.test_in_training, which belonged to 'fer2013'\n"
    assert out.splitlines()[-6:] == [
        "# encoder: 2,754,504 parameters",
        "# decoder: 3,946,495 parameters",
        "# discriminator: 3,283,918 parameters",
        "# 9,984,917 parameters in all",
        "# memory: 152 MiB for weights, gradients, moments;",
        "# images and activations come on top. Device: cpu",
    ]
    assert sorted(Path.cwd().iterdir()) == before
    Path("dry.toml").write_text(out)
    assert printed("run", "dry.toml", "--dry-run", "--device", "cpu") == (0, out, "")


def test_validate_says_what_fits_and_warns_of_absent_data_and_models(printed: Printed) -> None:
    code, out, err = printed("validate", "ccyclegan_t26", "--set", "training.start_from=nowhere")
    assert code == 0
    assert out == f"{T26}: valid: ccyclegan with ccyclegan on fer2013, 48 px, 1 channel, 7 labels\n"
    assert err.splitlines()[0] == (
        f"warning: FER2013 is not here; looked for {Path.cwd() / 'datasets' / 'fer2013.csv'} (or .gz, .xz)."
    )
    assert err.splitlines()[-1] == "warning: training.start_from: nowhere: no such run or checkpoint"


def test_a_loss_that_is_not_finite_ends_the_run_with_its_own_code(small: Small, printed: Printed) -> None:
    more = ["--set", "objective.weights.d_adversarial=1e38", "--max-steps", "60", "--out", "diverged"]
    code, out, err = printed("run", *small, *more)
    assert (code, out) == (8, "")
    assert err.splitlines()[-2:] == [
        "ganlab: error: g_adversarial is not finite at step 6. Try a lower optimizer.learning_rate, "
        'training.precision = "fp32", or another training.seed.',
        "  No checkpoint had been saved.",
    ]


# Samples


def test_a_sample_is_one_grid_of_the_newest_checkpoint_or_of_the_one_named(trained: Path, printed: Printed) -> None:
    grid = trained / "samples" / "sample-step-00000006-seed-0.png"
    assert printed("sample", str(trained)) == (0, f"{grid}\n", "")
    with Image.open(grid) as opened:
        assert opened.size == (8 * 98 + 2, 7 * 98 + 2 + 18)
    earlier = str(trained / "checkpoints" / "step-00000003")
    assert printed("sample", earlier, "--rows", "2", "--seed", "5", "--out", "new/g.png") == (0, "new/g.png\n", "")
    with Image.open("new/g.png") as opened:
        assert opened.size == (8 * 98 + 2, 2 * 98 + 2 + 18)


def test_the_photos_of_a_folder_are_translated_each_to_every_expression(trained: Path, printed: Printed) -> None:
    photos = Path("photos")
    photos.mkdir()
    for number in range(9):
        Image.effect_noise((60, 50), 40).save(photos / f"face {number}.png")
    names = ["source", *EXPRESSIONS]
    made = [f"translated/face {number}-{name}.png" for number in range(9) for name in names]
    code, out, err = printed("sample", str(trained), "--images", "photos", "--separate", "--out", "translated")
    assert (code, out.splitlines(), err) == (0, made, "")
    with Image.open(made[-1]) as opened:
        assert (opened.size, opened.mode) == ((48, 48), "L")
    code, out, _ = printed("sample", str(trained), "--images", "photos", "--separate", "--rows", "2")
    assert out.splitlines() == [f"{trained}/samples/sampled/{Path(name).name}" for name in made[:16]]


def test_a_sample_is_made_from_inside_the_run_too(trained: Path, printed: Printed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(trained / "checkpoints")
    assert printed("sample", "step-00000003", "--out", "here.png") == (0, "here.png\n", "")
    monkeypatch.chdir("..")
    assert printed("sample", ".") == (0, "samples/sample-step-00000006-seed-0.png\n", "")
