"""A trained model, by path or by name -> pictures that it makes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from ganlab.component_record import SECTION, changes, read_records
from ganlab.contracts import ImageSet
from ganlab.data.pieces import Progress, untold
from ganlab.errors import RunError, UsageError
from ganlab.evaluation.asking import asked_grid, asked_labels
from ganlab.evaluation.model import TrainedModel
from ganlab.plugins import load_plugins
from ganlab.recipe import load_recipe, swap_dataset
from ganlab.registry import Registry
from ganlab.report.pictures import ROWS, kinds_of_pictures, make_grid, passed_over, read_images, write_grid, write_image
from ganlab.resolve import build_networks, choose_device, open_splits, place
from ganlab.runs.checkpoints import Checkpoint, find_checkpoint, open_checkpoint
from ganlab.runs.labels import kept_labels
from ganlab.runs.model_adding import run_of
from ganlab.runs.references import locate
from ganlab.spec import Spec, make_spec
from ganlab.spec_faults import Faults
from ganlab.training.state import load_networks

_LONGEST_NAME = 80  # of the part of a file's name that tells what was asked for


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A trained model on disk: its checkpoint, and the recipe that says what it is."""

    name: str  # NAME@N, or the path as it was typed
    spec: Spec
    checkpoint: Checkpoint
    folder: Path  # of its run, or of the registry, where nothing may be written
    is_registered: bool
    notices: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Sampled:
    """Pictures that a model made, not yet written."""

    grid: Tensor  # uint8 [rows, columns, C, H, W]
    captions: Sequence[str]  # of columns
    names: Sequence[str]  # of rows
    source: Opened
    seed: int
    asked: Sequence[str]  # captions of the columns that the user asked for

    def write(self, out: Path | None, *, separate: bool) -> list[Path]:
        """Write one grid to the file `out`, or each picture into the folder `out`; return what was written."""
        out = out or self._default(separate)
        if not separate:
            write_grid(out, self.grid, self.captions)
            return [out]
        paths = []
        for row, name in enumerate(self.names):
            for image, caption in zip(self.grid[row], file_names(self.captions), strict=False):
                path = out / f"{name}-{caption}.png"
                write_image(path, image)
                paths.append(path)
        return paths

    def _default(self, separate: bool) -> Path:
        """Return a place in the run, or in the working folder for a model of the registry."""
        source = self.source
        asked = "".join(f"-{name}" for name in file_names(self.asked))
        asked = asked if len(asked) <= _LONGEST_NAME else "-asked"
        if source.is_registered:
            return Path(f"{source.name}-sampled" if separate else f"{source.name}-seed-{self.seed}{asked}.png")
        folder = source.folder / "samples"
        if separate:
            return folder / "sampled"
        return folder / f"sample-step-{source.checkpoint.step:08}-seed-{self.seed}{asked}.png"


def open_model(text: str, *, dataset: str | None = None) -> Opened:
    """Return the model that a path, NAME@N, NAME@ALIAS or NAME means: of a run, its newest checkpoint."""
    located = locate(text)
    checkpoint = open_checkpoint(find_checkpoint(located.path))
    run = run_of(checkpoint)
    plugins = load_plugins()
    recipe = load_recipe(run.recipe)
    notices: tuple[str, ...] = ()
    if dataset is not None:
        recipe, notices = swap_dataset(recipe, dataset)
    spec = make_spec(recipe, Registry(plugins))
    faults = Faults(recipe)  # which `make_spec` has raised already
    changed = changes(faults, read_records(faults, recipe.values.get(SECTION, {})), spec.components)
    return Opened(
        name=located.name,
        spec=spec,
        checkpoint=checkpoint,
        folder=run.path,
        is_registered=located.model is not None,
        notices=(*notices, *changed),
    )


