"""From what a notebook holds (a pandas frame, bytes, a path, or one of these per table) to the files of an entry."""

from __future__ import annotations

import csv
import io
import json
import numbers
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.cli.errors import Usage


@dataclass(frozen=True)
class Table:
    """A table of an entry: its name, the name of its file, its format."""

    name: str
    file: str
    format: str = "csv"


def tables_of(phase: Mapping[str, Any]) -> list[Table]:
    """The tables of a phase as the API gives it."""
    rows = (phase.get("scoring") or {}).get("tables") or []
    return [Table(str(row["name"]), str(row["file"]), str(row.get("format", "csv"))) for row in rows]


def entry_files(data: Any, tables: list[Table], folder: Path) -> dict[str, Path]:
    """Name in the entry -> path; what is no file yet is written into `folder`. Errors: Usage for what is no entry."""
    if isinstance(data, str | os.PathLike):
        path = Path(data)
        return {path.name: path}
    if isinstance(data, Mapping):
        return _by_table(data, tables, folder)
    if isinstance(data, bytes | bytearray | memoryview):
        name = tables[0].file if len(tables) == 1 else "entry.zip"
        return {name: _written(folder / name, bytes(data))}
    if len(tables) > 1:
        names = ", ".join(repr(table.name) for table in tables)
        raise Usage(f"Entries of this phase have several tables. Give a dict with one item for each of: {names}.")
    table = tables[0] if tables else Table("predictions", "predictions.csv")
    return {table.file: _written(folder / table.file, table_bytes(data, table))}


def table_bytes(data: Any, table: Table) -> bytes:
    """A pandas frame as the bytes of a table's file. Errors: Usage for anything else, and for a format without rows."""
    pandas = sys.modules.get("pandas")
    if pandas is None or not isinstance(data, pandas.DataFrame):
        raise Usage(
            f"{type(data).__name__} is no entry. Give a pandas DataFrame, the path of a file, its bytes, or a dict "
            "with one of these for each table."
        )
    writers: Mapping[str, Callable[[Any], bytes]] = {"csv": _csv, "jsonl": _json_lines, "parquet": _parquet}
    if table.format not in writers:
        raise Usage(f"{table.file} is no table of rows. Write it yourself, and give its path.")
    return writers[table.format](_plain_columns(data))


def _by_table(data: Mapping[Any, Any], tables: list[Table], folder: Path) -> dict[str, Path]:
    known = {table.name: table for table in tables} | {table.file: table for table in tables}
    files: dict[str, Path] = {}
    for key, value in data.items():
        if key not in known:
            names = ", ".join(repr(table.name) for table in tables)
            raise Usage(f"This phase has no table {key!r}. It has: {names}.")
        table = known[key]
        if isinstance(value, str | os.PathLike):
            files[table.file] = Path(value)
        else:
            is_bytes = isinstance(value, bytes | bytearray | memoryview)
            files[table.file] = _written(folder / table.file, bytes(value) if is_bytes else table_bytes(value, table))
    if not files:
        raise Usage("The dict is empty, so there is nothing to send.")
    return files


def _written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def _plain_columns(frame: Any) -> Any:
    """The frame with its index as columns where it has a name, and each column's name once and a text."""
    named = any(name is not None for name in frame.index.names)
    try:
        frame = frame.reset_index() if named else frame
    except ValueError as error:
        raise Usage(f"The index cannot become a column of the table ({error}). Rename it, or drop it.") from error
    frame = frame.set_axis([str(name) for name in frame.columns], axis="columns")
    twice = sorted(set(frame.columns[frame.columns.duplicated()]))
    if twice:
        raise Usage(f"The frame has several columns named {', '.join(twice)}. Keep one of each.")
    return frame


def _csv(frame: Any) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(frame.columns)
    columns = [["" if value is None else _text(value) for value in values] for values in _values(frame)]
    writer.writerows(zip(*columns, strict=True))
    return text.getvalue().encode()


def _json_lines(frame: Any) -> bytes:
    names, rows = list(frame.columns), zip(*_values(frame), strict=True)
    lines = (json.dumps(dict(zip(names, map(_json, row), strict=True)), ensure_ascii=False) for row in rows)
    return "".join(f"{line}\n" for line in lines).encode()


def _parquet(frame: Any) -> bytes:
    try:
        whole: bytes = frame.to_parquet(None, index=False)
    except ImportError as error:
        raise Usage("A Parquet file is written by pyarrow, which is not installed: pip install pyarrow") from error
    return whole


def _values(frame: Any) -> Iterator[list[Any]]:
    """Each column's values; what is missing is None."""
    for place in range(frame.shape[1]):
        column = frame.iloc[:, place]
        pairs = zip(column.tolist(), column.isna().tolist(), strict=True)
        yield [None if missing else value for value, missing in pairs]


def _text(value: Any) -> str:
    """A number so that reading it gives the same number; a moment as ISO 8601; a text as it is."""
    if isinstance(value, str | bool):
        return str(value)
    if isinstance(value, numbers.Integral):
        return str(int(value))
    if isinstance(value, numbers.Real) and not isinstance(value, numbers.Rational):
        return repr(float(value))
    return str(value.isoformat()) if hasattr(value, "isoformat") else str(value)


def _json(value: Any) -> Any:
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, numbers.Integral):
        return int(value)
    return float(value) if isinstance(value, numbers.Real) else _text(value)
