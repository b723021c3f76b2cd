"""The label that an entry answers: written down, or the one of highest probability."""

import numpy as np

from scoring.cases import CaseIndex
from scoring.columns import Texts, numbers, texts
from scoring.issues import Issue
from scoring.metric import Params
from scoring.metrics.probabilities import check_probabilities
from scoring.metrics.schema import PREDICTION, PROBABILITIES
from scoring.tables import Table

PROPERTIES = {"prediction": PREDICTION, "probabilities": PROBABILITIES}
WAYS = (("prediction",), ("probabilities",))


def answers(entry: Table, params: Params) -> Texts:
    """(n_cases,) labels. Of equal probabilities the label that stands first in `labels` is the answer, and one outside
    them comes last. What stands for a missing case means nothing: ask `entry.missing` first.
    """
    if "prediction" in params:
        return texts(entry, params["prediction"])
    columns, labels = params["probabilities"], params.get("labels", ())
    names = [*labels, *sorted(set(columns) - set(labels))]
    given = np.column_stack([numbers(entry, columns[name]) for name in names])
    return np.asarray(np.asarray(names, dtype=str)[given.argmax(axis=1)])


def check_answers(cases: CaseIndex, entry: Table, params: Params) -> list[Issue]:
    """E-RANGE and E-PROB-SUM for probabilities; the reader has seen to labels."""
    return check_probabilities(cases, entry, params) if "probabilities" in params else []
