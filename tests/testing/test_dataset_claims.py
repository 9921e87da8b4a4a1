"""The kit's claims of data sets: each finds the data set that breaks it, and says so; a right one breaks none."""

import os
import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar, Literal

import numpy as np
import pytest
import torch
from pydantic import Field

from ganlab import Component, DataError, DatasetOptions, DataSpec, ImageSet, Pieces, hookimpl
from ganlab.testing import Finding, cases, findings

NAMES = ("anger", "happy", "sad")
Read = Callable[["Options"], Mapping[str, ImageSet]]


class Options(DatasetOptions):
    """The options of a data set without a fault."""

    seed: int = 0

    def data_spec(self) -> DataSpec:
        names = NAMES if self.labels == "expression" else (f"not {self.labels}", self.labels)
        if self.labels == "attributes":
            names = ("Male", "Young")
        return DataSpec(
            size_px=self.size_px or 8,
            channels=self.channels or 1,
            label_kind="attributes" if self.labels == "attributes" else "classes",
            label_names=names,
            test_seen=self.split != "train",
        )


def images(options: Options, count: int, seed: int) -> ImageSet:
    """Return images of noise, each of another person."""
    spec, draw = options.data_spec(), np.random.default_rng((options.seed, seed))
    labels = np.arange(count) % spec.labels
    return ImageSet(
        images=draw.integers(0, 256, (count, spec.channels, 8, 8), dtype=np.uint8),
        labels=np.eye(spec.labels, dtype=np.uint8)[labels] if spec.label_kind == "attributes" else labels,
        identities=np.arange(count) + 100 * seed,
        names=[f"line {row}" for row in range(count)],
    )


def right(options: Options) -> dict[str, ImageSet]:
    """Read without a fault."""
    return {"train": images(options, 20, 0), "test": images(options, 12, 1)}


def changed(split: str, **parts: Any) -> Read:
    """Return a reader that gets some parts of a split wrong; a function changes the right values."""

    def read(options: Options) -> dict[str, ImageSet]:
        splits = right(options)
        values = {name: part(getattr(splits[split], name)) if callable(part) else part for name, part in parts.items()}
        return {**splits, split: replace(splits[split], **values)}

    return read


def check(read: Read = right, model: type[DatasetOptions] = Options, sources: Callable[[], list[Path]] = list) -> list[Finding]:
    """Return what the kit finds of a data set."""

    class Faces:
        def __init__(self, options: Any) -> None:
            self.options = options

        def sources(self) -> list[Path]:
            return sources()

        def read(self) -> Mapping[str, ImageSet]:
            return read(self.options)

    @hookimpl
    def ganlab_datasets() -> list[Component]:
        return [Component("faces", Faces, model)]

    module = ModuleType("under_test")
    module.ganlab_datasets = ganlab_datasets  # type: ignore[attr-defined]
    return list(findings(case for case in cases(module) if case.subject.registered))


def broken(found: list[Finding]) -> dict[str, str]:
    return {finding.case.claim.__name__: finding.why for finding in found if finding.verdict == "broken"}


def remarks(found: list[Finding]) -> dict[str, str]:
    return {finding.case.claim.__name__: finding.why for finding in found if finding.verdict == "holds" and finding.why}


def test_a_right_data_set_holds_in_every_claim() -> None:
    found = check()
    assert {finding.verdict for finding in found} == {"holds"}
    assert remarks(found) == {
        "names_its_sources": "reads no file",
        "reads_two_splits": "20 train and 12 test images",
        "honours_size_and_channels": "size_px = 16, channels = 1, channels = 3",
        "caches_what_decides": "tried split, images",
        "offers_labels": 'labels = "expression", "attributes", "Male"; any other name is accepted too',
        "parts_people": "20 and 12 people",
    }


def test_claims_are_told_in_words() -> None:
    assert [str(finding.case) for finding in check()][:3] == [
        "dataset faces: Says what its images look like without opening a file",
        "dataset faces: Names the files that it reads, all of them there",
        "dataset faces: Reads the splits train and test, neither of them empty",
    ]


