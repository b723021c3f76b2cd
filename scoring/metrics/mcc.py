"""Matthews correlation coefficient of hard labels, of two or more labels."""

from dataclasses import dataclass

import numpy as np

from scoring.cases import CaseIndex
from scoring.casetable import CaseTable, Rows
from scoring.columns import NONE, Floats, codes, known, truth
from scoring.issues import Issue
from scoring.metric import MetricCard, Params, ratio
from scoring.metrics.answers import PROPERTIES, WAYS, answers, check_answers
from scoring.metrics.schema import LABEL, ORDERED_LABELS, schema
from scoring.tables import Table
from scoring.weighted import Weights, counts

CARD = MetricCard(
    key="mcc",
    version="1",
    title="Matthews correlation coefficient",
    task_category="classification",
    direction="higher",
    range=(-1.0, 1.0),
    outputs=("mcc",),
    sufficiency="sums",
    params=schema({"label": LABEL, **PROPERTIES, "labels": ORDERED_LABELS}, required=("label", "labels"), one_of=WAYS),
    undefined={"*": "constant-labels"},
    missing="A missing case is a wrong answer: the first declared label that is not its own.",
    labels_from="prediction",
)


@dataclass(frozen=True)
class Mcc:
    """The correlation of true and answered labels, R_K = (c·s - Σ t·p) / √((s² - Σ p²)(s² - Σ t²)).

    s: cases; c: right answers; t, p: how often each label is true, and answered. 1 is perfect, 0 chance; with
    two labels it is the phi coefficient. It depends on how frequent labels are, so splits of other prevalence do not
    compare. Undefined ("constant-labels") where all truths, or all answers, are one label: scikit-learn says 0 there.
    A missing case, or an answer outside the labels, counts as the first declared label other than the true one.
    Source: Matthews 1975; Gorodkin 2004 (Comput. Biol. Chem. 28) for more than two labels.
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
        label = known(truth(reference, params["label"]), labels, params["label"])
        answer = np.where(entry.missing, NONE, codes(answers(entry, params), labels))
        answer = np.where(answer == NONE, np.where(label == 0, 1, 0), answer)
        rows = Rows(np.arange(len(label)), {"label": label, "answer": answer})
        return CaseTable(len(label), {"cases": rows}, {"labels": np.asarray(labels, dtype=str)})

    def aggregate(self, table: CaseTable, weights: Weights) -> Floats:
        """(B, 1). Whole weights give whole sums, so only the root and the division round."""
        rows, size = table.rows["cases"], len(table.meta["labels"])
        label, answer = rows.columns["label"], rows.columns["answer"]
        hit = np.where(label == answer, label, NONE)
        right, true, given = counts(rows.case, [hit, label, answer], size, weights)
        cases = true.sum(axis=1)
        spread = (cases**2 - (given**2).sum(axis=1)) * (cases**2 - (true**2).sum(axis=1))
        shared = right.sum(axis=1) * cases - (true * given).sum(axis=1)
        return ratio(shared, np.sqrt(spread))[:, np.newaxis]

    def case_values(self, table: CaseTable) -> None:  # noqa: ARG002
        """A case alone correlates with nothing."""
        return


mcc = Mcc()
