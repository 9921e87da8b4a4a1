"""FER2013: every row of the contest's file comes out as it stands there, or is named."""

import gzip
import lzma
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from ganlab_fer2013 import rows as reader
from ganlab_fer2013.dataset import Fer2013
from ganlab_fer2013.options import Fer2013Options

from ganlab.errors import DataError

END = "Nothing of the file is used; get it again."


def text(count: int = 40, seed: int = 0) -> list[str]:
    """Return the lines of a file: Training, but each fifth row PublicTest and the last PrivateTest."""
    draw = random.Random(seed)
    lines = ["emotion,pixels,Usage"]
    for row in range(count):
        usage = "PrivateTest" if row == count - 1 else "PublicTest" if row % 5 == 4 else "Training"
        lines.append(f"{row % 7},{' '.join(str(draw.randrange(256)) for _ in range(2304))},{usage}")
    return lines


LINES = text()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "fer2013.csv"


def read(file: Path, **options: object) -> dict[str, tuple[list[int], list[int]]]:
    """Return split -> (all pixels, labels)."""
    splits = Fer2013(Fer2013Options.model_validate({"path": str(file), **options})).read()
    return {split: (images.images.ravel().tolist(), images.labels.tolist()) for split, images in splits.items()}


def naive(lines: list[str]) -> dict[str, tuple[list[int], list[int]]]:
    """Return what a loop over the rows reads."""
    splits: dict[str, tuple[list[int], list[int]]] = {"train": ([], []), "test": ([], [])}
    for line in lines[1:]:
        label, pixels, usage = line.split(",")
        split = splits["train" if usage == "Training" else "test"]
        split[0].extend(int(pixel) for pixel in pixels.split())
        split[1].append(int(label))
    return splits


def fault(file: Path) -> str:
    with pytest.raises(DataError) as error:
        read(file)
    return str(error.value)


def swap(line: str, column: int, value: str) -> str:
    fields = line.split(",")
    fields[column] = value
    return ",".join(fields)


def pixel(line: str, place: int, value: str) -> str:
    """Return a row with another pixel, counted from 1."""
    pixels = line.split(",")[1].split(" ")
    pixels[place - 1] = value
    return swap(line, 1, " ".join(pixels))


@pytest.mark.parametrize(
    "write",
    [
        lambda path, content: path.write_bytes(content),
        lambda path, content: path.write_bytes(content[:-1]),  # no line end at the end
        lambda path, content: path.write_bytes(b"\xef\xbb\xbf" + content.replace(b"\n", b"\r\n")),
        lambda path, content: path.write_bytes(content.replace(b"\n", b"\n\n")),
        lambda path, content: path.write_bytes(gzip.compress(content)),
        lambda path, content: path.write_bytes(gzip.compress(content[:30000]) + gzip.compress(content[30000:])),
        lambda path, content: path.write_bytes(lzma.compress(content)),
    ],
)
def test_every_form_of_the_file_reads_like_a_row_loop(file: Path, write: Callable[[Path, bytes], None]) -> None:
    write(file, "\n".join([*LINES, ""]).encode())
    assert read(file) == naive(LINES)


@pytest.mark.parametrize("count", [1, 15, 16, 17, 32])
def test_every_number_of_rows_is_read(file: Path, count: int) -> None:
    file.write_text("\n".join(LINES[: count + 1]))
    assert read(file) == naive(LINES[: count + 1])


@pytest.mark.parametrize(
    "change",
    [
        lambda label, pixels, usage: f'{label},"{pixels}",{usage}',
        lambda label, pixels, usage: f'"{label}", "{pixels}" ,"{usage}" ',
        lambda label, pixels, usage: f"{label}, {pixels} , {usage}",
        lambda label, pixels, usage: f"{label},{pixels.replace(' ', '  ')},{usage}",
        lambda label, pixels, usage: f"{label},{pixels.replace(' ', chr(9))},{usage}",
        lambda label, pixels, usage: f"{label},{pixels.replace(' ', ' 00')},{usage}",
    ],
)
def test_rows_written_otherwise_read_the_same(file: Path, change: Callable[[str, str, str], str]) -> None:
    file.write_text("\n".join([LINES[0], *(change(*line.split(",")) for line in LINES[1:])]))
    assert read(file) == naive(LINES)


def test_columns_go_by_name(file: Path) -> None:
    rows = [line.split(",") for line in LINES[1:]]
    file.write_text("\n".join([' "id" ,Usage, Pixels,emotion ', *(f'"a,{n}",{u},{p},{e}' for n, (e, p, u) in enumerate(rows))]))
    assert read(file) == naive(LINES)


