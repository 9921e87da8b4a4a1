"""A trained model and photos of a person's own -> those photos with other labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ganlab.errors import DataError, UsageError
from ganlab.evaluation.asking import asked_targets
from ganlab.evaluation.sampling import file_names, load_model, open_model
from ganlab.report.pictures import passed_over, photos_of, read_photos, write_grid, write_image
from ganlab.resolve import choose_device


@dataclass(frozen=True, kw_only=True)
class Translated:
    """Photos and their translations, not yet written."""

    grid: Tensor  # uint8 [photos, 1 + targets, C, H, W]
    captions: Sequence[str]  # of columns
    photos: Mapping[str, Path]  # rows, by the name that their files get
    notices: Sequence[str]  # of the model, a line each

    def write(self, out: Path, *, separate: bool) -> list[Path]:
        """Write a picture for each photo into the folder `out`, or with `separate` each image; return what was written.

        Raises `UsageError` before anything is written if a picture would take the place of a photo.
        """
        columns = file_names(self.captions) if separate else ["translated"]
        paths = [[out / f"{name}-{column}.png" for column in columns] for name in self.photos]
        photos = {path.resolve(): path for path in self.photos.values()}
        taken = [photos[path.resolve()] for row in paths for path in row if path.resolve() in photos]
        if taken:
            raise UsageError(f"--out {out}: would overwrite {', '.join(map(str, taken))}; name another folder")
        for row, images in zip(paths, self.grid, strict=True):
            if separate:
                for path, image in zip(row, images, strict=True):
                    write_image(path, image)
            else:
                write_grid(row[0], images[None], self.captions)
        return [path for row in paths for path in row]


def translate(source: str, images: Sequence[Path], to: Sequence[str], *, raw: bool = False, device: str = "auto") -> Translated:
    """Return `images`, files or folders of them, as the model that `source` means changes them towards each of `to`."""
    opened = open_model(source)
    spec = opened.spec
    if "translate" not in spec.makes:
        able = f"it can {', '.join(sorted(spec.makes))}" if spec.makes else "it makes nothing"
        hint = f"; `ganlab sample {source}` shows what it makes" if "generate" in spec.makes else ""
        raise UsageError(f"{source}: {spec.architecture.name} translates no photos: {able}{hint}")
    chosen = choose_device(device)
    asked = asked_targets(spec.model_data, to)
    photos = named(expanded(images))
    shown = {str(path): path for path in photos.values()}
    pixels = read_photos(shown, spec.data.size_px, spec.data.channels, "photos")
    model = load_model(spec, opened.checkpoint, chosen, raw=raw)
    own = torch.zeros(len(pixels), spec.model_data.labels)  # nobody knows them
    made = [model.translate(pixels, target.of(own)) for target in asked]
    return Translated(
        grid=torch.stack([pixels, *made], 1),
        captions=["original", *(target.caption for target in asked)],
        photos=photos,
        notices=[*opened.notices, *filter(None, map(passed_over, filter(Path.is_dir, images)))],
    )


def expanded(images: Sequence[Path]) -> list[Path]:
    """Return files, each once, with the images of folders in the place of these; raises `DataError` for empty folders."""
    found: dict[Path, None] = {}
    empty = []
    for path in images:
        inside = photos_of(path) if path.is_dir() else [path]
        found.update(dict.fromkeys(inside))
        if not inside:
            empty.append(passed_over(path) or f"{path}: the folder holds no image")
    if empty:
        raise DataError("\n".join(empty))
    return list(found)


def named(photos: Sequence[Path]) -> dict[str, Path]:
    """Return photos by names for files, no two alike: a file's stem, else its name, else that with a number before it."""
    for names in ([path.stem for path in photos], [path.name for path in photos]):
        if max(Counter(name.lower() for name in names).values(), default=1) == 1:
            return dict(zip(names, photos, strict=True))
    return {f"{index:03}-{path.name}": path for index, path in enumerate(photos)}
