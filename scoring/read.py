"""Hostile bytes to canonical arrays: the one way in for entries, offline files and references.

Nothing here knows an answer: entries are held against the `CaseIndex` only, which is public.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from scoring.cases import CaseIndex
from scoring.issues import Issue, IssueLog
from scoring.readers.archives import split_entry
from scoring.readers.csv import Sheet
from scoring.readers.header import Wanted
from scoring.readers.limits import ORGANISER, Limits
from scoring.readers.placing import Placed, place_table
from scoring.spec import ColumnSpec, TableSpec
from scoring.tables import Entry, Table

__all__ = ["ORGANISER", "Limits", "ReadResult", "read_entry", "read_reference", "read_upload", "split_entry"]

_SLACK_ROWS = 1_000  # beyond twice the expected rows, so that duplicates and unknown ids are told one by one
_NAME, _TABLES = 32, 20  # what a report of a runner has room for
_COUNTED = ("rows", "missing", "duplicates", "extra_columns")


@dataclass(frozen=True, eq=False)
class ReadResult:
    """`entry`: None where `issues.refused`. `counts`: rows, missing, duplicates, extra_columns, over all tables.

    `by_table`: the same counts of each table that was read. `lines`: by table, (cases,) line of the first row of each
    case of `index`, 0 = none.
    """

    entry: Entry | None
    issues: IssueLog
    counts: Mapping[str, int]
    by_table: Mapping[str, Mapping[str, int]]
    lines: Mapping[str, NDArray[np.intp]]
    index: CaseIndex

    def extend(self, issues: Iterable[Issue]) -> None:
        """Add what metrics found. What concerns a case of a table with one row per case gets the case's first line."""
        self.issues.extend(map(self._with_line, issues))

    def _with_line(self, issue: Issue) -> Issue:
        case = self.index.position.get(str(issue.fields.get("case")), -1)
        one = [spec.name for spec in self.index.tables if spec.rows_scored == "one"]
        if issue.line is not None or case < 0 or issue.table not in one or issue.table not in self.lines:
            return issue
        return replace(issue, line=int(self.lines[issue.table][case]) or None)

    def to_json(self) -> dict[str, Any]:
        """`{"issues": [...at most 50], "total": {code: n}, "counts": {...}}`.

        With several tables, `counts` also has ``rows/<table>`` and ``missing/<table>``, for the receipt.
        """
        told = [name for name in self.by_table if len(name) <= _NAME][:_TABLES] if len(self.index.tables) > 1 else []
        each = {f"{key}/{name}": self.by_table[name][key] for name in told for key in ("rows", "missing")}
        return {**self.issues.to_json(), "counts": {**self.counts, **each}}


def read_upload(stream: BinaryIO, *, index: CaseIndex, limits: Limits | None = None) -> ReadResult:
    """Read an entry that is one upload: the file of the only table, or an archive with a file for each table."""
    log, limits = IssueLog(), limits or Limits()
    return read_entry(split_entry(stream, index.tables, limits, log), index=index, limits=limits, log=log)


def read_entry(
    files: Mapping[str, BinaryIO], *, index: CaseIndex, limits: Limits | None = None, log: IssueLog | None = None
) -> ReadResult:
    """Read an entry: one seekable stream per table, by the table's name. Never raises because of what the bytes are.

    Whatever is wrong is in `issues`, all at once; the same content in another order of rows gives the same arrays
    (except which of several rows is first, where duplicates = "first"). `log`: what `split_entry` told; missing tables
    are among it. Raises KeyError for a table the spec has not.
    """
    return _read(files, index, limits or Limits(), log, reference=False)


def read_reference(files: Mapping[str, BinaryIO], *, index: CaseIndex, limits: Limits | None = None) -> ReadResult:
    """Read the organiser's answers with the same reader; its problems are the organiser's, under the same codes.

    Columns named as in the entry have the entry's type; all others are text. Only the case column is required. With
    rows = "one" or combined rows every case needs its one row; with rows = "many" a case may have none.
    """
    return _read(files, index, limits or ORGANISER, None, reference=True)


def _read(
    files: Mapping[str, BinaryIO], index: CaseIndex, limits: Limits, split: IssueLog | None, *, reference: bool
) -> ReadResult:
    log, read = IssueLog() if split is None else split, dict[str, Placed]()
    for name in files:
        index.table(name)
    for spec in index.tables:
        if spec.name not in files:
            if split is None:
                found = ", ".join(index.table(name).file for name in files)
                log.add("E-FILE-MISSING", table=spec.name, value=spec.file, found=found or "-")
            continue
        placed = _read_table(files[spec.name], spec, index, limits, log, reference=reference)
        read[spec.name], limits = placed, replace(limits, text_bytes=limits.text_bytes - _text_bytes(placed.table))
    tables = {name: placed.table for name, placed in read.items() if placed.table is not None}
    return ReadResult(
        entry=None if log.refused else Entry(tables),
        issues=log,
        counts={key: sum(placed.counts[key] for placed in read.values()) for key in _COUNTED},
        by_table={name: placed.counts for name, placed in read.items()},
        lines={name: placed.lines for name, placed in read.items()},
        index=index,
    )


def _text_bytes(table: Table | None) -> int:
    texts = [] if table is None else [values for values in table.columns.values() if values.dtype.kind == "U"]
    return sum(values.nbytes for values in texts)


def _read_table(
    stream: BinaryIO, spec: TableSpec, index: CaseIndex, limits: Limits, log: IssueLog, *, reference: bool
) -> Placed:
    names = tuple(dict.fromkeys((spec.case, *spec.key, *(column.name for column in spec.columns))))
    numeric = {c.name for c in spec.columns if c.type not in ("text", "label")}
    wanted = Wanted(
        names=names,
        required=(spec.case,) if reference else names,
        numeric=[name for name in names if name in numeric],
        keep_others=reference,
        is_id=index.position.__contains__,
        ids=tuple(dict.fromkeys((spec.case, *spec.key))),
    )
    most = limits.rows_least if reference else _most_rows(spec, index, limits)
    read_sheet = import_module(f"scoring.readers.{spec.format}").read_sheet
    sheet: Sheet = read_sheet(stream, wanted=wanted, most_rows=most, limits=limits, log=log, table=spec.name)
    if reference:
        spec = _as_reference(spec, sheet)
    placed = place_table(sheet, spec, index=index, log=log, text_bytes=limits.text_bytes)
    if spec.format == "coco" and log.refused:
        log.add("W-COCO-ITEMS", table=spec.name)
    return placed


def _most_rows(spec: TableSpec, index: CaseIndex, limits: Limits) -> int:
    if spec.rows == "one":
        return 2 * len(index.ids) + _SLACK_ROWS
    if spec.row_key and spec.name in index.rows:
        return 2 * len(index.rows[spec.name]) + _SLACK_ROWS
    return max(limits.rows_per_case * len(index.ids), limits.rows_least)


def _as_reference(spec: TableSpec, sheet: Sheet) -> TableSpec:
    """The rules of a reference: the columns that it has, every case answered where rows = "one", nothing twice."""
    typed = {column.name: column for column in spec.columns}
    others = [name for name in sheet.places if name in typed or name not in (spec.case, *spec.key)]
    keyed = not spec.combine and all(name in sheet.places for name in spec.key)
    return replace(
        spec,
        key=spec.key if keyed else (spec.case,),
        columns=tuple(typed.get(name, ColumnSpec(name=name, type="text")) for name in others),
        rows=spec.rows_scored,
        combine=None,
        missing="refuse" if spec.rows_scored == "one" else "empty",
        duplicates="refuse",
    )
