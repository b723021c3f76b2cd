"""The score of the CytologIA challenge (2024-25), as its participants computed it."""

from dataclasses import dataclass

import numpy as np

from scoring.boxes import best_matches
from scoring.cases import CaseIndex
from scoring.casetable import CaseTable, Rows
from scoring.columns import NONE, Floats, codes, known, numbers, texts, truth
from scoring.issues import Issue
from scoring.metric import MetricCard, Params, ReferenceRefused, ratio
from scoring.metrics.accuracy import label_mean
from scoring.metrics.corners import corner_issues
from scoring.metrics.f1 import f1_scores
from scoring.metrics.schema import LABELS, Schema, schema
from scoring.tables import Table
from scoring.weighted import Weights, sums

SIDES = ("x1", "y1", "x2", "y2")
GIOU_SHARE, F1_SHARE = 0.2, 0.8


def _column(name: str) -> Schema:
    return {"type": "string", "x-column": "entry", "default": name, "description": f"{name} in entry and reference"}


CARD = MetricCard(
    key="cytologia",
    version="1",
    title="CytologIA score",
    task_category="detection",
    direction="higher",
    range=(0.0, 1.0),
    outputs=("score", "giou", "macro_f1", "f1/<label>"),
    sufficiency="sums",
    params=schema({name: _column(name) for name in (*SIDES, "class")} | {"labels": LABELS}, required=("labels",)),
    undefined={"*": "no-truth", "f1": "label-absent"},
    missing="Each true box of a missing image has GIoU -1 and the class None, which is then one class more.",
    rows="many",
    labels_from="class",
)


@dataclass(frozen=True)
class Cytologia:
    """score = 0.2 · giou + 0.8 · macro_f1, with a case = an image and a row = one true box.

    Each true box takes, among the predicted boxes of its image, the one of highest GIoU; of equal ones the first in the
    order of cases.csv (never of the file). One prediction may serve several true boxes, and predictions that none takes
    cost nothing; so a second row with the same box never changes anything. `giou` is the mean of (GIoU + 1) / 2 over
    true boxes. `macro_f1` compares the class of each true box with the class of the prediction it took.

    An image without predictions has GIoU -1 and the class "None" for each of its true boxes; that holds for
    `missing = "worst"` and `"empty"` alike. An image answered in part is not missing.

    The classes of `macro_f1` are those that occur, in truth or among the predictions taken, plus "None" where that
    occurs (its F1 is then 0: one missing image costs as much as a class, 1/24 of the mean). What occurs is judged under
    the weights, so the value on a split, subgroup or resample is what the historical scorer gives on just those images;
    an absent class is left out of the mean, and its `f1/<label>` is undefined ("label-absent").
    """

    card: MetricCard = CARD

    def outputs(self, params: Params) -> tuple[str, ...]:
        """Score, its two parts, and the F1 of each class."""
        return ("score", "giou", "macro_f1", *(f"f1/{label}" for label in params["labels"]))

    def validate(self, cases: CaseIndex, entry: Table, params: Params) -> list[Issue]:
        """E-BOX for each box with x1 >= x2 or y1 >= y2."""
        return corner_issues(cases, entry, ((params["x1"], params["x2"]), (params["y1"], params["y2"])))

    def tabulate(self, reference: Table, entry: Table, params: Params) -> CaseTable:
        """One row per true box: (GIoU + 1) / 2, its class, the class it was given (23 labels, then None)."""
        labels = params["labels"]
        true_boxes = _boxes(reference, params)
        if (true_boxes[:, :2] >= true_boxes[:, 2:]).any():
            raise ReferenceRefused("the reference holds a box whose first corner is not above and left of its second")
        n_cases = len(reference.missing)
        row, value = best_matches(reference.case, true_boxes, entry.case, _boxes(entry, params), n_cases)
        given = np.append(codes(texts(entry, params["class"]), labels), NONE)[row]  # row -1 is the NONE at the end
        columns = {
            "giou": (value + 1) / 2,
            "label": known(truth(reference, params["class"]), labels, params["class"]),
            "answer": np.where(given == NONE, len(labels), given),
        }
        return CaseTable(n_cases, {"boxes": Rows(reference.case, columns)}, {"labels": np.asarray(labels, dtype=str)})

    def aggregate(self, table: CaseTable, weights: Weights) -> Floats:
        """(B, 3 + labels)."""
        rows, size = table.rows["boxes"], len(table.meta["labels"])
        total = sums(rows.case, np.column_stack([rows.columns["giou"], np.ones(len(rows.case))]), weights)
        giou = ratio(total[:, 0], total[:, 1])
        each = f1_scores(rows.case, rows.columns["label"], rows.columns["answer"], size + 1, weights)
        macro = label_mean(each, skip=True)
        return np.column_stack([GIOU_SHARE * giou + F1_SHARE * macro, giou, macro, each[:, :size]])

    def case_values(self, table: CaseTable) -> None:  # noqa: ARG002
        """Macro F1 has no value by case."""
        return


def _boxes(table: Table, params: Params) -> Floats:
    return np.column_stack([numbers(table, params[side]) for side in SIDES])


cytologia = Cytologia()
