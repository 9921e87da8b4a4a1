"""Weights are taken from the place that was named, and whatever is wrong with them is one line before anything is scored."""

import hashlib
import pickle
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from ganlab_clean_fid import weights
from ganlab_clean_fid.evaluators import InceptionScore, fid
from ganlab_clean_fid.extractor import InceptionFeatures
from ganlab_clean_fid.weights import PUBLISHED, VARIABLE, find_weights

from ganlab import DataError, ImageSet

CPU = torch.device("cpu")


def evaluator(path: Path | None = None, *, trusted: bool = False) -> InceptionScore:
    return fid(None, 0, 1, 64, None if path is None else str(path), trusted)


def refusal(path: Path, **how: Any) -> str:
    with pytest.raises(DataError) as told:
        find_weights(str(path), allow_unknown=how.get("trusted", False))
    assert "\n" not in str(told.value)
    assert str(told.value).startswith(f"{path}: ")
    return str(told.value).removeprefix(f"{path}: ")


def test_the_published_files_are_pinned() -> None:
    assert [(file.name, file.size, file.sha256[:8]) for file in PUBLISHED] == [
        ("inception-2015-12-05.pt", 95_607_719, "f58cb9b6"),
        ("pt_inception-2015-12-05-6726825d.pth", 95_628_359, "6726825d"),
    ]


def test_absent_weights_are_told_before_any_image_is_made(model: Any, test_images: ImageSet, home: Path) -> None:
    for ask in (evaluator().protocol, evaluator().score):
        with pytest.raises(DataError) as told:
            ask(model, test_images)
        assert str(told.value) == (
            "this score needs Inception's weights, inception-2015-12-05.pt (95,607,719 bytes, sha256 "
            f"{PUBLISHED[0].sha256}); looked for {home / 'weights' / PUBLISHED[0].name} and "
            f"{home / 'weights' / PUBLISHED[1].name}. `ganlab weights fetch {PUBLISHED[0].name}` "
            "downloads it; or put it there, or name it by the option weights or by "
            "GANLAB_FID_WEIGHTS. The score rfd needs no weights."
        )
    assert model.made == 0


def test_the_option_wins_over_the_variable_and_that_over_the_home(published: Path, home: Path, tmp_path: Path) -> None:
    places = [tmp_path / "option.pt", tmp_path / "variable.pt", home / "weights" / published.name]
    places[2].parent.mkdir(parents=True)
    for place in places:
        place.write_bytes(published.read_bytes())
    option, variable, at_home = places
    environment = {VARIABLE: str(variable)}
    assert find_weights(str(option), allow_unknown=False, environment=environment).path == option
    assert find_weights(None, allow_unknown=False, environment=environment).path == variable
    assert find_weights(None, allow_unknown=False, environment={}).path == at_home
    assert find_weights(str(tmp_path / "home" / "weights"), allow_unknown=False).path == at_home


def test_a_place_that_was_named_and_is_empty_is_not_passed_over(published: Path, home: Path, tmp_path: Path) -> None:
    (home / "weights").mkdir(parents=True)
    (home / "weights" / published.name).write_bytes(published.read_bytes())
    absent = tmp_path / "absent.pt"
    with pytest.raises(DataError, match=re.escape(f"the option weights says {absent}, which is not there")):
        find_weights(str(absent), allow_unknown=False)
    with pytest.raises(DataError, match=re.escape(f"{VARIABLE} says {absent}, which is not there")):
        find_weights(None, allow_unknown=False, environment={VARIABLE: str(absent)})


