"""The rules of a phase as its scoring specification holds them, ready to be printed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from app.db import phases
from app.db.phases import Phase, Split
from app.pages import words
from scoring import registry
from scoring.messages import NOTES
from scoring.metric import MetricCard
from scoring.notes import notes
from scoring.spec import MetricUse, ScoringSpec, TableSpec, from_json


@dataclass(frozen=True)
class MetricRow:
    """One metric of a phase. `main`: the output that ranks, or None when another metric ranks.

    `missing`: what a missing case counts as, where the table takes entries with missing cases; else empty.
    `interval`: how its interval is made. `terms`: (weight, id of a metric and its output) of a composite, `offset` what
    is added to them.
    """

    id: str
    title: str
    direction: str
    range: tuple[float, float]
    main: str | None
    missing: str
    interval: str
    terms: list[tuple[float, str]]
    offset: float


@dataclass(frozen=True)
class Rules:
    """What the evaluation page prints of a phase."""

    tables: tuple[TableSpec, ...]
    metrics: list[MetricRow]
    splits: list[Split]
    selection: str
    ties: tuple[str, dict[str, Any]]
    level: float
    replicates: int
    least: int
    notes: list[str]


def rules_of(session: Session, *, phase: Phase, language: str) -> Rules:
    """The rules of a phase."""
    spec = from_json(phase.scoring_spec)
    return Rules(
        tables=spec.tables,
        metrics=_metrics(spec),
        splits=phases.splits_of(session, phase.id),
        selection=words.SELECTIONS[spec.ranking.select],
        ties=words.ties(spec.ranking.ties, spec.ranking.alpha, language),
        level=spec.resample.level,
        replicates=spec.resample.replicates,
        least=spec.resample.min_clusters_interval,
        notes=[NOTES[code] for code in notes(spec)],
    )


def card_of(use: str) -> MetricCard | None:
    """The card of a metric; None where this instance no longer has it."""
    try:
        return registry.get(use).card
    except KeyError:
        return None


def _metrics(spec: ScoringSpec) -> list[MetricRow]:
    refusing = {table.name: table.missing == "refuse" for table in spec.tables}
    found = []
    for use in spec.metrics:
        card = card_of(use.use)
        if card is not None:
            main = spec.ranking.output if use.id == spec.ranking.metric else None
            missing = "" if refusing.get(use.table, True) else card.missing
            direction, offset = words.DIRECTIONS[card.direction], float(use.params.get("offset", 0.0))
            made, terms = words.INTERVALS[use.interval or card.interval], _terms(use, spec)
            found.append(MetricRow(use.id, card.title, direction, card.range, main, missing, made, terms, offset))
    return found


def _terms(use: MetricUse, spec: ScoringSpec) -> list[tuple[float, str]]:
    """What a composite sums up; [] for every other metric. A main output goes by the id of its metric alone."""
    terms = use.params.get("terms", ()) if use.use == "composite" else ()
    cards = {metric.id: card_of(metric.use) for metric in spec.metrics}
    found = []
    for term in terms:
        card, output = cards.get(term["metric"]), term.get("output")
        main = output is None or (card is not None and output == card.outputs[0])
        found.append((float(term["weight"]), term["metric"] if main else f"{term['metric']}.{output}"))
    return found
