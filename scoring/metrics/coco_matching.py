"""Which detections hit a true box, at each IoU threshold and in each range of areas, image by image.

The rules are those of the COCO detection evaluation (cocodataset.org, "Detection evaluation"; Lin et al. 2014,
arXiv 1405.0312), which its authors' program fixes where the text is silent.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Places = NDArray[np.intp]
Flags = NDArray[np.bool_]

THRESHOLDS = np.linspace(0.5, 0.95, 10)
AREAS = ("all", "small", "medium", "large")
LOWEST = np.array([0.0, 0.0, 32.0**2, 96.0**2])
HIGHEST = np.array([1e10, 32.0**2, 96.0**2, 1e10])
MOST = 100  # detections of one class in one image that count, the best first

_PAIRS = 1 << 20  # pairs of boxes compared at once


@dataclass(frozen=True, eq=False)
class Boxes:
    """`group` (n,): image and class as one number, the same for detections and truth; `box` (n, 4): x, y, width, height
    in pixels, x and y of the corner nearest the origin."""

    group: Places
    box: Floats


@dataclass(frozen=True, eq=False)
class Truth(Boxes):
    """True boxes. `crowd` (n,): stands for many objects, and is neither to be found nor to be missed. `area` (n,): in
    square pixels, of the object, which may be smaller than its box."""

    crowd: Flags
    area: Floats

    def ignored(self) -> Flags:
        """(n, areas): neither found nor missed in that range of areas. Both ends of a range belong to it."""
        return self.crowd[:, None] | _outside(self.area)


def best_of_each(group: Places, score: Floats) -> Places:
    """Rows of the detections that count, best first in each group, of equal scores the first row first."""
    order = np.lexsort((-score, group))
    return order[_rank(group[order]) < MOST]


def match(found: Boxes, truth: Truth) -> tuple[Flags, Flags]:
    """`hit` and `skip`, both (detections, areas, thresholds): neither of them is a false detection.

    `found`: rows in the order of `best_of_each`. In that order each takes, among the true boxes of its group that no
    detection before has taken and that it overlaps by the threshold, the one of highest IoU (of equal ones the last),
    and an ignored one only where there is no other; it is then skipped, as is one that takes nothing and lies outside
    the range of areas. A crowd can be taken many times, and overlap with it is shared area by the detection's own.
    """
    pairs = _pairs(found, truth)
    ignored = truth.ignored()
    taken = np.zeros((len(found.box), len(AREAS), len(THRESHOLDS)), dtype=np.bool_)
    skip = np.zeros_like(taken)
    for area in range(len(AREAS)):
        _match(pairs, truth.crowd, ignored[:, area], taken[:, area], skip[:, area])
    with np.errstate(over="ignore"):
        outside = _outside(found.box[:, 2] * found.box[:, 3])
    skip |= ~taken & outside[:, :, None]
    return taken & ~skip, skip


@dataclass(frozen=True, eq=False)
class _Pairs:
    """Pairs that overlap enough for the lowest threshold. `round` (pairs,): how many detections of the same group come
    before this one; pairs stand by round, then detection, then IoU."""

    found: Places
    true: Places
    iou: Floats
    round: Places


def _pairs(found: Boxes, truth: Truth) -> _Pairs:
    order = np.argsort(truth.group, kind="stable")
    groups = truth.group[order]
    start = np.searchsorted(groups, found.group, side="left")
    size = np.searchsorted(groups, found.group, side="right") - start
    kept = [_overlapping(rows, start[rows], size[rows], order, found, truth) for rows in _portions(size)]
    mine, true, iou = (np.concatenate(parts) for parts in zip(*kept, strict=True))
    detections, which = np.unique(mine, return_inverse=True)
    turn = _rank(found.group[detections])[which]
    sort = np.lexsort((true, iou, mine, turn))
    return _Pairs(mine[sort], true[sort], iou[sort], turn[sort])


def _overlapping(
    rows: Places, start: Places, size: Places, order: Places, found: Boxes, truth: Truth
) -> tuple[Places, Places, Floats]:
    """Detection, true box and IoU of the pairs of these detections that overlap enough."""
    mine = np.repeat(rows, size)
    begin = np.cumsum(size) - size
    true = order[np.arange(len(mine)) - np.repeat(begin - start, size)]
    value = iou(found.box[mine], truth.box[true], truth.crowd[true])
    near = value >= THRESHOLDS[0]
    return mine[near], true[near], value[near]


def iou(found: Floats, true: Floats, crowd: Flags) -> Floats:
    """Intersection over union of pairs of boxes (n, 4), 0 to 1; for a `crowd` (n,) over the area of `found` alone."""
    with np.errstate(all="ignore"):
        far = np.minimum(found[:, :2] + found[:, 2:], true[:, :2] + true[:, 2:])
        side = np.maximum(far - np.maximum(found[:, :2], true[:, :2]), 0)
        shared = side[:, 0] * side[:, 1]
        own = found[:, 2] * found[:, 3]
        value = shared / np.where(crowd, own, own + true[:, 2] * true[:, 3] - shared)
    return np.asarray(np.nan_to_num(value, nan=0.0))  # boxes too large for areas


def _match(pairs: _Pairs, crowd: Flags, ignored: Flags, taken: Flags, skip: Flags) -> None:
    """Fill `taken` and `skip` (detections, thresholds) for one range of areas, all images at once, round by round."""
    used = np.zeros((len(crowd), len(THRESHOLDS)), dtype=np.bool_)
    ends = np.searchsorted(pairs.round, np.arange(pairs.round[-1] + 2 if pairs.round.size else 1))
    for begin, end in pairwise(ends.tolist()):
        true, mine = pairs.true[begin:end], pairs.found[begin:end]
        free = ~used[true] | crowd[true][:, None]
        free &= pairs.iou[begin:end, None] >= THRESHOLDS
        worth = np.arange(len(true)) + np.where(ignored[true], 0, len(true))
        first = np.flatnonzero(np.diff(mine, prepend=-1))
        best = np.maximum.reduceat(np.where(free, worth[:, None], -1), first, axis=0)
        row, threshold = np.nonzero(best >= 0)
        chosen = true[best[row, threshold] % len(true)]
        used[chosen, threshold] = True
        taken[mine[first[row]], threshold] = True
        skip[mine[first[row]], threshold] = ignored[chosen]


def _portions(size: Places) -> Iterator[Places]:
    """All rows, cut so that each portion makes at most about a million pairs, and at least one row."""
    portion = np.cumsum(size) // _PAIRS
    yield from np.split(np.arange(len(size)), np.flatnonzero(np.diff(portion)) + 1)


def _rank(group: Places) -> Places:
    """How many rows with the same number stand before each; equal numbers stand together."""
    start = np.flatnonzero(np.diff(group, prepend=-1))
    return np.arange(len(group)) - np.repeat(start, np.diff(start, append=len(group)))


def _outside(area: Floats) -> Flags:
    return np.asarray((area[:, None] < LOWEST) | (area[:, None] > HIGHEST))
