"""Exported data sets are what the loader of the published one reads."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from ganlab_celeba.dataset import CelebA
from ganlab_celeba.options import CelebAOptions
from ganlab_fer2013.dataset import Fer2013
from ganlab_fer2013.options import EXPRESSIONS, Fer2013Options
from PIL import Image

from ganlab.cli import main
from ganlab.contracts import Component, DataSpec, ImageSet
from ganlab.data.celeba_layout import CELEBA_ATTRIBUTES
from ganlab.data.export import Exported, export, first_images
from ganlab.data.fit import fit
from ganlab.data.layouts import FER2013_EXPRESSIONS
from ganlab.errors import DataError, GanlabError, RecipeError, RunError, UsageError
from ganlab.options import DatasetOptions
from ganlab.registry import Registered


class FacesOptions(DatasetOptions):
    """Random pixels, with the expressions in another order than FER2013 has."""

    seed: int = 0

    def data_spec(self) -> DataSpec:
        names = ("young", "old") if self.labels == "age" else tuple(sorted(FER2013_EXPRESSIONS))
        if self.labels == "attributes":
            raise ValueError("no attributes here")
        return DataSpec(size_px=self.size_px or 16, channels=self.channels or 3, label_kind="classes", label_names=names)


class Faces:
    """Images of 48 gray pixels whatever was asked for."""

    def __init__(self, options: FacesOptions) -> None:
        self.random = np.random.default_rng(options.seed)

    def sources(self) -> list[Path]:
        return []

    def read(self) -> dict[str, ImageSet]:
        return {"train": self.part(20), "test": self.part(7)}

    def part(self, count: int) -> ImageSet:
        images = self.random.integers(0, 256, (count, 1, 48, 48), np.uint8)
        return ImageSet(images=images, labels=np.arange(count) % 7)


FACES = Registered(
    kind="dataset",
    component=Component("faces", Faces, options=FacesOptions),
    plugin="faces",
    distribution="ganlab-faces",
    distribution_version="1",
    is_builtin=False,
)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANLAB_HOME", str(tmp_path / "home"))


def read_back(file: Path) -> dict[str, ImageSet]:
    return dict(Fer2013(Fer2013Options.model_validate({"path": str(file)})).read())


def fault(error: type[GanlabError], *arguments: Any, **options: Any) -> str:
    with pytest.raises(error) as raised:
        export(*arguments, **options)
    return str(raised.value)


def test_names_are_those_of_fer2013() -> None:
    assert FER2013_EXPRESSIONS == EXPRESSIONS


def test_exported_file_reads_back_the_same(tmp_path: Path) -> None:
    exported = export(FACES, "fer2013", tmp_path / "new" / "folder", sets=["seed=3"])
    file = tmp_path / "new" / "folder" / "fer2013.csv"
    assert exported == Exported(
        file=file,
        rows={"Training": 20, "PublicTest": 4, "PrivateTest": 3},
        train_command=f"ganlab run quickstart --dataset fer2013 --set dataset.path={file}",
    )
    assert file.read_text().split("\n")[0] == "emotion,pixels,Usage"
    assert [line.split(",")[2] for line in file.read_text().split("\n")[18:-1]] == (
        ["Training"] * 3 + ["PublicTest"] * 4 + ["PrivateTest"] * 3
    )
    original, found = Faces(FacesOptions.model_validate({"seed": 3})).read(), read_back(file)
    for split in ("train", "test"):
        assert np.array_equal(found[split].images, original[split].images)
        names = [sorted(EXPRESSIONS)[label] for label in original[split].labels]
        assert [EXPRESSIONS[label] for label in found[split].labels] == names


def test_number_of_images_can_be_limited(tmp_path: Path) -> None:
    assert export(FACES, "fer2013", tmp_path, images=10).rows == {"Training": 7, "PublicTest": 2, "PrivateTest": 1}
    whole = Faces(FacesOptions.model_validate({})).read()
    found = read_back(tmp_path / "fer2013.csv")
    assert np.array_equal(found["train"].images, whole["train"].images[:7])
    assert np.array_equal(found["test"].images, whole["test"].images[:3])


@pytest.mark.parametrize(("images", "kept"), [(None, (8, 2)), (99, (8, 2)), (5, (4, 1)), (2, (2, 0)), (1, (1, 0))])
def test_limited_images_keep_their_proportion(images: int | None, kept: tuple[int, int]) -> None:
    splits = {split: ImageSet(images=torch.zeros(count, 1, 8, 8)) for split, count in (("train", 8), ("test", 2))}
    found = first_images(splits, images)
    assert (len(found["train"].images), len(found["test"].images)) == kept


def test_existing_file_is_kept_unless_forced(tmp_path: Path) -> None:
    file = tmp_path / "fer2013.csv"
    file.touch()
    export(FACES, "fer2013", tmp_path)
    before = file.read_bytes()
    assert fault(UsageError, FACES, "fer2013", tmp_path) == f"{file}: there is such a file; --force overwrites it"
    assert file.read_bytes() == before
    export(FACES, "fer2013", tmp_path, sets=["dataset.seed=1"], force=True)
    assert file.read_bytes() != before


def test_what_cannot_be_exported_is_said(tmp_path: Path) -> None:
    assert fault(UsageError, FACES, "fer-2031", tmp_path) == ("no layout is called 'fer-2031'; did you mean 'fer2013'?")
    assert fault(UsageError, FACES, "x", tmp_path) == "no layout is called 'x'; layouts are fer2013, celeba"
    assert fault(DataError, FACES, "fer2013", tmp_path, sets=["labels=age"]) == (
        "data set faces does not fit the layout fer2013: each image must be one of "
        "angry, disgust, fear, happy, sad, surprise, neutral; its labels are young, old"
    )
    assert fault(UsageError, FACES, "fer2013", tmp_path, sets=["split=train"]) == (
        "--set split=train: every split is written; --images limits how many images"
    )
    assert fault(UsageError, FACES, "fer2013", tmp_path, sets=["a.b=1"]) == (
        "--set a.b=1: only options of the data set can be set here"
    )
    assert fault(RecipeError, FACES, "fer2013", tmp_path, sets=["sed=1", "size_px=big"]) == (
        "data set faces: 2 faults\n"
        "  --set: dataset.size_px: 'big' must be a whole number\n"
        "  --set: dataset.sed: unknown key; did you mean 'seed'?"
    )
    assert fault(RecipeError, FACES, "fer2013", tmp_path, sets=["labels=attributes"]) == (
        "data set faces: 1 fault\n  --set: dataset: no attributes here"
    )
    (tmp_path / "file").touch()
    assert fault(RunError, FACES, "fer2013", tmp_path / "file" / "a") == (
        f"{tmp_path}/file/a: cannot be written to: Not a directory"
    )


class PortraitsOptions(DatasetOptions):
    """Colour gradients of 128 pixels with CelebA's attributes in another order."""

    named: bool = True

    def data_spec(self) -> DataSpec:
        names = tuple(sorted(CELEBA_ATTRIBUTES)) if self.named else ("Young", "Old")
        return DataSpec(size_px=128, channels=3, label_kind="attributes", label_names=names)


