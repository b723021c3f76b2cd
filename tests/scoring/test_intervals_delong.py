"""DeLong's interval: against the sums over pairs of the papers, figures by hand, and what must not change it."""

import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from scoring.intervals.delong import LEAST_SIDE, Area, area, interval
from scoring.intervals.found import Interval
from scoring.metrics.auroc import auroc, ranked

Floats = NDArray[np.float64]


def made(positive: NDArray[np.bool_], score: Floats, cluster: NDArray[np.intp] | None = None) -> Area:
    sides = ranked(positive, score, np.zeros(len(score), dtype=bool))
    return area(*sides, np.arange(len(score)) if cluster is None else cluster)


def sample(
    seed: int, *, levels: int | None = None, each: int = 1
) -> tuple[NDArray[np.bool_], Floats, NDArray[np.intp]]:
    rng = np.random.default_rng(seed)
    cluster = np.arange(90) // each
    positive = rng.random(90) < 0.4
    score = positive + rng.normal(size=90) + rng.normal(size=90)[cluster]
    return positive, score if levels is None else np.round(score * levels) / levels, cluster


def slowly(positive: NDArray[np.bool_], score: Floats, cluster: NDArray[np.intp]) -> tuple[float, float]:
    """Area and variance by all pairs, as in Obuchowski 1997: components, sums by patient, S10, S01, S11."""
    above, under = np.flatnonzero(positive), np.flatnonzero(~positive)
    pairs = {(i, j): (score[i] > score[j]) + 0.5 * (score[i] == score[j]) for i, j in itertools.product(above, under)}
    m, n = len(above), len(under)
    theta = sum(pairs.values()) / (m * n)
    v10 = {i: sum(pairs[i, j] for j in under) / n for i in above}
    v01 = {j: sum(pairs[i, j] for i in above) / m for j in under}
    codes = sorted(set(cluster.tolist()))
    up = {k: sum(v10[i] - theta for i in above if cluster[i] == k) for k in codes}
    down = {k: sum(v01[j] - theta for j in under if cluster[j] == k) for k in codes}
    i10 = len({cluster[i] for i in above})
    i01 = len({cluster[j] for j in under})
    s10 = i10 / ((i10 - 1) * m) * sum(x**2 for x in up.values())
    s01 = i01 / ((i01 - 1) * n) * sum(x**2 for x in down.values())
    s11 = len(codes) / (len(codes) - 1) * sum(up[k] * down[k] for k in codes)
    return float(theta), float(s10 / m + s01 / n + 2 * s11 / (m * n))


@pytest.mark.parametrize("each", [1, 3])
@pytest.mark.parametrize("levels", [None, 2])
@pytest.mark.parametrize("seed", range(3))
def test_area_and_variance_equal_the_sums_over_all_pairs(seed: int, levels: int | None, each: int) -> None:
    drawn = sample(seed, levels=levels, each=each)
    found = made(*drawn)
    assert (found.value, found.variance) == pytest.approx(slowly(*drawn), rel=1e-12)
    assert found.clusters == tuple(len(set(drawn[2][side].tolist())) for side in (drawn[0], ~drawn[0]))


def test_a_case_each_is_delong_itself() -> None:
    """The variances of the structural components of DeLong 1988 over their numbers."""
    positive, score, _ = sample(7)
    wins = (score[positive][:, None] > score[~positive][None]).astype(float)
    expected = wins.mean(axis=1).var(ddof=1) / positive.sum() + wins.mean(axis=0).var(ddof=1) / (~positive).sum()
    assert made(positive, score).variance == pytest.approx(expected, rel=1e-12)


def test_a_sample_by_hand() -> None:
    """Positives 2, 4, negatives 1, 3: components 1/2, 1 and 1, 1/2, both of variance 1/8; 1/8 / 2 + 1/8 / 2 = 1/8."""
    found = made(np.array([True, True, False, False]), np.array([2.0, 4.0, 1.0, 3.0]))
    assert found == Area(0.75, 0.125, (2, 2))


