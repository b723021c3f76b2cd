"""Generalised IoU of boxes, and the best predicted box for each true one, image by image."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Cases = NDArray[np.intp]

_PAIRS = 1 << 20  # pairs of boxes compared at once: about 100 MB with all intermediate arrays
_LEAST_AREA = 1e-7
WORST = -1.0


def giou(one: Floats, other: Floats) -> Floats:
    """Generalised IoU of pairs of boxes, -1 to 1 (Rezatofighi et al. 2019, arXiv 1902.09630).

    `one`, `other`: (pairs, 4) as x1, y1, x2, y2 with x1 < x2 and y1 < y2, in any unit. Areas below 1e-7 are taken as
    1e-7 where they divide, as the historical scorer of CytologIA did; coordinates too large for areas give -1.
    """
    (left, top, right, bottom), (x1, y1, x2, y2) = one.T, other.T
    with np.errstate(all="ignore"):
        width = np.minimum(right, x2) - np.maximum(left, x1)
        height = np.minimum(bottom, y2) - np.maximum(top, y1)
        shared = np.maximum(width, 0) * np.maximum(height, 0)
        hull = (np.maximum(right, x2) - np.minimum(left, x1)) * (np.maximum(bottom, y2) - np.minimum(top, y1))
        union = (right - left) * (bottom - top) + (x2 - x1) * (y2 - y1) - shared
        value = shared / np.maximum(union, _LEAST_AREA) - (hull - union) / np.maximum(hull, _LEAST_AREA)
    return np.asarray(np.where(np.isnan(value), WORST, value))


def best_matches(true_case: Cases, true: Floats, case: Cases, boxes: Floats, n_cases: int) -> tuple[Cases, Floats]:
    """For each true box the predicted box of the same image with the highest GIoU; of equal ones the first row.

    `true_case` (t,), `true` (t, 4); `case` (p,) ascending, `boxes` (p, 4). One prediction may serve several true boxes.
    Returns its row (t,), -1 where the image has no prediction, and the GIoU (t,), there -1.
    """
    first = np.searchsorted(case, np.arange(n_cases + 1))
    start, size = first[true_case], (first[1:] - first[:-1])[true_case]
    row, value = np.full(len(true), -1, dtype=np.intp), np.full(len(true), WORST)
    for part in _portions(np.flatnonzero(size), size):
        row[part], value[part] = _best(true[part], start[part], size[part], boxes)
    return row, value


def _portions(rows: Cases, size: Cases) -> list[Cases]:
    """`rows` cut so that each portion makes at most about a million pairs, and at least one row."""
    if not rows.size:
        return []
    portion = (np.cumsum(size[rows]) - 1) // _PAIRS
    return np.split(rows, np.flatnonzero(np.diff(portion)) + 1)


def _best(true: Floats, start: Cases, size: Cases, boxes: Floats) -> tuple[Cases, Floats]:
    """Row and GIoU of the best of the `size` boxes from row `start`, for each true box; sizes are at least 1."""
    begin = np.cumsum(size) - size
    owner = np.repeat(np.arange(len(true)), size)
    row = np.arange(len(owner)) - begin[owner] + start[owner]
    value = giou(true[owner], boxes[row])
    top = np.maximum.reduceat(value, begin)
    best = np.flatnonzero(value == top[owner])[::-1]  # reversed: of several the first row is written last
    chosen = np.empty(len(true), dtype=np.intp)
    chosen[owner[best]] = row[best]
    return chosen, top
