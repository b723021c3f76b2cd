"""The cases of a challenge: which ids and keys exist (public), and cluster, site, subgroup and split of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from scoring.spec import CasesSpec, SplitSpec, TableSpec

Key = tuple[str, ...]


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
    def keys(self) -> Mapping[Key, int]:
        """Case id alone as a key → index."""
        return {(case,): i for i, case in enumerate(self.ids)}

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
    """Read public/cases.csv. Raises `InputRefused` with all problems found."""
    raise NotImplementedError


def read_attributes(
    stream: BinaryIO, *, index: CaseIndex, cases: CasesSpec, splits: Sequence[SplitSpec], seed: int
) -> CaseAttributes:
    """Read cluster, site, subgroups and split of each case from the attributes file, or draw the split by cluster.

    Raises `InputRefused` with all problems found.
    """
    raise NotImplementedError
