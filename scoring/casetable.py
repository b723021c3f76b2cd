"""What a metric keeps of reference and predictions: sufficient statistics with the case each belongs to.

As secret as the reference: for ranked metrics it holds scores beside the truth.
"""

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Cases = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Rows:
    """One set of rows: `case` (r,) position of each row's case, in any order; `columns` name -> (r, …) values."""

    case: Cases
    columns: Mapping[str, Array] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse columns of another length than `case`."""
        for name, values in self.columns.items():
            if len(values) != len(self.case):
                raise ValueError(f"column {name} has {len(values)} rows, not {len(self.case)}")


@dataclass(frozen=True, eq=False)
class CaseTable:
    """`n_cases` = cases of the index, with or without rows; `rows` = the row sets; `meta` = what holds for all rows.

    The order of rows is the metric's own (a ranked metric keeps them sorted). `meta` must not depend on which cases
    occur and how often, so that `select` and weights are the same as removing and repeating cases.
    """

    n_cases: int
    rows: Mapping[str, Rows]
    meta: Mapping[str, Array] = field(default_factory=dict)

    def order(self) -> Cases:
        """All cases: as the rows stand, where each case has exactly one row in all sets together, else ascending."""
        ascending = np.arange(self.n_cases)
        case = np.concatenate([rows.case for rows in self.rows.values()]) if self.rows else ascending
        return case if np.array_equal(np.sort(case), ascending) else ascending

    def select(self, cases: Cases) -> "CaseTable":
        """The table of these cases alone (unique positions), renumbered in their order; rows keep their order."""
        place = np.full(self.n_cases, -1, dtype=np.intp)
        place[cases] = np.arange(len(cases))
        return CaseTable(len(cases), {name: _kept(rows, place) for name, rows in self.rows.items()}, self.meta)


def pack(tables: Mapping[str, CaseTable]) -> bytes:
    """Named tables as one npz without pickled objects; `unpack` gives them back. Names hold no slash."""
    arrays: dict[str, Array] = {}
    for name, table in tables.items():
        arrays[f"{name}/n_cases"] = np.asarray(table.n_cases, dtype=np.int64)
        arrays |= {f"{name}/meta/{key}": values for key, values in table.meta.items()}
        for key, rows in table.rows.items():
            arrays[f"{name}/case/{key}"] = rows.case
            arrays |= {f"{name}/column/{key}/{column}": values for column, values in rows.columns.items()}
    return pack_arrays(arrays)


def unpack(raw: bytes) -> dict[str, CaseTable]:
    """What `pack` wrote. Raises ValueError for anything else, pickled objects included."""
    arrays = unpack_arrays(raw)
    names = dict.fromkeys(key.partition("/")[0] for key in arrays)
    return {name: _table(name, _under(f"{name}/", arrays)) for name in names}


def pack_arrays(arrays: Mapping[str, Array]) -> bytes:
    """npz bytes; the same arrays in the same order give the same bytes (entries carry no clock)."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, values in arrays.items():
            one = io.BytesIO()
            np.lib.format.write_array(one, np.ascontiguousarray(values).reshape(values.shape), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), one.getvalue())
    return buffer.getvalue()


def unpack_arrays(raw: bytes) -> dict[str, Array]:
    """Arrays of an npz, by name. Raises ValueError where it is none, or holds pickled objects."""
    try:
        with np.load(io.BytesIO(raw), allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (OSError, EOFError, KeyError, AttributeError, TypeError, zipfile.BadZipFile) as error:
        raise ValueError(f"not an npz file of plain arrays: {error}") from error


def _table(name: str, arrays: Mapping[str, Array]) -> CaseTable:
    if "n_cases" not in arrays:
        raise ValueError(f"case table {name}: n_cases is missing")
    n_cases = int(arrays["n_cases"])
    sets = _under("case/", arrays)
    rows = {key: Rows(_cases(case, n_cases), _under(f"column/{key}/", arrays)) for key, case in sets.items()}
    return CaseTable(n_cases, rows, _under("meta/", arrays))


def _kept(rows: Rows, place: Cases) -> Rows:
    kept = place[rows.case] >= 0
    return Rows(place[rows.case[kept]], {name: values[kept] for name, values in rows.columns.items()})


def _under(prefix: str, arrays: Mapping[str, Array]) -> dict[str, Array]:
    return {key.removeprefix(prefix): values for key, values in arrays.items() if key.startswith(prefix)}


def _cases(case: Array, n_cases: int) -> Cases:
    if case.ndim != 1 or case.dtype.kind != "i" or (case.size and not 0 <= case.min() <= case.max() < n_cases):
        raise ValueError("a row of a case table belongs to no case")
    return case.astype(np.intp)
