"""Features of images that scores were measured by -> .npz files, for plots and measures of a person's own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from torch import Tensor

from ganlab.errors import DeviceError
from ganlab.files import replacing
from ganlab.scores import FeatureExtractor, told_of_features


@contextmanager
def kept_features(folder: Path, name: str) -> Iterator[None]:
    """Write the features that are used inside the block: of made images by `name`, of real ones as real-...

    A file holds `features` [N, D] and `about`, the JSON of what they are; its name ends in the first digits of the digests
    of the extractor and of the images, so that those of other weights, seeds or splits have a file of their own.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DeviceError(f"--save-features {folder}: cannot be made ({error.strerror})") from None

    def keep(kind: str, images: str, extractor: FeatureExtractor, features: Tensor) -> None:
        about = {
            "images": kind,
            "images_digest": images,
            "extractor": extractor.name,
            "extractor_digest": extractor.digest,
            "preprocessing": extractor.preprocessing,
        }
        path = folder / f"{'real' if kind == 'real' else name}-{extractor.name}-{extractor.digest[:8]}-{images[:12]}.npz"
        if not path.exists():
            with replacing(path) as file:
                np.savez(file, features=features.cpu().numpy(), about=np.array(json.dumps(about)))

    with told_of_features(keep):
        yield
