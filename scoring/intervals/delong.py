"""The interval of an area under the ROC curve from its own variance, without resamples.

DeLong, DeLong and Clarke-Pearson 1988; with several cases per patient Obuchowski 1997, which is the same where each
patient has one case. The interval is made on the logit scale, so that it stays inside [0, 1]. An area of exactly 0 or 1
has variance 0; its interval is method 5 of Newcombe 2006, which asks which areas would make such a sample likely.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from scoring.casetable import Rows
from scoring.intervals.found import Interval, between

LEAST_SIDE = 10
NORMAL = NormalDist()
Floats = NDArray[np.float64]
Codes = NDArray[np.intp]


@dataclass(frozen=True)
class Area:
    """An area, its variance, and how many clusters have positive, and negative cases; nan without one of them."""

    value: float
    variance: float
    clusters: tuple[int, int]


def area(positives: Rows, negatives: Rows, cluster: Codes) -> Area:
    """The area of cases ranked by ``score`` ascending on each side; `cluster` (n_cases,) codes of the cases.

    O(n log n), in float64: a float32 midrank would be off by more than what decides a tie.
    """
    above, under = positives.columns["score"], negatives.columns["score"]
    if not (above.size and under.size):
        return Area(math.nan, math.nan, (0, 0))
    won, kept = _beaten(above, under), 1 - _beaten(under, above)
    value = float(won.mean())
    return Area(value, *_variance([(won - value, positives.case), (kept - value, negatives.case)], cluster))


def interval(found: Area, level: float) -> Interval:
    """The interval of an area; none below `LEAST_SIDE` clusters with positive, or with negative cases."""
    if min(found.clusters) < LEAST_SIDE:
        return Interval(f"none:side<{LEAST_SIDE}")
    z = NORMAL.inv_cdf((1 + level) / 2)
    if found.value in (0, 1):
        bound = _newcombe(found.clusters, z)
        return between("newcombe", *((bound, 1.0) if found.value else (0.0, 1 - bound)))
    spread = z * math.sqrt(found.variance) / (found.value * (1 - found.value))
    centre = math.log(found.value / (1 - found.value))
    return between("delong", _expit(centre - spread), _expit(centre + spread))


def _beaten(scores: Floats, others: Floats) -> Floats:
    """Share of the `others` below each of the scores, those equal counting half. Both ascending."""
    below, up_to = (np.searchsorted(others, scores, side=side) for side in ("left", "right"))
    return np.asarray((below + up_to) / (2 * len(others)), dtype=np.float64)


def _variance(sides: list[tuple[Floats, Codes]], cluster: Codes) -> tuple[float, tuple[int, int]]:
    """Obuchowski 1997, equations 4 to 6, and the clusters of each side; `sides`: (deviations, cases) of each."""
    size = int(cluster.max()) + 1
    sums = [np.bincount(cluster[case], weights=off, minlength=size) / len(case) for off, case in sides]
    held = [np.bincount(cluster[case], minlength=size) > 0 for _, case in sides]
    own = sum(_small(int(each.sum())) * float(part @ part) for part, each in zip(sums, held, strict=True))
    shared = _small(int((held[0] | held[1]).sum())) * float(sums[0] @ sums[1])
    return max(0.0, own + 2 * shared), (int(held[0].sum()), int(held[1].sum()))


def _small(clusters: int) -> float:
    """What makes the variance of few clusters unbiased; one cluster has none, and too few are refused later."""
    return clusters / max(1, clusters - 1)


def _newcombe(clusters: tuple[int, int], z: float) -> float:
    """The least area under which an area of 1 is no further away than `z` standard errors (bisection)."""
    one, other = clusters
    more = (one + other) / 2 - 1

    def too_far(area: float) -> bool:
        spread = area * (1 - area) * (1 + more * (1 - area) / (2 - area) + more * area / (1 + area)) / (one * other)
        return (1 - area) ** 2 > z**2 * spread

    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if too_far(middle) else (low, middle)
    return high


def _expit(x: float) -> float:
    return 1 / (1 + math.exp(-x))
