"""Average precision under weights: area below the precision-recall curve at 101 recalls, many resamples at once.

Detections stand best first. Between two false ones precision only rises, so of a run of hits the end alone counts,
whatever the weights: where runs begin and end is found once (`runs_of`), and the work for each row of weights is by
runs, of which good and bad entries have few. Sums of whole weights are exact, so any order of them gives the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Places = NDArray[np.intp]
Flags = NDArray[np.bool_]

RECALLS = 101
_LEAST = np.finfo(np.float64).tiny  # divides where nothing has weight, and the numerator is 0 as well


@dataclass(frozen=True, eq=False)
class Runs:
    """Runs of hits of one curve, r of them. `begin`, `end` (r,): how many detections come before the run, and up to its
    end. `skipped_begin`, `skipped_end` (r,): how many of these are skipped. `area`: of the boxes to find. `cells`
    (parts,): how many cells of each part have this curve."""

    begin: Places
    end: Places
    skipped_begin: Places
    skipped_end: Places
    area: int
    cells: Places


@dataclass(frozen=True, eq=False)
class Curves:
    """Curves that skip the same detections: `kept` and `skipped` are the rows of these."""

    kept: Places
    skipped: Places
    runs: Sequence[Runs]


def runs_of(hit: Flags, skip: Flags, counts: Flags, parts: Flags) -> list[Curves]:
    """The curves of one class, equal ones only once, and those without any hit not at all.

    `hit`, `skip` (detections, areas, thresholds): right, and not counted at all; `counts` (true boxes, areas): to be
    found; `parts` (parts, areas, thresholds): which cells a value is the mean of.
    """
    cells: dict[tuple[bytes, bytes, bytes], list[tuple[int, int]]] = {}
    worth = hit.any(axis=0) & np.reshape(counts.any(axis=0), (-1, 1))
    for area, threshold in np.argwhere(worth).tolist():
        same = (skip[:, area, threshold], hit[:, area, threshold], counts[:, area])
        cells.setdefault((same[0].tobytes(), same[1].tobytes(), same[2].tobytes()), []).append((area, threshold))
    groups: dict[bytes, list[Runs]] = {}
    for (skipped, _, _), alike in cells.items():
        groups.setdefault(skipped, []).append(_runs(hit, skip, alike, parts))
    masks = [np.frombuffer(skipped, dtype=np.bool_) for skipped in groups]
    return [
        Curves(np.flatnonzero(~mask), np.flatnonzero(mask), runs)
        for mask, runs in zip(masks, groups.values(), strict=True)
    ]


def _runs(hit: Flags, skip: Flags, cells: Sequence[tuple[int, int]], parts: Flags) -> Runs:
    area, threshold = cells[0]
    kept = np.flatnonzero(~skip[:, area, threshold])
    right = np.concatenate([[False], hit[kept, area, threshold], [False]])
    begin, end = kept[right[1:-1] & ~right[:-2]], kept[right[1:-1] & ~right[2:]] + 1
    skipped = np.concatenate([[0], np.cumsum(skip[:, area, threshold])])
    areas, thresholds = zip(*cells, strict=True)
    return Runs(begin, end, skipped[begin], skipped[end], area, parts[:, areas, thresholds].sum(axis=1))


def average_precisions(curves: Sequence[Curves], weights: Floats, truth: Floats, parts: Flags) -> Floats:
    """(parts, B): the mean over the cells of a part of average precision; nan where there is nothing to find.

    Average precision is the mean over the recalls 0, 0.01 … 1 of the highest precision at that recall or beyond, 0
    where that is not reached. `weights` (detections, B); `truth` (areas, B): weight of the boxes to find; `parts`: as
    for `runs_of`, each of one area.
    """
    out = np.zeros((len(parts), weights.shape[1]))
    every = _from_zero(weights)
    for curve in curves:
        few = 2 * len(curve.kept) < len(weights)
        sums = _from_zero(weights[curve.kept]) if few else every
        less = _from_zero(weights[curve.skipped]) if len(curve.skipped) and not few else None
        for runs in curve.runs:
            value = _average_precision(*_kept_weight(runs, sums, less, few=few), truth[runs.area])
            for part in np.flatnonzero(runs.cells).tolist():
                out[part] += runs.cells[part] * value
    area = parts.any(axis=2).argmax(axis=1)
    out /= parts.sum(axis=(1, 2))[:, np.newaxis]
    return np.where(truth[area] > 0, out, np.nan)


def _kept_weight(runs: Runs, sums: Floats, less: Floats | None, *, few: bool) -> tuple[Floats, Floats]:
    """Weight of what is kept before each run and up to its end, summed over the kept or the skipped, the fewer."""
    if few:
        return sums[runs.begin - runs.skipped_begin], sums[runs.end - runs.skipped_end]
    begin, end = sums[runs.begin], sums[runs.end]
    if less is not None:
        begin -= less[runs.skipped_begin]
        end -= less[runs.skipped_end]
    return begin, end


def _average_precision(before: Floats, total: Floats, truth: Floats) -> Floats:
    found = np.cumsum(np.subtract(total, before, out=before), axis=0)
    reached = _recalls_reached(found, np.maximum(truth, _LEAST))
    precision = np.divide(found, np.maximum(total, _LEAST, out=total), out=found)
    highest = np.maximum.accumulate(precision[::-1], axis=0)[::-1]
    beyond = highest.copy()
    beyond[:-1] -= highest[1:]
    return np.asarray(np.einsum("rb,rb->b", beyond, reached) / RECALLS)


def _from_zero(weights: Floats) -> Floats:
    """Running sums with a 0 before them."""
    sums = np.zeros((len(weights) + 1, weights.shape[1]))
    np.cumsum(weights, axis=0, out=sums[1:])
    return sums


def _recalls_reached(found: Floats, truth: Floats) -> Floats:
    """How many of the recalls k · 0.01 (as float64) are at most found / truth, 1 to 101."""
    recall = found / truth
    below = np.floor(recall * (RECALLS - 1))  # may be off by one at a recall that is met exactly
    return np.asarray(below + (below * 0.01 <= recall) + ((below + 1) * 0.01 <= recall))
