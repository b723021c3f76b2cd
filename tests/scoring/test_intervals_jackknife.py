"""The acceleration of BCa, alone and against scipy; groups of clusters where there are many."""

import numpy as np
import pytest
import scipy.stats

from scoring.intervals.choice import Sample, interval
from scoring.intervals.jackknife import MOST, acceleration, groups, leaving_out
from scoring.rounding import round12


def of_mean(values: np.ndarray, cluster: np.ndarray, strata: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Means without each group of clusters, and the strata of the groups."""
    group, of_group = groups(cluster, strata)
    left = np.concatenate([rows for _, rows in leaving_out(group, len(of_group))]).astype(float)
    return left @ values / left.sum(axis=1), of_group


@pytest.mark.parametrize("seed", range(5))
def test_bca_equals_scipy(seed: int) -> None:
    """On the same resamples, of cases that are clusters of their own; the mean of a skewed variable."""
    rng = np.random.default_rng(seed)
    values = rng.exponential(size=60)
    theirs = scipy.stats.bootstrap((values,), np.mean, n_resamples=999, method="BCa", rng=rng)
    left_out, strata = of_mean(values, np.arange(60), np.zeros(60, dtype=np.intp))
    drawn = round12(theirs.bootstrap_distribution)
    sample = Sample(round12(float(values.mean())), drawn, 60, left_out=left_out, strata=strata)
    found = interval(sample, method="bca", level=0.95, min_clusters=30)
    low, high = theirs.confidence_interval
    assert found.low == pytest.approx(low, abs=1e-10)
    assert found.high == pytest.approx(high, abs=1e-10)


def test_acceleration_by_strata_equals_that_of_scipy_for_two_samples() -> None:
    rng = np.random.default_rng(1)
    one, other = rng.exponential(size=20), rng.exponential(size=45)

    def difference(x: np.ndarray, y: np.ndarray, axis: int = -1) -> np.ndarray:
        return np.asarray(x.mean(axis=axis) * 2 - y.mean(axis=axis))

    theirs = scipy.stats.bootstrap((one, other), difference, n_resamples=999, method="BCa", rng=rng)
    left = [difference(np.delete(one, i), other) for i in range(20)]
    left += [difference(one, np.delete(other, i)) for i in range(45)]
    strata = np.repeat([0, 1], [20, 45])
    drawn = round12(theirs.bootstrap_distribution)
    sample = Sample(round12(float(difference(one, other))), drawn, 65, left_out=np.array(left), strata=strata)
    found = interval(sample, method="bca", level=0.95, min_clusters=30)
    assert (found.low, found.high) == pytest.approx(tuple(theirs.confidence_interval), abs=1e-10)


def test_all_cases_of_a_cluster_are_left_out_together() -> None:
    cluster = np.array([3, 0, 3, 1, 0])
    group, of_group = groups(cluster, np.array([0, 0, 0, 1]))
    (rows,) = (each for _, each in leaving_out(group, len(of_group)))
    assert of_group.tolist() == [0, 0, 1]  # no case is of cluster 2
    assert rows.tolist() == [[1, 0, 1, 1, 0], [1, 1, 1, 0, 1], [0, 1, 0, 1, 1]]


def test_many_clusters_are_left_out_in_groups_within_their_stratum() -> None:
    strata = np.repeat([0, 1], [9_000, 1_000])
    cluster = np.repeat(np.arange(10_000), 2)
    group, of_group = groups(cluster, strata)
    assert len(of_group) == MOST
    assert np.bincount(of_group).tolist() == [180, 20]
    assert (of_group[group] == strata[cluster]).all()
    assert np.bincount(group).tolist() == [100] * MOST
    assert (group[::2] == group[1::2]).all()


def test_a_stratum_however_small_has_two_groups() -> None:
    strata = np.repeat([0, 1], [9_998, 2])
    assert np.bincount(groups(np.arange(10_000), strata)[1]).tolist() == [MOST, 2]


def test_groups_give_the_acceleration_of_single_clusters() -> None:
    """The mean of an exponential variable: a sixth of its skewness over the root of n, 2 / (6 · 100)."""
    values = np.random.default_rng(2).exponential(size=10_000)
    one_by_one = (values.sum() - values) / (len(values) - 1)
    exact = acceleration(one_by_one, np.zeros(10_000, dtype=np.intp))
    grouped = acceleration(*of_mean(values, np.arange(10_000), np.zeros(10_000, dtype=np.intp)))
    assert exact == pytest.approx(0.00333, abs=3e-4)
    assert grouped == pytest.approx(exact, abs=0.004)


def test_undefined_without_a_cluster_is_passed_over_and_no_spread_is_no_skewness() -> None:
    strata = np.zeros(4, dtype=np.intp)
    assert acceleration(np.array([1.0, 2.0, 6.0, np.nan]), strata) == acceleration(
        np.array([1.0, 2.0, 6.0]), strata[:3]
    )
    assert acceleration(np.full(4, 0.5), strata) == 0.0
    assert acceleration(np.full(4, np.nan), strata) == 0.0


def test_memory_is_bounded_by_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    group = np.arange(50) % 10
    whole = np.concatenate([rows for _, rows in leaving_out(group, 10)])
    monkeypatch.setattr("scoring.intervals.jackknife._CHUNK", 150)
    parts = list(leaving_out(group, 10))
    assert [len(rows) for _, rows in parts] == [3, 3, 3, 1]
    out = np.zeros((10, 50))
    for part, rows in parts:
        out[part] = rows
    assert (out == whole).all()
