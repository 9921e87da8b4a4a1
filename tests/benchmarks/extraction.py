"""Times features as FID takes them, from uint8 faces, against Inception alone on pixels that are ready, side by side.

    uv run python tests/benchmarks/extraction.py [--images 32] [--size 48] [--batch 32] [--threads 1] [--rounds 7]

Prints CPU-seconds of this process, medians of interleaved rounds, and the median of the ratio within each round. The
weights are random, of the published layout, read from a file as the published ones are. Goal: at most 1.05 of the network.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import torch
from ganlab_clean_fid.extractor import InceptionFeatures
from ganlab_clean_fid.inception import FidInception, from_state_dict
from ganlab_clean_fid.weights import find_weights
from torch import Tensor, nn

from ganlab.scores import in_colour, resized
from ganlab.scores.features import extract

SIDE_PX = 299


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--images", type=int, default=32)
    arguments.add_argument("--size", type=int, default=48)
    arguments.add_argument("--batch", type=int, default=32)
    arguments.add_argument("--threads", type=int, default=1)
    arguments.add_argument("--rounds", type=int, default=7)
    given = arguments.parse_args()
    torch.set_num_threads(given.threads)

    images = torch.randint(0, 256, (given.images, 1, given.size, given.size), dtype=torch.uint8)
    weights = random_weights()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "random.pth"
        torch.save(weights, path)
        extractor = InceptionFeatures(find_weights(str(path), allow_unknown=True), torch.device("cpu"))
        first = extract(images[:1], extractor)  # opens the file
    network = from_state_dict(weights)
    ready = (in_colour(resized(images, SIDE_PX)) - 128) / 128
    if not torch.allclose(first, alone(network, ready[:1], 1), rtol=1e-4):
        raise SystemExit("the two forms do not compute the same features: nothing is timed")

    forms = {
        "network": lambda: alone(network, ready, given.batch),
        "extraction": lambda: extract(images, extractor, batch_images=given.batch),
    }
    seconds: dict[str, list[float]] = {name: [] for name in forms}
    for _ in range(given.rounds):
        for name, form in forms.items():
            start = time.process_time()
            form()
            seconds[name].append(time.process_time() - start)
    for name, times in seconds.items():
        ratio = statistics.median(own / bare for bare, own in zip(seconds["network"], times, strict=True))
        print(f"{name:10} {statistics.median(times):7.3f} CPU-s for {given.images} images   x{ratio:.3f} of the network")


def random_weights() -> dict[str, Tensor]:
    """Return weights of the published layout under which activations keep their size."""
    torch.manual_seed(0)
    network = FidInception()
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    return network.state_dict()


def alone(network: nn.Module, pixels: Tensor, batch_images: int) -> Tensor:
    """Return the features of pixels [N, 3, 299, 299] that are resized and scaled already."""
    with torch.inference_mode():
        return torch.cat([network(part) for part in pixels.split(batch_images)])


if __name__ == "__main__":
    main()
