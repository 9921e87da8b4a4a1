"""Stock clean-fid, given the same weights and the same images as PNG files, gives the same features and scores."""

import hashlib
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from ganlab_clean_fid.evaluators import fid, kid
from ganlab_clean_fid.extractor import InceptionFeatures
from ganlab_clean_fid.inception import FidInception, from_state_dict
from ganlab_clean_fid.weights import Weights, find_weights
from PIL import Image
from torch import Tensor

from ganlab import ImageSet
from ganlab.scores import frechet_distance_of_features

CPU = torch.device("cpu")
ABSENT = "clean-fid is absent; uv sync --group oracles installs it"


@pytest.fixture(autouse=True)
def _their_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def write(folder: Path, images: Tensor) -> str:
    """Write images as PNG files whose names keep their order; return the folder."""
    folder.mkdir()
    for index, image in enumerate(images):
        pixels = image[0] if len(image) == 1 else image.permute(1, 2, 0)
        Image.fromarray(pixels.numpy()).save(folder / f"{index:04}.png")
    return str(folder)


def their_features(folder: str, weights: Path) -> Tensor:
    stock, network = (pytest.importorskip(f"cleanfid.{name}", reason=ABSENT) for name in ("fid", "inception_torchscript"))
    stand_in = network.InceptionV3W(str(weights.parent), download=False)
    found = stock.get_folder_features(
        folder, model=stand_in, num_workers=0, batch_size=5, device=CPU, mode="clean", verbose=False
    )
    return torch.from_numpy(found)


@pytest.mark.parametrize(("channels", "size_px"), [(3, 32), (1, 48), (3, 64), (3, 400)])
def test_features_are_clean_fids(
    script: Path, make_pictures: Callable[..., Tensor], tmp_path: Path, channels: int, size_px: int
) -> None:
    images = make_pictures(7, 0, channels, size_px)
    expected = their_features(write(tmp_path / "png", images), script)
    found = InceptionFeatures(find_weights(str(script), allow_unknown=True), CPU)(images)
    assert found.shape == (7, 2048)
    assert float((found - expected).norm() / expected.norm()) < 1e-5
    assert float((found - found.mean(0)).norm() / expected.norm()) > 0.01  # the images are told apart


def test_scores_are_clean_fids(published: Path, model: Any, make_pictures: Callable[..., Tensor], tmp_path: Path) -> None:
    stock = pytest.importorskip("cleanfid.fid", reason=ABSENT)
    if tuple(map(int, pytest.importorskip("scipy").__version__.split(".")[:2])) >= (1, 18):
        pytest.skip("clean-fid 0.1.35 fails with scipy 1.18")
    test = ImageSet(images=make_pictures(40, 99), labels=torch.eye(2)[torch.arange(40) % 2])
    real = their_features(write(tmp_path / "real", test.images), published)[:, :64].numpy()
    made = their_features(write(tmp_path / "made", make_pictures(40, 0)), published)[:, :64].numpy()
    kernel = kid(None, 0, 1, 64, str(published), False).score(model, test)["kid"]
    every = [their_features(str(tmp_path / name), published).double().numpy() for name in ("real", "made")]
    assert kernel == pytest.approx(stock.kernel_distance(*every, num_subsets=1, max_subset_size=40), rel=1e-3)
    ours = frechet_distance_of_features(torch.from_numpy(real), torch.from_numpy(made))
    assert ours == pytest.approx(float(stock.fid_from_feats(real, made)), abs=1e-3)
    assert fid(None, 0, 1, 64, str(published), False).score(model, test)["fid"] > 0


def test_the_network_of_named_tensors_is_that_of_pytorch_fid(state: dict[str, Tensor], monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = pytest.importorskip("cleanfid.inception_pytorch", reason=ABSENT)
    head = {"fc.weight": torch.zeros(1008, 2048), "fc.bias": torch.zeros(1008)}
    monkeypatch.setattr(theirs, "load_state_dict_from_url", lambda *_, **__: {**state, **head})
    stock = theirs.InceptionV3(output_blocks=[3], resize_input=False, normalize_input=False).eval()
    images = torch.rand(2, 3, 299, 299, generator=torch.Generator().manual_seed(1)) * 2 - 1
    with torch.inference_mode():
        expected = stock(images)[0].flatten(1)
        found = from_state_dict({**state, **head})(images)
    assert found.shape == (2, 2048)
    assert float((found - expected).norm() / expected.norm()) < 1e-5
    assert float(expected.std()) > 0.01


def test_a_file_of_named_tensors_gives_the_features_of_its_network(
    state: dict[str, Tensor], make_pictures: Callable[..., Tensor], tmp_path: Path
) -> None:
    path = tmp_path / "state.pth"
    torch.save(state, path)
    found = find_weights(str(path), allow_unknown=True)
    assert found == Weights(
        path=path, sha256=hashlib.sha256(path.read_bytes()).hexdigest(), is_script=False, is_published=False
    )
    images = make_pictures(1, 0)
    pixels = torch.nn.functional.interpolate(images.float(), (299, 299), mode="bicubic", antialias=True).clamp(0, 255)
    with torch.inference_mode():
        expected = from_state_dict(state)((pixels - 128) / 128)
    assert torch.allclose(InceptionFeatures(found, CPU)(images), expected, rtol=1e-5)


def test_the_named_tensors_are_those_of_the_published_layout() -> None:
    """They are those of torchvision's network without its heads, which the published file was made to fit."""
    inception = pytest.importorskip("torchvision.models.inception")
    with torch.device("meta"):
        expected = inception.Inception3(num_classes=1008, aux_logits=False, init_weights=False).state_dict()
        found = FidInception().state_dict()
    assert {name: tensor.shape for name, tensor in found.items()} == {
        name: tensor.shape for name, tensor in expected.items() if not name.startswith("fc.")
    }
