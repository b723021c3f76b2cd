"""Net benefit of treating by a probability: the point of a decision curve at one threshold."""

from dataclasses import dataclass

import numpy as np

from scoring.cases import CaseIndex
from scoring.casetable import CaseTable, Rows
from scoring.columns import Floats, numbers, truth
from scoring.issues import Issue
from scoring.metric import MetricCard, Params, ratio
from scoring.metrics.operating_point import decided
from scoring.metrics.probabilities import check_probabilities
from scoring.metrics.schema import LABEL, POSITIVE, SCORE, Schema, schema
from scoring.tables import Table
from scoring.weighted import Weights, counts

_THRESHOLD: Schema = {
    "type": "number",
    "exclusiveMinimum": 0,
    "exclusiveMaximum": 1,
    "description": "a probability of this or more is treated; its odds are what one needless treatment costs",
}

CARD = MetricCard(
    key="net_benefit",
    version="1",
    title="Net benefit",
    task_category="classification",
    direction="higher",
    range=(-np.inf, 1.0),
    outputs=("net_benefit", "treat_all", "treat_none"),
    sufficiency="mean",
    params=schema(
        {"label": LABEL, "score": SCORE, "positive": POSITIVE, "threshold": _THRESHOLD},
        required=("label", "score", "positive", "threshold"),
    ),
    undefined={"*": "no-cases"},
    missing="A missing case is a wrong decision: a positive one is left untreated, a negative one is treated.",
)


@dataclass(frozen=True)
class NetBenefit:
    """True positives less false positives times the odds of the threshold t, per case: TP/n - FP/n · t/(1 - t).

    In units of true positives: 0.05 is as good as 5 of 100 patients treated who need it and no other. `treat_all` is
    the same of treating everybody, p - (1 - p) · t/(1 - t) with the prevalence p; `treat_none` is 0. An entry that is
    not above both is of no use at this threshold. At most p; undefined only where there are no cases.
    The price of a false positive is the odds t/(1 - t), not t. A missing case is a wrong decision.
    Source: Vickers and Elkin 2006 (Med. Decis. Making 26, 565).
    """

    card: MetricCard = CARD

    def outputs(self, params: Params) -> tuple[str, ...]:  # noqa: ARG002
        """By the entry, by treating all, by treating none."""
        return self.card.outputs

    def validate(self, cases: CaseIndex, entry: Table, params: Params) -> list[Issue]:
        """E-RANGE for what is no probability."""
        return check_probabilities(cases, entry, params)

    def tabulate(self, reference: Table, entry: Table, params: Params) -> CaseTable:
        """Whether each case is positive, and whether it is treated; the odds of the threshold."""
        positive = truth(reference, params["label"]) == params["positive"]
        treated = decided(positive, numbers(entry, params["score"]), entry.missing, params["threshold"])
        odds = np.asarray(params["threshold"] / (1 - params["threshold"]))
        rows = Rows(np.arange(len(positive)), {"positive": positive, "treated": treated})
        return CaseTable(len(positive), {"cases": rows}, {"odds": odds})

    def aggregate(self, table: CaseTable, weights: Weights) -> Floats:
        """(B, 3). Sums of cells first, so whole weights are exact up to the price."""
        rows, odds = table.rows["cases"], float(table.meta["odds"])
        cell = 2 * rows.columns["positive"].astype(np.intp) + rows.columns["treated"]
        (cells,) = counts(rows.case, [cell], 4, weights)
        total = cells.sum(axis=1)
        benefit = cells[:, 3] - cells[:, 1] * odds
        everybody = cells[:, 2] + cells[:, 3] - (cells[:, 0] + cells[:, 1]) * odds
        return np.column_stack([ratio(value, total) for value in (benefit, everybody, np.zeros_like(total))])

    def case_values(self, table: CaseTable) -> Floats:
        """What the decision on each case is worth: 1, 0, or less the odds."""
        rows, odds = table.rows["cases"], float(table.meta["odds"])
        values = np.empty(table.n_cases)
        values[rows.case] = np.where(rows.columns["treated"], np.where(rows.columns["positive"], 1.0, -odds), 0.0)
        return values


net_benefit = NetBenefit()
