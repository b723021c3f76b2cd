"""Cells that were read and placed, into the read-only arrays of a `Table`."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import fsum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoring.readers.ids import Places
from scoring.spec import Combine, TableSpec
from scoring.tables import Array, Table, scored_columns


def fill_table(spec: TableSpec, columns: Mapping[str, Array], *, case: Places, kept: Places, cases: int) -> Table:
    """rows = "one": row i is case i. `case`: of each row in `kept`, each at most once. Missing is nan, -1 or ""."""
    missing = np.ones(cases, dtype=np.bool_)
    missing[case] = False
    filled = {}
    for name, values in columns.items():
        whole = _empty(values, cases, may_miss=spec.missing != "refuse")
        whole[case] = values[kept]
        filled[name] = _locked(whole)
    return Table(_locked(np.arange(cases, dtype=np.intp)), filled, _locked(missing))


def sort_table(columns: Mapping[str, Array], *, case: Places, tied: Places, kept: Places, cases: int) -> Table:
    """rows = "many": by case, then by `tied`, which tells the rows of a case apart. Both are of the rows in `kept`."""
    order = np.lexsort((tied, case))
    missing = np.ones(cases, dtype=np.bool_)
    missing[case] = False
    ordered = {name: _locked(values[kept[order]]) for name, values in columns.items()}
    return Table(_locked(case[order]), ordered, _locked(missing))


def combine_rows(table: Table, spec: TableSpec, *, without: Places) -> Table:
    """One row per case out of the rows of each, by `spec.combine`. `without`: cases that are missing all the same.

    The mean is that of the exactly rounded sum (`math.fsum`), so it is the same whatever the order of the rows, and it
    never leaves the range of the values that it is taken of. Minus zero becomes zero.
    """
    missing = table.missing.copy()
    missing[without] = True
    starts = np.flatnonzero(np.diff(table.case, prepend=-1))
    combined = {}
    for name in scored_columns(spec):
        values = np.full(len(missing), np.nan)
        if starts.size:
            values[table.case[starts]] = _combined(table.columns[name].astype(np.float64), starts, spec.combine)
        values[missing] = np.nan
        combined[name] = _locked(values + 0.0)
    return Table(_locked(np.arange(len(missing), dtype=np.intp)), combined, _locked(missing))


def _combined(values: NDArray[np.float64], starts: Places, how: Combine | None) -> NDArray[np.float64]:
    highest: NDArray[np.float64] = np.maximum.reduceat(values, starts)
    if how == "max":
        return highest
    plain, ends = values.tolist(), [*starts[1:].tolist(), len(values)]
    means = np.array([_mean(plain[start:end]) for start, end in zip(starts.tolist(), ends, strict=True)])
    lowest: NDArray[np.float64] = np.minimum.reduceat(values, starts)
    return np.asarray(np.minimum(np.maximum(means, lowest), highest))


def _mean(values: Sequence[float]) -> float:
    try:
        return fsum(values) / len(values)
    except OverflowError:  # the sum leaves the range of floats, the mean does not
        return float(sum(map(Fraction, values)) / len(values))


def _empty(values: Array, cases: int, *, may_miss: bool) -> Array:
    """The type never depends on whether something is missing, only on whether it may be."""
    if values.dtype.kind == "U":
        return np.zeros(cases, dtype=values.dtype)
    if values.dtype == np.int32:
        return np.full(cases, -1, dtype=np.int32)
    return np.full(cases, np.nan) if may_miss or values.dtype.kind == "f" else np.zeros(cases, dtype=values.dtype)


def _locked(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    values.flags.writeable = False
    return values
