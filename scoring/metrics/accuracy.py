"""Accuracy, the share of cases answered right, and balanced accuracy, the mean of that share over labels."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scoring.cases import CaseIndex
from scoring.casetable import CaseTable, Rows
from scoring.columns import NONE, Floats, known, numbers, truth
from scoring.issues import Issue
from scoring.metric import MetricCard, Params, ParamsRefused, mean_metric, ratio
from scoring.metrics.answers import PROPERTIES, answers, check_answers
from scoring.metrics.schema import ABSENT, LABEL, LABELS, POSITIVE, SCORE, schema
from scoring.tables import Table
from scoring.weighted import Weights, counts

THRESHOLD = {"type": "number", "description": "a score of this or more answers positive"}
WAYS = (("prediction",), ("probabilities",), ("score", "threshold", "positive"))
ANSWER = {"label": LABEL, **PROPERTIES, "score": SCORE, "threshold": THRESHOLD, "positive": POSITIVE, "labels": LABELS}


@mean_metric(
    key="accuracy",
    title="Accuracy",
    task_category="classification",
    direction="higher",
    range=(0.0, 1.0),
    params=schema(ANSWER, required=("label",), one_of=WAYS),
    missing="A missing case is a wrong answer.",
    check=check_answers,
)
def accuracy(reference: Table, entry: Table, params: Params) -> Floats:
    """1 where the answer is right, 0 where it is wrong or missing."""
    return correct(reference, entry, params).astype(np.float64)


def correct(reference: Table, entry: Table, params: Params) -> NDArray[np.bool_]:
    """(n_cases,): whether the label, or the side of the threshold, is the reference's; a missing case is not."""
    label = truth(reference, params["label"])
    if "score" not in params:
        return np.asarray((answers(entry, params) == label) & ~entry.missing)
    answer = numbers(entry, params["score"]) >= params["threshold"]
    return np.asarray((answer == (label == params["positive"])) & ~entry.missing)


BALANCED = MetricCard(
    key="balanced_accuracy",
    version="1",
    title="Balanced accuracy",
    task_category="classification",
    direction="higher",
    range=(0.0, 1.0),
    outputs=("balanced_accuracy", "recall/<label>"),
    sufficiency="sums",
    params=schema(ANSWER | {"absent": ABSENT}, required=("label", "labels"), one_of=WAYS),
    undefined={"*": "label-absent"},
    missing="A missing case is a wrong answer.",
    labels_from="prediction",
)


@dataclass(frozen=True)
class BalancedAccuracy:
    """The mean over the declared labels of the share of their cases that were answered right (recall).

    A missing case is a wrong answer. A label without cases has no recall ("label-absent"); the mean is then undefined,
    or over the other labels where the challenge declares `absent = "skip"`.
    With a score and a threshold, `labels` are the two labels of the reference.
    """

    card: MetricCard = BALANCED

    def outputs(self, params: Params) -> tuple[str, ...]:
        """The mean, then the recall of each label."""
        return ("balanced_accuracy", *(f"recall/{label}" for label in params["labels"]))

    def validate(self, cases: CaseIndex, entry: Table, params: Params) -> list[Issue]:
        """E-RANGE and E-PROB-SUM, where the entry gives probabilities."""
        return check_answers(cases, entry, params)

    def tabulate(self, reference: Table, entry: Table, params: Params) -> CaseTable:
        """True label of each case, and whether it was answered right."""
        if "threshold" in params and (len(params["labels"]) != 2 or params["positive"] not in params["labels"]):
            raise ParamsRefused("balanced_accuracy with a threshold needs two labels, one of them the positive one")
        label = known(truth(reference, params["label"]), params["labels"], params["label"])
        columns = {"label": label, "right": correct(reference, entry, params)}
        meta = {"labels": np.asarray(params["labels"], dtype=str), "skip": np.asarray(params["absent"] == "skip")}
        return CaseTable(len(label), {"cases": Rows(np.arange(len(label)), columns)}, meta)

    def aggregate(self, table: CaseTable, weights: Weights) -> Floats:
        """(B, 1 + labels)."""
        rows, size = table.rows["cases"], len(table.meta["labels"])
        label = rows.columns["label"]
        right, cases = counts(rows.case, [np.where(rows.columns["right"], label, NONE), label], size, weights)
        recall = ratio(right, cases)
        return np.column_stack([label_mean(recall, skip=bool(table.meta["skip"])), recall])

    def case_values(self, table: CaseTable) -> None:  # noqa: ARG002
        """A case alone has no recall of every label."""
        return


def label_mean(values: Floats, *, skip: bool) -> Floats:
    """Mean over labels, (B, labels) -> (B,): of the defined ones where `skip`, else nan where one is undefined."""
    if not skip:
        return np.asarray(values.mean(axis=1))
    defined = ~np.isnan(values)
    return ratio(np.where(defined, values, 0.0).sum(axis=1), defined.sum(axis=1))


balanced_accuracy = BalancedAccuracy()
