"""One scoring of one entry: every output of every metric on every slice, with intervals and stored resamples."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from scoring.cases import CaseAttributes, CaseIndex
from scoring.casetable import CaseTable, pack, pack_arrays
from scoring.intervals import Interval, interval
from scoring.issues import Issue
from scoring.metric import Metric, Params, ParamsRefused
from scoring.notes import notes
from scoring.params import resolve_params
from scoring.registry import get
from scoring.resampling import ResamplePlan, make_plan
from scoring.rounding import round12
from scoring.slices import Slice, slices
from scoring.spec import MetricUse, ResampleSpec, ScoringSpec, TableSpec
from scoring.tables import Entry, Table
from scoring.values import Value

Floats = NDArray[np.float64]
Lookup = Callable[[str], Metric]

_CHUNK = 1 << 20  # case weights drawn at once: 2 MB of uint16


@dataclass(frozen=True, eq=False)
class EvaluationResult:
    """What scoring hands back.

    `values`: by metric, slice and output, in the order of the spec. `replicates`: "<metric id>.<output>|<slice>" ->
    (B,) float64, nan where undefined, for ``all`` and each ``split:*`` that has cases. `plan_digest`: of the resample
    plan. `case_tables`: by metric id. `notes`: codes that must stand beside the values. All but `values` and `notes`
    are as secret as the reference.
    """

    values: tuple[Value, ...]
    replicates: Mapping[str, Floats]
    plan_digest: str
    case_tables: Mapping[str, CaseTable]
    notes: tuple[str, ...]

    def pack_replicates(self) -> bytes:
        """npz of the replicates, by their names, without pickled objects."""
        return pack_arrays(self.replicates)

    def pack_case_tables(self) -> bytes:
        """npz of the case tables (`scoring.casetable.unpack`)."""
        return pack(self.case_tables)


def plan_of(*, spec: ScoringSpec, attributes: CaseAttributes, seed: int) -> ResamplePlan:
    """The resample plan of a phase: the same for every entry and metric, clusters drawn within their split."""
    strata = np.zeros(len(attributes.cluster_ids), dtype=np.intp)
    strata[attributes.cluster] = attributes.split.codes
    return make_plan(seed=seed, replicates=spec.resample.replicates, cluster_ids=attributes.cluster_ids, strata=strata)


def validate(*, spec: ScoringSpec, index: CaseIndex, entry: Entry, lookup: Lookup = get) -> list[Issue]:
    """What the metrics of a spec find wrong with an entry, without any reference; the same problem is told once."""
    found: dict[str, Issue] = {}
    for use in spec.metrics:
        metric, params, table = _prepared(use, index, lookup)
        for issue in metric.validate(index, _as_text(entry.tables[use.table], table), params):
            named = replace(issue, table=use.table)
            found.setdefault(repr(named), named)
    return list(found.values())


def evaluate(
    *,
    spec: ScoringSpec,
    index: CaseIndex,
    attributes: CaseAttributes,
    reference: Entry,
    entry: Entry,
    seed: int,
    lookup: Lookup = get,
) -> EvaluationResult:
    """Score an entry that was read and validated. Memory is bounded: resamples are expanded in chunks.

    Raises ParamsRefused or ReferenceRefused where the challenge, not the entry, is at fault; KeyError for an unknown
    metric. The same arguments give the same result.
    """
    plan = plan_of(spec=spec, attributes=attributes, seed=seed)
    values: list[Value] = []
    replicates: dict[str, Floats] = {}
    tables: dict[str, CaseTable] = {}
    for use in spec.metrics:
        metric, params, table = _prepared(use, index, lookup)
        tables[use.id] = metric.tabulate(
            _as_text(reference.tables[use.table], table), _as_text(entry.tables[use.table], table), params
        )
        scored = _Scored(
            use.id, metric, metric.outputs(params), tables[use.id], attributes.cluster, plan, spec.resample
        )
        for part in slices(attributes):
            values += _slice_values(scored, part, replicates)
    return EvaluationResult(tuple(values), replicates, plan.digest, tables, notes(spec))


@dataclass(frozen=True, eq=False)
class _Scored:
    """One metric after its only slow step."""

    id: str
    metric: Metric
    outputs: tuple[str, ...]
    table: CaseTable
    cluster: NDArray[np.intp]
    plan: ResamplePlan
    resample: ResampleSpec

    def on(self, cases: NDArray[np.intp]) -> tuple[Floats, Floats]:
        """(outputs,) values on these cases, and (B, outputs) resampled ones."""
        # A challenge with one split would otherwise do everything twice.
        return self._on_all if len(cases) == self.table.n_cases else self._on(cases)

    @cached_property
    def _on_all(self) -> tuple[Floats, Floats]:
        return self._on(np.arange(self.table.n_cases))

    @cached_property
    def _order(self) -> NDArray[np.intp]:
        return self.table.order()

    def _on(self, cases: NDArray[np.intp]) -> tuple[Floats, Floats]:
        chosen = np.zeros(self.table.n_cases, dtype=np.bool_)
        chosen[cases] = True
        # In the order of the rows, weights reach a metric as it needs them and are not sorted for every chunk.
        ordered = self._order[chosen[self._order]]
        table = self.table.select(ordered)
        return self._aggregate(table, np.ones((1, len(ordered))))[0], self._resampled(table, ordered)

    def _aggregate(self, table: CaseTable, weights: NDArray[np.generic]) -> Floats:
        out = self.metric.aggregate(table, weights)
        if out.shape != (len(weights), len(self.outputs)):
            raise ValueError(f"metric {self.metric.card.key} gave {out.shape} values for {len(self.outputs)} outputs")
        return round12(out)

    def _resampled(self, table: CaseTable, cases: NDArray[np.intp]) -> Floats:
        out = np.empty((len(self.plan.counts), len(self.outputs)))
        columns = self.cluster[cases]
        step = max(1, _CHUNK // len(columns))
        for start in range(0, len(out), step):
            weights = np.take(self.plan.counts[start : start + step], columns, axis=1)
            out[start : start + step] = self._aggregate(table, weights)
        return out


def _slice_values(scored: _Scored, part: Slice, replicates: dict[str, Floats]) -> Iterator[Value]:
    least = scored.resample.min_clusters_subgroup
    if not part.cases.size:
        yield from _without(scored, part, "no-cases")
    elif not part.kept and part.n_clusters < least:
        yield from _without(scored, part, f"cell<{least}")
    else:
        point, drawn = scored.on(part.cases)
        for i, output in enumerate(scored.outputs):
            yield _value(scored, part, output, float(point[i]), drawn[:, i])
            if part.kept:
                replicates[f"{scored.id}.{output}|{part.name}"] = np.ascontiguousarray(drawn[:, i])


def _without(scored: _Scored, part: Slice, reason: str) -> Iterator[Value]:
    for output in scored.outputs:
        yield Value(scored.id, output, part.name, None, reason, n_cases=len(part.cases), n_clusters=part.n_clusters)


def _value(scored: _Scored, part: Slice, output: str, point: float, drawn: Floats) -> Value:
    n_cases = len(part.cases)
    if not np.isfinite(point):
        reason = scored.metric.card.reason(output)
        return Value(scored.id, output, part.name, None, reason, n_cases=n_cases, n_clusters=part.n_clusters)
    found = interval(
        drawn,
        method=scored.metric.card.interval,
        level=scored.resample.level,
        n_clusters=part.n_clusters,
        min_clusters=scored.resample.min_clusters_interval,
    )
    return _with_interval(
        Value(scored.id, output, part.name, point, None, n_cases=n_cases, n_clusters=part.n_clusters),
        found,
        scored.resample.level,
    )


def _with_interval(value: Value, found: Interval, level: float) -> Value:
    shown = level if found.low is not None else None
    return replace(value, low=found.low, high=found.high, interval=found.method, level=shown)


def _prepared(use: MetricUse, index: CaseIndex, lookup: Lookup) -> tuple[Metric, Params, TableSpec]:
    """The metric of one use, its full parameters, its table; refused where the challenge pins another version of it."""
    metric, table = lookup(use.use), index.table(use.table)
    if metric.card.version != use.version:
        told = f"metric {use.use} has version {metric.card.version} here, but the challenge was made for {use.version}"
        raise ParamsRefused(told)
    return metric, resolve_params(metric.card, use.params, table), table


def _as_text(table: Table, spec: TableSpec) -> Table:
    """The table with label columns as text, "" where a case has none, so that metrics compare what people wrote."""
    columns = dict(table.columns)
    for column in spec.columns:
        if column.type == "label" and column.name in columns and columns[column.name].dtype.kind == "i":
            columns[column.name] = np.array([*column.labels, ""], dtype=str)[columns[column.name]]
    return replace(table, columns=columns)
