"""The order of a leaderboard: ranks, rank intervals, tie groups; and whether two entries can be told apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scoring import ranking
from scoring.rounding import round12


@dataclass(frozen=True)
class Candidate:
    """One team's entry. `replicates` (B,) of the ranking value, if there are any; `ranks` False for baselines."""

    key: str
    value: float | None
    replicates: NDArray[np.float64] | None
    ranks: bool


@dataclass(frozen=True)
class Place:
    """Where a candidate stands. Ranks are None for baselines, ineligible teams and undefined values."""

    key: str
    rank: int | None
    tied: bool
    rank_low: int | None
    rank_high: int | None


@dataclass(frozen=True)
class Apart:
    """A paired difference (later - earlier), its interval at 1 - alpha, and whether that leaves out 0."""

    difference: float
    low: float
    high: float
    separable: bool


def places(
    candidates: Sequence[Candidate], *, direction: ranking.Direction, closed: bool, rule: ranking.TieRule, alpha: float
) -> list[Place]:
    """Every candidate in board order: best value first, undefined last, key breaking equal values.

    Rank intervals come from the paired replicates. Tie groups share a rank on closed boards only (design §5).
    """
    ranked = [c for c in candidates if c.ranks]
    values = np.array([np.nan if c.value is None else c.value for c in ranked], dtype=np.float64)
    replicates = _matrix(ranked)
    rank = _ranks(values, replicates, direction=direction, closed=closed, rule=rule, alpha=alpha)
    low, high = _intervals(replicates, len(ranked), direction)
    counts = {number: int(np.count_nonzero(rank == number)) for number in set(rank.tolist())}
    by_key = {
        c.key: Place(
            key=c.key,
            rank=int(rank[i]) or None,
            tied=bool(rank[i]) and counts[int(rank[i])] > 1,
            rank_low=int(low[i]) or None,
            rank_high=int(high[i]) or None,
        )
        for i, c in enumerate(ranked)
    }
    sign = -1.0 if direction == "higher" else 1.0
    order = sorted(candidates, key=lambda c: (c.value is None, sign * (c.value or 0.0), c.key))
    return [by_key.get(c.key, Place(c.key, None, False, None, None)) for c in order]


def apart(
    later: float, earlier: float, *, drawn: NDArray[np.float64], before: NDArray[np.float64], alpha: float
) -> Apart | None:
    """Compare two entries by their values and their paired resamples `drawn`, `before` (B,).

    `low` and `high` are the order statistics of the differences for which "0 lies outside" and "the two-sided paired
    bootstrap p of `scoring.ranking.paired_p` is at most alpha" are the same. Resamples where either is undefined are
    left out. None without any, where their numbers differ or where a bound is infinite. Equal values are never
    separable.
    """
    if drawn.shape != before.shape:
        return None
    differences = np.sort(round12(round12(drawn) - round12(before)))
    differences = differences[~np.isnan(differences)]
    n = len(differences)
    if n == 0:
        return None
    place = int(np.floor(round(alpha * n / 2, 9)))
    low, high = float(differences[place]), float(differences[n - 1 - place])
    if not np.isfinite([low, high]).all():
        return None
    difference = round12(later - earlier)
    return Apart(difference, low, high, difference != 0 and (low > 0 or high < 0))


def _ranks(
    values: NDArray[np.float64],
    replicates: NDArray[np.float64] | None,
    *,
    direction: ranking.Direction,
    closed: bool,
    rule: ranking.TieRule,
    alpha: float,
) -> NDArray[np.int64]:
    if not closed or replicates is None:
        return ranking.ranks(values, direction)
    return ranking.group_ranks(ranking.tie_groups(values, replicates, direction, rule, alpha))


def _intervals(
    replicates: NDArray[np.float64] | None, teams: int, direction: ranking.Direction
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    if replicates is None:
        none = np.zeros(teams, dtype=np.int64)
        return none, none
    return ranking.rank_intervals(replicates, direction)


def _matrix(candidates: Sequence[Candidate]) -> NDArray[np.float64] | None:
    """(T, B), or None when a team has a value but no replicates: then nothing paired can be said of any.

    A team without a value ranks in no resample, so it takes nothing away from the others.
    """
    rows = [c.replicates for c in candidates if c.value is not None]
    known = [row for row in rows if row is not None]
    if not known or len(known) < len(rows) or len({len(row) for row in known}) > 1:
        return None
    none = np.full(len(known[0]), np.nan)
    return np.stack([none if c.value is None or c.replicates is None else c.replicates for c in candidates])
