"""From a challenge to what scoring needs of it, for one phase; and the digest that pins it."""

from __future__ import annotations

import hashlib
from typing import Any

import rfc8785

from challenges.spec import ChallengeSpec, MetricSpec, PhaseSpec, RankingSpec, TableSpec, phase_of
from scoring import registry
from scoring import spec as scoring


def scoring_spec(spec: ChallengeSpec, phase: str) -> scoring.ScoringSpec:
    """Entry format, cases, splits, metrics with their versions, and ranking of one phase.

    Errors: KeyError if the phase or a metric's key is unknown (`challenges.rules` tells these to the organiser first).
    """
    window = phase_of(spec, slug=phase)
    metrics = {metric.id: metric for metric in spec.metrics}
    return scoring.ScoringSpec(
        tables=tuple(_table(name, table) for name, table in spec.entry.tables.items()),
        cases=scoring.CasesSpec(
            id=spec.cases.id,
            cluster=spec.cases.cluster,
            site=spec.cases.site,
            subgroups=spec.cases.subgroups,
            split=spec.cases.split,
        ),
        metrics=tuple(_metric(metrics[key]) for key in window.metrics),
        splits=tuple(
            scoring.SplitSpec(name=split.name, visible=split.visible, value=split.value, share=split.share)
            for split in window.splits
        ),
        resample=scoring.ResampleSpec(),
        ranking=_ranking(window, metrics[window.ranking.metric]),
    )


def _table(name: str, table: TableSpec) -> scoring.TableSpec:
    columns = []
    for column, form in table.columns.items():
        unset = (0.0, 1.0) if form.type == "probability" else (None, None)
        low, high = form.range if form.range is not None else unset
        columns.append(scoring.ColumnSpec(name=column, type=form.type, low=low, high=high, labels=form.labels))
    return scoring.TableSpec(
        name=name,
        file=table.file,
        format=table.format,
        key=table.key or (table.case,),
        case=table.case,
        columns=tuple(columns),
        rows=table.rows,
        missing=table.missing,
        duplicates=table.duplicates,
    )


def _metric(metric: MetricSpec) -> scoring.MetricUse:
    return scoring.MetricUse(
        id=metric.id,
        use=metric.use,
        table=metric.table,
        params=dict(metric.params),
        version=registry.get(metric.use).card.version,
    )


def _ranking(window: PhaseSpec, metric: MetricSpec) -> scoring.RankingSpec:
    declared: RankingSpec = window.ranking
    plugin = registry.get(metric.use)
    return scoring.RankingSpec(
        metric=declared.metric,
        output=declared.output or plugin.outputs(metric.params)[0],
        direction=plugin.card.direction,
        select=declared.select,
        ties=declared.ties,
        alpha=declared.alpha,
        finals=declared.finals,
    )


def scoring_digest(spec: scoring.ScoringSpec) -> str:
    """sha256 (64 hex digits) of the canonical JSON (RFC 8785) of a scoring spec.

    The order of columns does not count: it changes no score. A probability's range is the same written or left out.
    """
    return hashlib.sha256(rfc8785.dumps(_plain(scoring.to_json(spec)))).hexdigest()


def _plain(document: dict[str, Any]) -> dict[str, Any]:
    tables = [{**table, "columns": sorted(table["columns"], key=lambda c: str(c["name"]))} for table in document["tables"]]
    return {**document, "tables": tables}
