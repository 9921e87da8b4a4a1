"""Drawn faces in the layout of CelebA, and what a run would get of them."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from ganlab_celeba.dataset import CelebA
from ganlab_celeba.options import CelebAOptions

from ganlab.data.cache import CachedImages, open_images
from ganlab.data.export import export
from ganlab.data.pieces import Progress, untold
from ganlab.plugins import load_plugins
from ganlab.registry import Registry


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of 35 training images of five people and 14 test images of two others."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GANLAB_HOME", str(tmp_path_factory.mktemp("home")))
        faces = Registry(load_plugins()).find("dataset", "synthetic_faces")
        people = ["identities=5", "test_identities=2"]
        return export(faces, "celeba", tmp_path_factory.mktemp("published"), sets=people).file


@pytest.fixture
def celeba(exported: Path, tmp_path: Path) -> Path:
    """Return a copy of the folder that a test may damage."""
    return shutil.copytree(exported, tmp_path / "celeba")


@pytest.fixture
def opened(tmp_path: Path) -> Callable[..., CachedImages]:
    """Return `opened(folder, **options)`: the images as a run gets them."""

    def open_folder(folder: Path, progress: Progress = untold, **options: object) -> CachedImages:
        model = CelebAOptions.model_validate({"path": str(folder), **options})
        spec = model.data_spec()
        cache = tmp_path / "cache"
        return open_images(
            "celeba",
            1,
            model.content(),
            CelebA(model),
            size_px=spec.size_px,
            channels=spec.channels,
            folder=cache,
            progress=progress,
        )

    return open_folder
