"""The mean over labels of the area under the ROC curve of each label against all others."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from scoring.cases import CaseIndex
from scoring.casetable import CaseTable, Rows
from scoring.columns import Floats, known, numbers, truth
from scoring.issues import Issue
from scoring.metric import MetricCard, Params
from scoring.metrics.accuracy import label_mean
from scoring.metrics.auroc import SIDES, area, ranked
from scoring.metrics.probabilities import check_probabilities
from scoring.metrics.schema import ABSENT, LABEL, LABELS, PROBABILITIES, schema
from scoring.tables import Table
from scoring.weighted import Weights

CARD = MetricCard(
    key="macro_ovr_auroc",
    version="1",
    title="Macro one-vs-rest AUROC",
    task_category="classification",
    direction="higher",
    range=(0.0, 1.0),
    outputs=("macro_ovr_auroc", "auroc/<label>"),
    sufficiency="ranked",
    params=schema(
        {"label": LABEL, "probabilities": PROBABILITIES, "labels": LABELS, "absent": ABSENT},
        required=("label", "probabilities", "labels"),
    ),
    undefined={"*": "label-absent", "auroc": "one-class"},
    missing="A missing case has the worst possible score for each label: its own below all others, the rest above.",
)


@dataclass(frozen=True)
class MacroOvrAuroc:
    """The unweighted mean over the declared labels of AUROC with that label positive and all others negative.

    Each label is ranked by its own probability; higher means that label. A label that no case has, or that every case
    has, has no area ("one-class"); the mean is then undefined ("label-absent"), or over the other labels where the
    challenge declares `absent = "skip"`. Probabilities lie in [0, 1] and sum to 1 for each case.
    Source: Provost and Domingos 2000, with equal weights (scikit-learn's multi_class="ovr", average="macro").
    """

    card: MetricCard = CARD

    def outputs(self, params: Params) -> tuple[str, ...]:
        """The mean, then the area of each label."""
        return ("macro_ovr_auroc", *(f"auroc/{label}" for label in params["labels"]))

    def validate(self, cases: CaseIndex, entry: Table, params: Params) -> list[Issue]:
        """E-RANGE and E-PROB-SUM."""
        return check_probabilities(cases, entry, params)

    def tabulate(self, reference: Table, entry: Table, params: Params) -> CaseTable:
        """For each label the cases that have it and the others, each sorted by the label's probability."""
        labels = params["labels"]
        label = known(truth(reference, params["label"]), labels, params["label"])
        rows: dict[str, Rows] = {}
        for code, name in enumerate(labels):
            sides = ranked(label == code, numbers(entry, params["probabilities"][name]), entry.missing)
            rows |= {f"{side}{code}": ordered for side, ordered in zip(SIDES, sides, strict=True)}
        meta = {"labels": np.asarray(labels, dtype=str), "skip": np.asarray(params["absent"] == "skip")}
        return CaseTable(len(label), rows, meta)

    def aggregate(self, table: CaseTable, weights: Weights) -> Floats:
        """(B, 1 + labels)."""
        each = np.column_stack([area(*sides, weights) for sides in _by_label(table)])
        return np.column_stack([label_mean(each, skip=bool(table.meta["skip"])), each])

    def case_values(self, table: CaseTable) -> None:  # noqa: ARG002
        """A case alone has no area."""
        return


def _by_label(table: CaseTable) -> Iterator[tuple[Rows, Rows]]:
    positives, negatives = SIDES
    for code in range(len(table.meta["labels"])):
        yield table.rows[f"{positives}{code}"], table.rows[f"{negatives}{code}"]


macro_ovr_auroc = MacroOvrAuroc()
