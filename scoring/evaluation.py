"""One scoring of one entry: every output of every metric on every slice, with intervals and stored resamples."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from scoring.cases import CaseAttributes, CaseIndex
from scoring.casetable import CaseTable, pack, pack_arrays
from scoring.composite import Sum, sum_of
from scoring.intervals import interval
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
Drawn = tuple[Floats, Floats]  # (outputs,) values, (B, outputs) resampled ones

_CHUNK = 1 << 24  # case weights drawn at once: 32 MB of uint16


@dataclass(frozen=True, eq=False)
class EvaluationResult:
    """What scoring hands back.

    `values`: by metric, slice and output, in the order of the spec. `replicates`: "<metric id>.<output>|<slice>" ->
    (B,) float64, nan where undefined, for ``all`` and each ``split:*`` that has cases. `plan_digest`: of the resample
    plan. `case_tables`: by metric id, without composites, which have none. `notes`: codes that must stand beside the
    values. All but `values` and `notes` are as secret as the reference.
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
    for use in _used(spec, index, lookup):
        if use.table is None:
            continue
        for issue in use.metric.validate(index, _as_text(entry.tables[use.table.name], use.table), use.params):
            named = replace(issue, table=use.table.name)
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
    plan: ResamplePlan | None = None,
    lookup: Lookup = get,
) -> EvaluationResult:
    """Score an entry that was read and validated. Memory is bounded: resamples are expanded in chunks.

    `plan`: what `plan_of` gave for this spec, these attributes and this seed, where it is at hand already.

    Raises ParamsRefused or ReferenceRefused where the challenge, not the entry, is at fault; KeyError for an unknown
    metric. The same arguments give the same result.
    """
    plan = plan or plan_of(spec=spec, attributes=attributes, seed=seed)
    used = _used(spec, index, lookup)
    sums = _sums(used)
    tables = {use.id: _tabulated(use, reference, entry) for use in used if use.table is not None}
    scored = [_Scored(use, tables[use.id], attributes.cluster, plan) for use in used if use.id in tables]
    values: dict[str, list[Value]] = {use.id: [] for use in used}
    replicates: dict[str, dict[str, Floats]] = {use.id: {} for use in used}
    for part in slices(attributes):
        reason = _withheld(part, spec.resample)
        drawn = _drawn(part, scored, sums) if reason is None else {}
        for use in used:
            values[use.id] += _values(use, part, drawn.get(use.id) or reason, spec.resample)
            if part.kept and use.id in drawn:
                replicates[use.id] |= _named(use, part, drawn[use.id][1])
    return EvaluationResult(
        tuple(value for each in values.values() for value in each),
        {name: held for each in replicates.values() for name, held in each.items()},
        plan.digest,
        tables,
        notes(spec),
    )


@dataclass(frozen=True, eq=False)
class _Used:
    """One use of a metric, its parameters completed. `table` is None for a composite. `interval`: its method."""

    id: str
    metric: Metric
    params: Params
    outputs: tuple[str, ...]
    table: TableSpec | None
    interval: str


def _used(spec: ScoringSpec, index: CaseIndex, lookup: Lookup) -> list[_Used]:
    """Every use. Where resampling misleads for one term of a composite, it misleads for the composite."""
    used = [_prepared(use, index, lookup) for use in spec.metrics]
    without = {use.id for use in used if use.interval == "none"}
    return [replace(use, interval="none") if without & _terms(use) else use for use in used]


def _terms(use: _Used) -> set[str]:
    return {term["metric"] for term in use.params["terms"] if term["weight"]} if use.table is None else set()


def _prepared(use: MetricUse, index: CaseIndex, lookup: Lookup) -> _Used:
    """Refused where the challenge pins another version of the metric, or uses it with what it cannot take."""
    metric, table = lookup(use.use), index.table(use.table) if use.table else None
    if metric.card.version != use.version:
        told = f"metric {use.use} has version {metric.card.version} here, but the challenge was made for {use.version}"
        raise ParamsRefused(told)
    params = resolve_params(metric.card, use.params, table)
    return _Used(use.id, metric, params, metric.outputs(params), table, metric.card.interval)