def test_the_kit_leaves_the_users_caches_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "images.bin"
    source.write_text("1")
    monkeypatch.setenv("GANLAB_HOME", str(tmp_path / "home"))
    assert broken(check(sources=lambda: [source])) == {}
    assert [path.name for path in tmp_path.iterdir()] == ["images.bin"]


# What is read


@pytest.mark.parametrize(
    ("read", "claim", "why"),
    [
        (lambda o: {"train": images(o, 20, 0)}, "reads_two_splits", "read() gives the splits train; test must be there"),
        (lambda o: {}, "reads_two_splits", "read() gives the splits none; train and test must be there"),
        (lambda o: [], "reads_two_splits", "read() returned list, not a mapping of splits"),
        (
            lambda o: {**right(o), "test": (1, 2)},
            "reads_two_splits",
            "split test: a tuple, not a ganlab.ImageSet",
        ),
        (
            changed("test", images=None),
            "reads_two_splits",
            "split test: images are a NoneType, not a numpy array or a torch tensor on the CPU",
        ),
        (lambda o: {**right(o), "test": images(o, 0, 1)}, "reads_two_splits", "split test: holds no image"),
        (lambda o: 1 / 0, "reads_two_splits", "raises ZeroDivisionError: division by zero"),
        (
            changed("train", images=lambda x: x.astype(np.float32) / 255),
            "gives_images",
            "split train: images are float32 [20, 1, 8, 8], not uint8 [N, 1 or 3, H, W]",
        ),
        (
            changed("test", images=lambda x: x[:, 0]),
            "gives_images",
            "split test: images are uint8 [12, 8, 8], not uint8 [N, 1 or 3, H, W]",
        ),
        (
            changed("train", images=lambda x: torch.zeros(20, 8, 8, 3, dtype=torch.uint8)),
            "gives_images",
            "split train: images are uint8 [20, 8, 8, 3], not uint8 [N, 1 or 3, H, W]",
        ),
        (
            changed("train", images=lambda x: x[..., :7]),
            "gives_images",
            "split train: images are uint8 [20, 1, 8, 7], not square",
        ),
        (
            changed("train", images=lambda x: x.tolist()),
            "gives_images",
            "split train: images are a list, not a numpy array or a torch tensor on the CPU",
        ),
        (
            changed("train", images=lambda x: x // 128),
            "gives_images",
            "split train: the brightest pixel is 1; uint8 images go from 0 to 255, not to 1",
        ),
        (changed("test", labels=None), "gives_labels", "split test: has no labels; data_spec() promises 3 classes"),
        (
            changed("test", labels=lambda y: y[:-1]),
            "gives_labels",
            "split test: labels are int64 [11], not [12] or [12, 3]: 12 images, 3 classes",
        ),
        (
            changed("test", labels=lambda y: y + 1),
            "gives_labels",
            "split test: labels go from 1 to 3; data_spec() names 3 classes, 0 to 2",
        ),
        (
            changed("test", labels=lambda y: y - 1),
            "gives_labels",
            "split test: labels go from -1 to 1; data_spec() names 3 classes, 0 to 2",
        ),
        (
            changed("test", labels=lambda y: y.astype(np.float32)),
            "gives_labels",
            "split test: labels are float32 [12], not class indices",
        ),
        (changed("test", labels=lambda y: np.eye(3)[y] * 2), "gives_labels", "split test: labels hold 2.0, not 0 or 1 only"),
        (
            changed("test", labels=lambda y: (y[:, None] >= np.arange(3)).astype(np.uint8)),
            "gives_labels",
            "split test: image 1 is of 2 classes, not of one",
        ),
        (
            changed("test", labels=lambda y: y.tolist()),
            "gives_labels",
            "split test: labels are a list, not a numpy array or a torch tensor on the CPU",
        ),
        (changed("test", names=lambda n: n[:5]), "names_its_images", "split test: 5 names for 12 images"),
        (
            changed("test", names=lambda n: ["a.png", *n[2:], "a.png"]),
            "names_its_images",
            "split test: two images are called 'a.png'",
        ),
        (changed("test", names=range(12)), "names_its_images", "split test: an image is called 0"),
        (
            changed("test", identities=lambda who: who[:5]),
            "parts_people",
            "split test: identities are int64 [5], not int64 [12]",
        ),
        (
            changed("test", identities=lambda who: who - 96),
            "parts_people",
            "12 of 12 people of the test images are also trained on, such as 4",
        ),
        (
            lambda o: {**right(o), "test": replace(images(o, 20, 0), identities=np.arange(20) + 50)},
            "parts_images",
            "20 of 20 test images are training images too, bit for bit; "
            "keep them apart, or let data_spec() say test_seen = True",
        ),
    ],
)
def test_what_is_read_wrongly_is_found_by_one_claim(read: Read, claim: str, why: str) -> None:
    class OneLabelling(Options):
        labels: Literal["expression"] = "expression"  # type: ignore[assignment]
        size_px: None = None
        channels: None = None

    assert broken(check(read, OneLabelling)) == {claim: why}


def test_absent_labels_are_told() -> None:
    found = check(changed("test", labels=lambda y: y * 0))
    assert remarks(found)["gives_labels"] == "split test: no image is labelled happy, sad"


def test_labels_of_every_kind_are_read() -> None:
    def read(options: Options) -> Mapping[str, ImageSet]:
        return changed("train", labels=lambda y: y % 2)(options) if options.labels == "attributes" else right(options)

    why = 'with labels = "attributes", split train: labels are uint8 [20, 2], not [20, 2]: 20 images, 2 attributes'
    assert broken(check(changed("train", labels=lambda y: y[:, 0] if y.ndim == 2 else y))) == {
        "offers_labels": why.replace("uint8 [20, 2], not", "uint8 [20], not")
    }
    assert broken(check(read)) == {}


def test_copies_below_a_tenth_are_a_remark() -> None:
    def read(options: Options) -> dict[str, ImageSet]:
        splits = right(options)
        splits["test"].images[3] = splits["train"].images[5]
        return splits

    told = "1 of 12 test images are training images too, bit for bit"
    assert remarks(check(read))["parts_images"] == told


def test_a_data_set_that_says_that_test_images_are_seen_may_train_on_them() -> None:
    class Seen(Options):
        def data_spec(self) -> DataSpec:
            return replace(super().data_spec(), test_seen=True)

    found = check(lambda o: {"train": images(o, 20, 0), "test": images(o, 20, 0)}, Seen)
    assert broken(found) == {}
    told = "the test images are trained on, and data_spec() says so"
    assert {claim: remarks(found)[claim] for claim in ("parts_people", "parts_images")} == dict.fromkeys(
        ("parts_people", "parts_images"), told
    )


def test_images_that_ganlab_fits_are_a_remark() -> None:
    class Large(Options):
        SMALL: ClassVar[Mapping[str, Any]] = {"size_px": 16, "channels": 3}

    found = check(changed("train", images=lambda x: x[:, :1]), Large)
    assert remarks(found)["gives_images"] == "read as 1 x 8 x 8; ganlab makes 3 x 16 x 16 of them"


# Reading twice, and what is touched


def pieces(is_cut_free: bool) -> Read:
    """Return a reader of training images in pieces; unless it is free of the cut, a piece tells where it began."""

    def read(options: Options) -> dict[str, ImageSet]:
        splits = right(options)
        whole = splits["train"].images

        def make(begin: int, end: int) -> np.ndarray[Any, Any]:
            return whole[begin:end] if is_cut_free else np.full_like(whole[begin:end], begin)

        return {**splits, "train": replace(splits["train"], images=Pieces(count=len(whole), make=make))}

    return read


def test_pieces_may_be_cut_anywhere() -> None:
    assert {finding.verdict for finding in check(pieces(True))} == {"holds"}
    assert "reads_the_same_twice" in broken(check(pieces(False)))


def test_reading_must_not_depend_on_global_random_numbers() -> None:
    def read(options: Options) -> dict[str, ImageSet]:
        splits = right(options)
        order = torch.randperm(20).numpy()
        return {**splits, "train": replace(splits["train"], images=splits["train"].images[order])}

    assert broken(check(read)) == {
        "reads_the_same_twice": "reading twice, the images of split train differ; "
        "draw from a generator of your own with a fixed seed, sort what a folder lists",
        "moves_no_random_number": "reading moves the random numbers of torch; use a generator of your own",
    }


@pytest.mark.parametrize(
    ("draw", "names"),
    [
        (lambda: torch.rand(1), "torch"),
        (lambda: np.random.rand(1), "numpy"),
        (lambda: random.random(), "Python's random"),
        (lambda: (torch.manual_seed(0), np.random.seed(0), random.seed(0)), "torch and numpy and Python's random"),
    ],
)
def test_reading_must_not_move_global_random_numbers(draw: Callable[[], object], names: str) -> None:
    def read(options: Options) -> dict[str, ImageSet]:
        draw()
        return right(options)

    before = torch.get_rng_state(), np.random.get_state()[1].tolist(), random.getstate()
    assert broken(check(read)) == {
        "moves_no_random_number": f"reading moves the random numbers of {names}; use a generator of your own"
    }
    assert torch.equal(before[0], torch.get_rng_state())
    assert (before[1], before[2]) == (np.random.get_state()[1].tolist(), random.getstate())


def test_sources_that_change_change_the_fingerprint(tmp_path: Path) -> None:
    file = tmp_path / "images.bin"
    file.write_text("1")
    named: list[Path] = []

    def sources() -> list[Path]:
        named.append(file)
        return [*named]

    (why,) = broken(check(sources=sources)).values()
    assert why.startswith("the same data have the fingerprints ")
    assert why.endswith(": sources() or content() changed")


@pytest.mark.parametrize(
    ("make", "what"),
    [(Path.mkdir, "is a folder; name the files in it"), (Path.exists, "is not there; raise DataError, saying how to get it")],
)
def test_sources_must_be_files(tmp_path: Path, make: Callable[[Path], object], what: str) -> None:
    source = tmp_path / "faces"
    make(source)
    found = broken(check(sources=lambda: [source]))
    assert found["names_its_sources"] == f"sources() names {source}, which {what}"


def test_a_file_that_is_read_and_not_named_is_found(tmp_path: Path) -> None:
    named, other, own = tmp_path / "images.bin", tmp_path / "labels.txt", tmp_path / "scratch"
    named.write_text("1")
    other.write_text("2")

    def read(options: Options) -> dict[str, ImageSet]:
        own.write_text(named.read_text() + os.fspath(named))
        own.read_text()
        return right(options)

    assert broken(check(read, sources=lambda: [named])) == {}
    assert broken(check(lambda o: other.read_text() and right(o), sources=lambda: [named])) == {
        "reads_its_sources_only": f"read() opens {other}, which sources() does not name: "
        "the cache would not notice a change of it"
    }


def test_absent_data_are_told_and_break_nothing() -> None:
    def sources() -> list[Path]:
        raise DataError("Faces are not here; looked for faces.zip.\nGet it somewhere.")

    found = check(sources=sources)
    assert broken(found) == {}
    assert {f.why for f in found if f.verdict == "not applicable"} == {"Faces are not here; looked for faces.zip."}
    assert [f.case.claim.__name__ for f in found if f.verdict == "holds"] == ["promises_without_reading", "says_what_is_seen"]


# What options do


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        (DataSpec(size_px=8, channels=2), "channels = 2, neither 1 (gray) nor 3 (colour)"),
        (DataSpec(size_px=0, channels=1), "size_px = 0, not a number of pixels"),
        (DataSpec(size_px=8, channels=1, label_kind="classes"), 'label_kind = "classes" and names 0 labels'),
        (DataSpec(size_px=8, channels=1, label_names=("a",)), 'label_kind = "none" and names 1 labels'),
        (
            DataSpec(size_px=8, channels=1, label_kind="classes", label_names=("a", "b", "a")),
            "two labels are called 'a'",
        ),
        (DataSpec(size_px=8, channels=1, label_kind="classes", label_names=("a", " ")), "a label is called ' '"),
        ({"size_px": 8}, "a dict, not a ganlab.DataSpec"),
    ],
)
def test_wrong_promises_are_found(spec: Any, why: str) -> None:
    class Wrong(Options):
        def data_spec(self) -> DataSpec:
            return spec  # type: ignore[no-any-return]

    found = {f.case.claim.__name__: f for f in check(model=Wrong)}["promises_without_reading"]
    assert (found.verdict, found.why) == ("broken", f"data_spec() says {why}")
    assert found.where.startswith(f"{__file__}:")


