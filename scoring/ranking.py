"""Ranks, how sure they are, and which teams count as tied. Plain arrays in and out; T teams, B resamples.

Equal means equal after rounding to 12 significant digits. Undefined (nan) never ranks: its rank and group are 0.
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from scoring.rounding import round12

Direction = Literal["higher", "lower"]
TieRule = Literal["bootstrap", "bayes", "exact"]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

BAYES_FACTOR = 3.0


def ranks(values: Floats, direction: Direction) -> Ints:
    """Rank each team: 1 + the number of teams strictly better ("min" ranks); 0 where undefined.

    `values` (T,) or (T, B); the result has the same shape, each column ranked by itself.
    """
    keys = _cost(values, direction)
    order = np.argsort(keys, axis=0, kind="stable")
    ascending = np.take_along_axis(keys, order, axis=0)
    place = np.zeros(keys.shape, dtype=np.int64)
    changed = np.where(ascending[1:] != ascending[:-1], _column(1, keys), 0)
    place[1:] = np.maximum.accumulate(changed, axis=0)
    out = np.empty_like(place)
    np.put_along_axis(out, order, place + 1, axis=0)
    out[np.isnan(keys)] = 0
    return out


def rank_intervals(replicates: Floats, direction: Direction, level: float = 0.95) -> tuple[Ints, Ints]:
    """Between which ranks each team lies in the middle `level` of the resamples: (low, high), (T,) each, low <= high.

    `replicates` (T, B), the same resamples for all teams. The bounds are ranks that occurred, rounded outwards.
    Resamples in which a team is undefined say nothing about its rank; a team never defined has 0, 0.
    """
    if not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1, not {level}")
    drawn = np.sort(ranks(replicates, direction), axis=1)
    defined = np.count_nonzero(drawn, axis=1)
    teams = np.flatnonzero(defined)
    first, span = drawn.shape[1] - defined[teams], defined[teams] - 1
    tail = (1 - level) / 2
    low, high = np.zeros(len(drawn), dtype=np.int64), np.zeros(len(drawn), dtype=np.int64)
    low[teams] = drawn[teams, first + np.floor(np.round(tail * span, 9)).astype(np.int64)]
    high[teams] = drawn[teams, first + np.ceil(np.round((1 - tail) * span, 9)).astype(np.int64)]
    return low, high


def first_share(replicates: Floats, direction: Direction) -> Floats:
    """In which share of the resamples each team is first: (T,), 0 to 1. Teams equal at the top are all first.

    Resamples in which no team is defined are left out; without any the share is nan.
    """
    drawn = ranks(replicates, direction)
    usable = np.count_nonzero(drawn.any(axis=0))
    if usable == 0:
        return np.full(len(drawn), np.nan)
    return np.asarray(np.count_nonzero(drawn == 1, axis=1) / usable, dtype=np.float64)


def paired_p(leader: Floats, others: Floats) -> Floats:
    """Two-sided paired bootstrap p: twice the smaller share of resamples on one side of equal, equal counted on both.

    `leader` (B,), `others` (T, B) -> (T,), at most 1. Resamples where either is undefined are left out; without any: 1.
    """
    return _p(*_signs(round12(leader), round12(others)))


def bayes_factor(leader: Floats, others: Floats) -> Floats:
    """Resamples won by one side over those won by the other, never below 1 (Neto et al. 2016, arXiv 1607.00091).

    `leader` (B,), `others` (T, B) -> (T,), 1 to inf. Equal resamples count half for each side, so that two identical
    entries have 1, and not infinity as where ties count for the leader.
    """
    return _factor(*_signs(round12(leader), round12(others)))


def tie_groups(values: Floats, replicates: Floats, direction: Direction, rule: TieRule, alpha: float = 0.05) -> Ints:
    """Which teams cannot be told apart: group numbers from 1, (T,); 0 where undefined.

    Not separable is not transitive, hence leaders: the best unplaced team leads a group, and the following teams join,
    in order of value, until the first that is separable from the leader. `values` (T,), `replicates` (T, B).

    - ``bootstrap``: separable where the two-sided paired p is at most `alpha`
    - ``bayes``: separable where the Bayes factor is above 3
    - ``exact``: separable where values differ at 12 significant digits

    Teams of equal value are never separable. With no usable resample nothing is, except by ``exact``.
    """
    if rule not in ("bootstrap", "bayes", "exact"):
        raise ValueError(f"unknown tie rule {rule!r}: use bootstrap, bayes or exact")
    keys, drawn = _cost(values, direction), round12(np.asarray(replicates, dtype=np.float64))
    groups, number, leader = np.zeros(len(keys), dtype=np.int64), 0, -1
    for team in np.argsort(keys, kind="stable")[: np.count_nonzero(~np.isnan(keys))].tolist():
        differs = leader < 0 or keys[team] != keys[leader]
        if differs and (leader < 0 or _separable(drawn[leader], drawn[team], rule, alpha)):
            number, leader = number + 1, team
        groups[team] = number
    return groups


def group_ranks(groups: Ints) -> Ints:
    """The rank that all members of a tie group share: 1 + the number of teams in the groups before; 0 stays 0."""
    placed = np.sort(groups[groups > 0])
    return np.where(groups > 0, 1 + np.searchsorted(placed, groups, side="left"), 0)


def _separable(leader: Floats, other: Floats, rule: TieRule, alpha: float) -> bool:
    """Whether two teams whose values differ are told apart by their rounded resamples (B,)."""
    if rule == "bootstrap":
        return bool(_p(*_signs(leader, other)) <= alpha)
    return rule == "exact" or bool(_factor(*_signs(leader, other)) > BAYES_FACTOR)


def _p(above: Ints, equal: Ints, below: Ints) -> Floats:
    n = above + equal + below
    smaller = np.minimum(above, below) + equal
    return np.minimum(1.0, np.where(n > 0, 2 * smaller / np.maximum(n, 1), 1.0))


def _factor(above: Ints, equal: Ints, below: Ints) -> Floats:
    high, low = np.maximum(above, below) + equal / 2, np.minimum(above, below) + equal / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(high == 0, 1.0, high / low)


def _signs(leader: Floats, others: Floats) -> tuple[Ints, Ints, Ints]:
    """Number of resamples in which the leader's rounded value is above, equal to and below each other's."""
    return _tally(leader > others), _tally(leader == others), _tally(leader < others)


def _tally(flags: NDArray[np.bool_]) -> Ints:
    return np.asarray(np.count_nonzero(flags, axis=-1), dtype=np.int64)


def _cost(values: Floats, direction: Direction) -> Floats:
    """Rounded values turned so that less is better; nan stays nan and sorts last. inf ranks as a number."""
    if direction not in ("higher", "lower"):
        raise ValueError(f"unknown direction {direction!r}: use higher or lower")
    rounded = round12(np.asarray(values, dtype=np.float64))
    return -rounded if direction == "higher" else rounded


def _column(start: int, keys: Floats) -> Ints:
    """start, start + 1, … down the teams, in a shape that broadcasts over the columns of `keys`."""
    return np.arange(start, len(keys)).reshape(-1, *[1] * (keys.ndim - 1))
