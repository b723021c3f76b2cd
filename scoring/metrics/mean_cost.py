"""Mean cost of answers, each taken from a matrix that experts have given."""

import numpy as np

from scoring.columns import NONE, Floats, codes, known, truth
from scoring.metric import Params, mean_metric
from scoring.metrics.answers import PROPERTIES, WAYS, answers, check_answers
from scoring.metrics.schema import LABEL, ORDERED_LABELS, Schema, schema
from scoring.tables import Table

_COSTS: Schema = {
    "type": "array",
    "items": {"type": "array", "items": {"type": "number", "minimum": 0}, "minItems": 2},
    "minItems": 2,
    "x-by": "labels",
    "description": "a row for each true label, in it the cost of each answer, both in the order of `labels`",
}


@mean_metric(
    key="mean_cost",
    title="Mean cost",
    task_category="classification",
    direction="lower",
    range=(0.0, np.inf),
    params=schema(
        {"label": LABEL, **PROPERTIES, "labels": ORDERED_LABELS, "costs": _COSTS},
        required=("label", "labels", "costs"),
        one_of=WAYS,
    ),
    missing="A missing case costs as much as the worst answer to its true label.",
    check=check_answers,
    labels_from="prediction",
)
def mean_cost(reference: Table, entry: Table, params: Params) -> Floats:
    """`costs[true][answered]` of each case; 0 or more, and whatever the organiser's unit is.

    From probabilities the answer is the most probable label, not the one of least expected cost. A missing case, or an
    answer outside the labels, costs the largest number of the row of its true label.
    """
    labels, costs = params["labels"], np.asarray(params["costs"], dtype=np.float64)
    label = known(truth(reference, params["label"]), labels, params["label"])
    answer = np.where(entry.missing, NONE, codes(answers(entry, params), labels))
    return np.where(answer == NONE, costs.max(axis=1)[label], costs[label, answer])