def test_a_promise_must_not_open_a_file(tmp_path: Path) -> None:
    file = tmp_path / "labels.txt"
    file.write_text("anger happy sad")

    class Reads(Options):
        def data_spec(self) -> DataSpec:
            return replace(super().data_spec(), label_names=tuple(file.read_text().split()))

    class OneLabelling(Reads):
        labels: Literal["expression"] = "expression"  # type: ignore[assignment]

    assert broken(check(lambda o: right(Options()), OneLabelling)) == {
        "promises_without_reading": f"data_spec() opens {file}; a recipe must be checked before any data are there"
    }


def test_ignored_options_are_found() -> None:
    class Gray(Options):
        def data_spec(self) -> DataSpec:
            return replace(super().data_spec(), channels=1)

    class Fixed(Options):
        def data_spec(self) -> DataSpec:
            return replace(super().data_spec(), size_px=8)

    assert broken(check(model=Gray)) == {"honours_size_and_channels": "channels = 3 is accepted and data_spec() says 1"}
    assert broken(check(model=Fixed)) == {"honours_size_and_channels": "size_px = 16 is accepted and data_spec() says 8"}


def test_refused_options_are_not_tried() -> None:
    class Fixed(Options):
        size_px: None = None
        channels: None = None
        split: Literal["train"] = "train"  # type: ignore[assignment]

    found = check(model=Fixed)
    assert broken(found) == {}
    assert {f.case.claim.__name__: f.why for f in found if f.verdict == "not applicable"} == {
        "honours_size_and_channels": "its options accept neither size_px = 16 nor channels",
        "says_what_is_seen": "its options accept the training images only",
    }


