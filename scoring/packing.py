"""An entry as npz bytes: what the sandbox that read hostile bytes hands to the one that holds the reference.

The bytes may come from a sandbox that a hostile file took over. So nothing in them is trusted: no pickle, nothing
compressed, no array whose size is not in the payload, and every name, type, shape and value is held against the index.
"""

import io
import zipfile
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from scoring.cases import CaseIndex
from scoring.casetable import pack_arrays
from scoring.readers.cells import bounds
from scoring.spec import ColumnSpec, TableSpec
from scoring.tables import Array, Entry, Table, scored_columns

_HEADER_BYTES = 10_000
_LAST_CHARACTER = 0x10FFFF


def pack(entry: Entry) -> bytes:
    """The entry as npz bytes; equal entries give equal bytes."""
    arrays: dict[str, Array] = {}
    for t, name in enumerate(sorted(entry.tables)):
        table = entry.tables[name]
        arrays |= {f"{t}.case": table.case.astype("<i8"), f"{t}.missing": table.missing}
        arrays |= {f"{t}.column{c}": table.columns[column] for c, column in enumerate(sorted(table.columns))}
    return pack_arrays(arrays)


def unpack(payload: bytes, index: CaseIndex) -> Entry:
    """The entry that `pack` wrote. Raises ValueError, with a sentence, for bytes that `read_entry` cannot have made."""
    arrays = _arrays(payload)
    tables = {}
    for t, spec in enumerate(sorted(index.tables, key=lambda spec: spec.name)):
        typed = scored_columns(spec)
        named = [f"{t}.case", f"{t}.missing", *(f"{t}.column{c}" for c in range(len(typed)))]
        absent = [name for name in named if name not in arrays]
        _demand(not absent, f"array {', '.join(absent)} is not there")
        case, missing, *values = (arrays.pop(name) for name in named)
        _check_cases(spec, case, missing, len(index.ids))
        columns = dict(zip(sorted(typed), values, strict=True))
        for name, column in columns.items():
            _check_column(typed[name], spec, column, missing, len(case))
        if spec.rows_scored == "many" and spec.row_key:
            _check_keys(spec, case, columns, index)
        tables[spec.name] = Table(case.astype(np.intp, copy=False), columns, missing)
    _demand(not arrays, f"array {', '.join(arrays)} is not expected")
    return Entry(tables)


def _demand(good: object, otherwise: str) -> None:
    if not good:
        raise ValueError(f"The arrays of the entry cannot be used: {otherwise}.")


def _arrays(payload: bytes) -> dict[str, Array]:
    try:
        with zipfile.ZipFile(io.BytesIO(payload)) as archive:
            members = archive.infolist()
            _demand(all(m.compress_type == zipfile.ZIP_STORED for m in members), "they are compressed")
            _demand(len({m.filename for m in members}) == len(members), "a name stands twice")
            _demand(sum(m.file_size for m in members) <= len(payload), "their sizes are not those of the payload")
            return {m.filename.removesuffix(".npy"): _array(archive.read(m)) for m in members}
    except MemoryError:
        raise  # of this sandbox, whatever the bytes are
    except Exception as fault:  # zipfile and numpy's header parser raise many kinds on hostile bytes
        raise ValueError(f"The arrays of the entry cannot be used: {fault}.") from fault


def _array(raw: bytes) -> Array:
    """A read-only view of `raw`: the header is compared with the bytes that follow before anything is made of it."""
    stream = io.BytesIO(raw)
    _demand(np.lib.format.read_magic(stream) == (1, 0), "an array is not of format 1.0")
    shape, by_column, dtype = np.lib.format.read_array_header_1_0(stream, max_header_size=_HEADER_BYTES)
    _demand(len(shape) == 1 and not by_column and not dtype.hasobject and dtype.itemsize, "an array is not plain")
    _demand(shape[0] * dtype.itemsize == len(raw) - stream.tell(), "an array is not as long as it says")
    return np.frombuffer(raw, dtype=dtype, offset=stream.tell())


def _check_cases(spec: TableSpec, case: Array, missing: Array, cases: int) -> None:
    where = f"in table {spec.name}, "
    _demand(missing.dtype == np.bool_ and len(missing) == cases, where + "what is missing is not told by case")
    _demand(missing.view(np.uint8).max(initial=0) <= 1, where + "what is missing is neither true nor false")
    _demand(case.dtype == np.dtype("<i8"), where + "cases are not whole numbers")
    _demand(spec.missing != "refuse" or not missing.any(), where + "cases are missing")
    if spec.rows_scored == "one":
        _demand(np.array_equal(case, np.arange(cases)), where + "there is not one row for each case in order")
        return
    _demand((np.diff(case) >= 0).all(), where + "rows are not in the order of the cases")
    _demand(case.size == 0 or (case[0] >= 0 and case[-1] < cases), where + "a row belongs to no case")
    present = np.zeros(cases, dtype=np.bool_)
    present[case] = True
    _demand((present != missing).all(), where + "a case is missing and has a row, or neither")


def _check_keys(spec: TableSpec, case: Array, columns: Mapping[str, Array], index: CaseIndex) -> None:
    """No row stands twice; where rows are known beforehand, each is one of them, at its case and in their order."""
    where, cases = f"in table {spec.name}, ", case.tolist()
    ids = {name: columns[name].tolist() for name in spec.key if name != spec.case}
    ids[spec.case] = [index.ids[i] for i in cases]
    keys = list(zip(*(ids[name] for name in spec.key), strict=True))
    _demand(len(set(keys)) == len(keys), where + "a row stands twice")
    known = index.rows.get(spec.name)
    if known is None:
        return
    _demand(all(known.get(key) == i for key, i in zip(keys, cases, strict=True)), where + "a row is not expected")
    _demand(spec.missing != "refuse" or len(keys) == len(known), where + "rows are missing")
    position = {key: place for place, key in enumerate(known)}
    places = np.array([position[key] for key in keys], dtype=np.intp)
    _demand((np.diff(places)[np.diff(case) == 0] > 0).all(), where + "rows of a case are not in order")


def _check_column(column: ColumnSpec, spec: TableSpec, values: Array, missing: NDArray[np.bool_], rows: int) -> None:
    where = f"in table {spec.name}, column {column.name} "
    may_miss = spec.rows_scored == "one" and spec.missing != "refuse"
    _demand(len(values) == rows, where + f"has {len(values)} rows, not {rows}")
    if column.type == "text":
        _demand(values.dtype.kind == "U" and values.dtype.isnative, where + "is not text")
        _demand(values.view(np.uint32).max(initial=0) <= _LAST_CHARACTER, where + "is not text")
        return
    absent = missing if may_miss else np.zeros(rows, dtype=np.bool_)
    whole = np.float64 if may_miss or spec.combine else np.int64
    dtype = {"label": np.int32, "integer": whole}.get(column.type, np.float64)
    _demand(values.dtype == np.dtype(dtype), where + f"is {values.dtype}, not {np.dtype(dtype)}")
    told = values[~absent]
    if column.type == "label":
        _demand((values[absent] == -1).all(), where + "has a label for a missing case")
        low, high = 0.0, float(len(column.labels) - 1)
    else:
        low, high = bounds(column)
        _demand(not may_miss or np.isnan(values[absent]).all(), where + "has a number for a missing case")
    _demand(np.isfinite(told).all(), where + "holds nan or inf")
    _demand(((told >= low) & (told <= high)).all(), where + "is out of range")
