"""The same rows in each format of a table, and what they must give: a reader of its own, slow and without arrays."""

import csv
import io
import json
import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from scoring.spec import ColumnSpec, TableSpec

Cell = str | float | int
Row = Mapping[str, Cell]

NUMBER = re.compile(r"[ \t]*[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?[ \t]*")


def as_csv(rows: Sequence[Row], names: Sequence[str]) -> bytes:
    """Comma separated, numbers in the digits that give them again."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(names)
    writer.writerows(
        [[cell if isinstance(cell, str) else repr(cell) for cell in (row[n] for n in names)] for row in rows]
    )
    return buffer.getvalue().encode()


def as_jsonl(rows: Sequence[Row]) -> bytes:
    """One object per line."""
    return "".join(json.dumps(dict(row)) + "\n" for row in rows).encode()


def columns_of(rows: Sequence[Row], names: Sequence[str]) -> dict[str, list[Any]]:
    """Lists by column, for Parquet."""
    return {name: [row[name] for row in rows] for name in names}


def oracle_csv(raw: bytes, spec: TableSpec, ids: Sequence[str]) -> dict[str, list[Any]] | None:
    """Columns of a CSV file with one row per case, in the order of `ids`; None where it must be refused."""
    try:
        text = raw.decode("utf-8-sig")
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if any(row)]
    except (UnicodeDecodeError, csv.Error):
        return None
    if not rows or "\0" in text or any(len(row) != len(rows[0]) for row in rows):
        return None
    return _of_rows([dict(zip(rows[0], row, strict=True)) for row in rows[1:]], rows[0], spec, ids)


def oracle_jsonl(raw: bytes, spec: TableSpec, ids: Sequence[str]) -> dict[str, list[Any]] | None:
    """The same for JSON lines."""
    rows = []
    try:
        for line in re.split("\r\n|\n|\r", raw.decode("utf-8-sig")):
            if line.strip(" \t"):
                rows.append(json.loads(line, object_pairs_hook=_unique, parse_float=_Digits, parse_int=_Digits))
        cells = [{name: _cell(row[name], name, spec) for name in _names(spec)} for row in rows]
        return _of_rows(cells, _names(spec), spec, ids)
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


class _Digits(str):
    """A JSON number as written."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        raise ValueError("a key stands twice")
    return dict(pairs)


def _cell(value: object, name: str, spec: TableSpec) -> str:
    numeric = {column.name for column in spec.columns if column.type not in ("text", "label")}
    if value is None:
        return ""
    if not isinstance(value, str) or (name in numeric and not isinstance(value, _Digits)) or "\0" in value:
        raise ValueError("no cell")
    value.encode()
    return str(value)


def _names(spec: TableSpec) -> list[str]:
    return [spec.case, *(column.name for column in spec.columns)]


def _of_rows(
    rows: Sequence[Mapping[str, str]], header: Sequence[str], spec: TableSpec, ids: Sequence[str]
) -> dict[str, list[Any]] | None:
    if any(list(header).count(name) != 1 for name in _names(spec)):
        return None
    by_case = {unicodedata.normalize("NFC", row[spec.case]): row for row in rows}
    if len(by_case) != len(rows) or set(by_case) != set(ids):
        return None
    try:
        return {c.name: [_value(c, by_case[case][c.name]) for case in ids] for c in spec.columns}
    except ValueError:
        return None


def _value(column: ColumnSpec, cell: str) -> Any:
    if column.type == "text":
        return cell
    if column.type == "label":
        return column.labels.index(unicodedata.normalize("NFC", cell))
    if not NUMBER.fullmatch(cell):
        raise ValueError("no number")
    number = float(cell)
    low = 0 if column.type == "probability" else column.low
    high = 1 if column.type == "probability" else column.high
    if math.isinf(number) or not (-math.inf if low is None else low) <= number <= (math.inf if high is None else high):
        raise ValueError("out of range")
    if column.type == "integer":
        whole = int(number) if "e" not in cell.lower() and number.is_integer() else None
        if whole is None or abs(whole) >= 10**18:
            raise ValueError("no whole number")
        return int(cell.split(".")[0])
    return number
