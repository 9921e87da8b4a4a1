"""`ganlab translate`: photos of any kind beside what a model makes of them, and clear words for what cannot be."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

Printed = Callable[..., tuple[int, str, str]]
TRANSLATOR = 'architecture.makes_what=["translate"]'
BOTH = 'architecture.makes_what=["translate", "generate"]'
BLIND = ("architecture.blind=true", "objective.blind=true")
NAMES = ("Smiling", "Eyeglasses", "5_o_Clock_Shadow", "Wearing_Hat")


def labels_of(path: str) -> list[int]:
    """Return the labels that a written picture shows, 0 or 100, and then the value of the photo."""
    with Image.open(path) as opened:
        image = np.asarray(opened)
    return [*(round(value / 2.55) for value in image[0].tolist()), int(image[1, 0])]


def photo(path: str, value: int, size: tuple[int, int] = (4, 4), mode: str = "L") -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, value if mode == "L" else (value,) * 3).save(path)


def test_each_photo_gets_a_picture_of_itself_and_its_translations(trained_on: Any, printed: Printed) -> None:
    run = trained_on("classes", TRANSLATOR)
    photo("photos/a.png", 10, (9, 5))
    photo("photos/b.jpg", 20, (40, 300), "RGB")
    photo("me.png", 30)
    code, out, err = printed("translate", run, "me.png", "photos", "--to", "wearing hat,smiling", "--device", "cpu")
    assert (code, err) == (0, "")
    assert out.splitlines() == [f"translated/{name}-translated.png" for name in ("me", "a", "b")]
    with Image.open("translated/me-translated.png") as opened:
        assert opened.width == 3 * (96 + 2) + 2  # original | Wearing_Hat | Smiling
    code, out, _ = printed("translate", run, "me.png", "photos", "--separate", "--to", "wearing hat,smiling", "--out", "x")
    assert out.splitlines()[:3] == ["x/me-original.png", "x/me-Wearing_Hat.png", "x/me-Smiling.png"]
    assert labels_of("x/me-Wearing_Hat.png") == [0, 0, 0, 100, 30]
    assert labels_of("x/b-Smiling.png") == [100, 0, 0, 0, 20]
    with Image.open("x/a-original.png") as opened:
        assert (opened.size, opened.getpixel((0, 0))) == ((4, 4), 10)


def test_classes_are_all_of_them_if_nobody_says_which(trained_on: Any, printed: Printed) -> None:
    run = trained_on("classes", TRANSLATOR)
    photo("me.png", 7)
    every = [f"translated/me-{name}.png" for name in ("original", *NAMES)]
    assert printed("translate", run, "me.png", "--separate")[1].splitlines() == every
    assert printed("translate", run, "me.png", "--separate", "--to", "all")[1].splitlines() == every


def test_attributes_that_nobody_named_are_0(trained_on: Any, printed: Printed) -> None:
    run = trained_on("attributes", TRANSLATOR)
    photo("me.png", 7)
    to = ("--to", "smiling=1, Wearing_Hat=0.5", "--to", "Eyeglasses=0")
    assert printed("translate", run, "me.png", "--separate", *to)[0] == 0
    assert labels_of("translated/me-Smiling=1,Wearing_Hat=0.5.png") == [100, 0, 0, 50, 7]
    assert labels_of("translated/me-Eyeglasses=0.png") == [0, 0, 0, 0, 7]
    made = printed("translate", run, "me.png", "--separate", "--to", "all")[1].splitlines()
    assert made[1:] == [f"translated/me-{name}=1.png" for name in NAMES]


def test_a_model_without_labels_has_one_translation(trained_on: Any, printed: Printed) -> None:
    run = trained_on("none", TRANSLATOR, *BLIND)
    photo("me.png", 7)
    assert printed("translate", run, "me.png", "--separate")[1].splitlines()[1:] == ["translated/me-translation.png"]


def test_a_photo_is_turned_as_its_camera_says_and_cropped_in_the_centre(trained_on: Any, printed: Printed) -> None:
    run = trained_on("classes", TRANSLATOR)
    pixels = np.zeros((4, 12), np.uint8)
    pixels[:2, 4:8], pixels[:, :4], pixels[:, 8:] = 200, 90, 90  # dark below bright in the centre, gray at both sides
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    Image.fromarray(pixels).save("me.png", exif=exif)
    assert printed("translate", run, "me.png", "--separate", "--to", "Smiling")[0] == 0
    with Image.open("translated/me-original.png") as opened:
        assert np.asarray(opened)[:, 0].tolist() == [0, 0, 200, 200]


def test_photos_of_one_name_keep_apart_and_none_is_overwritten(trained_on: Any, printed: Printed) -> None:
    run = trained_on("classes", TRANSLATOR)
    for path in ("a/me.png", "b/me.png", "c/me.jpg", "c/me-Smiling.png"):
        photo(path, 7)
    one = ("--separate", "--to", "Smiling")
    made = printed("translate", run, "a/me.png", "b/me.png", *one)[1].splitlines()
    assert made[::2] == ["translated/000-me.png-original.png", "translated/001-me.png-original.png"]
    made = printed("translate", run, "a/me.png", "c/me.jpg", "a/me.png", *one)[1].splitlines()
    assert made[::2] == ["translated/me.png-original.png", "translated/me.jpg-original.png"]
    before = Path("c/me-Smiling.png").read_bytes()
    code, out, err = printed("translate", run, "c", *one, "--out", "c")
    assert (code, out, err) == (2, "", "ganlab: error: --out c: would overwrite c/me-Smiling.png; name another folder\n")
    assert Path("c/me-Smiling.png").read_bytes() == before
    assert sorted(path.name for path in Path("c").iterdir()) == ["me-Smiling.png", "me.jpg"]


def test_a_registered_model_translates_without_its_run(trained_on: Any, printed: Printed) -> None:
    run = trained_on("classes", TRANSLATOR)
    assert printed("models", "add", run, "--name", "readable", "--alias", "best")[0] == 0
    shutil.rmtree(run)
    photo("me.png", 7)
    assert printed("translate", "readable@best", "me.png", "--to", "Smiling")[:2] == (0, "translated/me-translated.png\n")


def test_a_folder_tells_what_of_it_was_no_image(trained_on: Any, printed: Printed) -> None:
    run = trained_on("classes", TRANSLATOR)
    for name in ("a.gif", "b.TIFF", "c.png"):
        photo(f"photos/{name}", 7)
    Path("photos/notes.heic").write_text("none")
    Path("photos/.hidden").write_text("none")
    told = "photos: passed over notes.heic; images are .png, .jpg, .jpeg, .bmp, .webp, .gif, .tif, .tiff\n"
    written = [f"translated/{name}-translated.png" for name in "abc"]
    assert printed("translate", run, "photos") == (0, "".join(f"{path}\n" for path in written), told)
    Path("other").mkdir()
    Path("other/me.heic").write_text("none")
    assert printed("translate", run, "other")[2] == "ganlab: error: " + told.replace("photos", "other").replace("notes", "me")


def test_every_photo_that_cannot_be_read_is_named(trained_on: Any, printed: Printed) -> None:
    run = trained_on("classes", TRANSLATOR)
    photo("me.png", 7)
    Path("notes.png").write_text("no picture")
    Image.new("F", (4, 4), 0.5).save("half.tiff")
    Path("empty").mkdir()
    code, out, err = printed("translate", run, "notes.png", "me.png", "half.tiff", "lost.jpg")
    assert (code, out) == (4, "")
    assert err.splitlines() == [
        "ganlab: error: photos: 3 of 4 files cannot be read:",
        "    notes.png: not an image",
        "    half.tiff: its pixels are fractions; save it with 8 or 16 bits",
        "    lost.jpg: No such file or directory",
    ]
    assert printed("translate", run, "me.png", "empty")[2] == "ganlab: error: empty: the folder holds no image\n"
    assert not Path("translated").exists()


@pytest.mark.parametrize(
    ("kind", "to", "reason"),
    [
        ("classes", ["Smilling"], "--to: no label is called 'Smilling'; did you mean 'Smiling'?"),
        ("classes", ["Smiling=1"], "--to: no label is called 'Smiling=1'; did you mean 'Smiling'?"),
        ("attributes", ["Smilin=1"], "--to: no label is called 'Smilin'; did you mean 'Smiling'?"),
        ("attributes", ["Smiling"], "--to: 'Smiling' has no value; write \"Smiling=1\""),
        ("attributes", [], f'--to: say which attributes, such as --to "Smiling=1"; attributes are {", ".join(NAMES)}'),
        ("none", ["happy"], "--to: the model was trained without labels; leave the option out"),
    ],
)
def test_a_label_that_the_model_has_not_is_told(
    kind: str, to: list[str], reason: str, trained_on: Any, printed: Printed
) -> None:
    run = trained_on(kind, TRANSLATOR, *(BLIND if kind == "none" else ()))
    photo("me.png", 7)
    code, out, err = printed("translate", run, "me.png", *(word for text in to for word in ("--to", text)))
    assert (code, out, err) == (2, "", f"ganlab: error: {reason}\n")


def test_a_model_that_generates_only_says_what_it_can(trained_on: Any, printed: Printed) -> None:
    run = trained_on("classes")
    photo("me.png", 7)
    assert printed("translate", run, "me.png")[2] == (
        "ganlab: error: run: readable translates no photos: it can generate; `ganlab sample run` shows what it makes\n"
    )


def test_a_model_that_does_both_is_sampled_from_noise_and_shows_both_while_it_trains(trained_on: Any, printed: Printed) -> None:
    run = trained_on("classes", BOTH)
    assert sorted(path.name for path in Path(run, "samples").iterdir()) == ["step-00000001-translated.png", "step-00000001.png"]
    made = printed("sample", run, "--rows", "1", "--separate", "--labels", "Smiling", "--out", "made")
    assert made[1].splitlines() == ["made/000-Smiling.png"]  # no source: it was generated
    photo("photos/me.png", 7)
    made = printed("sample", run, "--images", "photos", "--separate", "--labels", "Smiling", "--out", "made")
    assert made[1].splitlines() == ["made/me-source.png", "made/me-Smiling.png"]
