"""With the real weights, which GANLAB_FID_WEIGHTS names, the distances are those of a FID; skipped without them."""

import io
import os

import numpy as np
import pytest
import torch
from ganlab_clean_fid.extractor import InceptionFeatures
from ganlab_clean_fid.weights import VARIABLE, find_weights
from PIL import Image
from torch import Tensor

from ganlab.scores import features_of, frechet_distance_of_features

PATH = os.environ.get(VARIABLE)  # read here, since the tests' home hides it


@pytest.mark.skipif(PATH is None, reason=f"{VARIABLE} is not set: no real weights of Inception")
def test_real_weights_tell_halves_and_jpeg_from_the_images_themselves() -> None:
    from ganlab_synthetic_faces import faces, render

    drawn = faces(0, torch.arange(120), level="default", identities=120)
    images = render(drawn.identity, drawn.scene, drawn.expression, 64, 3)
    extractor = InceptionFeatures(find_weights(PATH, allow_unknown=False), torch.device("cpu"))
    one, other, packed = (features_of(part, extractor) for part in (images[:60], images[60:], as_jpeg(images[:60])))
    assert one.shape == (60, 2048)
    assert frechet_distance_of_features(one, one) < 1e-3
    assert frechet_distance_of_features(one, packed) > 0.01
    assert 1 < frechet_distance_of_features(one, other) < 300


def test_jpeg_stands_for_what_it_does() -> None:
    """The helper below runs only with real weights; this keeps it right without them."""
    images = torch.zeros(2, 3, 16, 16, dtype=torch.uint8)
    images[:, 0, :, 8:] = 255
    packed = as_jpeg(images)
    assert packed.shape == images.shape
    assert 0 < float((packed.float() - images.float()).abs().mean()) < 60


def as_jpeg(images: Tensor) -> Tensor:
    """Return what JPEG of quality 75 leaves of images, uint8 [N, 3, H, W]."""
    packed = []
    for image in images:
        file = io.BytesIO()
        Image.fromarray(image.permute(1, 2, 0).numpy()).save(file, "JPEG", quality=75)
        packed.append(torch.from_numpy(np.array(Image.open(file))).permute(2, 0, 1))
    return torch.stack(packed)
