"""Percentile intervals, and each reason for having none."""

import numpy as np

from scoring.intervals import Interval, interval, percentile


def test_the_middle_of_the_resamples() -> None:
    replicates = np.random.default_rng(0).permutation(np.arange(1001) / 1000)
    assert percentile(replicates, 0.95) == Interval("percentile", 0.025, 0.975)
    assert percentile(replicates, 0.9) == Interval("percentile", 0.05, 0.95)


def test_bounds_are_rounded_to_twelve_digits() -> None:
    assert percentile(np.full(10, 1 / 3), 0.95) == Interval("percentile", 0.333333333333, 0.333333333333)


def test_undefined_resamples_are_left_out_up_to_one_in_twenty() -> None:
    replicates = np.concatenate([np.full(95, 0.5), np.full(5, np.nan)])
    assert percentile(replicates, 0.95) == Interval("percentile", 0.5, 0.5)
    replicates[0] = np.nan
    assert percentile(replicates, 0.95) == Interval("none:undefined")


def test_no_resamples_no_interval() -> None:
    assert percentile(np.zeros(0), 0.95) == Interval("none:no-resamples")


def test_below_the_least_number_of_clusters_there_is_none_and_the_reason_says_which() -> None:
    replicates = np.arange(101) / 100

    def made(n_clusters: int, method: str = "percentile") -> Interval:
        return interval(replicates, method=method, level=0.9, n_clusters=n_clusters, min_clusters=30)

    assert made(29) == Interval("none:clusters<30")
    assert made(30) == Interval("percentile", 0.05, 0.95)
    assert made(30, "none") == Interval("none:metric")


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
