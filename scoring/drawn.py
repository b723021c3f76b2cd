"""One metric after its only slow step: its values on a part of the cases, resampled ones, and what intervals need."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from scoring.casetable import CaseTable
from scoring.composite import Sum
from scoring.intervals.choice import Method
from scoring.intervals.delong import Area, area
from scoring.intervals.jackknife import groups, leaving_out
from scoring.metric import Metric, Params
from scoring.resampling import ResamplePlan
from scoring.rounding import round12
from scoring.spec import TableSpec

Floats = NDArray[np.float64]

_CHUNK = 1 << 24  # case weights drawn at once: 32 MB of uint16


@dataclass(frozen=True, eq=False)
class Used:
    """One use of a metric, its parameters completed. `table` is None for a composite. `interval`: its method."""

    id: str
    metric: Metric
    params: Params
    outputs: tuple[str, ...]
    table: TableSpec | None
    interval: Method


@dataclass(frozen=True, eq=False)
class Drawn:
    """One metric on one part: (outputs,) `values`, (B, outputs) `resampled` ones, and what its intervals need besides.

    `left_out`: (G, outputs) values without each group of clusters, `strata` (G,) theirs. `area`: of the main output.
    """

    values: Floats
    resampled: Floats
    left_out: Floats | None = None
    strata: NDArray[np.intp] | None = None
    area: Area | None = None


@dataclass(frozen=True, eq=False)
class Scored:
    """One metric and its table. `cluster` (n_cases,) codes into the plan; `skewed`: it is to be jackknifed."""

    use: Used
    table: CaseTable
    cluster: NDArray[np.intp]
    plan: ResamplePlan
    skewed: bool

    def on(self, cases: NDArray[np.intp]) -> Drawn:
        """Values on these cases, resampled ones, and what the intervals of the metric need."""
        # A challenge with one split would otherwise do everything twice.
        return self._on_all if len(cases) == self.table.n_cases else self._on(cases)

    @cached_property
    def _on_all(self) -> Drawn:
        return self._on(np.arange(self.table.n_cases))

    @cached_property
    def _order(self) -> NDArray[np.intp]:
        return self.table.order()

    def _on(self, cases: NDArray[np.intp]) -> Drawn:
        chosen = np.zeros(self.table.n_cases, dtype=np.bool_)
        chosen[cases] = True
        # In the order of the rows, weights reach a metric as it needs them and are not sorted for every chunk.
        ordered = self._order[chosen[self._order]]
        table = self.table.select(ordered)
        values = self._aggregate(table, np.ones((1, len(ordered))))[0]
        left_out, strata = self._left_out(table, ordered) if self.skewed else (None, None)
        return Drawn(values, self._resampled(table, ordered), left_out, strata, self._area(table, ordered))

    def _area(self, table: CaseTable, cases: NDArray[np.intp]) -> Area | None:
        if self.use.interval != "delong":
            return None
        return area(table.rows["positives"], table.rows["negatives"], self.cluster[cases])

    def _left_out(self, table: CaseTable, cases: NDArray[np.intp]) -> tuple[Floats, NDArray[np.intp]]:
        group, strata = groups(self.cluster[cases], self.plan.strata)
        out = np.empty((len(strata), len(self.use.outputs)))
        for part, weights in leaving_out(group, len(strata)):
            out[part] = self._aggregate(table, weights)
        return out, strata

    def _aggregate(self, table: CaseTable, weights: NDArray[np.generic]) -> Floats:
        out = self.use.metric.aggregate(table, weights)
        if out.shape != (len(weights), len(self.use.outputs)):
            told = f"{out.shape} values for {len(self.use.outputs)} outputs"
            raise ValueError(f"metric {self.use.metric.card.key} gave {told}")
        return round12(out)

    def _resampled(self, table: CaseTable, cases: NDArray[np.intp]) -> Floats:
        out = np.empty((self.plan.by_cluster.shape[1], len(self.use.outputs)))
        columns = self.cluster[cases]
        step = max(1, _CHUNK // len(columns))
        for start in range(0, len(out), step):
            weights = np.take(self.plan.by_cluster[:, start : start + step], columns, axis=0).T
            out[start : start + step] = self._aggregate(table, weights)
        return out


def summed(each: Sum, drawn: Mapping[str, Drawn]) -> Drawn:
    """A composite, from what was drawn for its terms, by metric id."""
    left_out = {id: held.left_out for id, held in drawn.items() if held.left_out is not None}
    return Drawn(
        each.of({id: held.values for id, held in drawn.items()}),
        each.of({id: held.resampled for id, held in drawn.items()}),
        each.of(left_out) if len(left_out) == len(drawn) else None,
        next(iter(drawn.values())).strata,
    )
