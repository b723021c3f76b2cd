"""Confidence intervals from resampled values, or the reason why there is none."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scoring.rounding import round12

LEAST_DEFINED = 0.95


@dataclass(frozen=True)
class Interval:
    """`method`: ``percentile``, or ``none:`` and why: ``clusters<30``, ``undefined``, ``no-resamples``, ``metric``."""

    method: str
    low: float | None = None
    high: float | None = None


def percentile(replicates: NDArray[np.float64], level: float) -> Interval:
    """The middle `level` of the resampled values, with linear interpolation, rounded to 12 digits.

    `replicates` (B,). Resamples in which the value is undefined (nan) are left out; where they are more than 5 % there
    is no interval, since it would describe only the resamples that went well.
    """
    if replicates.size == 0:
        return Interval("none:no-resamples")
    defined = replicates[~np.isnan(replicates)]
    if defined.size < LEAST_DEFINED * replicates.size:
        return Interval("none:undefined")
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return Interval("percentile", round12(float(low)), round12(float(high)))


def interval(
    replicates: NDArray[np.float64], *, method: str, level: float, n_clusters: int, min_clusters: int
) -> Interval:
    """The interval by the metric's own `method`; none below `min_clusters`, where resampling says too little."""
    if method != "percentile":
        return Interval("none:metric")
    if n_clusters < min_clusters:
        return Interval(f"none:clusters<{min_clusters}")
    return percentile(replicates, level)
