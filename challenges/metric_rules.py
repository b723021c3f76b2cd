"""Rules of metrics: that they exist, read a table there is, and are used with parameters they know."""

from __future__ import annotations

from collections.abc import Iterator

from challenges.problems import shown
from challenges.rule import Finding, repeats, words
from challenges.spec import ChallengeSpec, MetricSpec
from challenges.tables import scoring_table
from challenges.toml_lines import Key
from scoring import registry
from scoring import spec as scoring
from scoring.metric import Metric, ParamsRefused
from scoring.params import check_params, resolve_params


def metric_rules(spec: ChallengeSpec) -> Iterator[Finding]:
    """Every broken rule of every metric."""
    metrics = spec.metrics or ()
    yield from repeats((("metrics", i, "id"), metric.id) for i, metric in enumerate(metrics))
    for number, metric in enumerate(metrics):
        yield from _metric(("metrics", number), metric, spec)


def outputs_of(metric: MetricSpec, spec: ChallengeSpec) -> tuple[str, ...] | None:
    """Names of a metric's values, the main one first; None where the metric cannot be used as it is declared."""
    plugin, table = _plugin(metric), _table(metric, spec)
    if plugin is None or table is None:
        return None
    try:
        return plugin.outputs(resolve_params(plugin.card, metric.params, table))
    except ParamsRefused:
        return None


def _metric(key: Key, metric: MetricSpec, spec: ChallengeSpec) -> Iterator[Finding]:
    plugin, table = _plugin(metric), _table(metric, spec)
    if plugin is None and metric.use is not None:
        known = words(card.key for card in registry.cards())
        yield Finding("R-UNKNOWN-METRIC", (*key, "use"), expected=known, found=shown(metric.use))
    if metric.table is not None and spec.entry is not None and metric.table not in (spec.entry.tables or {}):
        known = words(spec.entry.tables or {})
        yield Finding("R-UNKNOWN-TABLE", (*key, "table"), expected=known, found=shown(metric.table))
    if plugin is None or table is None:
        return
    for why in check_params(plugin.card, metric.params, table):
        yield Finding("R-PARAMS", (*key, "params"), fields={"why": why})


def _plugin(metric: MetricSpec) -> Metric | None:
    try:
        return registry.get(metric.use) if metric.use is not None else None
    except KeyError:
        return None


def _table(metric: MetricSpec, spec: ChallengeSpec) -> scoring.TableSpec | None:
    """The table as scoring sees it; None while some of it could not be read."""
    name = metric.table or ""
    table = ((spec.entry and spec.entry.tables) or {}).get(name)
    if table is None or table.case is None or table.columns is None:
        return None
    return None if any(column.type is None for column in table.columns.values()) else scoring_table(name, table)