DAMAGE: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "empty": (lambda content: b"", "the file is empty. Replace it by inception-2015-12-05.pt"),
    "pointer": (
        lambda content: b"version https://git-lfs.github.com/spec/v1\noid sha256:f58c\nsize 95607719\n",
        "this is a Git LFS pointer, not the file itself; `git lfs pull` gets that. Replace it by",
    ),
    "page": (lambda content: b"<!DOCTYPE html><html>404", "this is a web page, not weights: the download failed."),
    "cut": (lambda content: content[:1000], "the file is cut short at 1,000 bytes: its download did not end."),
}


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("trusted", [False, True])
def test_what_is_no_file_of_weights_is_refused_even_if_unknown_ones_are_allowed(
    script: Path, tmp_path: Path, damage: str, trusted: bool
) -> None:
    spoil, message = DAMAGE[damage]
    path = tmp_path / "weights.pt"
    path.write_bytes(spoil(script.read_bytes()))
    assert refusal(path, trusted=trusted).startswith(message)


def test_one_byte_changed_in_the_published_file_is_damage(published: Path, tmp_path: Path) -> None:
    content = bytearray(published.read_bytes())
    content[len(content) // 2] ^= 1
    path = tmp_path / "flipped.pt"
    path.write_bytes(content)
    assert refusal(path).startswith("the file has the right size and other content: it is damaged.")


def test_a_folder_without_weights_and_a_file_that_is_a_folder_are_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"^this score needs Inception's weights"):
        find_weights(str(tmp_path), allow_unknown=False)
    (tmp_path / PUBLISHED[0].name).mkdir()
    with pytest.raises(DataError, match=r"the weights cannot be read: Is a directory$"):
        find_weights(str(tmp_path), allow_unknown=False)


def test_unknown_weights_are_not_opened_unless_allowed(script: Path) -> None:
    digest = hashlib.sha256(script.read_bytes()).hexdigest()
    assert refusal(script) == (
        f"sha256 {digest} is not that of Inception's published weights, so its scores would be no FID. If you trust the file, "
        "which may execute code, say allow_unknown_weights = true: its scores get another name."
    )
    found = find_weights(str(script), allow_unknown=True)
    assert (found.is_script, found.is_published, found.sha256) == (True, False, digest)


def test_a_pickle_that_executes_code_is_not_executed_even_if_allowed(tmp_path: Path) -> None:
    marker = tmp_path / "executed"

    class Attack:
        def __reduce__(self) -> tuple[Callable[[Any], Any], tuple[Any]]:
            return (Path.touch, (marker,))

    plain, archive = tmp_path / "plain.pth", tmp_path / "archive.pth"
    plain.write_bytes(pickle.dumps(Attack()))
    torch.save({"weight": Attack()}, archive)
    for path in (plain, archive):
        with pytest.raises(DataError, match="holds no Inception that can be opened") as told:
            InceptionFeatures(find_weights(str(path), allow_unknown=True), CPU)(torch.zeros(1, 3, 8, 8, dtype=torch.uint8))
        assert "\n" not in str(told.value)
    assert not marker.exists()


def test_other_networks_are_one_line(tmp_path: Path) -> None:
    other, words = tmp_path / "other.pth", tmp_path / "words.pth"
    torch.save({"weight": torch.zeros(3)}, other)
    torch.save(["no", "tensors"], words)
    code = tmp_path / "code.pt"
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("code/code/x.py", "")
    for path in (other, words, code):
        with pytest.raises(DataError, match="holds no Inception that can be opened: ") as told:
            InceptionFeatures(find_weights(str(path), allow_unknown=True), CPU)(torch.zeros(1, 3, 8, 8, dtype=torch.uint8))
        assert "\n" not in str(told.value)


def test_a_file_that_changes_after_it_was_examined_is_not_opened(published: Path, tmp_path: Path) -> None:
    path = tmp_path / "weights.pt"
    path.write_bytes(published.read_bytes())
    features = InceptionFeatures(find_weights(str(path), allow_unknown=False), CPU)
    path.write_bytes(published.read_bytes() + b" ")
    with pytest.raises(DataError, match="the file changed while it was in use"):
        features(torch.zeros(1, 3, 8, 8, dtype=torch.uint8))


def test_the_home_is_ganlabs_and_no_temporary_folder(home: Path) -> None:
    assert weights.weights_folder() == home / "weights"