def _sums(used: Sequence[_Used]) -> dict[str, Sum]:
    """What each composite sums up."""
    offered = {use.id: use.outputs for use in used if use.table is not None}
    return {use.id: sum_of(use.id, use.params, offered) for use in used if use.table is None}


def _tabulated(use: _Used, reference: Entry, entry: Entry) -> CaseTable:
    assert use.table is not None
    name = use.table.name
    return use.metric.tabulate(
        _as_text(reference.tables[name], use.table), _as_text(entry.tables[name], use.table), use.params
    )


def _drawn(part: Slice, scored: Sequence["_Scored"], sums: Mapping[str, Sum]) -> dict[str, Drawn]:
    """Metric id -> values of the part. Composites are summed up from the very arrays of their terms."""
    drawn = {each.use.id: each.on(part.cases) for each in scored}
    points, resampled = ({id: pair[i] for id, pair in drawn.items()} for i in (0, 1))
    return drawn | {id: (each.of(points), each.of(resampled)) for id, each in sums.items()}


@dataclass(frozen=True, eq=False)
class _Scored:
    """One metric after its only slow step."""

    use: _Used
    table: CaseTable
    cluster: NDArray[np.intp]
    plan: ResamplePlan

    def on(self, cases: NDArray[np.intp]) -> Drawn:
        """(outputs,) values on these cases, and (B, outputs) resampled ones."""
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
        return self._aggregate(table, np.ones((1, len(ordered))))[0], self._resampled(table, ordered)

    def _aggregate(self, table: CaseTable, weights: NDArray[np.generic]) -> Floats:
        out = self.use.metric.aggregate(table, weights)
        if out.shape != (len(weights), len(self.use.outputs)):
            told = f"{out.shape} values for {len(self.use.outputs)} outputs"
            raise ValueError(f"metric {self.use.metric.card.key} gave {told}")
        return round12(out)

    def _resampled(self, table: CaseTable, cases: NDArray[np.intp]) -> Floats:
        out = np.empty((len(self.plan.counts), len(self.use.outputs)))
        columns = self.cluster[cases]
        step = max(1, _CHUNK // len(columns))
        for start in range(0, len(out), step):
            weights = np.take(self.plan.by_cluster[:, start : start + step], columns, axis=0).T
            out[start : start + step] = self._aggregate(table, weights)
        return out


def _withheld(part: Slice, resample: ResampleSpec) -> str | None:
    """Why this part has no values at all; None where it has."""
    if not part.cases.size:
        return "no-cases"
    least = resample.min_clusters_subgroup
    return f"cell<{least}" if not part.kept and part.n_clusters < least else None


def _values(use: _Used, part: Slice, found: Drawn | str | None, resample: ResampleSpec) -> Iterator[Value]:
    """The values of one metric on one part; `found` is a text where there are none, which says why."""
    for i, output in enumerate(use.outputs):
        empty = Value(use.id, output, part.name, None, n_cases=len(part.cases), n_clusters=part.n_clusters)
        if not isinstance(found, tuple):
            yield replace(empty, undefined=found)
        elif not np.isfinite(found[0][i]):
            yield replace(empty, undefined=use.metric.card.reason(output))
        else:
            yield _with_interval(replace(empty, value=float(found[0][i])), found[1][:, i], use.interval, resample)


def _named(use: _Used, part: Slice, drawn: Floats) -> dict[str, Floats]:
    names = [f"{use.id}.{output}|{part.name}" for output in use.outputs]
    return {name: np.ascontiguousarray(drawn[:, i]) for i, name in enumerate(names)}


def _with_interval(value: Value, drawn: Floats, method: str, resample: ResampleSpec) -> Value:
    least, clusters = resample.min_clusters_interval, value.n_clusters
    found = interval(drawn, method=method, level=resample.level, n_clusters=clusters, min_clusters=least)
    shown = resample.level if found.low is not None else None
    return replace(value, low=found.low, high=found.high, interval=found.method, level=shown)


def _as_text(table: Table, spec: TableSpec) -> Table:
    """The table with label columns as text, "" where a case has none, so that metrics compare what people wrote."""
    columns = dict(table.columns)
    for column in spec.columns:
        if column.type == "label" and column.name in columns and columns[column.name].dtype.kind == "i":
            columns[column.name] = np.array([*column.labels, ""], dtype=str)[columns[column.name]]
    return replace(table, columns=columns)
