"""Sensitivity at a fixed specificity, and positive predictive value at a fixed sensitivity: one point of a curve."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scoring.cases import CaseIndex
from scoring.casetable import CaseTable, Rows
from scoring.columns import Floats, numbers, truth
from scoring.issues import Issue
from scoring.metric import MetricCard, Params, ratio
from scoring.metrics.auroc import SIDES, ranked
from scoring.metrics.schema import LABEL, POSITIVE, SCORE, Schema, schema
from scoring.tables import Table
from scoring.weighted import Weights, chunks

_MISSING = "A missing case has the worst possible score: a positive below all others, a negative above all others."

Point = Callable[[Floats, Floats, float], tuple[Floats, Floats]]


def _card(key: str, title: str, reached: str, undefined: dict[str, str]) -> MetricCard:
    share: Schema = {
        "type": "number",
        "exclusiveMinimum": 0,
        "maximum": 1,
        "description": f"the {reached} to be reached",
    }
    return MetricCard(
        key=key,
        version="1",
        title=title,
        task_category="classification",
        direction="higher",
        range=(0.0, 1.0),
        outputs=(key, reached),
        sufficiency="ranked",
        params=schema(
            {"label": LABEL, "score": SCORE, "positive": POSITIVE, "at": share},
            required=("label", "score", "positive", "at"),
        ),
        undefined=undefined,
        missing=_MISSING,
    )


@dataclass(frozen=True)
class FixedPoint:
    """The value at the one threshold that a declared sensitivity or specificity leads to, and what is reached there.

    Each score that occurs is a threshold, which that score or more passes; so cases with equal scores pass together.
    Nothing is interpolated: where no threshold gives exactly `at`, the nearest one that gives more is taken, and the
    second output says how much more. Higher scores mean positive.

    `sensitivity_at_specificity`: of the lowest threshold whose specificity is `at` or more; 0 where only a threshold
    above all scores is. Undefined ("one-class") without positives or without negatives.
    `ppv_at_sensitivity`: of the highest threshold whose sensitivity is `at` or more, the first that suffices as it is
    lowered. A lower one may happen to have a higher PPV; taking the best of them would let chance choose. Undefined
    ("no-positives") without positives.
    A missing positive passes with the last, a missing negative with the first.
    Source: Metrics Reloaded (Maier-Hein et al. 2024, Nat. Methods 21), which asks for one declared working point.
    """

    card: MetricCard
    point: Point

    def outputs(self, params: Params) -> tuple[str, ...]:  # noqa: ARG002
        """The value, and the sensitivity or specificity that was reached."""
        return self.card.outputs

    def validate(self, cases: CaseIndex, entry: Table, params: Params) -> list[Issue]:  # noqa: ARG002
        """Any finite score will do."""
        return []

    def tabulate(self, reference: Table, entry: Table, params: Params) -> CaseTable:
        """Positives and negatives, each sorted by score."""
        positive = truth(reference, params["label"]) == params["positive"]
        sides = ranked(positive, numbers(entry, params["score"]), entry.missing)
        return CaseTable(len(positive), dict(zip(SIDES, sides, strict=True)), {"at": np.asarray(float(params["at"]))})

    def aggregate(self, table: CaseTable, weights: Weights) -> Floats:
        """(B, 2)."""
        positives, negatives = (table.rows[side] for side in SIDES)
        out = np.full((len(weights), 2), np.nan)
        if not table.n_cases:
            return out
        for part, hits, alarms in _passing(positives, negatives, weights):
            out[part] = np.column_stack(self.point(hits, alarms, float(table.meta["at"])))
        return out

    def case_values(self, table: CaseTable) -> None:  # noqa: ARG002
        """A case alone sets no threshold."""
        return


def _passing(positives: Rows, negatives: Rows, weights: Weights) -> Iterator[tuple[slice, Floats, Floats]]:
    """Weight of positives and of negatives that pass each threshold, both (b, 1 + thresholds), for parts of B.

    The first threshold is above all scores, and the others descend to the lowest one.
    """
    sides = [rows.columns["score"] for rows in (positives, negatives)]
    thresholds = np.unique(np.concatenate(sides))[::-1]
    under = [np.append(len(score), np.searchsorted(score, thresholds, side="left")) for score in sides]
    for part, rows in chunks(np.concatenate([positives.case, negatives.case]), weights):
        mine = np.split(rows, [len(positives.case)], axis=1)
        hits, alarms = (_at_or_above(weight, start) for weight, start in zip(mine, under, strict=True))
        yield part, hits, alarms


def _at_or_above(weight: Floats, start: NDArray[np.intp]) -> Floats:
    """(b, thresholds): weight of the rows from each start on; `weight` (b, rows), whole weights give exact sums."""
    below = np.zeros((len(weight), weight.shape[1] + 1))
    np.cumsum(weight, axis=1, out=below[:, 1:])
    return np.asarray(below[:, -1:] - np.take(below, start, axis=1))


def _sensitivity(hits: Floats, alarms: Floats, at: float) -> tuple[Floats, Floats]:
    """Sensitivity, and the specificity that was reached, (b,) each. A share of whole weights that equals `at` in
    decimals equals it as a float64 too, which a product of `at` and a weight need not."""
    specificity = ratio(alarms[:, -1:] - alarms, alarms[:, -1:])
    last = np.maximum((specificity >= at).sum(axis=1) - 1, 0)
    reached = _column(specificity, last)
    sensitivity = ratio(_column(hits, last), hits[:, -1])
    return np.where(np.isnan(reached), np.nan, sensitivity), reached


def _ppv(hits: Floats, alarms: Floats, at: float) -> tuple[Floats, Floats]:
    """Positive predictive value, and the sensitivity that was reached, (b,) each."""
    sensitivity = ratio(hits, hits[:, -1:])
    first = (sensitivity >= at).argmax(axis=1)
    reached, right = _column(sensitivity, first), _column(hits, first)
    return np.where(np.isnan(reached), np.nan, ratio(right, right + _column(alarms, first))), reached


def _column(values: Floats, place: NDArray[np.intp]) -> Floats:
    """(b,): of each row the value at its own place."""
    return np.take_along_axis(values, place[:, np.newaxis], axis=1)[:, 0]


sensitivity_at_specificity = FixedPoint(
    _card(
        "sensitivity_at_specificity",
        "Sensitivity at a fixed specificity",
        "specificity",
        {"*": "one-class", "specificity": "no-negatives"},
    ),
    _sensitivity,
)
ppv_at_sensitivity = FixedPoint(
    _card(
        "ppv_at_sensitivity",
        "Positive predictive value at a fixed sensitivity",
        "sensitivity",
        {"*": "no-positives"},
    ),
    _ppv,
)
