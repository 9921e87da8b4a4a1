"""Where CelebA's files are looked for, in each of the forms in which they are passed on."""

import shutil
from pathlib import Path

import pytest
from ganlab_celeba.dataset import CelebA
from ganlab_celeba.options import CelebAOptions

from ganlab.errors import DataError

HOW = (
    "It is img_align_celeba.zip (202,599 images), list_attr_celeba.txt, list_eval_partition.txt and identity_CelebA.txt of "
    "CelebA, Liu et al., 2015, from https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html. Put them into {place}, the images "
    "unpacked or not, or set dataset.path or GANLAB_DATA (to the folder above celeba).\n"
    "`--dataset synthetic_faces` needs no file and runs now."
)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GANLAB_DATA", raising=False)
    monkeypatch.chdir(tmp_path)


def sources(**options: object) -> list[str]:
    found = CelebA(CelebAOptions.model_validate(options)).sources()
    return [source.relative_to(Path.cwd()).as_posix() for source in found]


def make(*names: str) -> None:
    for name in names:
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("1\nx\n1.jpg 1\n" if "attr" in name else "1.jpg 0\n")


def test_path_comes_first_then_the_environment_then_the_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANLAB_DATA", "data")
    for place in ("datasets/celeba", "data/celeba", "mine"):
        make(*(f"{place}/{name}" for name in ("list_attr_celeba.txt", "list_eval_partition.txt", "img_align_celeba/1.jpg")))
    assert sources()[0] == "data/celeba/list_attr_celeba.txt"
    assert sources(path="mine")[0] == "mine/list_attr_celeba.txt"
    shutil.rmtree("data")
    assert sources()[0] == "datasets/celeba/list_attr_celeba.txt"


def test_published_folders_the_zip_file_and_the_csv_form_are_found() -> None:
    make("a/Anno/list_attr_celeba.txt", "a/Anno/identity_CelebA.txt", "a/Eval/list_eval_partition.txt")
    make("a/img_align_celeba.zip")
    tables = ["a/Anno/list_attr_celeba.txt", "a/Eval/list_eval_partition.txt", "a/Anno/identity_CelebA.txt"]
    assert sources(path="a") == [*tables, "a/img_align_celeba.zip"]
    assert sources(path="a/img_align_celeba.zip") == [*tables, "a/img_align_celeba.zip"]
    make("a/img_align_celeba/1.jpg", "a/img_align_celeba/._1.jpg", "a/img_align_celeba/Thumbs.db")
    assert sources(path="a") == [*tables, "a/img_align_celeba/1.jpg"]
    make("b/list_eval_partition.csv", "b/img_align_celeba/img_align_celeba/1.jpg")
    Path("b/list_attr_celeba.csv").write_text("image_id,x\n1.jpg,1\n")
    assert sources(path="b") == [
        "b/list_attr_celeba.csv",
        "b/list_eval_partition.csv",
        "b/img_align_celeba/img_align_celeba/1.jpg",
    ]


def test_only_the_tables_that_options_need_must_be_there() -> None:
    make("a/img_align_celeba/1.jpg")
    assert sources(path="a", labels="none", partition="first") == ["a/img_align_celeba/1.jpg"]
    for options, missing in [
        ({}, ["list_attr_celeba", "list_eval_partition"]),
        ({"labels": "none"}, ["list_eval_partition"]),
        ({"labels": "none", "partition": "all"}, ["list_eval_partition"]),
        ({"labels": "Smiling", "partition": "first"}, ["list_attr_celeba"]),
    ]:
        with pytest.raises(DataError) as error:
            sources(path="a", **options)
        here = Path.cwd() / "a"
        names = ", no ".join(f"{here / name}.txt (or .csv)" for name in missing)
        assert str(error.value) == f"CelebA is not whole; there is no {names}.\n{HOW.format(place=here)}"
        assert error.value.code == 4


def test_missing_data_say_where_and_how(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fault(**options: object) -> str:
        with pytest.raises(DataError) as error:
            sources(**options)
        return str(error.value)

    here = tmp_path / "datasets" / "celeba"
    assert fault() == f"CelebA is not here; looked for {here}.\n{HOW.format(place=here)}"
    monkeypatch.setenv("GANLAB_DATA", "data")
    data = tmp_path / "data" / "celeba"
    assert fault() == f"CelebA is not here; looked for {data} and {here}.\n{HOW.format(place=data)}"
    assert fault(path="my") == f"CelebA is not here; looked for {tmp_path / 'my'}.\n{HOW.format(place=tmp_path / 'my')}"
    here.mkdir(parents=True)
    names = f"{here}/img_align_celeba (or .zip), no {here}/list_attr_celeba.txt (or .csv)"
    assert fault(partition="first") == f"CelebA is not whole; there is no {names}.\n{HOW.format(place=here)}"