def test_the_value_is_that_of_the_metric_with_missing_cases_at_the_wrong_end() -> None:
    positive, score, cluster = sample(3, levels=3)
    sides = ranked(positive, score, np.arange(90) < 9)
    assert area(*sides, cluster).value == pytest.approx(_metric(positive, score, np.arange(90) < 9), abs=1e-15)


def _metric(positive: NDArray[np.bool_], score: Floats, missing: NDArray[np.bool_]) -> float:
    from scoring.casetable import CaseTable

    sides = dict(zip(("positives", "negatives"), ranked(positive, score, missing), strict=True))
    return float(auroc.aggregate(CaseTable(90, sides), np.ones((1, 90)))[0, 0])


@pytest.mark.parametrize("change", [np.exp, np.arctan, lambda score: 7 * score - 3])
def test_only_the_order_of_scores_counts(change: Callable[[Floats], Floats]) -> None:
    positive, score, cluster = sample(4, levels=4, each=3)
    assert made(positive, change(score), cluster) == made(positive, score, cluster)


def test_turned_scores_turn_the_interval() -> None:
    positive, score, cluster = sample(5, each=3)
    one, other = (interval(made(positive, sign * score, cluster), 0.95) for sign in (1, -1))
    assert one.low is not None
    assert other.high is not None
    assert one.low == pytest.approx(1 - other.high, abs=1e-11)


def test_patients_with_several_cases_count_as_patients() -> None:
    """Each case three times in its patient: the interval of the cases alone, not one narrower by the root of 3."""
    positive, score, _ = sample(6)
    alone, cluster = made(positive, score), np.repeat(np.arange(90), 3)
    repeated = made(np.repeat(positive, 3), np.repeat(score, 3), cluster)
    assert (repeated.value, repeated.variance) == pytest.approx((alone.value, alone.variance), rel=1e-12)
    assert repeated.clusters == alone.clusters
    naive = made(np.repeat(positive, 3), np.repeat(score, 3))
    assert naive.variance < 0.4 * alone.variance


def test_the_interval_is_symmetric_on_the_logit_scale() -> None:
    found = interval(Area(0.9, 0.0009, (50, 50)), 0.95)
    half = 1.959963984540054 * 0.03 / 0.09
    low, high = (1 / (1 + math.exp(-(math.log(9) + sign * half))) for sign in (-1, 1))
    assert found.method == "delong"
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-12)


def test_few_patients_on_one_side_are_refused_with_the_number_needed() -> None:
    assert interval(Area(0.9, 0.001, (LEAST_SIDE - 1, 500)), 0.95) == Interval("none:side<10")
    assert interval(Area(0.9, 0.001, (500, LEAST_SIDE - 1)), 0.95) == Interval("none:side<10")
    assert interval(Area(0.9, 0.001, (LEAST_SIDE, 500)), 0.95).method == "delong"
    empty = made(np.ones(5, dtype=bool), np.arange(5.0))
    assert (math.isnan(empty.value), interval(empty, 0.95)) == (True, Interval("none:side<10"))


def test_a_perfect_order_still_has_a_bound() -> None:
    """Which areas give 20 and 80 patients in perfect order often enough: method 5 of Newcombe 2006."""
    found = interval(Area(1.0, 0.0, (20, 80)), 0.95)
    assert (found.method, found.high) == ("newcombe", 1.0)
    assert found.low is not None
    low, more = found.low, 49
    variance = low * (1 - low) * (1 + more * (1 - low) / (2 - low) + more * low / (1 + low)) / 1600
    assert (1 - low) / math.sqrt(variance) == pytest.approx(1.959963984540054, abs=1e-8)
    turned = interval(Area(0.0, 0.0, (20, 80)), 0.95)
    assert (turned.low, turned.high) == pytest.approx((0.0, 1 - low), abs=1e-12)


def test_a_constant_score_has_half_an_area_and_no_spread() -> None:
    positive, _, cluster = sample(8)
    found = made(positive, np.zeros(90), cluster)
    assert (found.value, found.variance) == (0.5, 0.0)
    assert interval(found, 0.95) == Interval("none:no-spread")
