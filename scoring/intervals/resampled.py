"""Intervals from resampled values: percentile, basic, and BCa (Efron 1987; Efron and Tibshirani 1993, chapters 13, 14).

`replicates` (B,) are values on resamples. Those in which the value is undefined (nan) are left out; where they are more
than 5 %, there is no interval, since it would describe only the resamples that went well.
"""

from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from scoring.intervals.found import Interval, between

LEAST_DEFINED = 0.95
NORMAL = NormalDist()
Floats = NDArray[np.float64]


def percentile(replicates: Floats, level: float) -> Interval:
    """The middle `level` of the resampled values, with linear interpolation."""
    defined = _defined(replicates)
    return defined if isinstance(defined, Interval) else between("percentile", *np.quantile(defined, _tails(level)))


def basic(replicates: Floats, level: float, *, value: float, bounds: tuple[float, float]) -> Interval:
    """The percentile interval turned round the `value`: 2 · value - quantile, cut off at the `bounds` of the metric."""
    defined = _defined(replicates)
    if isinstance(defined, Interval):
        return defined
    if np.ptp(defined) == 0:
        return Interval("none:no-spread")
    high, low = np.clip(2 * value - np.quantile(defined, _tails(level)), *bounds)
    return between("basic", low, high)


def bca(replicates: Floats, level: float, *, value: float, acceleration: float) -> Interval:
    """Percentiles shifted for the median bias of the resamples and for how their spread grows with the value.

    `value`: rounded like the replicates, those equal to it counting half. `acceleration`: `jackknife.acceleration`.
    """
    defined = _defined(replicates)
    if isinstance(defined, Interval):
        return defined
    if np.ptp(defined) == 0:
        return Interval("none:no-spread")
    below = float(((defined < value) + 0.5 * (defined == value)).mean())
    if not 0 < below < 1:
        return Interval("none:bias")
    shifts = [_shifted(NORMAL.inv_cdf(below), NORMAL.inv_cdf(tail), acceleration) for tail in _tails(level)]
    if None in shifts:
        return Interval("none:bias")
    return between("bca", *np.quantile(defined, [shift for shift in shifts if shift is not None]))


def _shifted(bias: float, tail: float, acceleration: float) -> float | None:
    """Which quantile stands for the normal quantile `tail`; None where the formula has no answer."""
    left = 1 - acceleration * (bias + tail)
    return NORMAL.cdf(bias + (bias + tail) / left) if left > 0 else None


def _tails(level: float) -> tuple[float, float]:
    return (1 - level) / 2, (1 + level) / 2


def _defined(replicates: Floats) -> Floats | Interval:
    """The resamples with a value, or why they are too few."""
    if replicates.size == 0:
        return Interval("none:no-resamples")
    defined = replicates[~np.isnan(replicates)]
    return defined if defined.size >= LEAST_DEFINED * replicates.size else Interval("none:undefined")
