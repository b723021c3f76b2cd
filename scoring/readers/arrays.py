"""Cells that were read and placed, into the read-only arrays of a `Table`."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from scoring.readers.ids import Places
from scoring.spec import TableSpec
from scoring.tables import Array, Table


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
