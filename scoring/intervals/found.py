"""What an interval is, whoever made it."""

from dataclasses import dataclass

from scoring.rounding import round12


@dataclass(frozen=True)
class Interval:
    """`method`: ``percentile``, ``basic``, ``bca``, ``delong``, ``newcombe``; or ``none:`` and why there is none.

    Why: ``clusters<30`` (too few of them), ``side<10`` (too few with positive, or with negative cases), ``undefined``
    (in more than 5 % of the resamples), ``no-resamples``, ``no-spread`` (the same in all resamples, which says nothing
    about other patients), ``bias`` (all resamples on one side of the value), ``metric`` (the metric has none).
    """

    method: str
    low: float | None = None
    high: float | None = None


def between(method: str, low: float, high: float) -> Interval:
    """From `low` to `high`, to 12 digits. No width is no interval: it would claim that nothing is left to chance."""
    low, high = round12(float(low)), round12(float(high))
    return Interval("none:no-spread") if low == high else Interval(method, low, high)
