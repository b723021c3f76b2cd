"""The interval of one output by the method on its metric's card, or the reason why there is none."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from scoring.intervals.delong import Area
from scoring.intervals.delong import interval as delong
from scoring.intervals.found import Interval
from scoring.intervals.jackknife import acceleration
from scoring.intervals.resampled import basic, bca, percentile

Method = Literal["percentile", "basic", "bca", "delong", "none"]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Sample:
    """What is known of one output on one part of the cases.

    `value` and `replicates` (B,) rounded alike; `bounds`: of the metric; `left_out` (G,) values without each group of
    clusters, `strata` (G,) theirs, for ``bca``; `area` for ``delong``; `n_clusters` on this part.
    """

    value: float
    replicates: Floats
    n_clusters: int
    bounds: tuple[float, float] = (-np.inf, np.inf)
    left_out: Floats | None = None
    strata: NDArray[np.intp] | None = None
    area: Area | None = None


def interval(sample: Sample, *, method: Method, level: float, min_clusters: int) -> Interval:
    """The interval; none below `min_clusters`, where neither resampling nor a variance says enough.

    Raises ValueError where the sample lacks what the method needs.
    """
    if method == "none":
        return Interval("none:metric")
    if sample.n_clusters < min_clusters:
        return Interval(f"none:clusters<{min_clusters}")
    if method == "percentile":
        return percentile(sample.replicates, level)
    if method == "basic":
        return basic(sample.replicates, level, value=sample.value, bounds=sample.bounds)
    if method == "bca" and sample.left_out is not None and sample.strata is not None:
        skew = acceleration(sample.left_out, sample.strata)
        return bca(sample.replicates, level, value=sample.value, acceleration=skew)
    if method == "delong" and sample.area is not None:
        return delong(sample.area, level)
    raise ValueError(f"an interval by {method!r} needs what the metric did not give")
