"""`ganlab eval`: scores of trained models."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ganlab.cli import console
from ganlab.cli.choices import DatasetChoice, DeviceChoice
from ganlab.errors import UsageError

if TYPE_CHECKING:
    from ganlab.evaluation.asked_scores import Asked
    from ganlab.report.score_tables import ScoreTable
    from ganlab.runs.choosing import Which

SCHEMA = 1  # of the JSON; counts up when a field changes its meaning or goes


_Sources = Annotated[
    list[str],
    typer.Argument(
        metavar="SOURCE...", help="runs, checkpoints, folders of runs, or models: NAME, NAME@3, NAME@best", show_default=False
    ),
]
_Fid = Annotated[bool, typer.Option("--fid", help="Frechet distance of Inception features; needs weights")]
_Kid = Annotated[bool, typer.Option("--kid", help="kernel distance of Inception features; needs weights")]
_Rfd = Annotated[bool, typer.Option("--rfd", help="Frechet distance of random features; needs nothing")]
_Prdc = Annotated[bool, typer.Option("--prdc", help="precision, recall, density, coverage; needs weights")]
_Conditional = Annotated[bool, typer.Option("--conditional", help="are labels shown, in the eyes of a judge")]
_Translation = Annotated[bool, typer.Option("--translation", help="label shown, identity kept, photo restored")]
_Score = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME", help="any evaluator, or a section [evaluation.NAME] of the recipe; repeatable"),
]
_All = Annotated[bool, typer.Option("--all", help="every evaluator that can score the model; says which cannot, and why")]
_Images = Annotated[
    int | None, typer.Option(min=1, help="images made, and at most so many real ones; default: the evaluator's")
]
_Split = Annotated[str, typer.Option(help="the real images: the split of the data set")]
_Seed = Annotated[int | None, typer.Option(min=0, help="of the images made; default: the evaluator's")]
_Seeds = Annotated[int | None, typer.Option(min=1, help="make so many sets of images, and tell an interval over them")]
_Weights = Annotated[Path | None, typer.Option(metavar="PATH", help="the file of a feature network, or its folder")]
_Unknown = Annotated[
    bool, typer.Option("--allow-unknown-weights", help="open a file that nobody published; its scores get other names")
]
_Judge = Annotated[str | None, typer.Option(metavar="RUN", help="the classifier that judges: a run, NAME or NAME@best")]
_Best = Annotated[bool, typer.Option("--best", help="of each run the checkpoint that its training.best kept")]
_Last = Annotated[bool, typer.Option("--last", help="of each run the newest checkpoint")]
_Every = Annotated[int | None, typer.Option(metavar="STEPS", min=1, help="the checkpoints at every so many steps")]
_Raw = Annotated[bool, typer.Option("--raw", help="the raw weights, where averaged ones were kept")]
_Sets = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="an option of one evaluator, such as rfd.batch_images=8; repeatable"),
]
_Features = Annotated[
    Path | None, typer.Option(metavar="DIR", help="write the features of real and made images there, as .npz")
]
_Json = Annotated[bool, typer.Option("--json", help="print JSON")]
_Csv = Annotated[Path | None, typer.Option(metavar="FILE", help="write one row a score")]


def command(
    sources: _Sources,
    fid: _Fid = False,
    kid: _Kid = False,
    rfd: _Rfd = False,
    prdc: _Prdc = False,
    conditional: _Conditional = False,
    translation: _Translation = False,
    score: _Score = None,
    everything: _All = False,
    images: _Images = None,
    split: _Split = "test",
    seed: _Seed = None,
    seeds: _Seeds = None,
    weights: _Weights = None,
    allow_unknown_weights: _Unknown = False,
    judge: _Judge = None,
    best: _Best = False,
    last: _Last = False,
    every: _Every = None,
    raw: _Raw = False,
    dataset: DatasetChoice = None,
    sets: _Sets = None,
    device: DeviceChoice = "auto",
    save_features: _Features = None,
    as_json: _Json = False,
    csv: _Csv = None,
) -> None:
    """Score checkpoints: of a run all of them, of a folder those of all runs in it.

    Without the name of a score, by the evaluators of each run's own recipe, with its options. What is missing is told before
    any image is made. Each score is kept in its run's scores.json with the protocol that it was measured by, and is not
    measured again while weights, data and protocol are the same: stop at any time, the same command goes on. Of a score
    that tells which class was taken for which (conditional, translation), a picture is left in the run's folder scores.
    """
    from ganlab.evaluation.asked_scores import Asked

    flags = {"fid": fid, "kid": kid, "rfd": rfd, "prdc": prdc, "conditional": conditional, "translation": translation}
    names = (*(name for name, is_asked in flags.items() if is_asked), *(score or ()))
    if everything and names:
        raise UsageError(f"--all is every score; leave out --all, or {', '.join(names)}")
    if best + last + (every is not None) > 1:
        raise UsageError("--best, --last and --every exclude each other")
    asked = Asked(
        evaluators=names,
        everything=everything,
        options=_given(images=images, seed=seed, seeds=seeds),
        some_options=_given(
            weights=None if weights is None else str(weights), allow_unknown_weights=allow_unknown_weights or None, judge=judge
        ),
        sets=tuple(sets or ()),
        split=split,
        raw=raw,
        dataset=dataset,
        device=device,
    )
    tables, left_out = _measured(sources, asked, "best" if best else "last" if last else "all", every, save_features)
    _print(tables, left_out, as_json=as_json, csv=csv)


def _given(**options: int | str | bool | None) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


def _measured(
    sources: list[str], asked: Asked, which: Which, every: int | None, save_features: Path | None
) -> tuple[list[ScoreTable], dict[str, str]]:
    from ganlab.cli.evaluation_display import EvaluationDisplay
    from ganlab.evaluation.scoring import score_checkpoints
    from ganlab.report.confusion import draw_confusion
    from ganlab.report.score_tables import ScoreLine, score_tables
    from ganlab.runs.choosing import choose_checkpoints

    runs = choose_checkpoints(sources, which=which, every_steps=every)
    with EvaluationDisplay() as display:
        scoring = score_checkpoints(runs, asked, display, features=save_features)
    for one in scoring.scored:
        if (picture := draw_confusion(one.folder, one.entry)) is not None:
            console.progress(f"confusion picture: {picture}")
    lines = [ScoreLine(run=one.run, checkpoint=str(one.path), entry=one.entry) for one in scoring.scored]
    return score_tables(lines), dict(scoring.left_out)


def _print(tables: list[ScoreTable], left_out: dict[str, str], *, as_json: bool, csv: Path | None) -> None:
    """Print and write what was found, and what was left out."""
    from ganlab.report.score_tables import as_json as in_json
    from ganlab.report.score_tables import cells, csv_rows, heading, unlike
    from ganlab.report.tables import write_csv

    if csv is not None:
        write_csv(csv, csv_rows(tables))
    for reason in dict.fromkeys(left_out.values()):
        names = ", ".join(name for name, why in left_out.items() if why == reason)
        console.progress(f"left out: {names}: {reason}")
    if as_json:
        console.result(json.dumps({"schema": SCHEMA, **in_json(tables), "left_out": left_out}, indent=2))
        return
    for index, table in enumerate(tables):
        headers, rows, notes = cells(table)
        console.result(("\n" if index else "") + heading(table))
        console.table(rows, headers, whole=1)
        if notes:
            console.result(notes)
    for warning in unlike(tables):
        console.progress(f"warning: {warning}")
    if csv is not None:
        console.result(str(csv))
