"""Rows to their cases: ids, duplicates, what is missing, and an order that does not depend on the file's."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np

from scoring.cases import CaseIndex
from scoring.issues import IssueLog, Tell
from scoring.readers.arrays import combine_rows, fill_table, sort_table
from scoring.readers.cells import Column, read_column
from scoring.readers.csv import Sheet
from scoring.readers.faults import Faults
from scoring.readers.ids import Places, find_keys, first_rows, normal, numbered, written
from scoring.readers.nearby import Key
from scoring.spec import TableSpec
from scoring.tables import Table, scored_columns

_NAMED = 5  # missing ids that a warning names


@dataclass(frozen=True)
class _Expected:
    """What a file is about: cases, or rows known beforehand, k of them in order.

    `keys`: of each; `names`: columns of the key; `case`: (k,) case of each. `alone`: key → position, where a key is one
    column (text is looked up faster than a tuple of it).
    """

    keys: Collection[Key]
    names: tuple[str, ...]
    case: Places
    alone: Mapping[str, int] | None = None

    @cached_property
    def known(self) -> Mapping[Key, int]:
        """Key → position."""
        return {key: place for place, key in enumerate(self.keys)}


@dataclass(frozen=True)
class _Found:
    """(rows,) position of each row among the expected, -1 unknown; and the positions that unknown ids were meant as."""

    places: Places
    meant: frozenset[int]


@dataclass(frozen=True, eq=False)
class Placed:
    """`table`: None where the log has an error. `counts`: rows, missing, duplicates, extra_columns.

    `lines`: (cases,) line of the first row of each case, 0 = none.
    """

    table: Table | None
    counts: Mapping[str, int]
    lines: Places


def place_table(sheet: Sheet, spec: TableSpec, *, index: CaseIndex, log: IssueLog, text_bytes: int) -> Placed:
    """The rows of a file as a table; what is wrong with their ids and cells goes to `log`."""
    lines = np.zeros(len(index.ids), dtype=np.intp)
    counts = {"rows": len(sheet.lines) + len(sheet.broken), "missing": 0, "duplicates": 0, "extra_columns": sheet.extra}
    ids = {name: normal(sheet.columns[name]) for name in (spec.case, *spec.key) if name in sheet.columns}
    columns = _typed({**sheet.columns, **ids}, spec, sheet.lines, log, text_bytes)
    if spec.case not in sheet.columns:
        return Placed(None, counts, lines)
    tell = partial(log.add, table=spec.name)
    expected, found, case = _locate(spec, index, ids, sheet.lines, tell)
    kept, counts["duplicates"] = _without_duplicates(spec, ids, expected, found, sheet, tell)
    absent = _tell_missing(spec, expected, found, sheet, tell)
    counts["missing"] = len(absent)
    known = np.flatnonzero(case >= 0)[::-1]  # the last to be written is the first row
    lines[case[known]] = np.array(sheet.lines, dtype=np.intp)[known]
    if log.refused:
        return Placed(None, counts, lines)
    if spec.rows == "one":
        return Placed(fill_table(spec, columns, case=case[kept], kept=kept, cases=len(index.ids)), counts, lines)
    told_apart = found.places if expected.names != (spec.case,) else _order(spec, columns, len(case))
    table = sort_table(columns, case=case[kept], tied=told_apart[kept], kept=kept, cases=len(index.ids))
    if spec.combine:
        # Else a team would leave out the photos that it finds hard.
        without = expected.case[absent] if spec.missing == "worst" else absent[:0]
        table = combine_rows(table, spec, without=without)
    return Placed(table, counts, lines)


def _typed(
    cells: Mapping[str, Sequence[str]], spec: TableSpec, lines: Sequence[int], log: IssueLog, text_bytes: int
) -> dict[str, Column]:
    """The declared columns that are there and in order, and those of the key as text."""
    columns = {}
    for name, column in scored_columns(replace(spec, combine=None)).items():
        if name in cells:
            faults = Faults(log, table=spec.name, column=name)
            read = read_column(column, cells[name], lines, faults, text_bytes=text_bytes)
            if read is not None:
                columns[name] = read
                text_bytes -= read.nbytes if column.type == "text" else 0
    return columns


def _locate(
    spec: TableSpec, index: CaseIndex, ids: Mapping[str, Sequence[str]], lines: Sequence[int], tell: Tell
) -> tuple[_Expected, _Found, Places]:
    """What the table is about, where its rows stand in that, and (rows,) the case of each row."""
    cases = _Expected([(case,) for case in index.ids], (spec.case,), np.arange(len(index.ids)), index.position)
    known = index.rows.get(spec.name)
    if known is None or not spec.row_key or any(name not in ids for name in spec.key):
        found = _look_up(cases, ids, lines, tell)
        return cases, found, found.places
    case = np.fromiter(known.values(), dtype=np.intp, count=len(known))
    alone = {key[0]: place for place, key in enumerate(known)} if len(spec.key) == 1 else None
    rows = _Expected(known.keys(), spec.key, case, alone)
    found = _look_up(rows, ids, lines, tell)
    of_key = np.where(found.places >= 0, np.append(case, -1)[found.places], -1)
    if spec.case in spec.key:
        return rows, found, of_key
    by_case = _look_up(cases, ids, lines, tell)
    for row in np.flatnonzero((by_case.places >= 0) & (of_key >= 0) & (by_case.places != of_key)).tolist():
        key, right = written([ids[name][row] for name in spec.key]), index.ids[of_key[row]]
        tell("E-KEY-CASE", line=lines[row], column=spec.case, value=ids[spec.case][row], key=key, right=right)
    return (cases, by_case, by_case.places) if spec.rows == "one" else (rows, found, by_case.places)


def _look_up(expected: _Expected, ids: Mapping[str, Sequence[str]], lines: Sequence[int], tell: Tell) -> _Found:
    if expected.alone is not None:
        found = list(map(expected.alone.get, ids[expected.names[0]]))
        if None not in found:
            return _Found(np.array(found, dtype=np.intp), frozenset())
    keys = list(zip(*(ids[name] for name in expected.names), strict=True))
    places, meant = find_keys(keys, expected.known, lines=lines, column=", ".join(expected.names), tell=tell)
    return _Found(places, meant)


def _without_duplicates(
    spec: TableSpec, ids: Mapping[str, Sequence[str]], expected: _Expected, found: _Found, sheet: Sheet, tell: Tell
) -> tuple[Places, int]:
    """Rows to keep, in file order, and how many others there are. Rows without an identity are all kept."""
    names, identity = expected.names, found.places
    if spec.rows == "many" and names == (spec.case,):
        names = spec.row_key
        if not names or any(name not in ids for name in names):
            return np.arange(len(sheet.lines)), 0
        identity = numbered(list(zip(*(ids[name] for name in names), strict=True)))
    kept, again, first = first_rows(identity)
    here = {"column": ", ".join(names)}
    if again.size and spec.duplicates == "first":
        value = written([ids[name][again[0]] for name in names])
        tell("W-ID-DUP", line=sheet.lines[again[0]], value=value, count=int(again.size), **here)
    elif again.size:
        for row, before in zip(again.tolist(), first.tolist(), strict=True):
            value = written([ids[name][row] for name in names])
            tell("E-ID-DUP", line=sheet.lines[row], value=value, first=sheet.lines[before], **here)
    return kept, int(again.size)


def _tell_missing(spec: TableSpec, expected: _Expected, found: _Found, sheet: Sheet, tell: Tell) -> Places:
    """Positions of the expected that the file has not; what is meant, or in a broken row, is not called missing."""
    if not sheet.complete:
        return np.zeros(0, dtype=np.intp)
    seen = np.zeros(len(expected.case), dtype=np.bool_)
    seen[found.places[found.places >= 0]] = True
    seen[list(found.meant | _in_broken_rows(expected, sheet))] = True
    absent = np.flatnonzero(~seen)
    if not absent.size:
        return absent
    missing = [key for key, told in zip(expected.keys, seen.tolist(), strict=True) if not told]
    here = {"column": ", ".join(expected.names)}
    if spec.missing == "refuse":
        for key in missing:
            tell("E-ID-MISSING", value=written(key), **here)
    else:
        tell(
            "W-ID-MISSING",
            value=", ".join(map(written, missing[:_NAMED])),
            count=len(missing),
            rule=spec.missing,
            **here,
        )
    return absent


def _in_broken_rows(expected: _Expected, sheet: Sheet) -> frozenset[int]:
    places = [sheet.places.get(name) for name in expected.names]
    if any(place is None for place in places):
        return frozenset()
    at = [place for place in places if place is not None]
    keys = (tuple(normal([row[i] for i in at])) for row in sheet.broken if len(row) > max(at))
    return frozenset(expected.known[key] for key in keys if key in expected.known)


def _order(spec: TableSpec, columns: Mapping[str, Column], rows: int) -> Places:
    """What orders the rows of one case that nothing tells apart. A list of COCO is one: its order breaks ties there."""
    return np.arange(rows) if spec.format == "coco" else _ranks(columns, rows)


def _ranks(columns: Mapping[str, Column], rows: int) -> Places:
    """(rows,) rank of each row by its values: the same whatever the order of the rows and the format of the file."""
    keys = [key for values in columns.values() for key in _sortable(values)]
    if not keys or not rows:
        return np.zeros(rows, dtype=np.intp)
    order = np.lexsort(keys)
    new = np.zeros(rows, dtype=np.intp)
    for key in keys:
        new[1:] |= key[order][1:] != key[order][:-1]
    ranks = np.empty(rows, dtype=np.intp)
    ranks[order] = np.cumsum(new)
    return ranks


def _sortable(values: Column) -> tuple[Column, ...]:
    """0.0 and -0.0 are equal and not the same."""
    return (values, np.signbit(values)) if values.dtype.kind == "f" else (values,)
