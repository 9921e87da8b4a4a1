"""Whatever is wrong with the tables or the names of the images is told at once, with its line."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from ganlab.errors import DataError

Change = Callable[[list[str]], object]
END = "Nothing of the data is used; get the files again from https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html"


@pytest.fixture
def faults(celeba: Path, opened: Callable[..., object]) -> Callable[..., list[str]]:
    """Return what is wrong with the folder, a line each, without the first line, which is checked."""

    def found(**options: object) -> list[str]:
        with pytest.raises(DataError) as error:
            opened(celeba, **options)
        first, *lines = str(error.value).split("\n")
        more = int(lines[-1].split()[1]) - 1 if lines[-1].startswith("  and ") else 0
        count = len(lines) + more
        assert first == f"{celeba}: {count} fault{'' if count == 1 else 's'}. {END}"
        return [line.removeprefix("  ") for line in lines]

    return found


def edit(file: Path, change: Change) -> None:
    lines = file.read_text().split("\n")
    change(lines)
    file.write_text("\n".join(lines))


def put(line: int, old: str, new: str) -> Change:
    def change(lines: list[str]) -> None:
        assert old in lines[line - 1]
        lines[line - 1] = lines[line - 1].replace(old, new, 1)

    return change


@pytest.mark.parametrize(
    ("table", "change", "expected"),
    [
        ("list_attr_celeba", put(1, "49", "50"), "list_attr_celeba.txt, line 1: says '50' images, and 49 rows follow: "),
        ("list_attr_celeba", put(1, "49", "0x31"), "list_attr_celeba.txt, line 1: says '0x31' images, and 49 rows follow: "),
        ("list_attr_celeba", put(2, " Young", ""), "line 2: not the names of CelebA's attributes: 39 names instead of 40"),
        ("list_attr_celeba", put(2, "Male", "Man"), "line 2: not the names of CelebA's attributes: 'Man' stands where Male"),
        ("list_attr_celeba", put(9, " -1", ""), "list_attr_celeba.txt, line 9: 40 columns instead of 41"),
        ("list_attr_celeba", put(9, " -1", " -1 1"), "list_attr_celeba.txt, line 9: 42 columns instead of 41"),
        ("list_attr_celeba", put(9, " -1", " 0"), "list_attr_celeba.txt, line 9: '0' is not -1 or 1"),
        ("list_attr_celeba", put(9, " -1", " é"), "list_attr_celeba.txt, line 9: '\\xe9' is not -1 or 1"),
        ("list_eval_partition", put(4, " 0", " 3"), "list_eval_partition.txt, line 4: '3' is not 0 or 1 or 2"),
        ("list_eval_partition", put(4, " 0", ""), "list_eval_partition.txt, line 4: 1 columns instead of 2"),
        ("list_eval_partition", put(4, "000004", "x"), "list_eval_partition.txt: has no line for 000004.jpg"),
        ("identity_CelebA", put(4, " ", " x"), "identity_CelebA.txt, line 4: 'x"),
        ("identity_CelebA", list.clear, "identity_CelebA.txt: has no line for 000001.jpg"),
    ],
)
def test_wrong_line_is_named(celeba: Path, faults: Callable[..., list[str]], table: str, change: Change, expected: str) -> None:
    edit(celeba / f"{table}.txt", change)
    assert expected in faults()[0]


def test_faults_of_all_tables_are_told_at_once_and_counted(celeba: Path, faults: Callable[..., list[str]]) -> None:
    edit(celeba / "list_attr_celeba.txt", put(1, "49", "7"))
    edit(celeba / "list_attr_celeba.txt", put(9, " -1", " 5"))
    edit(celeba / "list_eval_partition.txt", put(4, " 0", " 9"))
    assert faults() == [
        "list_attr_celeba.txt, line 9: '5' is not -1 or 1",
        "list_attr_celeba.txt, line 1: says '7' images, and 49 rows follow: truncated, or changed",
        "list_eval_partition.txt, line 4: '9' is not 0 or 1 or 2",
    ]
    edit(celeba / "identity_CelebA.txt", lambda lines: lines.__setitem__(slice(10, 40), ["x y z"] * 30))
    found = faults()
    assert found[2] == "identity_CelebA.txt, line 11: 3 columns instead of 2"
    assert (len(found), found[-1]) == (11, "and 23 more")


def test_truncated_table_is_named(celeba: Path, faults: Callable[..., list[str]]) -> None:
    file = celeba / "list_attr_celeba.txt"
    file.write_bytes(file.read_bytes()[:-150])
    assert (
        faults(partition="first", train_count=5)[0]
        == "img_align_celeba/000049.jpg: in no line of list_attr_celeba.txt; renamed?"
    )


def test_missing_and_renamed_images_are_named(celeba: Path, faults: Callable[..., list[str]]) -> None:
    images = celeba / "img_align_celeba"
    (images / "000003.jpg").rename(images / "face.jpg")
    (images / "000007.jpg").unlink()
    expected = [
        "img_align_celeba/000003.jpg: missing; list_attr_celeba.txt lists it",
        "img_align_celeba/000007.jpg: missing; list_attr_celeba.txt lists it",
        "img_align_celeba/face.jpg: in no line of list_attr_celeba.txt; renamed?",
    ]
    assert faults() == expected
    with zipfile.ZipFile(celeba / "img_align_celeba.zip", "w") as packed:
        for image in images.iterdir():
            packed.write(image, f"img_align_celeba/{image.name}")
            image.unlink()
    images.rmdir()
    assert faults() == expected
    edit(celeba / "list_attr_celeba.txt", put(5, "000003", "face"))
    edit(celeba / "list_attr_celeba.txt", put(9, "000007", "000006"))
    assert faults()[0] == "list_attr_celeba.txt: lists 1 image twice"
