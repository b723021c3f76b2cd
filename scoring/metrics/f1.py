"""F1 of hard labels: the mean over labels (macro), of all decisions together (micro), and of each label."""

from dataclasses import dataclass

import numpy as np

from scoring.cases import CaseIndex
from scoring.casetable import CaseTable, Rows
from scoring.columns import NONE, Codes, Floats, codes, known, truth
from scoring.issues import Issue
from scoring.metric import MetricCard, Params, ratio
from scoring.metrics.accuracy import label_mean
from scoring.metrics.answers import PROPERTIES, WAYS, answers, check_answers
from scoring.metrics.schema import ABSENT, LABEL, LABELS, SUBSET, Schema, schema
from scoring.tables import Table
from scoring.weighted import Weights, counts

_ANSWER = {"label": LABEL, **PROPERTIES, "labels": LABELS, "subset": SUBSET}


def _card(key: str, title: str, properties: dict[str, Schema], why: str, missing: str) -> MetricCard:
    return MetricCard(
        key=key,
        version="1",
        title=title,
        task_category="classification",
        direction="higher",
        range=(0.0, 1.0),
        outputs=(key, "f1/<label>"),
        sufficiency="sums",
        params=schema(properties, required=("label", "labels"), one_of=WAYS),
        undefined={"*": "label-absent", key: why},
        missing=missing,
        labels_from="prediction",
    )


def f1_scores(case: Codes, label: Codes, answer: Codes, size: int, weights: Weights) -> Floats:
    """F1 of each code 0…size-1, (B, size): 2·hits / (true + answered), nan where a code occurs in neither.

    `label`, `answer` (r,): codes, or -1 for none of them; `case` (r,) the case of each row.
    """
    hits, true, answered = counts(case, [np.where(label == answer, label, NONE), label, answer], size, weights)
    return ratio(2 * hits, true + answered)


@dataclass(frozen=True)
class LabelF1:
    """Macro or micro F1 over a declared label set, then the F1 of each label.

    A label that neither reference nor predictions hold has no F1 ("label-absent"); the macro mean is then undefined, or
    over the other labels where the challenge declares `absent = "skip"`.

    A missing case is a miss of its label and answers no label, so it takes nothing from the precision of any one label.
    Micro F1 also counts it as a wrong answer: there, leaving a case out is never better than any answer.
    Where `subset`, a true label outside the set is nobody's miss, and an answer outside it nobody's answer.
    """

    card: MetricCard

    def outputs(self, params: Params) -> tuple[str, ...]:
        """The mean, then the F1 of each label."""
        return (self.card.key, *(f"f1/{label}" for label in params["labels"]))

    def validate(self, cases: CaseIndex, entry: Table, params: Params) -> list[Issue]:
        """E-RANGE and E-PROB-SUM, where the entry gives probabilities."""
        return check_answers(cases, entry, params)

    def tabulate(self, reference: Table, entry: Table, params: Params) -> CaseTable:
        """Code of true label and of answer of each case, -1 = none; whether the case is missing."""
        labels, values = params["labels"], truth(reference, params["label"])
        label = codes(values, labels) if params["subset"] else known(values, labels, params["label"])
        answer = np.where(entry.missing, NONE, codes(answers(entry, params), labels))
        columns = {"label": label, "answer": answer, "missing": np.asarray(entry.missing)}
        meta = {
            "labels": np.asarray(labels, dtype=str),
            "micro": np.asarray(self.card.key == "micro_f1"),
            "skip": np.asarray(params.get("absent") == "skip"),
        }
        return CaseTable(len(label), {"cases": Rows(np.arange(len(label)), columns)}, meta)

    def aggregate(self, table: CaseTable, weights: Weights) -> Floats:
        """(B, 1 + labels)."""
        rows, size = table.rows["cases"], len(table.meta["labels"])
        label, answer = rows.columns["label"], rows.columns["answer"]
        each = f1_scores(rows.case, label, answer, size, weights)
        main = _micro(rows, weights) if table.meta["micro"] else label_mean(each, skip=bool(table.meta["skip"]))
        return np.column_stack([main, each])

    def case_values(self, table: CaseTable) -> None:  # noqa: ARG002
        """A case alone has no F1."""
        return


def _micro(rows: Rows, weights: Weights) -> Floats:
    """2·hits / (true + answered) over all labels together, a missing case counting as answered; (B,)."""
    label, answer = rows.columns["label"], rows.columns["answer"]
    hit = (label == answer) & (label != NONE)
    decisions = (label != NONE).astype(np.intp) + ((answer != NONE) | rows.columns["missing"])
    (total,) = counts(rows.case, [3 * hit + decisions], 6, weights)
    return ratio(2 * total[:, 3:].sum(axis=1), total @ np.array([0.0, 1, 2, 0, 1, 2]))


_MISS = "A missing case is a miss of its label, and a wrong answer for no label."
_MISS_AND_ANSWER = "A missing case is a miss of its label, and in the micro mean also a wrong answer."

macro_f1 = LabelF1(_card("macro_f1", "Macro F1", _ANSWER | {"absent": ABSENT}, "label-absent", _MISS))
micro_f1 = LabelF1(_card("micro_f1", "Micro F1", _ANSWER, "no-labels", _MISS_AND_ANSWER))
