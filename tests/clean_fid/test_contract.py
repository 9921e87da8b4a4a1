"""The scores hold in every claim of the kit, those that need weights with a file that stands for them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from ganlab_clean_fid.weights import VARIABLE

from ganlab.testing import cases, findings
from ganlab.testing.evaluator.trial import first_trial


@pytest.fixture
def weights(published: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv(VARIABLE, str(published))
    first_trial.cache_clear()
    yield
    first_trial.cache_clear()  # no later test has these weights


@pytest.mark.usefixtures("weights")
@pytest.mark.parametrize("name", ["fid", "kid", "prdc"])
def test_contract(name: str) -> None:
    found = list(findings(case for case in cases("clean_fid") if case.about == f"evaluator {name}"))
    assert len(found) >= 8
    assert {str(finding.case): finding.why for finding in found if finding.verdict != "holds"} == {}
