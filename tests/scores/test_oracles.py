"""Other people's code gives the same numbers; these libraries are needed here only (`--group oracles`)."""

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from ganlab.scores import (
    compare_neighbours,
    frechet_distance,
    frechet_distance_of_features,
    kernel_distance,
    moments_of,
    subset_kernel_distance,
)
from ganlab.scores.uncertainty import student


@pytest.fixture(autouse=True)
def _their_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def oracle(name: str) -> Any:
    """Return a module; skips the test where it is absent."""
    reason = f"{name} is absent; uv sync --group oracles installs it"
    return pytest.importorskip(name, reason=reason, exc_type=ImportError)


def draw(rows: int, width: int, seed: int) -> Tensor:
    draws = torch.Generator().manual_seed(seed)
    mixed = torch.randn(width, width, generator=draws) / width**0.5
    return torch.randn(rows, width, generator=draws) @ mixed + 0.1 * seed


PAIRS = [(draw(300, 24, 1), draw(200, 24, 2)), (draw(20, 24, 1), draw(23, 24, 2))]


@pytest.mark.parametrize(("one", "other"), PAIRS, ids=["many", "singular"])
def test_frechet_is_that_of_the_general_matrix_root(one: Tensor, other: Tensor) -> None:
    linalg = oracle("scipy.linalg")
    a, b = moments_of(one), moments_of(other)
    root = linalg.sqrtm((a.covariance @ b.covariance).numpy())
    expected = float((a.mean - b.mean).square().sum() + a.covariance.trace() + b.covariance.trace()) - 2 * np.trace(root).real
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-5)
    assert frechet_distance_of_features(one, other) == pytest.approx(expected, rel=1e-5)


def test_frechet_is_torch_fidelitys() -> None:
    theirs = oracle("torch_fidelity.metric_fid")
    one, other = PAIRS[0]
    a, b = theirs.fid_features_to_statistics(one), theirs.fid_features_to_statistics(other)
    expected = theirs.fid_statistics_to_metric(a, b, verbose=False)["frechet_inception_distance"]
    assert frechet_distance_of_features(one, other) == pytest.approx(expected, rel=1e-6)


def test_kernel_distance_is_piqs() -> None:
    piq = oracle("piq")
    one, other = PAIRS[0]
    torch.manual_seed(0)
    theirs = piq.KID(subset_size=200, average=False)
    same = float(theirs.compute_metric(one[:200].double(), other.double()))
    assert kernel_distance(one[:200], other) == pytest.approx(same, rel=1e-9)


def test_kernel_distance_is_torch_fidelitys_on_whole_sets() -> None:
    theirs = oracle("torch_fidelity.metric_kid")
    one, other = PAIRS[0]
    found = theirs.kid_features_to_metric(
        one[:200].double(), other.double(), kid_subsets=3, kid_subset_size=200, verbose=False, rng_seed=0
    )
    assert subset_kernel_distance(one[:200], other, subsets=3, subset_rows=200).mean == pytest.approx(
        found["kernel_inception_distance_mean"], rel=1e-9
    )


def test_kernel_distance_is_clean_fids_on_whole_sets() -> None:
    theirs = oracle("cleanfid.fid")
    one, other = PAIRS[0]
    expected = theirs.kernel_distance(one[:200].double().numpy(), other.double().numpy(), num_subsets=1, max_subset_size=200)
    assert kernel_distance(one[:200], other) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("k", [1, 3, 5])
def test_precision_recall_density_and_coverage_are_those_of_prdc(k: int) -> None:
    theirs = oracle("prdc")
    one, other = PAIRS[0]
    expected = theirs.compute_prdc(one.double().numpy(), other.double().numpy(), nearest_k=k)
    found = compare_neighbours(one.double(), other.double(), k)
    assert vars(found) == pytest.approx({name: float(value) for name, value in expected.items()}, abs=1e-12)


def test_precision_and_recall_are_torch_fidelitys_the_right_way_round() -> None:
    theirs = oracle("torch_fidelity.metric_prc")
    real, made = draw(300, 24, 1), draw(200, 24, 1)[:, :] * 0.5
    expected = theirs.prc_features_to_metric(made, real, prc_neighborhood=3, prc_batch_size=100, verbose=False)
    found = compare_neighbours(real, made, 3)
    assert found.precision == pytest.approx(expected["precision"], abs=1e-6)
    assert found.recall == pytest.approx(expected["recall"], abs=1e-6)
    assert found.precision > found.recall + 0.2


def test_students_t_is_scipys() -> None:
    stats = oracle("scipy.stats")
    for freedom in (1, 2, 7, 30, 31, 60, 1000):
        assert student(freedom) == pytest.approx(stats.t.ppf(0.975, freedom), abs=6e-5)
