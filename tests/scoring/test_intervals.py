"""Intervals from resampled values, and each reason for having none."""

import numpy as np
import pytest
from numpy.typing import NDArray

from scoring.intervals.choice import Method, Sample, interval
from scoring.intervals.found import Interval, between
from scoring.intervals.resampled import basic, bca, percentile


def test_the_middle_of_the_resamples() -> None:
    replicates = np.random.default_rng(0).permutation(np.arange(1001) / 1000)
    assert percentile(replicates, 0.95) == Interval("percentile", 0.025, 0.975)
    assert percentile(replicates, 0.9) == Interval("percentile", 0.05, 0.95)


def test_bounds_are_rounded_to_twelve_digits() -> None:
    assert percentile(np.repeat([1 / 3, 2 / 3], 10), 0.95) == Interval("percentile", 0.333333333333, 0.666666666667)


def test_basic_turns_the_percentiles_round_the_value_and_stays_within_what_is_possible() -> None:
    replicates = np.arange(1001) / 1000
    assert basic(replicates, 0.9, value=0.6, bounds=(-1.0, 2.0)) == Interval("basic", 0.25, 1.15)
    assert basic(replicates, 0.9, value=0.6, bounds=(0.3, 1.0)) == Interval("basic", 0.3, 1.0)


def test_bca_without_bias_and_skewness_is_the_percentile_interval() -> None:
    replicates = np.arange(1001) / 1000
    assert bca(replicates, 0.9, value=0.5, acceleration=0.0) == Interval("bca", 0.05, 0.95)


def test_bca_moves_up_where_most_resamples_are_below_the_value_and_where_the_spread_grows() -> None:
    replicates = np.arange(1001) / 1000
    for value, acceleration in ((0.6, 0.0), (0.5, 0.05)):
        found = bca(replicates, 0.9, value=value, acceleration=acceleration)
        assert found.low is not None
        assert found.high is not None
        assert (found.low > 0.05, found.high > 0.95) == (True, True)


def test_bca_of_resamples_on_one_side_of_the_value_is_refused() -> None:
    replicates = np.arange(1, 1001) / 1000
    assert bca(replicates, 0.95, value=0.0, acceleration=0.0) == Interval("none:bias")
    assert bca(replicates, 0.95, value=2.0, acceleration=0.0) == Interval("none:bias")
    assert bca(replicates, 0.95, value=0.5, acceleration=0.9) == Interval("none:bias")


def test_undefined_resamples_are_left_out_up_to_one_in_twenty() -> None:
    def made(values: NDArray[np.float64]) -> list[Interval]:
        return [
            percentile(values, 0.95),
            basic(values, 0.95, value=0.47, bounds=(0.0, 1.0)),
            bca(values, 0.95, value=0.47, acceleration=0.01),
        ]

    defined = np.arange(95) / 100
    assert made(np.append(defined, np.full(5, np.nan))) == made(defined)
    assert made(np.append(defined, np.full(6, np.nan))) == [Interval("none:undefined")] * 3
    assert made(np.zeros(0)) == [Interval("none:no-resamples")] * 3


def test_resamples_all_alike_make_no_interval_for_its_width_of_0_would_claim_certainty() -> None:
    replicates = np.ones(100)
    assert percentile(replicates, 0.95) == Interval("none:no-spread")
    assert basic(replicates, 0.95, value=0.9, bounds=(0.0, 1.0)) == Interval("none:no-spread")
    assert bca(replicates, 0.95, value=1.0, acceleration=0.0) == Interval("none:no-spread")
    assert between("delong", 0.5, 0.5 + 1e-15) == Interval("none:no-spread")


def test_below_the_least_number_of_clusters_there_is_none_and_the_reason_says_which() -> None:
    def made(n_clusters: int, method: Method = "percentile") -> Interval:
        sample = Sample(value=0.5, replicates=np.arange(101) / 100, n_clusters=n_clusters)
        return interval(sample, method=method, level=0.9, min_clusters=30)

    assert made(29) == Interval("none:clusters<30")
    assert made(29, "bca") == made(29, "delong") == Interval("none:clusters<30")
    assert made(30) == Interval("percentile", 0.05, 0.95)
    assert made(30, "basic") == Interval("basic", 0.05, 0.95)
    assert made(30, "none") == Interval("none:metric")


@pytest.mark.parametrize("method", ["bca", "delong"])
def test_a_method_without_what_it_needs_is_a_fault_of_ours(method: Method) -> None:
    sample = Sample(value=0.5, replicates=np.arange(101) / 100, n_clusters=30)
    with pytest.raises(ValueError, match=method):
        interval(sample, method=method, level=0.9, min_clusters=30)


def test_coverage_of_a_mean_is_about_what_it_says() -> None:
    """300 samples of 60 clusters: a 90 % interval holds the true mean in 85 to 95 % of them."""
    rng = np.random.default_rng(1)
    held = 0
    for _ in range(300):
        sample = rng.normal(size=60)
        drawn = sample[rng.integers(0, 60, (400, 60))].mean(axis=1)
        found = percentile(drawn, 0.9)
        held += found.low is not None and found.high is not None and found.low <= 0 <= found.high
    assert 255 <= held <= 285
