"""A run or checkpoint folder -> pictures of its model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ganlab.contracts import ImageSet
from ganlab.errors import RunError, UsageError
from ganlab.evaluation.model import TrainedModel
from ganlab.plugins import load_plugins
from ganlab.recipe import load_recipe, swap_dataset
from ganlab.registry import Registry
from ganlab.report.pictures import ROWS, make_grid, read_images, write_grid, write_image
from ganlab.resolve import build_networks, choose_device, open_splits, place
from ganlab.runs.checkpoints import Checkpoint, find_checkpoint, open_checkpoint
from ganlab.runs.directory import open_run
from ganlab.spec import Spec, make_spec
from ganlab.training.state import load_networks


@dataclass(frozen=True, kw_only=True)
class Sampled:
    """Pictures that a model made, not yet written."""

    grid: Tensor  # uint8 [rows, columns, C, H, W]
    captions: Sequence[str]  # of columns
    names: Sequence[str]  # of rows
    step: int
    folder: Path  # of the run's pictures
    notices: Sequence[str]

    def write(self, out: Path, *, separate: bool) -> list[Path]:
        """Write one grid to the file `out`, or each picture into the folder `out`; return what was written."""
        if not separate:
            write_grid(out, self.grid, self.captions)
            return [out]
        paths = []
        for row, name in enumerate(self.names):
            for column, image in enumerate(self.grid[row]):
                caption = self.captions[column] or f"{column:02}"
                path = out / f"{name}-{caption.replace(' ', '_')}.png"
                write_image(path, image)
                paths.append(path)
        return paths


def sample(
    source: Path, *, images: Path | None, rows: int | None, seed: int, raw: bool, dataset: str | None, device: str
) -> Sampled:
    """Return a grid from the newest checkpoint of the run `source`, or from the checkpoint `source`.

    Without a number of `rows` there is one for each of `images`, or as many as a training picture has.
    """
    checkpoint = open_checkpoint(find_checkpoint(source))
    folder = checkpoint.path.parent.parent
    if len(checkpoint.path.parts) < 2 or ".." in checkpoint.path.parts:  # named from within the run's folder
        folder = checkpoint.path.resolve().parent.parent
    plugins = load_plugins()
    recipe = load_recipe(open_run(folder).recipe)
    notices: tuple[str, ...] = ()
    if dataset is not None:
        recipe, notices = swap_dataset(recipe, dataset)
    spec = make_spec(recipe, Registry(plugins))
    chosen = choose_device(device)
    model = load_model(spec, checkpoint, chosen, raw=raw)
    if not spec.makes & {"generate", "translate"}:
        raise UsageError(f"{source}: {spec.architecture.name} makes no images; it can {', '.join(sorted(spec.makes))}")
    if images is not None and "translate" not in spec.makes:
        raise UsageError(f"--images: {spec.architecture.name} generates from noise and translates nothing")
    sources, names = _sources(spec, images, seed)
    if rows is None:
        rows = len(names) or ROWS
    grid, captions = make_grid(model, sources, rows=rows, seed=seed)
    return Sampled(
        grid=grid,
        captions=captions,
        names=names[:rows] or [f"{row:03}" for row in range(len(grid))],
        step=checkpoint.step,
        folder=folder / "samples",
        notices=notices,
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
    return TrainedModel(architecture, nets, spec.data, spec.makes, device)


def _sources(spec: Spec, images: Path | None, seed: int) -> tuple[ImageSet, list[str]]:
    """Return the faces to translate, with names; for a generator, labels at most."""
    if images is not None:
        pixels, files = read_images(images, spec.data.size_px, spec.data.channels)
        stems = [Path(name).stem for name in files]
        return ImageSet(images=pixels), stems if len(set(stems)) == len(stems) else files
    if "translate" not in spec.makes and spec.data.label_kind != "attributes":
        empty = torch.zeros(0, spec.data.channels, spec.data.size_px, spec.data.size_px, dtype=torch.uint8)
        return ImageSet(images=empty, labels=torch.zeros(0, dtype=torch.int64)), []
    test = open_splits(spec).splits["test"]
    order = torch.randperm(len(test.images), generator=torch.Generator().manual_seed(seed)) if seed else slice(None)
    labels = None if test.labels is None else test.labels[order]
    return ImageSet(images=test.images[order], labels=labels), []
