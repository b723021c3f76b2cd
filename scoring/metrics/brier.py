"""Brier score of probabilities."""

import numpy as np

from scoring.columns import Floats
from scoring.metric import Params, mean_metric
from scoring.metrics.probabilities import PROPERTIES, WAYS, check_probabilities, probabilities, true_codes
from scoring.metrics.schema import schema
from scoring.tables import Table


@mean_metric(
    key="brier",
    title="Brier score",
    task_category="classification",
    direction="lower",
    range=(0.0, 2.0),
    params=schema(PROPERTIES, required=("label",), one_of=WAYS),
    missing="A missing case is as wrong as can be: 1 for one probability, 2 for a probability of each label.",
    check=check_probabilities,
)
def brier(reference: Table, entry: Table, params: Params) -> Floats:
    """Squared distance between probabilities and truth: binary (p - y)², 0 to 1; several labels Σ (p - y)², 0 to 2.

    A missing case is as wrong as can be: 1 in the binary form, 2 with several labels (Brier 1950 sums over all labels).
    """
    given, code = probabilities(entry, params), true_codes(reference, params)
    if "score" in params:
        return np.where(entry.missing, 1.0, (given[:, 1] - code) ** 2)
    given[np.arange(len(given)), code] -= 1
    return np.where(entry.missing, 2.0, (given**2).sum(axis=1))
