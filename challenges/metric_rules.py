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
    if plugin is None or (table is None and plugin.card.rows != "none"):
        return None
    try:
        return plugin.outputs(resolve_params(plugin.card, metric.params, table))
    except ParamsRefused:
        return None


def terms_of(metric: MetricSpec) -> tuple[str, ...]:
    """Ids of the metrics that this one is made of; () where it is no composite, or cannot be used as it is declared."""
    plugin = _plugin(metric)
    if plugin is None or plugin.card.rows != "none" or check_params(plugin.card, metric.params, None):
        return ()
    return tuple(dict.fromkeys(str(term["metric"]) for term in metric.params["terms"]))


def _metric(key: Key, metric: MetricSpec, spec: ChallengeSpec) -> Iterator[Finding]:
    plugin = _plugin(metric)
    if plugin is None and metric.use is not None:
        known = words(card.key for card in registry.cards())
        yield Finding("R-UNKNOWN-METRIC", (*key, "use"), expected=known, found=shown(metric.use))
    if plugin is not None and plugin.card.rows == "none":
        yield from _composite(key, metric, plugin, spec)
    else:
        yield from _of_table(key, metric, plugin, spec)


def _of_table(key: Key, metric: MetricSpec, plugin: Metric | None, spec: ChallengeSpec) -> Iterator[Finding]:
    known = words((spec.entry and spec.entry.tables) or {})
    if metric.table is None and plugin is not None:
        yield Finding("R-NO-TABLE", (*key, "table"), expected=known)
    if metric.table is not None and spec.entry is not None and metric.table not in (spec.entry.tables or {}):
        yield Finding("R-UNKNOWN-TABLE", (*key, "table"), expected=known, found=shown(metric.table))
    table = _table(metric, spec)
    if plugin is None or table is None:
        return
    for why in check_params(plugin.card, metric.params, table):
        yield Finding("R-PARAMS", (*key, "params"), fields={"why": why})


def _composite(key: Key, metric: MetricSpec, plugin: Metric, spec: ChallengeSpec) -> Iterator[Finding]:
    if metric.table is not None:
        yield Finding("R-TABLE-UNUSED", (*key, "table"))
    problems = check_params(plugin.card, metric.params, None)
    for why in problems:
        yield Finding("R-PARAMS", (*key, "params"), fields={"why": why})
    if problems:
        return
    terms = metric.params["terms"]
    places: list[Key] = [(*key, "params", "terms", i) for i in range(len(terms))]
    yield from repeats(
        (place, ".".join(filter(None, (term["metric"], term.get("output")))))
        for place, term in zip(places, terms, strict=True)
    )
    for place, term in zip(places, terms, strict=True):
        yield from _term(place, term["metric"], term.get("output"), spec)


def _term(key: Key, name: str, output: str | None, spec: ChallengeSpec) -> Iterator[Finding]:
    """A metric whose own id could not be read may be the one that is meant here."""
    metrics = {metric.id: metric for metric in spec.metrics or ()}
    if name not in metrics:
        if None not in metrics:
            yield Finding("R-METRIC-ID", (*key, "metric"), expected=words(metrics), found=shown(name))
        return
    plugin, outputs = _plugin(metrics[name]), outputs_of(metrics[name], spec)
    if plugin is not None and plugin.card.rows == "none":
        others = words(id for id, metric in metrics.items() if metric.use != metrics[name].use)
        yield Finding("R-TERM-COMPOSITE", (*key, "metric"), expected=others, found=shown(name))
    elif output is not None and outputs is not None and output not in outputs:
        yield Finding("R-OUTPUT", (*key, "output"), expected=words(outputs), found=shown(output))


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