def test_test_images_join_the_training_images(file: Path) -> None:
    file.write_text("\n".join(LINES))
    (pixels, labels), (test_pixels, test_labels) = naive(LINES).values()
    assert read(file, test_in_training=True) == {
        "train": (pixels + test_pixels, labels + test_labels),
        "test": (test_pixels, test_labels),
    }


def test_images_are_named_by_their_line(file: Path) -> None:
    file.write_text("\n".join([LINES[0], "", *LINES[1:]]))  # with an empty line, which counts
    for options in ({}, {"test_in_training": True}):
        splits = Fer2013(Fer2013Options.model_validate({"path": str(file), **options})).read()
        for images in splits.values():
            assert images.names is not None
            for name, pixels in zip(images.names, images.images, strict=True):
                line = file.read_text().splitlines()[int(name.removeprefix("line ")) - 1]
                assert line.split(",")[1] == " ".join(map(str, pixels.ravel()))


def test_images_have_their_shape(file: Path) -> None:
    file.write_text("\n".join(LINES))
    train = Fer2013(Fer2013Options.model_validate({"path": str(file)})).read()["train"]
    assert train.images.shape == (32, 1, 48, 48)
    assert (train.images.dtype, train.labels.dtype) == (np.uint8, np.int64)
    assert train.images[0, 0, 1, 0] == int(LINES[1].split(",")[1].split()[48])  # row after row


@pytest.mark.parametrize(
    ("damage", "what"),
    [
        (lambda line: swap(line, 0, "7"), "emotion '7' is not 0 to 6"),
        (lambda line: swap(line, 0, ""), "emotion '' is not 0 to 6"),
        (lambda line: swap(line, 0, "happy\x1b[31m"), "emotion 'happy\\x1b[31m' is not 0 to 6"),
        (lambda line: swap(line, 2, "training"), "Usage 'training' is not Training, PublicTest or PrivateTest"),
        (lambda line: swap(line, 1, line.split(",")[1] + " 1"), "2305 pixels instead of 2304"),
        (lambda line: swap(line, 1, line.split(",")[1].partition(" ")[2]), "2303 pixels instead of 2304"),
        (lambda line: swap(line, 1, ""), "0 pixels instead of 2304"),
        (lambda line: pixel(line, 1, "256"), "pixel 1 is '256', over 255"),
        (lambda line: pixel(line, 2304, "256"), "pixel 2304 is '256', over 255"),
        (lambda line: pixel(line, 7, "299"), "pixel 7 is '299', over 255"),
        (lambda line: pixel(line, 7, "300"), "pixel 7 is '300', over 255"),
        (lambda line: pixel(line, 7, "512"), "pixel 7 is '512', over 255"),
        (lambda line: pixel(line, 7, "999"), "pixel 7 is '999', over 255"),
        (lambda line: pixel(line, 7, "1000"), "pixel 7 is '1000', over 255"),
        (lambda line: pixel(line, 7, "9" * 50), "pixel 7 is '999999999999999999999999'..., over 255"),
        (lambda line: pixel(line, 7, "-1"), "pixel 7 is '-1', not a number from 0 to 255"),
        (lambda line: pixel(line, 7, "1.5"), "pixel 7 is '1.5', not a number from 0 to 255"),
        (lambda line: pixel(line, 7, "1_0"), "pixel 7 is '1_0', not a number from 0 to 255"),
        (lambda line: pixel(line, 7, "٣"), "pixel 7 is '\\u0663', not a number from 0 to 255"),
        (lambda line: pixel(line, 7, "\0"), "pixel 7 is '\\x00', not a number from 0 to 255"),
        (lambda line: pixel(line, 7, ";"), "pixel 7 is ';', not a number from 0 to 255"),
        (lambda line: pixel(line, 7, ","), "4 columns instead of 3"),
        (lambda line: line.rpartition(",")[0], "2 columns instead of 3"),
        (lambda line: "x", "1 columns instead of 3"),
        (lambda line: "7,,", "emotion '7' is not 0 to 6; Usage '' is not Training, PublicTest or PrivateTest; "
         "0 pixels instead of 2304"),
    ],
)  # fmt: skip
def test_damaged_row_is_named(file: Path, damage: Callable[[str], str], what: str) -> None:
    lines = list(LINES)
    lines[20] = damage(lines[20])
    file.write_text("\n".join(lines))
    assert fault(file) == f"{file}, line 21: {what}. {END}"


