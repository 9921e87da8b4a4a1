"""Features and statistics of real images are kept by content, whole, and made anew where they are damaged."""

import os
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

from ganlab.errors import GanlabError
from ganlab.scores import (
    frechet_distance_of_features,
    halves,
    moments_of,
    real_features,
    real_statistics,
    reference_key,
    references_folder,
)
from ganlab.scores.features import _memory


@pytest.fixture(autouse=True)
def _forget() -> None:
    _memory().clear()


def test_what_was_computed_is_read_by_another_process(fakes: ModuleType, home: Path) -> None:
    images, extractor = fakes.noise(20, 0), fakes.CountingExtractor()
    first = real_statistics(images, extractor)
    _memory().clear()
    again = real_statistics(images, extractor)
    assert torch.equal(real_features(images, extractor), extractor(images))
    assert extractor.images == 20 + 20  # once by ganlab, once by this test
    assert first.moments.root is not None
    for name, value in vars(first.moments).items():
        assert np.array_equal(value, getattr(again.moments, name))
    assert again.moments.mean.dtype == torch.float64
    assert (first.floor, first.floor_images) == (again.floor, again.floor_images)
    assert references_folder() == home / "references"
    assert sorted(path.suffixes[0] for path in references_folder().iterdir()) == [".features", ".statistics"]


def test_the_statistics_are_those_of_the_features(fakes: ModuleType) -> None:
    images, extractor = fakes.noise(21, 0), fakes.CountingExtractor()
    found, features = real_statistics(images, extractor), extractor(images)
    moments = moments_of(features)
    assert torch.equal(found.moments.mean, moments.mean)
    assert torch.equal(found.moments.covariance, moments.covariance)
    assert found.moments.root is not None
    assert torch.allclose(found.moments.root @ found.moments.root.T, moments.covariance)
    one, other = halves(features)
    assert found.floor == frechet_distance_of_features(one, other) > 0
    assert (len(one), len(other), found.floor_images) == (10, 10, 10)
    assert len({tuple(row) for row in [*one.tolist(), *other.tolist()]}) == 20


def test_a_singular_covariance_keeps_no_root(fakes: ModuleType) -> None:
    assert real_statistics(fakes.noise(4, 0), fakes.CountingExtractor()).moments.root is None


def test_one_pixel_the_order_the_shape_and_each_word_of_the_extractor_change_the_key(fakes: ModuleType) -> None:
    images, extractor = fakes.noise(6, 0), fakes.CountingExtractor()
    changed = images.clone()
    changed[5, 0, 7, 7] ^= 1
    other_words = fakes.CountingExtractor()
    other_words.preprocessing = "another resize"
    keys = [
        reference_key(images, extractor),
        reference_key(changed, extractor),
        reference_key(images.flip(0), extractor),
        reference_key(images.view(6, 1, 4, 16), extractor),
        reference_key(images, fakes.CountingExtractor(name="other")),
        reference_key(images, fakes.CountingExtractor(digest="1")),
        reference_key(images, other_words),
        reference_key(images, extractor, batch_images=3),
    ]
    assert len({str(key) for key in keys}) == len(keys)
    assert reference_key(images.clone(), fakes.CountingExtractor()) == keys[0]


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "foreign", "pickled", "nan"])
def test_a_damaged_file_is_made_anew(fakes: ModuleType, damage: str) -> None:
    images, extractor = fakes.noise(20, 0), fakes.CountingExtractor()
    expected = real_features(images, extractor)
    (path,) = references_folder().iterdir()
    content = path.read_bytes()
    words = reference_key(images, extractor)
    middle = content.index(b"NUMPY", 600) + 200
    if damage == "nan":
        np.savez(path, key=np.array(str(words)), features=np.full((20, 4), np.nan))
    elif damage == "pickled":
        np.savez(path, key=np.array(str(words)), features=np.array([{"a": 1}], dtype=object))
    elif damage == "foreign":
        np.savez(path, key=np.array("of other images"), features=np.zeros((20, 4), np.float32))
    else:
        flipped = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
        path.write_bytes({"cut": content[: len(content) // 2], "empty": b"", "flipped": flipped}[damage])
    _memory().clear()
    assert torch.equal(real_features(images, extractor), expected)
    assert extractor.images == 40
    assert path.read_bytes() == content
    assert list(references_folder().iterdir()) == [path]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="needs a user whom permissions bind")
def test_a_file_that_may_not_be_read_is_told(fakes: ModuleType) -> None:
    images, extractor = fakes.noise(20, 0), fakes.CountingExtractor()
    real_features(images, extractor)
    (path,) = references_folder().iterdir()
    path.chmod(0)
    with pytest.raises(GanlabError, match="cannot be read: Permission denied"):
        real_features(images, extractor)


def test_a_folder_that_cannot_be_made_is_told(fakes: ModuleType, home: Path) -> None:
    home.write_text("a file where the folder should be")
    with pytest.raises(GanlabError, match="references: cannot be written: ") as told:
        real_features(fakes.noise(4, 0), fakes.CountingExtractor())
    assert "\n" not in str(told.value)


def test_three_images_have_no_floor(fakes: ModuleType) -> None:
    with pytest.raises(ValueError, match=r"^3 real images: two halves of at least 2 are needed"):
        real_statistics(fakes.noise(3, 0), fakes.CountingExtractor())
