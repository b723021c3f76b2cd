"""The parts of the cases that get values of their own: all, splits, subgroups, sites."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scoring.cases import CaseAttributes, Groups

ALL = "all"


@dataclass(frozen=True, eq=False)
class Slice:
    """`name` as in a value; `cases`: ascending positions; `n_clusters`: of them; `kept`: replicates are stored."""

    name: str
    cases: NDArray[np.intp]
    n_clusters: int
    kept: bool


def slices(attributes: CaseAttributes) -> Iterator[Slice]:
    """``all``, ``split:<name>`` of each declared split, ``subgroup:<name>=<value>``, ``site:<id>``.

    A case without a label (-1) belongs to no slice of that kind. A declared split without cases is a slice too.
    """
    cluster = attributes.cluster
    yield _slice(ALL, np.arange(len(cluster)), cluster, kept=True)
    if attributes.split.labels:
        yield from _by_label("split:", attributes.split, cluster, kept=True)
    for name, groups in attributes.subgroups.items():
        yield from _by_label(f"subgroup:{name}=", groups, cluster, kept=False)
    if attributes.site is not None:
        yield from _by_label("site:", attributes.site, cluster, kept=False)


def _by_label(prefix: str, groups: Groups, cluster: NDArray[np.intp], *, kept: bool) -> Iterator[Slice]:
    for code, label in enumerate(groups.labels):
        yield _slice(f"{prefix}{label}", np.flatnonzero(groups.codes == code), cluster, kept=kept)


def _slice(name: str, cases: NDArray[np.intp], cluster: NDArray[np.intp], *, kept: bool) -> Slice:
    return Slice(name, cases, len(np.unique(cluster[cases])), kept)