def sample(
    source: str,
    *,
    images: Path | None = None,
    rows: int | None = None,
    labels: Sequence[str] = (),
    attributes: Sequence[str] = (),
    seed: int = 0,
    raw: bool = False,
    dataset: str | None = None,
    device: str = "auto",
    progress: Progress = untold,
) -> Sampled:
    """Return a grid from the model that `source` means, of certain `labels` or `attributes` if such are given.

    Without a number of `rows` there is one for each of `images`, or as many as a training picture has. `progress` hears how
    many images of the data set are read, if faces or attributes of it are needed and its cache is still to be made.
    """
    opened = open_model(source, dataset=dataset)
    spec = opened.spec
    chosen = choose_device(device)
    kinds = kinds_of_pictures(spec.makes)
    if not kinds:
        raise UsageError(f"{source}: {spec.architecture.name} makes no images; it can {', '.join(sorted(spec.makes))}")
    if images is not None and "translate" not in spec.makes:
        raise UsageError(f"--images: {spec.architecture.name} generates from noise and translates nothing")
    asked = asked_labels(spec.model_data, labels, attributes)
    model = load_model(spec, opened.checkpoint, chosen, raw=raw)
    kind = kinds[0] if images is None else "translate"
    sources, names = _sources(opened, images, kind, seed, progress, is_asked_for_data=dataset is not None)
    if images is not None and (others := passed_over(images)):
        opened = replace(opened, notices=(*opened.notices, others))
    if rows is None:
        rows = len(names) or ROWS
    if asked:
        grid, captions = asked_grid(model, sources, kind, asked, rows=rows, seed=seed)
    else:
        grid, captions = make_grid(model, sources, kind, rows=rows, seed=seed)
    return Sampled(
        grid=grid,
        captions=captions,
        names=names[:rows] or [f"{row:03}" for row in range(len(grid))],
        source=opened,
        seed=seed,
        asked=[column.caption for column in asked],
    )


def load_model(spec: Spec, checkpoint: Checkpoint, device: torch.device, *, raw: bool = False) -> TrainedModel:
    """Return the model of a checkpoint: averaged weights where it holds them, unless `raw`."""
    if raw and not checkpoint.averaged:
        raise RunError(f"{checkpoint.path}: --raw: only raw weights were kept; leave the option out")
    architecture, nets = build_networks(spec)
    load_networks(nets, checkpoint.tensors("networks"), checkpoint)
    if checkpoint.averaged and not raw:
        tensors = checkpoint.tensors("averaged")
        held = {key.partition("/")[0] for key in tensors}
        load_networks({name: net for name, net in nets.items() if name in held}, tensors, checkpoint)
    for net in nets.values():
        place(net, device)
    return TrainedModel(architecture, nets, spec.model_data, spec.makes, device)


def _sources(
    opened: Opened, images: Path | None, kind: str, seed: int, progress: Progress, *, is_asked_for_data: bool
) -> tuple[ImageSet, list[str]]:
    """Return the faces to translate, with names; for a generator, labels at most.

    A generator takes attributes from the rows that its run kept, so that it needs no data; from the data set if the user
    names one, or if the run kept none.
    """
    spec = opened.spec
    if images is not None:
        pixels, files = read_images(images, spec.data.size_px, spec.data.channels)
        stems = [Path(name).stem for name in files]
        return ImageSet(images=pixels), stems if len(set(stems)) == len(stems) else files
    if kind == "generate":
        if spec.model_data.label_kind != "attributes":
            return _imageless(spec, torch.zeros(0, dtype=torch.int64)), []
        kept = None if is_asked_for_data else kept_labels(opened.folder, spec.data)
        if kept is not None:
            return _imageless(spec, kept[_order(len(kept), seed)]), []
    test = open_splits(spec, progress).splits["test"]
    order = _order(len(test.images), seed)
    labels = None if test.labels is None else test.labels[order]
    return ImageSet(images=test.images[order], labels=labels), []


def _order(count: int, seed: int) -> Tensor:
    return torch.randperm(count, generator=torch.Generator().manual_seed(seed)) if seed else torch.arange(count)


def _imageless(spec: Spec, labels: Tensor) -> ImageSet:
    """Return labels with as many black images, of which nobody looks at one."""
    black = torch.zeros(1, spec.data.channels, spec.data.size_px, spec.data.size_px, dtype=torch.uint8)
    return ImageSet(images=black.expand(len(labels), -1, -1, -1), labels=labels)


def file_names(captions: Sequence[str]) -> list[str]:
    """Return captions as parts of file names, no two alike."""
    names = [re.sub(r"[^\w.=,+ -]", "_", caption).replace(" ", "_") for caption in captions]
    fit = all(0 < len(name) <= _LONGEST_NAME for name in names) and len({name.lower() for name in names}) == len(names)
    if fit:
        return names
    return [f"{column:02}" for column in range(len(captions))]
