"""The arrays that metrics work on: an entry or a reference after reading."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoring.spec import ColumnSpec, TableSpec

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Table:
    """One file of an entry or a reference, in an order that never depends on the order of the file.

    `case`: (rows,) intp, index of each row's case, ascending. rows = "one": exactly one row per case, so 0…n-1.
    rows = "many": by case, then by the position of the row's key in cases.csv, else by key and content (in COCO's form:
    by the position in its list, the one place where order tells something).
    `columns`: name → (rows,). number, probability: float64; integer: int64 (float64 where cases may be missing);
    label: int32 position among the labels; text: numpy str. Key columns besides the case are text.
    `missing`: (cases,) bool, cases without any row in the file. With rows = "one" they hold nan, -1 or "".
    With `combine`, as for rows = "one": the rows of each case have become one, numbers as float64, without key columns.
    All arrays are read-only.
    """

    case: NDArray[np.intp]
    columns: Mapping[str, Array]
    missing: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Entry:
    """The tables of an entry or of a reference, by name."""

    tables: Mapping[str, Table]


def scored_columns(spec: TableSpec) -> dict[str, ColumnSpec]:
    """The columns that a `Table` of this spec holds, by name: those of the key as text, and those declared.

    Where rows are combined, the numbers among the declared: nothing else has a mean.
    """
    if spec.combine:
        return {column.name: column for column in spec.columns if column.type not in ("text", "label")}
    texts = {name: ColumnSpec(name=name, type="text") for name in spec.key if name != spec.case}
    return texts | {column.name: column for column in spec.columns}
