"""Harrell's concordance index of predicted risks with times until an event, some of them censored."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scoring.cases import CaseIndex
from scoring.casetable import CaseTable, Rows
from scoring.columns import Floats, numbers, true_numbers, truth
from scoring.issues import Issue
from scoring.metric import MetricCard, Params, ReferenceRefused, ratio
from scoring.metrics.schema import SCORE, Schema, schema
from scoring.tables import Table
from scoring.weighted import Weights, chunks

Places = NDArray[np.intp]

_EVENTS, _NEAR = 256, 2048  # at once: events, and cases between the first and the last of them in time
_TIME: Schema = {
    "type": "string",
    "x-column": "reference",
    "description": "column of the reference with the time until the event, or until a case was last seen",
}
_EVENT: Schema = {"type": "string", "x-column": "reference", "description": "column that tells whether the event came"}
_CAME: Schema = {
    "type": "string",
    "default": "1",
    "description": "what stands there for an event; all else is censored",
}
_HIGHER: Schema = {
    "enum": ["risk", "survival"],
    "type": "string",
    "default": "risk",
    "description": "what a higher score means: an earlier event (risk), or a later one (survival)",
}

CARD = MetricCard(
    key="harrell_c",
    version="1",
    title="Concordance index of survival (Harrell)",
    task_category="survival",
    direction="higher",
    range=(0.0, 1.0),
    outputs=("harrell_c",),
    sufficiency="ranked",
    params=schema(
        {"time": _TIME, "event": _EVENT, "came": _CAME, "score": SCORE, "higher": _HIGHER},
        required=("time", "event", "score"),
    ),
    undefined={"*": "no-pairs"},
    missing="A missing case is in the wrong order in every pair.",
)


@dataclass(frozen=True)
class HarrellC:
    """The share of comparable pairs in which the case whose event came first has the higher risk; equal risks half.

    A pair is comparable where one case had its event at a time when the other was still observed without: later, or at
    the same time and censored then. Two events at the same time are not comparable, nor two censored cases, nor a
    censored case with anything later. Times and scores are equal only where they are the same float64, without any
    tolerance. The direction is declared (`higher`) and never flipped.

    A missing case has the lowest risk where its own event is asked about and the highest where another's is.
    Undefined ("no-pairs") without comparable pairs. The value depends on how cases are censored, so phases and
    subgroups with other follow-up do not compare. Source: Harrell et al. 1982 (JAMA 247, 2543) and 1996 (Stat. Med.
    15, 361); ties as in R's survival::concordance.
    """

    card: MetricCard = CARD

    def outputs(self, params: Params) -> tuple[str, ...]:  # noqa: ARG002
        """One output."""
        return self.card.outputs

    def validate(self, cases: CaseIndex, entry: Table, params: Params) -> list[Issue]:  # noqa: ARG002
        """Any finite score will do."""
        return []

    def tabulate(self, reference: Table, entry: Table, params: Params) -> CaseTable:
        """Cases by time, events before censored ones: `event`, `time`, and the risk as the one that comes first and as
        the one that comes after."""
        time = true_numbers(reference, params["time"])
        if (time < 0).any():
            raise ReferenceRefused(f"column {params['time']!r} of the reference holds a time below 0")
        event = truth(reference, params["event"]) == params["came"]
        risk = numbers(entry, params["score"]) * (1.0 if params["higher"] == "risk" else -1.0)
        order = np.lexsort((~event, time))
        first, after = (np.where(entry.missing, worst, risk) for worst in (-np.inf, np.inf))
        columns = {"time": time, "event": event, "first": first, "after": after}
        return CaseTable(len(time), {"cases": Rows(order, {name: values[order] for name, values in columns.items()})})

    def aggregate(self, table: CaseTable, weights: Weights) -> Floats:
        """(B, 1); exact for whole weights."""
        return _concordance(table.rows["cases"], weights)[:, np.newaxis]

    def case_values(self, table: CaseTable) -> None:  # noqa: ARG002
        """A case alone is in no order."""
        return


def _concordance(cases: Rows, weights: Weights) -> Floats:
    """(B,). Time grows with events/256 · cases · B, memory with a chunk of weights and the pairs of one block."""
    won, compared = np.zeros((2, len(weights)))
    for block in _blocks(cases):
        near, mine = len(block.beaten.T), len(block.left)
        for part, weight in chunks(cases.case[block.rows], weights):
            ups, close, later = np.split(weight, [mine, mine + near], axis=1)
            below = np.zeros((len(later), later.shape[1] + 1))
            np.cumsum(later, axis=1, out=below[:, 1:])
            ties_half = (np.take(below, block.left, axis=1) + np.take(below, block.right, axis=1)) / 2
            won[part] += (ups * (ties_half + close @ block.beaten.T)).sum(axis=1)
            compared[part] += (ups * (below[:, -1:] + close @ block.after.T)).sum(axis=1)
    return ratio(won, compared)


@dataclass(frozen=True, eq=False)
class _Block:
    """Some events that follow each other in time. `rows`: they, then `near` cases that come after some of them, then
    those that come after all of them, by risk. `beaten`, `after` (events, near): whether the event has the higher risk
    (ties half), and whether it comes first. `left`, `right` (events,): places of its risk among those after all."""

    rows: Places
    beaten: Floats
    after: Floats
    left: Places
    right: Places


def _blocks(cases: Rows) -> Iterator[_Block]:
    risk, other = cases.columns["first"], cases.columns["after"]
    events = np.flatnonzero(cases.columns["event"])
    until = _comparable_from(cases, events)
    by_risk = np.argsort(other, kind="stable")
    start = 0
    while start < len(events):
        wide = int(np.searchsorted(until, until[start] + _NEAR, side="right"))
        end = min(start + _EVENTS, wide)
        mine, near = events[start:end], np.arange(until[start], until[end - 1])
        later = by_risk[by_risk >= until[end - 1]]
        after = (near >= until[start:end, np.newaxis]).astype(np.float64)
        higher = np.sign(np.subtract.outer(risk[mine], other[near])) / 2 + 0.5
        left, right = (np.searchsorted(other[later], risk[mine], side=side) for side in ("left", "right"))
        yield _Block(np.concatenate([mine, near, later]), higher * after, after, left, right)
        start = end


def _comparable_from(cases: Rows, events: Places) -> Places:
    """For each event the place from which on cases are known to have been without it at its time."""
    time = cases.columns["time"]
    same = np.searchsorted(time[events], time[events], side="right") - np.searchsorted(time[events], time[events])
    return np.asarray(np.searchsorted(time, time[events]) + same)


harrell_c = HarrellC()
