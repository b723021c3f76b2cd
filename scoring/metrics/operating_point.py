"""Sensitivity, specificity and predictive values of decisions at a threshold that the challenge declares."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scoring.cases import CaseIndex
from scoring.casetable import CaseTable, Rows
from scoring.columns import Floats, numbers, truth
from scoring.issues import Issue
from scoring.metric import MetricCard, Params, ratio
from scoring.metrics.schema import LABEL, POSITIVE, SCORE, Schema, schema
from scoring.tables import Table
from scoring.weighted import Weights, counts

_THRESHOLD: Schema = {"type": "number", "description": "a score of this or more answers positive"}

CARD = MetricCard(
    key="operating_point",
    version="1",
    title="Sensitivity, specificity and predictive values at a threshold",
    task_category="classification",
    direction="higher",
    range=(0.0, 1.0),
    outputs=("sensitivity", "specificity", "ppv", "npv"),
    sufficiency="sums",
    params=schema(
        {"label": LABEL, "score": SCORE, "positive": POSITIVE, "threshold": _THRESHOLD},
        required=("label", "score", "positive", "threshold"),
    ),
    undefined={
        "*": "no-positives",
        "specificity": "no-negatives",
        "ppv": "none-positive",
        "npv": "none-negative",
    },
    missing="A missing case is a wrong answer.",
)


@dataclass(frozen=True)
class OperatingPoint:
    """Shares of right answers: of positives (sensitivity), negatives (specificity), of those answered so (ppv, npv).

    A score of `threshold` or more answers positive. A share of no cases is undefined: without positives, without
    negatives, where none is answered positive, or none negative. A missing case is a wrong answer, so a false positive
    or a false negative. Predictive values hold for the prevalence of these cases only, and one of the four alone is
    easily had (answering all positive has sensitivity 1): rank by a composite, or by a metric at a fixed point.
    Source: Altman and Bland 1994 (BMJ 308, 1552; BMJ 309, 102).
    """

    card: MetricCard = CARD

    def outputs(self, params: Params) -> tuple[str, ...]:  # noqa: ARG002
        """Four shares."""
        return self.card.outputs

    def validate(self, cases: CaseIndex, entry: Table, params: Params) -> list[Issue]:  # noqa: ARG002
        """Any finite score will do."""
        return []

    def tabulate(self, reference: Table, entry: Table, params: Params) -> CaseTable:
        """The cell of each case: twice whether it is positive, plus whether it is answered positive."""
        positive = truth(reference, params["label"]) == params["positive"]
        cell = 2 * positive + decided(positive, numbers(entry, params["score"]), entry.missing, params["threshold"])
        return CaseTable(len(cell), {"cases": Rows(np.arange(len(cell)), {"cell": cell.astype(np.intp)})})

    def aggregate(self, table: CaseTable, weights: Weights) -> Floats:
        """(B, 4)."""
        rows = table.rows["cases"]
        (cells,) = counts(rows.case, [rows.columns["cell"]], 4, weights)
        true_negative, false_positive, false_negative, true_positive = cells.T
        pairs = (
            (true_positive, false_negative),
            (true_negative, false_positive),
            (true_positive, false_positive),
            (true_negative, false_negative),
        )
        return np.column_stack([ratio(right, right + wrong) for right, wrong in pairs])

    def case_values(self, table: CaseTable) -> None:  # noqa: ARG002
        """The main output is a share of the positives alone."""
        return


def decided(
    positive: NDArray[np.bool_], score: Floats, missing: NDArray[np.bool_], threshold: float
) -> NDArray[np.bool_]:
    """(n_cases,): whether each case is answered positive; a missing one is answered wrong."""
    return np.where(missing, ~positive, score >= threshold)


operating_point = OperatingPoint()
