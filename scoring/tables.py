"""The arrays that metrics work on: an entry or a reference after reading."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Table:
    """One file of an entry or a reference, in an order that never depends on the order of the file.

    `case`: (rows,) intp, index of each row's case, ascending. rows = "one": exactly one row per case, so 0…n-1.
    rows = "many": by case, then by the position of the row's key in cases.csv, else by key and content.
    `columns`: name → (rows,). number, probability: float64; integer: int64 (float64 where cases may be missing);
    label: int32 position among the labels; text: numpy str. Key columns besides the case are text.
    `missing`: (cases,) bool, cases without any row in the file. With rows = "one" they hold nan, -1 or "".
    All arrays are read-only.
    """

    case: NDArray[np.intp]
    columns: Mapping[str, Array]
    missing: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Entry:
    """The tables of an entry or of a reference, by name."""

    tables: Mapping[str, Table]
