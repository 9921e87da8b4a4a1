"""Times the packing of CelebA, image by image against Pillow's bare decoding, and whole; prints images a CPU-second.

    uv run python tests/benchmarks/celeba_packing.py FOLDER [--images 1000] [--rounds 10] [--threads 2]

FOLDER holds img_align_celeba and the tables; without one, drawn faces are exported first. The first table gives each image's
best time of all rounds, which a busy machine hardly changes: the goal is 2,000 images a CPU-second. The second packs the whole
folder into a temporary cache as a run does, reading and digests included, and opens it again.
"""

from __future__ import annotations

import argparse
import io
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from ganlab_celeba.dataset import CelebA
from ganlab_celeba.files import FolderImages
from ganlab_celeba.options import SIZES_PX, CelebAOptions
from ganlab_celeba.pictures import square
from PIL import Image

from ganlab.data.cache import CachedImages, open_images
from ganlab.data.export import export
from ganlab.plugins import load_plugins
from ganlab.registry import Registry


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("folder", type=Path, nargs="?")
    arguments.add_argument("--images", type=int, default=1000)
    arguments.add_argument("--rounds", type=int, default=10)
    arguments.add_argument("--threads", type=int, default=2)
    given = arguments.parse_args()
    torch.set_num_threads(given.threads)
    with tempfile.TemporaryDirectory() as temporary:
        folder = (
            given.folder
            or export(
                Registry(load_plugins()).find("dataset", "synthetic_faces"), "celeba", Path(temporary), images=given.images
            ).file
        )
        time_images(folder, given.images, given.rounds)
        time_packing(folder, Path(temporary) / "cache")


def time_images(folder: Path, count: int, rounds: int) -> None:
    images = FolderImages(folder / "img_align_celeba")
    names = images.names[:count]
    jobs: dict[str, Callable[[str], object]] = {"Pillow decodes": lambda name: _decode(images.read(name))}
    for crop, size_px in SIZES_PX.items():
        jobs[f"{crop} at {size_px} px"] = lambda name, crop=crop, size_px=size_px: square(images.read(name), crop, size_px)
    best = {job: np.full(len(names), np.inf) for job in jobs}
    for _ in range(rounds):
        for job, work in jobs.items():
            for index, name in enumerate(names):
                start = time.perf_counter()
                work(name)
                best[job][index] = min(best[job][index], time.perf_counter() - start)
    for job, seconds in best.items():
        print(f"{job:20} {seconds.mean() * 1e6:6.0f} us   {1 / seconds.mean():6,.0f} images/CPU-s")


def time_packing(folder: Path, cache: Path) -> None:
    def opened() -> CachedImages:
        options = CelebAOptions.model_validate({"path": str(folder)})
        data = options.data_spec()
        return open_images(
            "celeba",
            1,
            options.content(),
            CelebA(options),
            size_px=data.size_px,
            channels=data.channels,
            folder=cache,
            progress=lambda done, total: marks.append((done, time.process_time())),
        )

    for what in ("packed", "opened again"):
        marks: list[tuple[int, float]] = []
        wall, cpu = time.perf_counter(), time.process_time()
        found = opened()
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        count = sum(len(images.images) for images in found.splits.values())
        line = f"{what:20} {count:,} images in {wall:.2f} s, {cpu:.2f} CPU-s"
        if marks:
            (first, begin), (last, end) = marks[0], marks[-1]
            line += f"; {(last - first) / (end - begin):,.0f} images/CPU-s without digests and tables"
        print(line)


def _decode(content: bytes) -> None:
    with Image.open(io.BytesIO(content), formats=("JPEG",)) as image:
        image.load()


if __name__ == "__main__":
    main()
