"""Labels as a user asks for them, "happy,sad" or "Smiling=1,Eyeglasses=0" -> columns of a grid that show them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ganlab.contracts import DataSpec, ImageSet, Model
from ganlab.data.bank import one_hot
from ganlab.errors import UsageError
from ganlab.registry import did_you_mean, near_names, normalise
from ganlab.report.pictures import one_of_each

ALL = "all"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One column of a grid: which labels are set to what; the others stay as they are."""

    caption: str
    values: Mapping[int, float]  # column of the label -> value

    def of(self, labels: Tensor) -> Tensor:
        """Return `labels` [N, K] with the values that were asked for."""
        changed = labels.clone()
        for column, value in self.values.items():
            changed[:, column] = value
        return changed


def asked_labels(data: DataSpec, labels: Sequence[str], attributes: Sequence[str]) -> list[Asked]:
    """Return a column for each class that `labels` name, or for each of `attributes`; raises `UsageError` for every fault."""
    if labels and attributes:
        raise UsageError("--labels names classes and --attributes sets attributes; a model has one kind of label, so give one")
    if labels:
        _check_kind(data, "--labels", "classes")
        return [_one_class(data, index) for index in _classes(data, labels)]
    if attributes:
        _check_kind(data, "--attributes", "attributes")
        return [_attributes(data, text) for text in attributes]
    return []


def asked_targets(data: DataSpec, texts: Sequence[str]) -> list[Asked]:
    """Return a column for each of `texts` as `ganlab translate --to` takes them; raises `UsageError` for every fault.

    Of classes a name, or of two classes NAME=1 and NAME=0 too; of attributes "Smiling=1,Eyeglasses=0"; of both "all".
    Nothing is every class, and of a model without labels the one translation that it has.
    """
    if data.label_kind == "none":
        if texts:
            raise UsageError("--to: the model was trained without labels; leave the option out")
        return [Asked(caption="translation", values={})]
    if data.label_kind == "classes":
        return [_one_class(data, index) for index in _classes(data, [_named(data, text) for text in texts or [ALL]], "--to")]
    if not texts:
        raise UsageError(f'--to: say which attributes, such as --to "{data.label_names[0]}=1"; attributes are {_listed(data)}')
    wanted = []
    for text in texts:
        every = [f"{name}=1" for name in data.label_names] if normalise(text) == ALL else [text]
        wanted += [_attributes(data, each, "--to") for each in every]
    return wanted


def asked_grid(
    model: Model, sources: ImageSet, kind: str, asked: Sequence[Asked], *, rows: int, seed: int
) -> tuple[Tensor, list[str]]:
    """Return a grid of what was asked for, uint8 [rows, columns, C, H, W], and the captions of its columns.

    Each row is one source face, or with the kind "generate" one noise. A generator's labels that nobody asked for are those of
    `sources`, in turn.
    """
    captions = [column.caption for column in asked]
    if kind == "translate":
        shown = one_of_each(sources, model.data, rows)
        faces, own = sources.images[shown], _own_labels(sources, model.data)[shown]
        made = [model.translate(faces, column.of(own)) for column in asked]
        return torch.stack([faces, *made], 1), ["source", *captions]
    own = _own_labels(sources, model.data) if len(sources.images) else torch.zeros(1, model.data.labels)
    own = own[torch.arange(rows) % len(own)]
    return torch.stack([model.generate(column.of(own), seed) for column in asked], 1), captions


def _own_labels(sources: ImageSet, data: DataSpec) -> Tensor:
    """Return the labels of images [N, K]; zeros where nobody knows them."""
    if sources.labels is None:
        return torch.zeros(len(sources.images), data.labels)
    return one_hot(sources.labels, data.labels, len(sources.images))


def _check_kind(data: DataSpec, option: str, kind: str) -> None:
    if data.label_kind == kind:
        return
    if data.label_kind == "none":
        raise UsageError(f"{option}: the model was trained without labels; leave the option out")
    if kind == "classes":
        example = data.label_names[0]
        raise UsageError(f'--labels: the model\'s labels are attributes; say --attributes "{example}=1"')
    raise UsageError(f"--attributes: the model's labels are the classes {_listed(data)}; say --labels {data.label_names[-1]}")


def _named(data: DataSpec, text: str) -> str:
    """Return the class that "Smiling=1" or "Smiling=0" means where there are two; else `text` as it is."""
    name, _, value = text.rpartition("=")
    index = _index(data, name)
    if index is None or value.strip() not in ("0", "1") or data.labels != len("01"):
        return text
    return data.label_names[index if value.strip() == "1" else 1 - index]


def _classes(data: DataSpec, texts: Sequence[str], option: str = "--labels") -> list[int]:
    """Return the classes that are named, in that order, each once; a name may hold a comma of its own."""
    chosen: dict[int, None] = {}
    faults = []
    for text in texts:
        whole = _index(data, text)
        for name in [text] if whole is not None else text.split(","):
            index = _index(data, name)
            if index is not None:
                chosen[index] = None
            elif normalise(name) == ALL:
                chosen.update(dict.fromkeys(range(data.labels)))
            else:
                faults.append(f"{option}: {_unknown(data, name)}")
    if faults:
        raise UsageError("\n".join(faults))
    return list(chosen)


def _one_class(data: DataSpec, index: int) -> Asked:
    return Asked(caption=data.label_names[index], values={column: float(column == index) for column in range(data.labels)})


def _attributes(data: DataSpec, text: str, option: str = "--attributes") -> Asked:
    """Return what "Smiling=1,Eyeglasses=0" says."""
    values: dict[int, float] = {}
    faults = []
    for part in text.split(","):
        name, equals, number = (piece.strip() for piece in part.rpartition("="))
        index = _index(data, name)
        if not equals:
            faults.append(f'{option}: {part.strip()!r} has no value; write "{part.strip() or data.label_names[0]}=1"')
        elif index is None:
            faults.append(f"{option}: {_unknown(data, name)}")
        elif not re.fullmatch(r"[01](\.0*)?|0?\.\d+", number):
            faults.append(f"{option}: {name}={number}: a value is 1, 0 or a number between, such as 0.5")
        elif index in values:
            faults.append(f"{option}: {data.label_names[index]} is set twice; give {option} twice for two columns")
        else:
            values[index] = float(number)
    if faults:
        raise UsageError("\n".join(faults))
    return Asked(caption=",".join(f"{data.label_names[index]}={value:g}" for index, value in values.items()), values=values)


def _index(data: DataSpec, name: str) -> int | None:
    """Return the label of that name; upper and lower case, spaces, `-` and `_` are one."""
    exact = [index for index, known in enumerate(data.label_names) if known == name.strip()]
    alike = [index for index, known in enumerate(data.label_names) if _key(known) == _key(name)]
    return next(iter([*exact, *alike]), None)


def _key(name: str) -> str:
    return re.sub(r"\s+", "_", normalise(name))


def _unknown(data: DataSpec, name: str) -> str:
    near = did_you_mean(near_names(name, data.label_names))
    return f"no label is called {name.strip()!r}{near or f'; labels are {_listed(data)}'}"


def _listed(data: DataSpec) -> str:
    return ", ".join(data.label_names)
