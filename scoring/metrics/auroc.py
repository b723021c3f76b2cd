"""Area under the ROC curve."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scoring.cases import CaseIndex
from scoring.casetable import CaseTable, Rows
from scoring.columns import Floats, numbers, truth
from scoring.issues import Issue
from scoring.metric import MetricCard, Params, ratio
from scoring.metrics.schema import LABEL, POSITIVE, SCORE, schema
from scoring.tables import Table
from scoring.weighted import Weights, chunks

SIDES = ("positives", "negatives")
Mask = NDArray[np.bool_]

CARD = MetricCard(
    key="auroc",
    version="1",
    title="Area under the ROC curve",
    task_category="classification",
    direction="higher",
    range=(0.0, 1.0),
    outputs=("auroc",),
    sufficiency="ranked",
    params=schema({"label": LABEL, "score": SCORE, "positive": POSITIVE}, required=("label", "score", "positive")),
    undefined={"*": "one-class"},
    missing="A missing case has the worst possible score: a positive below all others, a negative above all others.",
)


@dataclass(frozen=True)
class Auroc:
    """The probability that a positive case has a higher score than a negative one, equal scores counting half.

    Higher scores mean positive; the direction is never flipped. A missing case has the worst possible score: a positive
    below all others, a negative above all others. Undefined ("one-class") without positives or without negatives.
    Source: the Mann-Whitney statistic (Hanley and McNeil 1982), with weights as repeated cases.
    """

    card: MetricCard = CARD

    def outputs(self, params: Params) -> tuple[str, ...]:  # noqa: ARG002
        """One output."""
        return self.card.outputs

    def validate(self, cases: CaseIndex, entry: Table, params: Params) -> list[Issue]:  # noqa: ARG002
        """Any finite score will do."""
        return []

    def tabulate(self, reference: Table, entry: Table, params: Params) -> CaseTable:
        """Positives and negatives, each sorted by score."""
        positive = truth(reference, params["label"]) == params["positive"]
        sides = ranked(positive, numbers(entry, params["score"]), entry.missing)
        return CaseTable(len(positive), dict(zip(SIDES, sides, strict=True)))

    def aggregate(self, table: CaseTable, weights: Weights) -> Floats:
        """Weight of negatives below each positive, plus half of those at it; exact for whole weights, (B, 1)."""
        positives, negatives = (table.rows[side] for side in SIDES)
        return area(positives, negatives, weights)[:, np.newaxis]

    def case_values(self, table: CaseTable) -> None:  # noqa: ARG002
        """A case alone has no area."""
        return


def ranked(positive: Mask, score: Floats, missing: Mask) -> tuple[Rows, Rows]:
    """Positives and negatives of n cases, each in ascending order of the score; a missing case has the worst score."""
    told = np.where(missing, np.where(positive, -np.inf, np.inf), score)
    order = np.argsort(told, kind="stable")
    above, under = order[positive[order]], order[~positive[order]]
    return Rows(above, {"score": told[above]}), Rows(under, {"score": told[under]})


def area(positives: Rows, negatives: Rows, weights: Weights) -> Floats:
    """Area of `ranked` cases, (B,): weight of pairs in the right order, ties half, of all pairs; nan without pairs."""
    ranks = negatives.columns["score"]
    below = np.searchsorted(ranks, positives.columns["score"], side="left")
    upto = np.searchsorted(ranks, positives.columns["score"], side="right")
    tied = np.flatnonzero(below != upto)
    out = np.empty(len(weights))
    both = np.concatenate([positives.case, negatives.case])
    for part, rows in chunks(both, weights):
        above, under = rows[:, : len(below)], rows[:, len(below) :]
        total = np.zeros((len(rows), len(ranks) + 1))
        np.cumsum(under, axis=1, out=total[:, 1:])
        won = 2 * np.einsum("bi,bi->b", above, np.take(total, below, axis=1))
        won += np.einsum("bi,bi->b", above[:, tied], total[:, upto[tied]] - total[:, below[tied]])
        out[part] = ratio(won, 2 * above.sum(axis=1) * total[:, -1])
    return out


auroc = Auroc()