class Portraits:
    """Twenty training images of ten people and six test images of two others."""

    def __init__(self, options: PortraitsOptions) -> None:
        pass

    def sources(self) -> list[Path]:
        return []

    def read(self) -> dict[str, ImageSet]:
        return {"train": self.part(1, 20), "test": self.part(2, 6)}

    def part(self, seed: int, count: int) -> ImageSet:
        random = np.random.default_rng(seed)
        corners = random.integers(0, 256, (count, 3, 2, 2), np.uint8)
        images = fit(torch.from_numpy(corners), 128, 3)
        return ImageSet(images=images, labels=random.integers(0, 2, (count, 40)), identities=seed * 100 + np.arange(count) // 2)


PORTRAITS = Registered(
    kind="dataset",
    component=Component("portraits", Portraits, options=PortraitsOptions),
    plugin="portraits",
    distribution="ganlab-portraits",
    distribution_version="1",
    is_builtin=False,
)


def read_celeba(folder: Path, **options: object) -> dict[str, ImageSet]:
    return dict(CelebA(CelebAOptions.model_validate({"path": str(folder), **options})).read())


def test_exported_celeba_reads_back_the_same(tmp_path: Path) -> None:
    exported = export(PORTRAITS, "celeba", tmp_path / "new")
    folder = tmp_path / "new" / "celeba"
    assert exported == Exported(
        file=folder,
        rows={"train": 18, "validation": 2, "test": 6},  # one person in nine, rounded down, validates
        train_command=f"ganlab run dcgan_base --dataset celeba --set dataset.path={folder}",
    )
    assert sorted(path.name for path in folder.iterdir()) == [
        *("exported_by_ganlab.txt", "identity_CelebA.txt", "img_align_celeba", "list_attr_celeba.txt"),
        "list_eval_partition.txt",
    ]
    lines = (folder / "list_attr_celeba.txt").read_text().split("\n")
    assert lines[:2] == ["26", " ".join(CELEBA_ATTRIBUTES)]
    assert (len(lines), lines[-1]) == (29, "")
    assert (folder / "list_eval_partition.txt").read_text().split("\n")[17:21] == [
        *("000018.jpg 0", "000019.jpg 1", "000020.jpg 1", "000021.jpg 2"),
    ]
    original = Portraits(PortraitsOptions.model_validate({})).read()
    found = read_celeba(folder, crop="centre_178", size_px=128)
    columns = [sorted(CELEBA_ATTRIBUTES).index(name) for name in CELEBA_ATTRIBUTES]
    for split, images in original.items():
        assert np.array_equal(found[split].labels, images.labels[:, columns])
        assert np.array_equal(found[split].identities, images.identities)
        difference = found[split].images.make(0, len(images.images)).int() - images.images.int()
        assert difference.abs().float().mean() < 2  # of JPEG, and of enlarging and reducing
        assert difference.abs().max() < 30


def test_exported_pictures_are_as_those_of_celeba(tmp_path: Path) -> None:
    folder = export(PORTRAITS, "celeba", tmp_path, images=5).file
    names = sorted(path.name for path in (folder / "img_align_celeba").iterdir())
    assert names == [f"{number:06}.jpg" for number in range(1, 6)]
    with Image.open(folder / "img_align_celeba" / names[0]) as picture:
        assert (picture.format, picture.size, picture.mode) == ("JPEG", (178, 218), "RGB")
        pixels = np.asarray(picture).astype(int)
    assert abs(pixels[:20].mean(0) - pixels[20]).mean() < 3  # the first row of the square, repeated


def test_a_folder_that_no_export_wrote_is_never_overwritten(tmp_path: Path) -> None:
    folder = tmp_path / "celeba"
    folder.mkdir()
    (folder / "img_align_celeba.zip").touch()
    for force in (False, True):
        assert fault(UsageError, PORTRAITS, "celeba", tmp_path, force=force) == (
            f"{folder}: there is such a folder; no export wrote it; choose another --out"
        )
    (folder / "img_align_celeba.zip").unlink()
    export(PORTRAITS, "celeba", tmp_path, images=3)
    assert fault(UsageError, PORTRAITS, "celeba", tmp_path) == f"{folder}: there is such a folder; --force overwrites it"
    export(PORTRAITS, "celeba", tmp_path, images=2, force=True)
    assert len(list((folder / "img_align_celeba").iterdir())) == 2
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_data_without_the_attributes_do_not_fit_celeba(tmp_path: Path) -> None:
    assert fault(DataError, PORTRAITS, "celeba", tmp_path, sets=["named=false"]) == (
        "data set portraits does not fit the layout celeba: each image must have CelebA's 40 attributes; its labels are "
        "Young, Old"
    )


def test_command_exports_any_plugin(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    installed_plugin: Callable[..., Path],
) -> None:
    installed_plugin(
        "dots",
        f"""
        import numpy as np
        from ganlab import Component, DatasetOptions, DataSpec, ImageSet, hookimpl

        class Options(DatasetOptions):
            def data_spec(self):
                return DataSpec(size_px=8, channels=1, label_kind="classes", label_names={EXPRESSIONS})

        class Dots:
            def __init__(self, options):
                pass
            def sources(self):
                return []
            def read(self):
                part = ImageSet(images=np.full((2, 1, 8, 8), 7, np.uint8), labels=np.array([3, 0]))
                return {{"train": part, "test": part}}

        @hookimpl
        def ganlab_datasets():
            return [Component("dots", Dots, options=Options)]
        """,
    )
    monkeypatch.chdir(tmp_path)
    assert main(["data", "export", "dots", "--layout", "fer2013", "--out", "my data"]) == 0
    output = capsys.readouterr()
    assert output.out == "my data/fer2013.csv: 4 rows (Training 2, PublicTest 1, PrivateTest 1)\n"
    assert output.err == (
        "reading or drawing dots\n"
        "train on it: ganlab run quickstart --dataset fer2013 --set dataset.path='my data/fer2013.csv'\n"
    )
    rows = (tmp_path / "my data" / "fer2013.csv").read_text().split("\n")
    assert rows[1] == f"3,{' '.join(['7'] * 2304)},Training"
    assert main(["data", "export", "dots", "--layout", "fer2013", "--out", "my data"]) == 2
    assert capsys.readouterr().err == "ganlab: error: my data/fer2013.csv: there is such a file; --force overwrites it\n"
