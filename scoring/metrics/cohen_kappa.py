"""Cohen's kappa: agreement beyond chance, plain or weighted by the distance between labels."""

from dataclasses import dataclass

import numpy as np

from scoring.cases import CaseIndex
from scoring.casetable import CaseTable, Rows
from scoring.columns import NONE, Floats, codes, known, truth
from scoring.issues import Issue
from scoring.metric import MetricCard, Params, ratio
from scoring.metrics.answers import PROPERTIES, WAYS, answers, check_answers
from scoring.metrics.schema import LABEL, ORDERED_LABELS, Schema, schema
from scoring.tables import Table
from scoring.weighted import Weights, counts, sums

_WEIGHTS: Schema = {
    "enum": ["none", "linear", "quadratic"],
    "type": "string",
    "default": "none",
    "description": "what a wrong answer costs: always the same, or its distance in places of `labels`, or its square",
}

CARD = MetricCard(
    key="cohen_kappa",
    version="1",
    title="Cohen's kappa",
    task_category="classification",
    direction="higher",
    range=(-1.0, 1.0),
    outputs=("cohen_kappa",),
    sufficiency="sums",
    params=schema(
        {"label": LABEL, **PROPERTIES, "labels": ORDERED_LABELS, "weights": _WEIGHTS},
        required=("label", "labels"),
        one_of=WAYS,
    ),
    undefined={"*": "one-label"},
    missing="A missing case is the worst answer: the label farthest from its own, the first of several.",
    labels_from="prediction",
)


@dataclass(frozen=True)
class CohenKappa:
    """1 - (disagreement observed) / (disagreement expected if answers were dealt out at random).

    Disagreement of two labels is 1 where they differ (`none`), or their distance in the declared order (`linear`), or
    its square (`quadratic`). Distances are between the places of declared labels, never between those that happen to
    occur, so a split or resample without some label changes no distance.
    Undefined ("one-label") where nothing else than agreement can be expected: truth and answers are one and the same
    label. A missing case, or an answer outside the labels, counts as the label farthest from the true one, and as the
    first declared of several.
    Source: Cohen 1960; Cohen 1968 for the weights.
    """

    card: MetricCard = CARD

    def outputs(self, params: Params) -> tuple[str, ...]:  # noqa: ARG002
        """One output."""
        return self.card.outputs

    def validate(self, cases: CaseIndex, entry: Table, params: Params) -> list[Issue]:
        """E-RANGE and E-PROB-SUM, where the entry gives probabilities."""
        return check_answers(cases, entry, params)

    def tabulate(self, reference: Table, entry: Table, params: Params) -> CaseTable:
        """Code of the true label and of the answer of each case."""
        labels = params["labels"]
        apart = _disagreement(len(labels), params["weights"])
        label = known(truth(reference, params["label"]), labels, params["label"])
        answer = np.where(entry.missing, NONE, codes(answers(entry, params), labels))
        answer = np.where(answer == NONE, apart.argmax(axis=1)[label], answer)
        columns = {"label": label, "answer": answer, "apart": apart[label, answer]}
        return CaseTable(len(label), {"cases": Rows(np.arange(len(label)), columns)}, {"apart": apart})

    def aggregate(self, table: CaseTable, weights: Weights) -> Floats:
        """(B, 1). Whole weights give whole sums, so only the last division rounds."""
        rows, apart = table.rows["cases"], table.meta["apart"]
        observed = sums(rows.case, rows.columns["apart"][:, np.newaxis], weights)
        label, answer = counts(rows.case, [rows.columns["label"], rows.columns["answer"]], len(apart), weights)
        expected = ((label @ apart) * answer).sum(axis=1, keepdims=True)
        return 1 - ratio(observed * label.sum(axis=1, keepdims=True), expected)

    def case_values(self, table: CaseTable) -> None:  # noqa: ARG002
        """A case alone agrees with nothing by chance."""
        return


def _disagreement(size: int, weights: str) -> Floats:
    """(size, size): 0 on the diagonal, more the farther two labels are apart."""
    distance = np.abs(np.subtract.outer(np.arange(size), np.arange(size))).astype(np.float64)
    return {"none": np.minimum(distance, 1), "linear": distance, "quadratic": distance**2}[weights]


cohen_kappa = CohenKappa()
