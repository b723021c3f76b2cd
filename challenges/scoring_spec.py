"""From a challenge to what scoring needs of it, for one phase; and the digest that pins it."""

from __future__ import annotations

import hashlib
from typing import Any

import rfc8785

from challenges.metric_rules import outputs_of
from challenges.spec import ChallengeSpec, MetricSpec, PhaseSpec, phase_of
from challenges.tables import scoring_cases, scoring_tables
from scoring import registry
from scoring import spec as scoring


def scoring_spec(spec: ChallengeSpec, phase: str) -> scoring.ScoringSpec:
    """Entry format, cases, splits, metrics with their versions, and ranking of one phase.

    `spec` has passed `challenges.folder`. Errors: KeyError if the phase is unknown.
    """
    window = phase_of(spec, slug=phase)
    metrics = {metric.id: metric for metric in spec.metrics}
    return scoring.ScoringSpec(
        tables=scoring_tables(spec),
        cases=scoring_cases(spec),
        metrics=tuple(_metric(metrics[key]) for key in window.metrics),
        splits=tuple(scoring.SplitSpec(**split.model_dump()) for split in window.splits),
        resample=scoring.ResampleSpec(),
        ranking=_ranking(window, metrics[window.ranking.metric], spec),
    )


def _metric(metric: MetricSpec) -> scoring.MetricUse:
    card = registry.get(metric.use).card
    return scoring.MetricUse(
        id=metric.id,
        use=metric.use,
        table=metric.table or "",
        params=dict(metric.params),
        version=card.version,
        interval=card.interval,
    )


def _ranking(window: PhaseSpec, metric: MetricSpec, spec: ChallengeSpec) -> scoring.RankingSpec:
    declared = window.ranking
    main = (outputs_of(metric, spec) or (metric.use,))[0]
    return scoring.RankingSpec(
        metric=declared.metric,
        output=declared.output or main,
        direction=registry.get(metric.use).card.direction,
        select=declared.select,
        ties=declared.ties,
        alpha=declared.alpha,
        finals=declared.finals,
    )


def scoring_digest(spec: scoring.ScoringSpec) -> str:
    """sha256 (64 hex digits) of the canonical JSON (RFC 8785) of a scoring spec.

    The order of columns does not count: it changes no score. Keys that equal their default do not either.
    """
    return hashlib.sha256(rfc8785.dumps(_plain(scoring.essentials(spec)))).hexdigest()


def _plain(document: dict[str, Any]) -> dict[str, Any]:
    def sorted_columns(table: dict[str, Any]) -> list[dict[str, Any]]:
        return sorted(table["columns"], key=lambda column: str(column["name"]))

    return {**document, "tables": [{**table, "columns": sorted_columns(table)} for table in document["tables"]]}
