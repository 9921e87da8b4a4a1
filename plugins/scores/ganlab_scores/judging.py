"""A judge, images and the labels they were asked with -> how often it sees what was asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from ganlab import DataError, ImageSet, Model, NamedModel

_NO_JUDGE = (
    "names no judge: a classifier of the same labels, trained on real images. `ganlab recipes list` has judge_synthetic, "
    "judge_fer2013 and judge_celeba: `ganlab run judge_synthetic`, then name its run in the option judge (of `ganlab eval`: "
    "--set NAME.judge=RUN); after `ganlab models add RUN judge --alias best` that may be judge@best. diversity needs none"
)


def fitting_judge(judge: NamedModel | None, model: Model) -> NamedModel:
    """Return the judge; raises `DataError` if none is named, `ValueError` for one that is no independent judge of `model`."""
    if judge is None:
        raise DataError(_NO_JUDGE)
    theirs, data = judge.data, model.data
    if not data.labels:
        raise ValueError("the model has no labels for a judge to see")
    if "classify" not in judge.makes:
        raise ValueError(f"the judge {judge.name} does not classify: it can {_listed(judge.makes)}")
    if own := judge.makes - {"classify"}:
        raise ValueError(f"{judge.name} is no judge: it can {_listed(own)} too, so a generator taught it what it knows")
    if theirs.test_seen:
        raise ValueError(f'the judge {judge.name} was trained on its test images too; train it with dataset.split = "train"')
    differing = [
        f"{what} {its} instead of {ours}"
        for what, its, ours in (
            ("size_px", theirs.size_px, data.size_px),
            ("channels", theirs.channels, data.channels),
            ("labels of the kind", theirs.label_kind, data.label_kind),
        )
        if its != ours
    ]
    if missing := [name for name in data.label_names if name not in theirs.label_names]:
        differing.append(f"no label {' or '.join(missing)}")
    if differing:
        raise ValueError(f"the judge {judge.name} does not fit the model: it has {', '.join(differing)}")
    return judge


def seen(judge: NamedModel, images: Tensor, names: tuple[str, ...]) -> Tensor:
    """Return the judge's logits for the labels `names`, in that order, float64 [N, K]; it may know others besides."""
    columns = [judge.data.label_names.index(name) for name in names]
    return judge.classify(images)[:, columns].double()


def accuracies(logits: Tensor, labels: Tensor, names: tuple[str, ...], kind: str) -> dict[str, float]:
    """Return how often logits [N, K] say what labels 0/1 [N, K] say, each in [0, 1].

    Of classes `accuracy`, `accuracy_NAME` of the images asked as NAME, and their mean `macro_accuracy`, so that chance is
    1/K however uneven the classes are. Of attributes `accuracy_NAME` and `f1_NAME`, and the means `accuracy`, `f1`, and
    `balanced_accuracy` (of both answers of each attribute), for which chance is 1/2. What has no image has no score.
    """
    return _of_classes(logits, labels, names) if kind == "classes" else _of_attributes(logits, labels, names)


def confusion(logits: Tensor, labels: Tensor, names: tuple[str, ...]) -> dict[str, dict[str, float]]:
    """Return asked class -> seen class -> share of the images that were asked as the first."""
    told, asked = logits.argmax(1), labels.argmax(1)
    return {
        name: {other: float((told[asked == row] == column).double().mean()) for column, other in enumerate(names)}
        for row, name in enumerate(names)
        if bool((asked == row).any())
    }


def judge_card(judge: NamedModel, real: ImageSet, model: Model) -> dict[str, Any]:
    """Return what the judge sees in the real images, for which the right answers are known: the ceiling of any score."""
    names, kind = model.data.label_names, model.data.label_kind
    own = accuracies(seen(judge, real.images, names), real.labels, names, kind)
    return {"judge_digest": judge.digest, "judge_on_real_images": own}


def _of_classes(logits: Tensor, labels: Tensor, names: tuple[str, ...]) -> dict[str, float]:
    is_right = (logits.argmax(1) == labels.argmax(1)).double()
    each = {name: float(is_right[asked].mean()) for name, asked in zip(names, labels.T.bool(), strict=True) if asked.any()}
    return {"accuracy": float(is_right.mean()), "macro_accuracy": _mean(each), **_named("accuracy", each)}


def _of_attributes(logits: Tensor, labels: Tensor, names: tuple[str, ...]) -> dict[str, float]:
    told, asked = logits > 0, labels.bool()
    accuracy, balanced, f1 = {}, {}, {}
    for name, says, is_asked in zip(names, told.T, asked.T, strict=True):
        is_right = (says == is_asked).double()
        accuracy[name] = float(is_right.mean())
        if is_asked.any() and not is_asked.all():
            balanced[name] = float(is_right[is_asked].mean() + is_right[~is_asked].mean()) / 2
        if is_asked.any() or says.any():
            f1[name] = 2 * int((says & is_asked).sum()) / int(says.sum() + is_asked.sum())
    means = {"accuracy": _mean(accuracy)}
    means |= {"balanced_accuracy": _mean(balanced)} if balanced else {}
    means |= {"f1": _mean(f1)} if f1 else {}
    return {**means, **_named("accuracy", accuracy), **_named("f1", f1)}


def _named(what: str, each: Mapping[str, float]) -> dict[str, float]:
    return {f"{what}_{name.replace('.', '_')}": value for name, value in each.items()}  # a dot ends an evaluator's name


def _mean(each: Mapping[str, float]) -> float:
    return float(torch.tensor(list(each.values()), dtype=torch.float64).mean())


def _listed(what: frozenset[str]) -> str:
    return " and ".join(sorted(what)) or "do nothing"
