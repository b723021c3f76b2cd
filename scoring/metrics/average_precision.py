"""Average precision: the area under the steps of the precision-recall curve."""

from dataclasses import dataclass

import numpy as np

from scoring.cases import CaseIndex
from scoring.casetable import CaseTable, Rows
from scoring.columns import Floats, numbers, truth
from scoring.issues import Issue
from scoring.metric import MetricCard, Params, ratio
from scoring.metrics.auroc import SIDES, ranked
from scoring.metrics.schema import LABEL, POSITIVE, SCORE, schema
from scoring.tables import Table
from scoring.weighted import Weights, chunks

CARD = MetricCard(
    key="average_precision",
    version="1",
    title="Average precision",
    task_category="classification",
    direction="higher",
    range=(0.0, 1.0),
    outputs=("average_precision",),
    sufficiency="ranked",
    params=schema({"label": LABEL, "score": SCORE, "positive": POSITIVE}, required=("label", "score", "positive")),
    undefined={"*": "no-positives"},
    missing="A missing case has the worst possible score: a positive below all others, a negative above all others.",
)


@dataclass(frozen=True)
class AveragePrecision:
    """The sum over thresholds of precision times the recall gained there, Σ (R_k - R_k-1) · P_k, as in scikit-learn.

    Each score that occurs is one threshold, so cases with equal scores come in together and their order never counts.
    The steps are not interpolated: the trapezoid (MetricsReloaded) and the 11 or 101 recall points of detection give
    other values for the same scores. Without positives it is undefined ("no-positives"), never 0; without negatives 1.
    Higher scores mean positive. Its level is the share of positives: a constant score gives just that share.
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
        """(B, 1)."""
        positives, negatives = (table.rows[side] for side in SIDES)
        return _average(positives, negatives, weights)[:, np.newaxis]

    def case_values(self, table: CaseTable) -> None:  # noqa: ARG002
        """A case alone has no precision."""
        return


def _average(positives: Rows, negatives: Rows, weights: Weights) -> Floats:
    """(B,). Only thresholds at which a positive stands gain recall; at each, what comes in has that score or more."""
    if not positives.case.size:
        return np.full(len(weights), np.nan)
    scores, first = np.unique(positives.columns["score"], return_index=True)
    below = np.searchsorted(negatives.columns["score"], scores, side="left")
    out = np.empty(len(weights))
    both = np.concatenate([positives.case, negatives.case])
    for part, rows in chunks(both, weights):
        gained = np.add.reduceat(rows[:, : len(positives.case)], first, axis=1)
        hits = np.cumsum(gained[:, ::-1], axis=1)[:, ::-1]
        under = np.zeros((len(rows), len(negatives.case) + 1))
        np.cumsum(rows[:, len(positives.case) :], axis=1, out=under[:, 1:])
        alarms = under[:, -1:] - np.take(under, below, axis=1)
        precision = np.divide(hits, hits + alarms, out=np.zeros_like(hits), where=hits > 0)
        out[part] = ratio(np.einsum("bi,bi->b", gained, precision), hits[:, 0])
    return out


average_precision = AveragePrecision()
