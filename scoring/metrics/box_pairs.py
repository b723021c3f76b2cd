"""Predicted boxes paired one to one with true ones that they overlap by a threshold."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Places = NDArray[np.intp]

_PAIRS = 1 << 18  # pairs of boxes compared at once: about 40 MB with all intermediate arrays


@dataclass(frozen=True, eq=False)
class Grouped:
    """`group` (n,): only boxes of one group are paired; `box` (n, 4): x1, y1, x2, y2 with x1 < x2 and y1 < y2."""

    group: Places
    box: Floats


def overlap(one: Floats, other: Floats, *, generalised: bool) -> Floats:
    """IoU of pairs of boxes (pairs, 4), 0 to 1, or generalised IoU, -1 to 1 (Rezatofighi et al. 2019, arXiv
    1902.09630); -1 where the coordinates are too large, or too small, for areas."""
    low, high = np.maximum(one[:, :2], other[:, :2]), np.minimum(one[:, 2:], other[:, 2:])
    with np.errstate(all="ignore"):
        shared = _area(low, np.maximum(high, low))
        union = _area(one[:, :2], one[:, 2:]) + _area(other[:, :2], other[:, 2:]) - shared
        value = shared / union
        if generalised:
            hull = _area(np.minimum(one[:, :2], other[:, :2]), np.maximum(one[:, 2:], other[:, 2:]))
            value = value - (hull - union) / hull
    return np.asarray(np.where(np.isfinite(value), value, -1.0))


def _area(low: Floats, high: Floats) -> Floats:
    return np.asarray((high - low).prod(axis=1))


def paired(found: Grouped, true: Grouped, score: Floats | None, *, at: float, generalised: bool) -> NDArray[np.bool_]:
    """(found,): whether each predicted box has a true one of its own.

    Boxes may pair where they overlap by `at` or more. With scores (found,) the surest prediction comes first, and takes
    the free true box that it overlaps most; without, the pair that overlaps most comes first. What is equal goes by the
    row of the prediction, then by that of the true box.
    """
    pairs = list(_candidates(found, true, at=at, generalised=generalised))
    first, second, value = (np.concatenate(part) for part in zip(*pairs, strict=True))
    order = np.lexsort((second, first, -value) if score is None else (second, -value, first, -score[first]))
    used, taken = np.zeros(len(found.box), dtype=bool), np.zeros(len(true.box), dtype=bool)
    for one, other in zip(first[order].tolist(), second[order].tolist(), strict=True):
        if not used[one] and not taken[other]:
            used[one] = taken[other] = True
    return used


def _candidates(
    found: Grouped, true: Grouped, *, at: float, generalised: bool
) -> Iterator[tuple[Places, Places, Floats]]:
    """Row of the prediction, row of the true box, and overlap of the pairs that overlap enough, portion by portion."""
    order = np.argsort(true.group, kind="stable")
    start = np.searchsorted(true.group[order], found.group, side="left")
    size = np.searchsorted(true.group[order], found.group, side="right") - start
    portion = np.cumsum(size) // _PAIRS
    for rows in np.split(np.arange(len(size)), np.flatnonzero(np.diff(portion)) + 1):
        first = np.repeat(rows, size[rows])
        place = np.arange(len(first)) - np.repeat(np.cumsum(size[rows]) - size[rows], size[rows])
        second = order[place + start[first]]
        value = overlap(found.box[first], true.box[second], generalised=generalised)
        near = value >= at
        yield first[near], second[near], value[near]