def test_two_wrong_counts_do_not_cancel(file: Path) -> None:
    lines = list(LINES)
    lines[20] += "9"
    lines[20] = swap(LINES[20], 1, LINES[20].split(",")[1] + " 1")
    lines[21] = swap(LINES[21], 1, LINES[21].split(",")[1].partition(" ")[2])
    file.write_text("\n".join(lines))
    assert fault(file) == (
        f"{file}: 2 damaged rows. {END}\n  line 21: 2305 pixels instead of 2304\n  line 22: 2303 pixels instead of 2304"
    )


def test_many_damaged_rows_are_counted(file: Path) -> None:
    lines = [line if n % 4 else swap(line, 2, "Test") for n, line in enumerate(LINES)]
    file.write_text("\n".join([LINES[0], *lines[1:]]))
    named = [f"  line {n}: Usage 'Test' is not Training, PublicTest or PrivateTest" for n in (5, 9, 13, 17, 21)]
    assert fault(file) == "\n".join([f"{file}: 10 damaged rows. {END}", *named, "  and 5 more"])


def test_one_damaged_byte_is_never_missed(file: Path) -> None:
    """Change single bytes: what is read without an error must be what a row loop reads."""
    content = "\n".join(LINES[:6]).encode()
    draw = random.Random(1)
    for _ in range(150):
        place = draw.randrange(len(LINES[0]) + 1, len(content))
        changed = content[:place] + draw.choice([b"0", b"9", b" ", b",", b"x", b"\n", b'"', b"-"]) + content[place + 1 :]
        file.write_bytes(changed)
        try:
            found = read(file)
        except DataError:
            continue
        assert found == naive([line.replace('"', " ") for line in changed.decode().split("\n")])


def test_truncated_files_are_named(file: Path) -> None:
    content = "\n".join(LINES).encode()
    file.write_bytes(content[:-5000])
    assert fault(file) == f"{file}, line 41: 2 columns instead of 3. {END}"
    file.write_bytes(content[:-3])
    assert fault(file) == f"{file}, line 41: Usage 'PrivateT' is not Training, PublicTest or PrivateTest. {END}"
    for packed in (gzip.compress(content), lzma.compress(content)):
        file.write_bytes(packed[:-5000])
        assert fault(file).startswith(f"{file}: truncated: the compressed data end in line ")
        assert fault(file).endswith(". Get the file again.")


def test_damaged_compression_is_named(file: Path) -> None:
    content = "\n".join(LINES).encode()
    packed = gzip.compress(content)
    file.write_bytes(packed[:-8] + b"\0" * 8)
    assert fault(file).startswith(f"{file}: damaged after line 40: CRC check failed")
    for packed in (gzip.compress(content), lzma.compress(content)):
        file.write_bytes(packed[:3000] + bytes(2000) + packed[5000:])
        assert fault(file).startswith(f"{file}: damaged after line ")


def test_foreign_files_are_refused(file: Path) -> None:
    for content, shown in [
        (b"", "''"),
        (b"a,b\n", "'a,b'"),
        (b"PK\3\4" + bytes(100), "'PK\\x03\\x04" + "\\x00" * 20 + "'..."),
        ("\n".join(LINES[1:]).encode(), f"'{LINES[1][:24]}'..."),
    ]:
        file.write_bytes(content)
        assert fault(file) == f"{file}: not the FER2013 file: its first line is {shown}, not emotion,pixels,Usage"
    file.write_bytes(bytes(1 << 20))
    assert fault(file) == f"{file}, line 1: longer than 128 KiB, so no row of FER2013"
    file.write_text(LINES[0])
    assert fault(file) == f"{file}: no rows after the first line"
    file.write_text("\n".join([LINES[0], LINES[5]]))
    assert fault(file) == f"{file}: no row has the Usage Training"


def test_decompressed_size_has_a_ceiling(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "CEILING_BYTES", 1 << 20)
    file.write_bytes(gzip.compress("\n".join([LINES[0], *LINES[1:] * 5]).encode()))
    assert fault(file) == f"{file}: more than 1 MiB of text; the contest's file has 288 MiB"


def test_hopeless_files_are_given_up(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "_MOST_FAULTS", 20)
    file.write_text("\n".join([LINES[0], *["x"] * 1000]))
    assert fault(file).startswith(f"{file}: at least 32 damaged rows. {END}\n  line 2: 1 columns instead of 3\n")
