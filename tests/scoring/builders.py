"""Tables and specs for tests, made from plain arrays instead of files."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from scoring.cases import CaseIndex
from scoring.metric import Metric
from scoring.spec import ColumnSpec, ColumnType, TableSpec
from scoring.tables import Table


def table(columns: Mapping[str, ArrayLike], *, missing: ArrayLike | None = None) -> Table:
    """One row per case."""
    arrays = {name: np.asarray(values) for name, values in columns.items()}
    n = len(next(iter(arrays.values())))
    absent = np.zeros(n, dtype=bool) if missing is None else np.asarray(missing, dtype=bool)
    return frozen(Table(np.arange(n), arrays, absent))


def many(case: ArrayLike, columns: Mapping[str, ArrayLike], *, n_cases: int) -> Table:
    """Many rows per case; `case` ascending."""
    cases = np.asarray(case, dtype=np.intp)
    missing = ~np.isin(np.arange(n_cases), cases)
    return frozen(Table(cases, {name: np.asarray(values) for name, values in columns.items()}, missing))


def frozen(made: Table) -> Table:
    """The table with read-only arrays, as the reader gives it: a metric that writes into them fails."""
    for array in (made.case, made.missing, *made.columns.values()):
        array.flags.writeable = False
    return made


def index(n: int, *tables: TableSpec) -> CaseIndex:
    """Cases c00000, c00001, …"""
    return CaseIndex(tuple(f"c{i:05d}" for i in range(n)), tables)


def spec(**columns: ColumnType | Sequence[str]) -> TableSpec:
    """A table named `answers` with one row per case; a list of labels makes a label column, a text names its type."""
    return TableSpec("answers", "answers.csv", "case", ("case",), tuple(_column(*item) for item in columns.items()))


def _column(name: str, kind: ColumnType | Sequence[str]) -> ColumnSpec:
    return ColumnSpec(name, kind) if isinstance(kind, str) else ColumnSpec(name, "label", labels=tuple(kind))  # type: ignore[arg-type]


def value(metric: Metric, reference: Table, entry: Table, params: Mapping[str, Any]) -> float:
    """The main output with unit weights."""
    made = metric.tabulate(reference, entry, params)
    return float(metric.aggregate(made, np.ones((1, made.n_cases)))[0, 0])