def test_test_images_that_are_trained_on_must_be_told() -> None:
    class Silent(Options):
        def data_spec(self) -> DataSpec:
            return replace(super().data_spec(), test_seen=False)

    assert broken(check(model=Silent)) == {
        "says_what_is_seen": 'split = "test" trains on the test images, and data_spec() says test_seen = False: '
        "scores would not say so"
    }


def test_an_option_that_decides_and_that_the_cache_does_not_know_is_found() -> None:
    class Forgetful(Options):
        BESIDE_CONTENT: ClassVar[frozenset[str]] = frozenset({"split", "images", "path", "seed"})

    assert broken(check(model=Forgetful)) == {
        "caches_what_decides": "with seed = 1, the images of split train differ; content() leaves seed out, "
        "so the cache would give the old ones"
    }
    by_split = check(lambda o: right(o) if o.split == "train" else {**right(o), "train": images(o, 32, 0)})
    assert broken(by_split) == {
        "caches_what_decides": 'with split = "test", the images of split train differ; content() leaves split out, '
        "so the cache would give the old ones"
    }


def test_settings_that_are_refused_or_missing_are_told() -> None:
    class Wrong(Options):
        SMALL: ClassVar[Mapping[str, Any]] = {"sed": 3}

    class Missing(Options):
        folder: str = Field(description="where the faces are")

    why = "Wrong.SMALL is refused by its own options: sed: Extra inputs are not permitted"
    assert broken(check(model=Wrong)) == {"promises_without_reading": why}
    found = check(model=Missing)
    assert {(f.verdict, f.why) for f in found} == {
        ("not applicable", "folder: is missing; give it a default, or name it in Missing.SMALL")
    }
