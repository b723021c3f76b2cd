"""One scoring of one entry: every output of every metric on every slice, with intervals and stored resamples."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from scoring.cases import CaseAttributes, CaseIndex
from scoring.casetable import CaseTable, pack, pack_arrays
from scoring.composite import Sum, sum_of
from scoring.drawn import Drawn, Scored, Used, summed
from scoring.intervals.choice import Sample, interval
from scoring.issues import Issue
from scoring.metric import Metric, ParamsRefused
from scoring.notes import notes
from scoring.params import resolve_params
from scoring.registry import get
from scoring.resampling import ResamplePlan, make_plan
from scoring.slices import Slice, slices
from scoring.spec import MetricUse, ResampleSpec, ScoringSpec, TableSpec
from scoring.tables import Entry, Table
from scoring.values import Value

Floats = NDArray[np.float64]
Lookup = Callable[[str], Metric]


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
    skewed = _skewed(used)
    scored = [
        Scored(use, tables[use.id], attributes.cluster, plan, skewed=use.id in skewed)
        for use in used
        if use.id in tables
    ]
    values: dict[str, list[Value]] = {use.id: [] for use in used}
    replicates: dict[str, dict[str, Floats]] = {use.id: {} for use in used}
    for part in slices(attributes):
        reason = _withheld(part, spec.resample)
        drawn = _drawn(part, scored, sums) if reason is None else {}
        for use in used:
            values[use.id] += _values(use, part, drawn.get(use.id) or reason, spec.resample)
            if part.kept and use.id in drawn:
                replicates[use.id] |= _named(use, part, drawn[use.id].resampled)
    return EvaluationResult(
        tuple(value for each in values.values() for value in each),
        {name: held for each in replicates.values() for name, held in each.items()},
        plan.digest,
        tables,
        notes(spec),
    )


def _used(spec: ScoringSpec, index: CaseIndex, lookup: Lookup) -> list[Used]:
    """Every use. Where a term of a composite has no interval, because resampling misleads, the composite has none."""
    used = [_prepared(use, index, lookup) for use in spec.metrics]
    without = {use.id for use in used if use.interval == "none"}
    return [replace(use, interval="none") if without & _terms(use) else use for use in used]


def _terms(use: Used) -> set[str]:
    return {term["metric"] for term in use.params["terms"] if term["weight"]} if use.table is None else set()


def _skewed(used: Iterable[Used]) -> set[str]:
    """The metrics to be jackknifed: those with BCa intervals, and all where a composite has one."""
    bca = [use for use in used if use.interval == "bca"]
    whole = any(use.table is None for use in bca)
    return {use.id for use in used if use.table is not None and (whole or use in bca)}


def _prepared(use: MetricUse, index: CaseIndex, lookup: Lookup) -> Used:
    """Refused where the challenge pins another version of the metric, or uses it with what it cannot take."""
    metric, table = lookup(use.use), index.table(use.table) if use.table else None
    if metric.card.version != use.version:
        told = f"metric {use.use} has version {metric.card.version} here, but the challenge was made for {use.version}"
        raise ParamsRefused(told)
    params = resolve_params(metric.card, use.params, table)
    return Used(use.id, metric, params, metric.outputs(params), table, use.interval or metric.card.interval)


def _sums(used: Sequence[Used]) -> dict[str, Sum]:
    """What each composite sums up."""
    offered = {use.id: use.outputs for use in used if use.table is not None}
    return {use.id: sum_of(use.id, use.params, offered) for use in used if use.table is None}


def _tabulated(use: Used, reference: Entry, entry: Entry) -> CaseTable:
    assert use.table is not None
    name = use.table.name
    return use.metric.tabulate(
        _as_text(reference.tables[name], use.table), _as_text(entry.tables[name], use.table), use.params
    )


def _drawn(part: Slice, scored: Sequence[Scored], sums: Mapping[str, Sum]) -> dict[str, Drawn]:
    """Metric id -> values of the part. Composites are summed up from the very arrays of their terms."""
    drawn = {each.use.id: each.on(part.cases) for each in scored}
    return drawn | {id: summed(each, drawn) for id, each in sums.items()}


def _withheld(part: Slice, resample: ResampleSpec) -> str | None:
    """Why this part has no values at all; None where it has."""
    if not part.cases.size:
        return "no-cases"
    least = resample.min_clusters_subgroup
    return f"cell<{least}" if not part.kept and part.n_clusters < least else None


def _values(use: Used, part: Slice, found: Drawn | str | None, resample: ResampleSpec) -> Iterator[Value]:
    """The values of one metric on one part; `found` is a text where there are none, which says why."""
    for i, output in enumerate(use.outputs):
        empty = Value(use.id, output, part.name, None, n_cases=len(part.cases), n_clusters=part.n_clusters)
        if not isinstance(found, Drawn):
            yield replace(empty, undefined=found)
        elif not np.isfinite(found.values[i]):
            yield replace(empty, undefined=use.metric.card.reason(output))
        else:
            yield _with_interval(replace(empty, value=float(found.values[i])), found, i, use, resample)


def _named(use: Used, part: Slice, drawn: Floats) -> dict[str, Floats]:
    names = [f"{use.id}.{output}|{part.name}" for output in use.outputs]
    return {name: np.ascontiguousarray(drawn[:, i]) for i, name in enumerate(names)}


def _with_interval(value: Value, found: Drawn, i: int, use: Used, resample: ResampleSpec) -> Value:
    sample = Sample(
        value=float(found.values[i]),
        replicates=found.resampled[:, i],
        n_clusters=value.n_clusters,
        bounds=use.metric.card.range,
        left_out=None if found.left_out is None else found.left_out[:, i],
        strata=found.strata,
        area=found.area,
    )
    made = interval(sample, method=use.interval, level=resample.level, min_clusters=resample.min_clusters_interval)
    level = resample.level if made.low is not None else None
    return replace(value, low=made.low, high=made.high, interval=made.method, level=level)


def _as_text(table: Table, spec: TableSpec) -> Table:
    """The table with label columns as text, "" where a case has none, so that metrics compare what people wrote."""
    columns = dict(table.columns)
    for column in spec.columns:
        if column.type == "label" and column.name in columns and columns[column.name].dtype.kind == "i":
            columns[column.name] = np.array([*column.labels, ""], dtype=str)[columns[column.name]]
    return replace(table, columns=columns)
