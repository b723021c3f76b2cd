"""Weighted sums over cases, many rows of weights at once, in bounded memory."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Weights = NDArray[Any]  # (B, n) of bool, unsigned, int or float; 0 or more
Floats = NDArray[np.float64]
Cases = NDArray[np.intp]

# Weights held as float64 at once: 1 MB stays in the cache. With more, the allocator also gives the memory back after
# each chunk and pages it in anew, a fifth of the time of a fresh process.
_CHUNK = 1 << 17


def chunks(case: Cases, weights: Weights) -> Iterator[tuple[slice, Floats]]:
    """Weights of the rows whose cases are `case` (r,): pairs of a slice of B and its (b, r) float64 weights."""
    step = max(1, _CHUNK // max(1, len(case)))
    as_they_are = len(case) == weights.shape[1] and bool((case == np.arange(len(case))).all())
    for start in range(0, len(weights), step):
        part = slice(start, start + step)
        rows = weights[part] if as_they_are else np.take(weights[part], case, axis=1)
        yield part, rows.astype(np.float64, order="C")


def sums(case: Cases, stats: Floats, weights: Weights) -> Floats:
    """Weighted sums of `stats` (r, C), whose rows belong to `case` (r,): (B, C)."""
    out = np.zeros((len(weights), stats.shape[1]))
    for part, rows in chunks(case, weights):
        out[part] = rows @ stats
    return out


def counts(case: Cases, codes: Sequence[NDArray[np.intp]], size: int, weights: Weights) -> list[Floats]:
    """Weight of each code 0…size-1, for each array of `codes` (r,): (B, size). A code of -1 counts nowhere."""
    shifted = [each + 1 for each in codes]
    out = [np.zeros((len(weights), size)) for _ in codes]
    for part, rows in chunks(case, weights):
        for i, row in enumerate(rows, part.start):
            for sums_of, each in zip(out, shifted, strict=True):
                sums_of[i] = np.bincount(each, weights=row, minlength=size + 1)[1:]
    return out
