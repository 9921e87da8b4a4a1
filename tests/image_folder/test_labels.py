"""What labels the images: folders, or a table; every fault of it is named."""

from collections.abc import Callable
from pathlib import Path

import pytest
from ganlab_image_folder.options import ImageFolderOptions

from ganlab.data.cache import CachedImages
from ganlab.errors import DataError

Opened = Callable[..., CachedImages]
OptionsOf = Callable[..., ImageFolderOptions]
Save = Callable[[Path, str, int], Path]
Table = Callable[[str, str], Path]


def fault(call: Callable[..., object], *arguments: object, **options: object) -> str:
    with pytest.raises(DataError) as raised:
        call(*arguments, **options)
    return str(raised.value)


def total(images: CachedImages, kind: int) -> int:
    return sum(int((split.labels == kind).sum()) for split in images.splits.values())


def test_classes_are_the_sub_folders_sorted(pets: Path, opened: Opened, options_of: OptionsOf, save: Save) -> None:
    save(pets, "ant/deeper/x.png", 99)
    spec = options_of(pets).data_spec()
    assert (spec.label_kind, spec.label_names, spec.size_px, spec.channels) == ("classes", ("ant", "cat", "dog"), 16, 3)
    images = opened(pets)
    assert [total(images, kind) for kind in range(3)] == [1, 12, 8]


def test_published_recipes_call_a_class_an_expression(pets: Path, options_of: OptionsOf) -> None:
    assert options_of(pets, labels="expression").data_spec() == options_of(pets).data_spec()


def test_stated_names_need_no_folder_and_give_the_order(
    pets: Path, opened: Opened, tmp_path: Path, options_of: OptionsOf
) -> None:
    assert options_of(tmp_path / "gone", label_names=("dog", "cat")).data_spec().label_names == ("dog", "cat")
    images = opened(pets, label_names=("dog", "cat"))
    assert [total(images, kind) for kind in range(2)] == [8, 12]


def test_a_class_more_or_fewer_than_stated_is_refused(pets: Path, opened: Opened) -> None:
    assert fault(opened, pets, label_names=("cat", "fox")).splitlines()[1:] == [
        "  the class 'dog' is not among dataset.label_names, 'cat', 'fox'; the first such image: dog/12.png",
        "  no image is of the class 'fox', which dataset.label_names holds",
    ]


def test_a_table_of_labels(table: Table, opened: Opened, options_of: OptionsOf) -> None:
    folder = table("labels.csv", "file,label\n" + "".join(f"{n}.png,{'odd' if n % 2 else 'even'}\n" for n in range(10)))
    assert options_of(folder).data_spec().label_names == ("even", "odd")
    images = opened(folder, test_share=0.5)
    assert [total(images, kind) for kind in range(2)] == [5, 5]


@pytest.mark.parametrize("no", ["0", "-1"])
def test_a_table_of_attributes(table: Table, opened: Opened, no: str, options_of: OptionsOf) -> None:
    rows = "".join(f"{n}.png,{'1' if n < 3 else no},{'1' if n < 7 else no}\r\n" for n in range(10))
    folder = table("attributes.csv", "\ufefffile,Hat,Smiling\r\n" + rows)
    spec = options_of(folder, labels="attributes").data_spec()
    assert (spec.label_kind, spec.label_names) == ("attributes", ("Hat", "Smiling"))
    images = opened(folder, labels="attributes", test_share=0.5)
    assert sum(split.labels.sum(0) for split in images.splits.values()).tolist() == [3, 7]
    one = opened(folder, labels="Smiling", test_share=0.5)
    assert total(one, 1) == 7
    assert options_of(folder, labels="Smiling").data_spec().label_names == ("not Smiling", "Smiling")


def test_no_labels(pets: Path, opened: Opened, options_of: OptionsOf) -> None:
    assert options_of(pets, labels="none").data_spec().label_kind == "none"
    assert all(split.labels is None for split in opened(pets, labels="none").splits.values())


def test_every_wrong_row_is_named(table: Table, options_of: OptionsOf) -> None:
    folder = table("mine.csv", "file,Hat\n0.png,1\n0.png,1\n1.png,2\n../2.png,1\n3.png\n4.png,0\n5.png,-1\n")
    assert fault(options_of, folder, labels="attributes", labels_file="mine.csv").splitlines() == [
        f"{folder}: 5 faults; nothing of the folder is used",
        "  mine.csv, row 3: '0.png' is listed a second time",
        "  mine.csv, row 4: '2' is not 0 or 1, or -1 or 1",
        "  mine.csv, row 5: '../2.png' is no file below the folder",
        "  mine.csv, row 6: 1 columns instead of 2",
        "  mine.csv: writes what an image is not in two ways, -1 in row 8 and 0 in row 7; use 0 and 1, or -1 and 1",
    ]


def test_images_without_a_row_and_rows_without_an_image_are_named(table: Table, options_of: OptionsOf) -> None:
    folder = table("labels.csv", "file,label\n" + "".join(f"{n}.png,a\n" for n in range(1, 11)))
    assert fault(options_of, folder).splitlines()[1:] == [
        "  10.png: missing; labels.csv lists it",
        "  0.png: in no line of labels.csv",
    ]


def test_the_kind_of_labels_must_be_there(pets: Path, table: Table, options_of: OptionsOf) -> None:
    assert "there is no table, attributes.csv or dataset.labels_file, for attributes" in fault(
        options_of, pets, labels="attributes"
    )
    folder = table("attributes.csv", "file,Hat\n" + "".join(f"{n}.png,1\n" for n in range(10)))
    assert "its columns are the attributes 'Hat'" in fault(options_of, folder)


def test_names_that_cannot_go_together_are_refused(pets: Path, options_of: OptionsOf) -> None:
    with pytest.raises(ValueError, match="each name must be there once"):
        options_of(pets, label_names=("a", "a"))
    with pytest.raises(ValueError, match='label_names goes with labels = "classes" or "attributes", not "none"'):
        options_of(pets, labels="none", label_names=("a",)).data_spec()
