"""Area under the ROC curve."""

from dataclasses import dataclass

import numpy as np

from scoring.cases import CaseIndex
from scoring.casetable import CaseTable, Rows
from scoring.columns import Floats, numbers, truth
from scoring.issues import Issue
from scoring.metric import MetricCard, Params, ratio
from scoring.metrics.schema import LABEL, POSITIVE, SCORE, schema
from scoring.tables import Table
from scoring.weighted import Weights, chunks

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
        worst = np.where(positive, -np.inf, np.inf)
        score = np.where(entry.missing, worst, numbers(entry, params["score"]))
        order = np.argsort(score, kind="stable")
        sides = {"positives": order[positive[order]], "negatives": order[~positive[order]]}
        return CaseTable(len(score), {name: Rows(case, {"score": score[case]}) for name, case in sides.items()})

    def aggregate(self, table: CaseTable, weights: Weights) -> Floats:
        """Weight of negatives below each positive, plus half of those at it; exact for whole weights, (B, 1)."""
        positives, negatives = table.rows["positives"], table.rows["negatives"]
        ranks = negatives.columns["score"]
        below = np.searchsorted(ranks, positives.columns["score"], side="left")
        upto = np.searchsorted(ranks, positives.columns["score"], side="right")
        tied = np.flatnonzero(below != upto)
        out = np.empty((len(weights), 1))
        both = np.concatenate([positives.case, negatives.case])
        for part, rows in chunks(both, weights):
            above, under = rows[:, : len(below)], rows[:, len(below) :]
            total = np.zeros((len(rows), len(ranks) + 1))
            np.cumsum(under, axis=1, out=total[:, 1:])
            won = 2 * np.einsum("bi,bi->b", above, np.take(total, below, axis=1))
            won += np.einsum("bi,bi->b", above[:, tied], total[:, upto[tied]] - total[:, below[tied]])
            out[part, 0] = ratio(won, 2 * above.sum(axis=1) * total[:, -1])
        return out

    def case_values(self, table: CaseTable) -> None:  # noqa: ARG002
        """A case alone has no area."""
        return


auroc = Auroc()
