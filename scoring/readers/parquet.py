"""Parquet as cells, by pyarrow, which is native code: only in a sandbox that holds no label.

What the footer says is tested first, and is not trusted: rows are read in batches, by one thread, up to the number that
is expected, and texts are counted as they come, since two megabytes can hold 500 million rows. What still asks for more
memory than there is ends in MemoryError. `line` is the number of the row, from 1.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from scoring.issues import IssueLog, Tell
from scoring.readers.cells import Numbers
from scoring.readers.csv import Sheet
from scoring.readers.header import Wanted, locate, tell_extra
from scoring.readers.limits import Limits, Unusable
from scoring.readers.texts import all_whole, quoted, truth, whole_text
from scoring.readers.unpack import Plain, open_plain

_FORMAT = "Parquet"
_MAGIC, _ENCRYPTED = b"PAR1", b"PARE"
_CHUNK = 1 << 20
_BATCH = 1 << 16
_FOOTER_BYTES = 16 << 20
_ROW_GROUPS = 10_000
_DEPTH = 20
_THRIFT = 1 << 20
_SHOWN = 100


def read_sheet(stream: BinaryIO, *, wanted: Wanted, most_rows: int, limits: Limits, log: IssueLog, table: str) -> Sheet:
    """Read one file, from a seekable stream; all faults go to `log`. At most `most_rows` rows are held.

    Raises ImportError without pyarrow (extra `parquet`), MemoryError where memory is bounded and does not suffice.
    """
    sheet, tell = Sheet(), cast(Tell, partial(log.add, table=table))
    try:
        raw = _checked(open_plain(stream, limits, accepted=_MAGIC))
        file = _whole(partial(_opened, raw))
        names = list(file.schema_arrow.names)
        places = locate(names, wanted=replace(wanted, is_id=_never), most=limits.columns, tell=tell)
        if places is None:
            sheet.complete = False
            return sheet
        sheet.places, sheet.extra = places, tell_extra(names, places, tell)
        columns = _columns(file, places, frozenset(wanted.numeric), tell)
        _whole(partial(_test_size, file, limits))
        _read_rows(file, sheet, columns, most_rows, limits, tell)
    except Unusable as fault:
        tell(fault.code, **fault.told(_FORMAT))
        sheet.complete = False
    return sheet


def _never(_: str) -> bool:
    return False


def _checked(plain: Plain) -> bytearray:
    """All bytes of a file that is Parquet by its two ends. Raises `Unusable`."""
    raw = bytearray()
    while piece := plain.read(_CHUNK):
        raw += piece
    if not raw:
        raise Unusable("E-EMPTY")
    if raw.startswith(_ENCRYPTED) or raw.endswith(_ENCRYPTED):
        raise Unusable("E-PARQUET-ENCRYPTED")
    if not raw.startswith(_MAGIC):
        raise Unusable("E-FORMAT", found="JSON" if raw.lstrip().startswith((b"{", b"[")) else "CSV")
    footer = int.from_bytes(raw[-8:-4], "little")
    if not raw.endswith(_MAGIC) or not 0 < footer <= min(len(raw) - 12, _FOOTER_BYTES):
        raise Unusable("E-PARQUET-DAMAGED")
    return raw


def _whole(read: Any) -> Any:
    """`read()`, where whatever pyarrow raises on damaged bytes is one problem with one name."""
    try:
        return read()
    except (Unusable, MemoryError, ImportError):
        raise
    except Exception as fault:  # ArrowException, OSError, ValueError, OverflowError, UnicodeDecodeError…
        raise Unusable("E-PARQUET-DAMAGED") from fault


def _opened(raw: bytearray) -> Any:
    """The file with its footer read. Texts stay in dictionaries: a long one may stand in a million rows."""
    try:
        import pyarrow
        from pyarrow.parquet import ParquetFile
    except ImportError as fault:
        raise ImportError("Reading Parquet needs pyarrow. Install it: pip install 'arbitre[parquet]'") from fault
    pyarrow.set_memory_pool(pyarrow.system_memory_pool())
    form = {
        "memory_map": False, "pre_buffer": False, "arrow_extensions_enabled": False, "schema_depth_limit": _DEPTH,
        "thrift_string_size_limit": _THRIFT, "thrift_container_size_limit": _THRIFT,
    }  # fmt: skip
    schema = ParquetFile(pyarrow.BufferReader(raw), **form).schema_arrow
    texts = list(dict.fromkeys(field.name for field in schema if _is_text(field.type)))
    return ParquetFile(pyarrow.BufferReader(raw), read_dictionary=texts, **form)


def _is_text(form: Any) -> bool:
    import pyarrow.types as types

    plain = form.value_type if types.is_dictionary(form) else form
    return bool(types.is_string(plain) or types.is_large_string(plain) or types.is_string_view(plain))


def _test_size(file: Any, limits: Limits) -> None:
    """What the footer admits to: raises `Unusable` for more than is accepted.

    By row group: pyarrow (26.0.1) ends the process where the metadata of a single column are asked for and are damaged.
    """
    metadata = file.metadata
    if not 0 <= metadata.num_row_groups <= _ROW_GROUPS or metadata.num_rows < 0:
        raise Unusable("E-PARQUET-DAMAGED")
    total = sum(metadata.row_group(group).total_byte_size for group in range(metadata.num_row_groups))
    if total > limits.expanded_bytes:
        raise Unusable("E-SIZE", megabytes=limits.expanded_bytes // 1_000_000)


def _columns(file: Any, places: Mapping[str, int], numeric: frozenset[str], tell: Tell) -> dict[str, "_Column"]:
    """The columns whose type can be cells; E-COL-TYPE for the others."""
    columns = {}
    for name, place in places.items():
        field = file.schema_arrow.field(place)
        read = _reader(field.type, numeric=name in numeric)
        if read is None:
            tell("E-COL-TYPE", column=name, found=str(field.type)[:_SHOWN])
        else:
            columns[name] = _Column(field.name, read)
    return columns


def _read_rows(
    file: Any, sheet: Sheet, columns: Mapping[str, "_Column"], most_rows: int, limits: Limits, tell: Tell
) -> None:
    rows, budget, told = 0, _Budget(limits.expanded_bytes), file.metadata.num_rows
    try:
        for batch in _batches(file, [column.name for column in columns.values()], told):
            kept = batch.slice(0, max(0, most_rows - rows))
            for column in columns.values():
                _whole(partial(column.add, kept, budget))
            rows += kept.num_rows
            if kept.num_rows < batch.num_rows:
                sheet.complete = False
                tell("E-ROWS", line=rows + 1, most=most_rows)
                break
    finally:  # where the bytes break off, the rows before are diagnosed too
        rows = min([rows, *(len(column) for column in columns.values())])
        sheet.columns = {name: column.cells(rows) for name, column in columns.items()}
        sheet.lines = list(range(1, rows + 1))
    if sheet.complete and rows != told:
        raise Unusable("E-PARQUET-DAMAGED")
    if not rows:
        sheet.complete = False
        tell("E-EMPTY-ROWS")


def _batches(file: Any, names: Sequence[str], rows: int) -> Iterator[Any]:
    """Rows of these columns, some at a time. Raises `Unusable`."""
    if not rows:
        return
    batches = iter(file.iter_batches(batch_size=_BATCH, columns=list(dict.fromkeys(names)), use_threads=False))
    while (batch := _whole(lambda: next(batches, None))) is not None:
        yield batch


class _Budget:
    """Characters that all texts of a file may have together."""

    def __init__(self, most: int) -> None:
        self._most = self._left = most

    def spend(self, characters: int) -> None:
        """Raises `Unusable` where there are too many."""
        self._left -= characters
        if self._left < 0:
            raise Unusable("E-SIZE", megabytes=self._most // 1_000_000)


class _Column:
    """One column as it comes. `name`: as it stands in the file."""

    def __init__(self, name: str, read: "Read") -> None:
        self.name, self._read = name, read
        self._numbers: list[NDArray[Any]] = []
        self._texts: list[str] = []

    def __len__(self) -> int:
        return sum(map(len, self._numbers)) + len(self._texts)

    def add(self, batch: Any, budget: _Budget) -> None:
        """Take the column out of a batch. Raises `Unusable`."""
        place = batch.schema.get_all_field_indices(self.name)[0]
        found = self._read(batch.column(place), budget)
        if isinstance(found, np.ndarray):
            self._numbers.append(found)
        else:
            self._texts += [*self._as_texts(), *found]
            self._numbers.clear()

    def cells(self, rows: int) -> Sequence[str]:
        """The first `rows` cells."""
        if self._numbers and not self._texts:
            return Numbers(np.concatenate(self._numbers)[:rows])
        return [*self._texts, *self._as_texts()][:rows]

    def _as_texts(self) -> list[str]:
        return [cell for numbers in self._numbers for cell in Numbers(numbers)]


Read = Callable[[Any, _Budget], "NDArray[Any] | list[str]"]


def _reader(form: Any, *, numeric: bool) -> Read | None:
    """How to make cells of arrays of this type; None where it has none."""
    import pyarrow.types as types

    if types.is_integer(form) or types.is_floating(form):
        return _numbers if numeric else _written
    if _is_text(form):
        return _quoted if numeric else _texts
    if types.is_boolean(form):
        return lambda array, _: ["" if value is None else truth(value) for value in array.to_pylist()]
    if types.is_decimal(form):
        return lambda array, _: ["" if value is None else f"{value:f}" for value in array.to_pylist()]
    if types.is_null(form):
        return lambda array, _: [""] * len(array)
    plain = types.is_dictionary(form) and (types.is_integer(form.value_type) or types.is_floating(form.value_type))
    return (lambda array, budget: _written(array.dictionary_decode(), budget)) if plain else None


def _numbers(array: Any, budget: _Budget) -> "NDArray[Any] | list[str]":
    if array.null_count or str(array.type) == "uint64":
        return _written(array, budget)
    values: NDArray[Any] = array.to_numpy(zero_copy_only=False)
    return values.astype(np.float64 if values.dtype.kind == "f" else np.int64)


def _written(array: Any, _: _Budget) -> list[str]:
    return ["" if value is None else repr(value) for value in array.to_pylist()]


def _quoted(array: Any, budget: _Budget) -> list[str]:
    return [cell if not cell else quoted(cell) for cell in _texts(array, budget)]


def _texts(array: Any, budget: _Budget) -> list[str]:
    """The texts of a dictionary array, counted before they are spread over the rows."""
    import pyarrow
    import pyarrow.compute as compute

    words = array.dictionary
    length = np.asarray(compute.binary_length(words).fill_null(0).to_numpy(zero_copy_only=False))
    at = array.indices.fill_null(0).to_numpy(zero_copy_only=False)
    budget.spend(int(length[at].sum()) if length.size else 0)
    raw = [word or b"" for word in words.cast(pyarrow.large_binary()).to_pylist()]
    whole = [word.decode("utf-8", "surrogateescape") for word in raw]
    if not all_whole(whole):
        whole = [whole_text(word, "E-UTF8") for word in whole]
    present = array.is_valid().to_numpy(zero_copy_only=False)
    return [whole[i] if there else "" for i, there in zip(at.tolist(), present.tolist(), strict=True)]
