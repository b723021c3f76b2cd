"""The cases of a challenge: which ids and keys exist (public), and cluster, site, subgroup and split of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from scoring.issues import InputRefused, IssueLog, Tell
from scoring.readers.csv import Sheet, read_sheet
from scoring.readers.header import Wanted
from scoring.readers.ids import normal, written
from scoring.readers.limits import ORGANISER
from scoring.readers.nearby import Key
from scoring.spec import CasesSpec, SplitSpec, TableSpec
from scoring.splits import check_splits, split_by_share, split_by_value

_TABLE = "cases"


@dataclass(frozen=True, eq=False)
class CaseIndex:
    """All that the validation of an entry may know; from the spec and public/cases.csv, never from the reference.

    `ids`: the cases, NFC, unique, in order of first appearance. `tables`: expected files. `rows`: table → key of each
    expected row (values of the table's `key` columns) → index of its case; only tables whose key columns all stand in
    cases.csv, in the order of that file.
    """

    ids: tuple[str, ...]
    tables: tuple[TableSpec, ...]
    rows: Mapping[str, Mapping[Key, int]] = field(default_factory=dict)

    @cached_property
    def position(self) -> Mapping[str, int]:
        """Case id → index."""
        return {case: i for i, case in enumerate(self.ids)}

    def table(self, name: str) -> TableSpec:
        """The table of that name; KeyError naming those there are."""
        for table in self.tables:
            if table.name == name:
                return table
        raise KeyError(f"no table {name!r}; there are {', '.join(t.name for t in self.tables)}")


class Groups(NamedTuple):
    """A label for each case. `codes`: (n,) intp into `labels`, -1 = none."""

    labels: tuple[str, ...]
    codes: NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class CaseAttributes:
    """What the platform knows of each case besides its answer. n = number of cases.

    `cluster`: (n,) intp into `cluster_ids`, which are sorted; without a cluster column each case is its own cluster and
    `cluster_ids` are the case ids. `site`: labels sorted, or None. `subgroups`: by column name, labels sorted. `split`:
    labels are the names of the splits as declared; each case, and each whole cluster, is in exactly one. Without
    declared splits, `split.labels` is () and all codes are 0.
    """

    cluster: NDArray[np.intp]
    cluster_ids: tuple[str, ...]
    site: Groups | None
    subgroups: Mapping[str, Groups]
    split: Groups


def read_case_index(stream: BinaryIO, *, tables: Sequence[TableSpec], cases: CasesSpec) -> CaseIndex:
    """Read public/cases.csv, from a seekable stream: at least the id column, and the keys that are known beforehand.

    A case may have several rows. Raises `InputRefused` with all problems: no ids, empty or repeated keys, ids with
    invisible characters or spaces around them, which no participant could write.
    """
    log = IssueLog()
    others = {name for table in tables for name in table.row_key if name != table.case}
    names = tuple(dict.fromkeys((cases.id, *sorted(others))))
    sheet = _read_texts(stream, names, (cases.id,), log)
    tell = partial(log.add, table=_TABLE)
    cells = {name: normal(values) for name, values in sheet.columns.items()}
    ids = cells.get(cases.id, [])
    for name, values in cells.items():
        _check_written(name, values, ids if name != cases.id else None, sheet.lines, tell)
    position = {case: i for i, case in enumerate(dict.fromkeys(ids))}
    rows = {}
    for table in tables:
        columns = [cells.get(cases.id if name == table.case else name) for name in table.key]
        if all(column is not None for column in columns):
            keys = list(zip(*(column for column in columns if column is not None), strict=True))
            rows[table.name] = dict(zip(keys, (position[case] for case in ids), strict=True))
            if table.row_key and len(rows[table.name]) < len(keys):
                _tell_repeated(table, keys, sheet.lines, tell)
    if log.refused:
        raise InputRefused(log)
    return CaseIndex(tuple(position), tuple(tables), rows)


def read_attributes(
    stream: BinaryIO, *, index: CaseIndex, cases: CasesSpec, splits: Sequence[SplitSpec], seed: int
) -> CaseAttributes:
    """Read cluster, site, subgroups and split of each case from the attributes file, or draw the split by cluster.

    Several rows of a case must agree; rows of other cases are left out. An empty site or subgroup is none. Raises
    `InputRefused` with all problems, ValueError where `splits` mixes values and shares.
    """
    by_value = any(split.value is not None for split in splits)
    if by_value and (cases.split is None or any(split.value is None for split in splits)):
        raise ValueError("splits by value need cases.split, and a value for each split")
    log = IssueLog()
    tell = partial(log.add, table=_TABLE)
    named = (cases.cluster, cases.site, *cases.subgroups, cases.split if by_value else None)
    columns = _one_per_case(stream, index, cases.id, [name for name in named if name is not None], log)
    if log.refused:
        raise InputRefused(log)
    clusters = _groups(index.ids if cases.cluster is None else columns[cases.cluster])
    if not splits:
        split = np.zeros(len(index.ids), dtype=np.intp)
    elif by_value and cases.split is not None:
        split = split_by_value(columns[cases.split], splits, ids=index.ids, tell=partial(tell, column=cases.split))
    else:
        split = split_by_share(clusters.codes, len(clusters.labels), splits, seed=seed)
    if cases.cluster is not None and (clusters.codes < 0).any():
        for i in np.flatnonzero(clusters.codes < 0).tolist():
            tell("E-CLUSTER-EMPTY", column=cases.cluster, value=index.ids[i])
    else:
        check_splits(split, clusters.codes, splits=splits, cluster_ids=clusters.labels, tell=tell)
    if log.refused:
        raise InputRefused(log)
    return CaseAttributes(
        cluster=clusters.codes,
        cluster_ids=clusters.labels,
        site=None if cases.site is None else _groups(columns[cases.site]),
        subgroups={name: _groups(columns[name]) for name in cases.subgroups},
        split=Groups(tuple(split_spec.name for split_spec in splits), split),
    )


def _read_texts(stream: BinaryIO, names: Sequence[str], required: Sequence[str], log: IssueLog) -> Sheet:
    wanted = Wanted(names=names, required=required)
    return read_sheet(stream, wanted=wanted, most_rows=ORGANISER.rows_least, limits=ORGANISER, log=log, table=_TABLE)


def _check_written(name: str, cells: Sequence[str], of: Sequence[str] | None, lines: Sequence[int], tell: Tell) -> None:
    """Ids that somebody can write again: not empty, nothing invisible inside, no spaces around.

    `of`: for a key, the case that each row is about.
    """
    for row, (cell, line) in enumerate(zip(cells, lines, strict=True)):
        if not cell.strip() and of:
            tell("E-KEY-EMPTY", line=line, column=name, value=cell, case=of[row])
        elif not cell.strip():
            tell("E-CELL-EMPTY", line=line, column=name, value=cell)
        elif not cell.isprintable() or cell != cell.strip():
            tell("E-ID-HIDDEN", line=line, column=name, value=cell)


def _tell_repeated(table: TableSpec, keys: Sequence[Key], lines: Sequence[int], tell: Tell) -> None:
    first: dict[Key, int] = {}
    for key, line in zip(keys, lines, strict=True):
        if first.setdefault(key, line) != line:
            tell("E-ID-DUP", line=line, column=", ".join(table.key), value=written(key), first=first[key])


def _one_per_case(
    stream: BinaryIO, index: CaseIndex, id_column: str, names: Sequence[str], log: IssueLog
) -> dict[str, list[str]]:
    """Name → (n,) cells in the order of the index. Reports cases without a row, and rows of one case that differ."""
    if not names:
        return {}
    sheet = _read_texts(stream, tuple(dict.fromkeys((id_column, *names))), (id_column, *names), log)
    if log.refused:
        return {}
    tell = partial(log.add, table=_TABLE)
    places = [index.position.get(case, -1) for case in normal(sheet.columns[id_column])]
    first: dict[int, int] = {}
    for row, place in enumerate(places):
        first.setdefault(place, row)
    for case, place in index.position.items():
        if place not in first:
            tell("E-ID-MISSING", column=id_column, value=case)
    if log.refused:
        return {}
    columns = {name: normal(sheet.columns[name]) for name in names}
    for name, cells in columns.items():
        for row, place in enumerate(places):
            if place >= 0 and cells[row] != cells[first[place]]:
                others = {"case": index.ids[place], "first": cells[first[place]]}
                tell("E-CASE-CONFLICT", line=sheet.lines[row], column=name, value=cells[row], **others)
    return {name: [cells[first[i]] for i in range(len(index.ids))] for name, cells in columns.items()}


def _groups(cells: Sequence[str]) -> Groups:
    labels = sorted({cell for cell in cells if cell})
    place = {label: i for i, label in enumerate(labels)}
    return Groups(tuple(labels), np.array([place.get(cell, -1) for cell in cells], dtype=np.intp))
