"""ganlab's own plugins pass the kit that a third party's must pass; registering a component is what puts it under test."""

from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganlab.contracts import KINDS
from ganlab.data.export import export
from ganlab.plugins import GROUP, is_builtin, load_plugins
from ganlab.registry import Registry
from ganlab.testing import Case, cases, findings

BUILTINS = sorted(point.name for point in metadata.entry_points(group=GROUP) if is_builtin(point))
CASES = [case for name in BUILTINS for case in cases(name)]


@pytest.fixture(scope="module", autouse=True)
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Offer data to the sets that read files: drawn faces in the layouts of FER2013 and CelebA."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GANLAB_HOME", str(tmp_path_factory.mktemp("home")))
        faces = Registry(load_plugins()).find("dataset", "synthetic_faces")
        people = ["dataset.identities=12", "dataset.test_identities=4"]
        folder = tmp_path_factory.mktemp("data")
        for layout in ("fer2013", "celeba"):
            export(faces, layout, folder, sets=people)
        draw_folder(folder / "image_folder")
        patch.setenv("GANLAB_DATA", str(folder))
        yield


def draw_folder(folder: Path) -> None:
    """Write 40 pictures of noise, of two classes, for the data set of a user's own images."""
    random = np.random.default_rng(0)
    for name in ("cat", "dog"):
        (folder / name).mkdir(parents=True)
        for number in range(20):
            Image.fromarray(random.integers(0, 256, (20, 24, 3), np.uint8)).save(folder / name / f"{number}.png")


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_builtin_plugin_keeps_the_contract(case: Case) -> None:
    case.run()


def test_whatever_is_registered_is_under_test() -> None:
    registered = {(r.kind, r.name) for r in Registry(load_plugins()).all() if r.is_builtin}
    under_test = {(r.kind, r.name) for case in CASES if (r := case.subject.registered)}
    assert under_test == registered
    assert {case.subject.record.name for case in CASES if case.subject.registered is None} == set(BUILTINS)


def test_every_kind_has_claims() -> None:
    assert {r.kind if (r := case.subject.registered) else "plugin" for case in CASES} == {*KINDS, "plugin"}


def test_every_data_set_is_read() -> None:
    reading = [case for case in CASES if case.claim.__name__ == "reads_two_splits"]
    assert {case.about: finding.verdict for case, finding in zip(reading, findings(reading), strict=True)} == {
        f"dataset {r.name}": "holds" for r in Registry(load_plugins()).all("dataset") if r.is_builtin
    }
